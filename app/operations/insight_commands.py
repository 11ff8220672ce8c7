"""Commands about the figures of dashboards."""

import click

from app.insight import refreshing
from app.kernel.db import database_now

DAYS_MAX = 4_000


@click.group("insight")
def insight() -> None:
    """Make the figures of dashboards again."""


@insight.command("rebuild")
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    default=refreshing.BACK_DAYS,
    show_default=True,
    help="How many days back, today included.",
)
def rebuild(*, days: int) -> None:
    """Count every day again, from the rows themselves; harmless at any time."""
    made = refreshing.rebuild(days=days, now=database_now())
    click.echo(f"{made} days made again")
