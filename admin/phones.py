"""Looking at a whole phone number: by right, for a reason, recorded, and not too often.

Everything else in the back office shows numbers masked (reliability P1).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel import audit
from app.kernel.audit import Actor, AuditRecord, Change, Subject
from app.kernel.clock import business_day, day_begins_at
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.kernel.secrecy import vault
from app.members.models import Member
from app.stores.models import Staff

ACTION: Final = "phone_revealed"
LOOKS: Final = (ACTION, "privacy.copy_taken")
"""Actions that show somebody a whole number; the copy of a customer's data has it too."""


@dataclass(eq=False)
class TooManyLooks(DomainError):
    """Somebody has looked at as many phone numbers as one day allows."""

    code: ClassVar[str] = "too_many_phone_looks"
    kind: ClassVar[ErrorKind] = ErrorKind.LIMITED
    text: ClassVar[str] = N_("You have seen %(looks_max)s phone numbers today; that is the limit.")

    looks_max: int


@dataclass(eq=False)
class NoPhone(DomainError):
    """The customer has given no phone number."""

    code: ClassVar[str] = "no_phone"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This customer has given no phone number.")


def reveal(session: Session, member_id: int, *, reason: str, actor: Actor, now: datetime) -> str:
    """Return a phone number and record who saw it and why.

    Raises `NoPhone`, `TooManyLooks`.
    """
    member = session.get_one(Member, member_id)
    if member.phone_sealed is None:
        raise NoPhone
    require_look(session, actor=actor, now=now)
    subject = Subject("member", member_id)
    audit.record(session, actor, ACTION, subject, Change(reason=reason), now=now)
    return vault().open(member.phone_sealed)


def require_look(session: Session, *, actor: Actor, now: datetime) -> None:
    """Raise `TooManyLooks` where somebody has had all looks of the day.

    Their own row is locked, so that many requests at once share one count.
    """
    session.execute(sa.select(Staff.id).where(Staff.id == actor.id).with_for_update(key_share=True))
    looks = session.scalar(
        sa.select(sa.func.count()).where(
            AuditRecord.actor_kind == actor.kind,
            AuditRecord.actor_id == actor.id,
            AuditRecord.action.in_(LOOKS),
            AuditRecord.at >= day_begins_at(business_day(now)),
        )
    )
    looks_max = settings().phone_looks_per_day
    if (looks or 0) >= looks_max:
        raise TooManyLooks(looks_max)
