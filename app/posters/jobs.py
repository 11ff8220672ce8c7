"""Removing posters that nobody asked for lately."""

from app.access import settings
from app.kernel.jobs import job
from app.posters import rendering


@job("forget_old_posters")
def forget_old_posters() -> int:
    """Remove drawn posters older than a week, names of erased people among them."""
    return rendering.forget_old(settings())
