"""Who may decide about other people's money and place, and how it is recorded."""

from app.kernel.audit import Actor
from app.members.errors import ReasonRequired, SecondPersonRequired

STAFF = "staff"


def require_reason(reason: str) -> None:
    """Raise `ReasonRequired` where a decision does not say why."""
    if not reason.strip():
        raise ReasonRequired


def require_two_people(actor: Actor, second_actor: Actor) -> None:
    """Raise `SecondPersonRequired` unless two different members of staff decide together."""
    both_staff = actor.kind == second_actor.kind == STAFF
    both_known = actor.id is not None and second_actor.id is not None
    if not (both_staff and both_known and actor.id != second_actor.id):
        raise SecondPersonRequired
