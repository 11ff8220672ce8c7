"""Who owned a customer at an instant, and why, as pages tell it."""

from typing import Any

from admin.details import pairs_of, rows_section
from admin.tables import Shape
from admin.words import rule_in_words, step_reason
from app.attribution.queries import OwnerAnswer

STEPS = Shape(("event", "at", "actor", "reason"), computed={"reason": step_reason})


def told(answer: OwnerAnswer) -> dict[str, Any]:
    """Return what `backoffice/owner_then.html` shows: facts, the rule, the steps by then."""
    facts: dict[str, Any] = {}
    if answer.binding is not None:
        facts = {
            "owner_id": answer.binding.owner_id,
            "owner_store_id": answer.binding.owner_store_id,
            "state": answer.state,
            "source": answer.binding.source,
            "valid_from_at": answer.binding.valid_from_at,
            "valid_until_at": answer.valid_until_at,
            "channel_id": answer.share_code.channel_id if answer.share_code else None,
        }
    shown = {name: value for name, value in facts.items() if value is not None}
    return {
        "pairs": pairs_of(shown, {}) if shown else [],
        "steps": rows_section("", answer.steps, STEPS).table,
        "rule": rule_in_words(answer.rule) if answer.rule else [],
    }
