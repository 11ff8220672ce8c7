"""Who may decide about other people's money and place, and how it is recorded."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.members.errors import ReasonRequired, SecondPersonRequired
from app.stores.independence import require_independent

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


def require_two_desks(
    session: Session, actor: Actor, second_actor: Actor, *, now: datetime
) -> None:
    """Raise unless two people decide, each as themselves: `SecondPersonRequired`, `NotIndependent`.

    Whoever gave a colleague a sign-in lately could sit at both desks.
    """
    require_two_people(actor, second_actor)
    require_independent(session, [actor, second_actor], now=now)
