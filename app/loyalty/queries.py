"""Reading what was given."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.loyalty.models import GivenReward, RewardState


def given_page(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> Sequence[GivenReward]:
    """Return one page of what a member was given, the newest first; without what was refused."""
    wanted = sa.select(GivenReward).where(
        GivenReward.member_id == member_id, GivenReward.state == RewardState.GIVEN
    )
    if after_id is not None:
        wanted = wanted.where(GivenReward.id < after_id)
    return session.scalars(wanted.order_by(GivenReward.id.desc()).limit(limit)).all()
