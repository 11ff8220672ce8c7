"""Whether two members of staff are two people: neither can sign in as the other.

Nobody decides about their own account in the mini-program either, as far as it was ever tied to
them by staff mode.

Whoever appoints somebody, or resets their sign-in, knows a first password of theirs and can connect
a phone before they do. For a day after that the two count as one, and so does everybody whose
sign-in either of them gave: nothing that takes two people is decided by them together. By then the
person concerned has noticed, or has chosen a password of their own.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.stores.models import Staff
from app.stores.permissions import RoleName
from app.stores.staff_errors import NotIndependent, OwnMatter
from app.stores.staff_mode_models import StaffBinding

STAFF: Final = "staff"
LASTS: Final = timedelta(days=1)
GIVEN: Final = ("staff_created", "staff_sign_in_reset")
"""Actions on record that put somebody's sign-in into the hands of another."""
TAKEN: Final = ("staff_disabled", "staff_duties_set", "staff_person_set")
"""Actions on record that can leave somebody without a say."""


def require_independent(session: Session, people: Iterable[Actor | None], *, now: datetime) -> None:
    """Raise `NotIndependent` where two of some people may be one and the same at the keyboard."""
    ids = [one.id for one in people if one is not None and one.kind == STAFF and one.id is not None]
    taken: set[int] = set()
    for staff_id in dict.fromkeys(ids):
        hands = hands_of(session, staff_id, now=now)
        if not taken.isdisjoint(hands):
            raise NotIndependent
        taken |= hands


def require_unconcerned(
    session: Session, people: Iterable[Actor | None], member_id: int | None
) -> None:
    """Raise `OwnMatter` where the account of a member is, or was, that of one of some people."""
    ids = {one.id for one in people if one is not None and one.kind == STAFF}
    own = sa.select(StaffBinding.id).where(
        StaffBinding.member_id == member_id, StaffBinding.staff_id.in_(ids)
    )
    if session.scalar(own.limit(1)) is not None:
        raise OwnMatter


def hands_of(session: Session, staff_id: int, *, now: datetime) -> set[int]:
    """Return who may sit where somebody is signed in: they, and who lately gave them a sign-in."""
    found: set[int] = set()
    new = {staff_id}
    while new:
        found |= new
        givers = session.scalars(
            sa.select(AuditRecord.actor_id).where(
                *_lately(GIVEN, now), AuditRecord.subject_id.in_(new)
            )
        )
        new = {one for one in givers if one is not None} - found
    return found


def has_put_out(session: Session, staff_id: int, *, now: datetime) -> bool:
    """Tell whether somebody lately took an owner's say away, and so made themselves alone.

    Nobody gets round a second person by first disabling, demoting or dismissing them.
    """
    acts = session.execute(
        sa.select(AuditRecord.subject_id, AuditRecord.before).where(
            *_lately(TAKEN, now), AuditRecord.actor_id == staff_id
        )
    ).all()
    return any(RoleName.OWNER in row.before.get("roles", ()) for row in acts) or _any_owner(
        session, {row.subject_id for row in acts} - {staff_id}
    )


def _any_owner(session: Session, staff_ids: Collection[int]) -> bool:
    owner = Staff.roles.any(name=RoleName.OWNER)
    found = sa.select(Staff.id).where(Staff.id.in_(staff_ids), owner)
    return bool(staff_ids) and session.scalar(found.limit(1)) is not None


def _lately(actions: Collection[str], now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        AuditRecord.subject_type == STAFF,
        AuditRecord.actor_kind == STAFF,
        AuditRecord.action.in_(actions),
        AuditRecord.at > now - LASTS,
    )
