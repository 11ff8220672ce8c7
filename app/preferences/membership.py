"""Settings of membership. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import Group, Spec
from app.preferences.units import Unit

MEMBERSHIP: Final[tuple[Spec, ...]] = (
    Spec(
        name="growth_per_yuan",
        group=Group.PROMOTIONS,
        unit=Unit.COUNT,
        label=N_("Growth for each yuan"),
        governs=N_("How much growth each whole yuan brings that was paid and kept."),
        keeps=N_("Orders paid before bring what they were promised."),
        least=0,
        most=1_000,
    ),
)
