"""Growth of members: what comes, and what is taken back. Each fact counts once, by its key."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.counter.duty import require_somebody_else
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record
from app.membership import holding
from app.membership.errors import GrowthShort, LevelInvalid, ReasonMissing
from app.membership.models import GrowthEntry
from app.membership.states import GrowthSource

BY_HAND_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One fact about growth. `key` names it for good; `amount` is negative where it is taken."""

    key: str
    amount: int
    source: GrowthSource
    counts_at: datetime
    order_id: int | None = None
    actor: str = str(SYSTEM)
    reason: str = ""


def add(session: Session, member_id: int, growth: Growth, *, now: datetime) -> bool:
    """Record growth and let the level follow; the same key again changes nothing.

    Return whether it is new.
    """
    row = holding.lock(session, member_id)
    entry_id = session.scalar(
        insert(GrowthEntry)
        .values(
            key=growth.key,
            member_id=member_id,
            amount=growth.amount,
            source=growth.source,
            order_id=growth.order_id,
            counts_at=growth.counts_at,
            at=now,
            actor=growth.actor,
            reason=growth.reason,
        )
        .on_conflict_do_nothing(index_elements=[GrowthEntry.key])
        .returning(GrowthEntry.id)
    )
    if entry_id is None:
        return False
    row.growth += growth.amount
    session.flush()
    if growth.amount > 0:
        holding.lift(session, row, now=now)
    else:
        holding.drop_unearned(session, row, now=now)
    return True


def add_by_hand(
    session: Session, member_id: int, amount: int, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Give growth by hand, or take some: never more than there is; with a reason, on record."""
    require_somebody_else(session, actor, member_id)
    if not reason.strip():
        raise ReasonMissing
    if amount == 0 or abs(amount) > BY_HAND_MAX:
        raise LevelInvalid("amount")
    row = holding.lock(session, member_id)
    if row.growth + amount < 0:
        raise GrowthShort(max(row.growth, 0))
    before = {"growth": row.growth}
    number = session.scalar(
        sa.select(sa.func.count())
        .select_from(GrowthEntry)
        .where(GrowthEntry.member_id == member_id, GrowthEntry.source == GrowthSource.HAND)
    )
    fact = Growth(
        key=f"hand:{member_id}:{number}",
        amount=amount,
        source=GrowthSource.HAND,
        counts_at=now,
        actor=str(actor),
        reason=reason.strip(),
    )
    assert add(session, member_id, fact, now=now), "counted under the lock, so it is new"
    change = Change(before=before, after={"growth": row.growth}, reason=reason.strip())
    record(session, actor, "growth_changed", Subject("member", member_id), change, now=now)
