"""`flask draws`: compute a lucky draw that is over again, ticket by ticket."""

import json
import sys

import click

from app.activities.draw_checks import check_draw
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.i18n import ENGLISH, translate


@click.group("draws")
def draws_group() -> None:
    """Look after lucky draws."""


@draws_group.command("verify")
@click.argument("activity_id", type=int)
@click.option("--seed", help="The seed that you were given; it has to be the promised one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(*, activity_id: int, seed: str | None, as_json: bool) -> None:
    """Compute every ticket of a draw again; ends with status 1 where one is not what it says."""
    try:
        found = check_draw(db.session(), activity_id, seed=seed)
    except DomainError as error:
        click.echo(translate(error.message(), ENGLISH), err=True)
        sys.exit(1)
    if as_json:
        told = {"ok": found.is_honest, "tickets": found.tickets, "wrong": list(found.wrong)}
        click.echo(json.dumps(told))
    elif found.is_honest:
        click.echo(f"{found.tickets} tickets: every ticket is what the seed says")
    else:
        count = len(found.wrong)
        click.echo(f"ticket {found.wrong[0]} is not what the seed says; {count} differ in all")
    sys.exit(0 if found.is_honest else 1)
