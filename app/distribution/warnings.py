"""Level warnings as people see them, and how staff lift one."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import LevelPeriod
from app.distribution.plan_records import LevelWarning, WarningOutcome
from app.engines.level_wording import explain_move, explain_warning
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message
from app.members.decisions import require_reason
from app.members.models import Distributor


@dataclass(eq=False)
class WarningNotOpen(DomainError):
    """There is no such warning, or it has ended."""

    code: ClassVar[str] = "level_warning_not_open"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This warning is not open.")


@dataclass(frozen=True, slots=True)
class OpenWarning:
    """A warning that its holder can still make good."""

    level: int
    period: str
    given_at: datetime
    until_at: datetime
    explanation: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One level of a distributor from when until when, and why it began."""

    id: int
    level: int
    from_at: datetime
    until_at: datetime | None
    cause: str
    explanation: tuple[Message, ...]


def open_warning(session: Session, member_id: int) -> OpenWarning | None:
    """Return the warning that a distributor is under, if there is one."""
    row = session.scalar(
        sa.select(LevelWarning).where(
            LevelWarning.member_id == member_id, LevelWarning.ended_at.is_(None)
        )
    )
    if row is None:
        return None
    words = explain_warning(row.facts)
    return OpenWarning(row.level, row.period, row.given_at, row.until_at, words)


def level_history(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> list[PeriodRow]:
    """Return one page of the levels that a distributor has held, the newest first."""
    wanted = sa.select(LevelPeriod).where(LevelPeriod.member_id == member_id)
    if after_id is not None:
        wanted = wanted.where(LevelPeriod.id < after_id)
    return [
        PeriodRow(
            one.id,
            one.level,
            one.from_at,
            one.until_at,
            one.cause,
            explain_move(one.cause, one.facts),
        )
        for one in session.scalars(wanted.order_by(LevelPeriod.id.desc()).limit(limit))
    ]


def lift_warning(
    session: Session, warning_id: int, *, actor: Actor, reason: str, now: datetime
) -> None:
    """Let a distributor keep the level whatever they sell, saying why.

    The holder's row is locked first, as everywhere, so that it cannot end in two ways. Raises
    `ReasonRequired`, `WarningNotOpen`.
    """
    require_reason(reason)
    holder = session.execute(
        sa.select(Distributor.member_id, Distributor.store_id)
        .join(LevelWarning, LevelWarning.member_id == Distributor.member_id)
        .where(LevelWarning.id == warning_id)
        .with_for_update(of=Distributor, key_share=True)
    ).one_or_none()
    lifted = session.execute(
        sa.update(LevelWarning)
        .where(LevelWarning.id == warning_id, LevelWarning.ended_at.is_(None))
        .values(ended_at=now, outcome=WarningOutcome.LIFTED)
        .returning(LevelWarning.level, LevelWarning.period)
    ).one_or_none()
    if holder is None or lifted is None:
        raise WarningNotOpen
    audit.record(
        session,
        actor,
        "level_warning_lifted",
        Subject("distributor", holder.member_id, holder.store_id),
        Change({"level": lifted.level, "period": lifted.period}, {"outcome": "lifted"}, reason),
        now=now,
    )
