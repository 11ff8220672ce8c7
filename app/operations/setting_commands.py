"""Commands about the settings that staff change, for whoever runs the installation."""

import json
import sys
from datetime import datetime
from typing import Any, Final

import click

from app.access import environment
from app.kernel.audit import SYSTEM
from app.kernel.clock import SHANGHAI
from app.kernel.db import atomic, database_now, db
from app.kernel.errors import DomainError
from app.kernel.i18n import ENGLISH, translate
from app.preferences import queries, services
from app.preferences.catalogue import BY_NAME
from app.preferences.services import Wish
from app.preferences.specs import Spec
from app.preferences.units import Unit, Value, worded

SWITCHES: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@click.group("settings")
def settings_group() -> None:
    """See and change the settings that staff change in the back office."""


@settings_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_settings(*, as_json: bool) -> None:
    """Print every setting: in force now, without a change, and what is planned."""
    found = queries.standings(db.session(), environment=environment(), now=database_now())
    if as_json:
        told = {
            one.spec.name: {
                "value": one.value,
                "default": one.default,
                "planned": [
                    {"value": plan.value, "effective_at": plan.effective_at.isoformat()}
                    for plan in one.planned
                ],
            }
            for one in found
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in found:
        marks = ["*"] if one.last else []
        marks += [f"planned: {_said(one.spec, plan.value)}" for plan in one.planned]
        click.echo(f"{one.spec.name:32} {_said(one.spec, one.value):>16}  {' '.join(marks)}")


@settings_group.command("history")
@click.argument("name", type=click.Choice(sorted(BY_NAME)))
def history(*, name: str) -> None:
    """Print every change of a setting, the newest first."""
    spec = BY_NAME[name]
    for one in queries.history(db.session(), name):
        people = one.set_by if one.second_by is None else f"{one.set_by} and {one.second_by}"
        gone = f" withdrawn by {one.withdrawn_by}" if one.withdrawn_at else ""
        click.echo(
            f"{one.effective_at.isoformat()}  {_said(spec, one.previous)} ->"
            f" {_said(spec, one.value)}  {people}: {one.reason}{gone}"
        )


@settings_group.command("set")
@click.argument("name", type=click.Choice(sorted(BY_NAME)))
@click.argument("value")
@click.option("--at", "at", help="From when on, as 2026-12-01T00:00 by the shops' clock.")
@click.option("--reason", required=True, help="Why; the audit trail and the history keep it.")
def set_setting(*, name: str, value: str, at: str | None, reason: str) -> None:
    """Change a setting; VALUE is in the unit of its name (fen, seconds, basis points)."""
    spec = BY_NAME[name]
    wish = Wish(name=name, value=_parsed(spec, value), effective_at=_instant(at), reason=reason)
    now = database_now()
    try:
        with atomic() as session:
            row = services.change(session, wish, environment=environment(), actor=SYSTEM, now=now)
            told = f"{_said(spec, row.previous)} -> {_said(spec, row.value)}"
            effective = row.effective_at.isoformat()
    except DomainError as error:
        click.echo(translate(error.message(), ENGLISH), err=True)
        sys.exit(1)
    click.echo(f"{name}: {told} from {effective}")


def _said(spec: Spec, value: Value) -> str:
    return translate(worded(spec.unit, value), ENGLISH)


def _parsed(spec: Spec, text: str) -> Any:
    """Read what was typed; what is neither a number nor a switch ends the command."""
    if spec.unit is Unit.SWITCH:
        if text.lower() not in SWITCHES:
            raise click.BadParameter("true or false", param_hint="VALUE")
        return SWITCHES[text.lower()]
    if not text.lstrip("-").isdecimal():
        raise click.BadParameter("a whole number", param_hint="VALUE")
    return int(text)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("as 2026-12-01T00:00", param_hint="--at") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)
