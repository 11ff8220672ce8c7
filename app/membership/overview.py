"""What people ask about a membership: how far it is to the next level, and how it came to be so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.membership.models import GrowthEntry, LevelMove, Membership
from app.membership.queries import (
    LevelTerms,
    MemberStanding,
    growth_between,
    levels_at,
    standing_of,
)
from app.membership.states import YEAR


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a member stands, and how far it is to the next level that growth reaches.

    `growth` is that of the last year, which decides; `kept_growth` is what will count when the
    level is looked at again, by what is known today.
    """

    standing: MemberStanding
    growth: int
    growth_in_all: int
    kept_growth: int | None
    next_level: LevelTerms | None
    lacking: int


def progress_of(session: Session, member_id: int, *, now: datetime) -> Progress:
    """Return where a member stands and what they lack."""
    held = standing_of(session, member_id, at=now)
    growth = growth_between(session, member_id, since_at=now - YEAR, until_at=now)
    until_at = held.valid_until_at
    kept = None
    if until_at is not None:
        kept = growth_between(session, member_id, since_at=until_at - YEAR, until_at=now)
    higher = [
        one
        for one in levels_at(session, at=now)
        if one.is_reached_by_growth and one.rank > held.rank
    ]
    next_level = higher[0] if higher else None
    needed = (next_level.version.growth_at_least or 0) if next_level else 0
    in_all = session.scalar(sa.select(Membership.growth).where(Membership.member_id == member_id))
    return Progress(held, growth, in_all or 0, kept, next_level, max(0, needed - growth))


def entries_page(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> Sequence[GrowthEntry]:
    """Return one page of a member's growth, the newest first."""
    wanted = sa.select(GrowthEntry).where(GrowthEntry.member_id == member_id)
    if after_id is not None:
        wanted = wanted.where(GrowthEntry.id < after_id)
    return session.scalars(wanted.order_by(GrowthEntry.id.desc()).limit(limit)).all()


def moves_page(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> Sequence[LevelMove]:
    """Return one page of the changes of a member's level, the newest first."""
    wanted = sa.select(LevelMove).where(LevelMove.member_id == member_id)
    if after_id is not None:
        wanted = wanted.where(LevelMove.id < after_id)
    return session.scalars(wanted.order_by(LevelMove.id.desc()).limit(limit)).all()
