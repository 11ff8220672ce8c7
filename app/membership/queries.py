"""Reading membership: where a member stands, and what the levels are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.kernel.money import BASIS_POINTS
from app.membership.models import GrowthEntry, LevelHolding, LevelVersion, MembershipLevel
from app.membership.states import Basis


@dataclass(frozen=True, slots=True)
class MemberStanding:
    """What the level of a member is worth at an instant.

    `valid_until_at` is when it ends or is looked at again; None for the level that asks for
    nothing. Without any level of the brand everybody pays the full price.
    """

    level_id: int | None
    name: str
    name_en: str
    rank: int
    discount_bp: int
    points_multiplier_bp: int
    valid_until_at: datetime | None
    excluded_product_ids: frozenset[int] = frozenset()


NO_LEVEL: Final = MemberStanding(None, "", "", 0, BASIS_POINTS, BASIS_POINTS, None)


@dataclass(frozen=True, slots=True)
class LevelTerms:
    """A level together with its version in force."""

    level_id: int
    rank: int
    version: LevelVersion

    @property
    def is_reached_by_growth(self) -> bool:
        """Tell whether growth alone can lead here today."""
        return self.version.growth_at_least is not None and not self.version.is_retired


def levels_at(session: Session, *, at: datetime) -> tuple[LevelTerms, ...]:
    """Return every level with what it asked for and brought at an instant, the lowest first."""
    rows = session.execute(
        sa.select(MembershipLevel.id, MembershipLevel.rank, LevelVersion)
        .join(LevelVersion, LevelVersion.level_id == MembershipLevel.id)
        .where(LevelVersion.from_at <= at)
        .ext(distinct_on(MembershipLevel.rank))
        .order_by(MembershipLevel.rank, LevelVersion.from_at.desc(), LevelVersion.id.desc())
    )
    return tuple(LevelTerms(level_id, rank, version) for level_id, rank, version in rows)


def standing_of(session: Session, member_id: int, *, at: datetime) -> MemberStanding:
    """Return the level that counts for a member at an instant: the best that they hold.

    Asked about the past, it answers as it was.
    """
    levels = levels_at(session, at=at)
    if not levels:
        return NO_LEVEL
    held = held_at(session, member_id, at=at)
    best = max((one for one in levels if one.level_id in held), key=_rank, default=base(levels))
    if best is None:
        return NO_LEVEL
    return standing(best, held.get(best.level_id))


def held_at(session: Session, member_id: int, *, at: datetime) -> Mapping[int, datetime]:
    """Return the levels that a member holds at an instant, each with when it ends."""
    rows = session.execute(
        sa.select(LevelHolding.level_id, sa.func.max(LevelHolding.until_at))
        .where(LevelHolding.member_id == member_id, in_force(at))
        .group_by(LevelHolding.level_id)
    )
    return {row.level_id: row[1] for row in rows}


def in_force(at: datetime) -> sa.ColumnElement[bool]:
    """Return the condition for holdings that count at an instant."""
    return sa.and_(
        LevelHolding.from_at <= at,
        sa.or_(LevelHolding.ended_at.is_(None), LevelHolding.ended_at > at),
        sa.or_(LevelHolding.basis == Basis.GROWTH, LevelHolding.until_at > at),
    )


def base(levels: Sequence[LevelTerms]) -> LevelTerms | None:
    """Return the level at which everybody stands: the best that asks for no growth."""
    free = [one for one in levels if one.is_reached_by_growth and not one.version.growth_at_least]
    return max(free, key=_rank, default=None)


def standing(terms: LevelTerms, until_at: datetime | None) -> MemberStanding:
    """Return what a level is worth to somebody who holds it until then."""
    return MemberStanding(
        level_id=terms.level_id,
        name=terms.version.name,
        name_en=terms.version.name_en,
        rank=terms.rank,
        discount_bp=terms.version.discount_bp,
        points_multiplier_bp=terms.version.points_multiplier_bp,
        valid_until_at=until_at,
        excluded_product_ids=frozenset(terms.version.excluded_product_ids),
    )


def growth_between(
    session: Session, member_id: int, *, since_at: datetime, until_at: datetime
) -> int:
    """Return the growth of a member that counts after one instant, up to another."""
    total = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(GrowthEntry.amount), 0)).where(
            GrowthEntry.member_id == member_id,
            GrowthEntry.counts_at > since_at,
            GrowthEntry.counts_at <= until_at,
        )
    )
    return int(total or 0)


def _rank(terms: LevelTerms) -> int:
    return terms.rank
