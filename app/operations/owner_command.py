"""`flask owner-of`: whom a customer belonged to at a moment, through what, under which rule."""

import json
from datetime import datetime
from typing import Any

import click

from app.attribution.queries import OwnerAnswer, owner_at
from app.kernel.clock import SHANGHAI
from app.kernel.db import database_now, db
from app.members.models import Member


@click.command("owner-of")
@click.argument("member_id", type=int)
@click.option("--at", "moment", help="Such as 2026-11-03T14:05, by Shanghai's clock (now).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def owner_of(*, member_id: int, moment: str | None, as_json: bool) -> None:
    """Print who owned a customer at a moment, the touch that won them, the rule, each step."""
    at = _read(moment) if moment else database_now()
    session = db.session()
    if session.get(Member, member_id) is None:
        raise click.ClickException(f"There is no member {member_id}.")
    told = {
        "member_id": member_id,
        "at": at.isoformat(),
        **_told(owner_at(session, member_id, at=at)),
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, value in told.items():
        if name != "steps":
            click.echo(f"{name}  {value}")
    for step in told["steps"]:
        click.echo(f"{step['at']}  {step['event']}  {step['actor']}  {step['reason']}")


def _read(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.ClickException("A moment is written as 2026-11-03T14:05.") from None
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _told(answer: OwnerAnswer) -> dict[str, Any]:
    """Return an answer as plain values; without an owner everything else is empty."""
    owner, touch, code = answer.owner, answer.touch, answer.share_code
    return {
        "owner_distributor_id": owner.distributor_id if owner else None,
        "owner_store_id": owner.store_id if owner else None,
        "binding_id": answer.binding.id if answer.binding else None,
        "state": answer.state.value if answer.state else None,
        "valid_until_at": answer.valid_until_at.isoformat() if answer.valid_until_at else None,
        "touch_id": touch.id if touch else None,
        "touched_at": touch.occurred_at.isoformat() if touch else None,
        "source": touch.source.value if touch else None,
        "channel": code.channel.name if code else None,
        "rule": answer.rule,
        "steps": [
            {
                "event": step.event.value,
                "at": step.at.isoformat(),
                "actor": step.actor,
                "reason": step.reason,
                "order_id": step.order_id,
            }
            for step in answer.steps
        ],
    }
