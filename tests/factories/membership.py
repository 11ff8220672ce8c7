"""Levels and growth for tests."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.membership import growth
from app.membership.growth import Growth
from app.membership.leveling import LevelSpec, put_level
from app.membership.models import MembershipLevel
from app.membership.states import GrowthSource

LONG_AGO: Final = datetime(2025, 1, 1, tzinfo=UTC)


def make_level(
    session: Session,
    rank: int,
    growth_at_least: int | None = None,
    *,
    level_id: int | None = None,
    now: datetime = LONG_AGO,
    **rules: Any,
) -> MembershipLevel:
    """A level of this rank, or new rules of one that is there."""
    spec = LevelSpec(rank=rank, name=f"Level {rank}", growth_at_least=growth_at_least, **rules)
    return put_level(session, level_id, spec, actor=SYSTEM, reason="test", now=now)


def make_ladder(session: Session) -> tuple[int, int, int]:
    """Base, silver from 1000 and gold from 5000; their ids."""
    base = make_level(session, 1, 0)
    silver = make_level(session, 2, 1_000, discount_bp=9_500, points_multiplier_bp=12_000)
    gold = make_level(session, 3, 5_000, discount_bp=9_000, points_multiplier_bp=15_000)
    return base.id, silver.id, gold.id


def grow(
    session: Session,
    member_id: int,
    amount: int,
    *,
    key: str,
    now: datetime,
    counts_at: datetime | None = None,
) -> bool:
    """Let growth come, or be taken back where it is negative."""
    fact = Growth(
        key=key,
        amount=amount,
        source=GrowthSource.ORDER if amount > 0 else GrowthSource.REFUND,
        counts_at=counts_at or now,
    )
    return growth.add(session, member_id, fact, now=now)
