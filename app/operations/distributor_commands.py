"""`flask levels` and `flask statements`: who would move, and what a month brought whom."""

import csv
import sys
from typing import Final

import click

from app.distribution import statements as of_months
from app.distribution.level_preview import preview, preview_page
from app.engines.documents import load_rules
from app.kernel.db import database_now, db
from app.plans.models import PlanVersion
from app.plans.queries import level_version

COLUMNS: Final = (
    "member_id",
    "month",
    "opening_fen",
    "earned_fen",
    "matured_fen",
    "taken_back_fen",
    "paid_out_fen",
    "closing_fen",
)


@click.group()
def levels() -> None:
    """Look at levels of distributors."""


@levels.command("preview")
@click.option("--version", "version_id", type=int, help="A plan version, also a draft (in force).")
@click.option("--people", default=0, type=click.IntRange(0), help="How many to name (0).")
def preview_levels(*, version_id: int | None, people: int) -> None:
    """Print who would rise under the plan in force or another version; changes nothing."""
    session, now = db.session(), database_now()
    version = (
        level_version(session, at=now)
        if version_id is None
        else session.get(PlanVersion, version_id)
    )
    if version is None:
        raise click.ClickException("There is no such version, or no plan is in force.")
    tried = load_rules(version.rules).levels
    for one in preview(session, tried, now=now):
        click.echo(f"{one.people} from level {one.from_level} to level {one.to_level}")
    for mover in preview_page(session, tried, now=now, limit=people):
        click.echo(f"member {mover.member_id}: {mover.from_level} to {mover.to_level}")


@click.command("statements")
@click.option("--month", required=True, help="Such as 2026-10.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one line for each distributor.")
def statements(*, month: str, as_csv: bool) -> None:
    """Print what a month brought all distributors together, or each of them."""
    if not of_months.is_month(month):
        raise click.ClickException("A month is written as 2026-10.")
    totals = dict.fromkeys(COLUMNS[2:], 0)
    writer = csv.writer(sys.stdout)
    if as_csv:
        writer.writerow(COLUMNS)
    count = 0
    for one in of_months.statements(db.session(), month):
        count += 1
        if as_csv:
            writer.writerow([getattr(one, name) for name in COLUMNS])
        for name in totals:
            totals[name] += getattr(one, name)
    if not as_csv:
        click.echo(f"{count} statements of {month}")
        for name, total in totals.items():
            click.echo(f"{name}  {total}")
