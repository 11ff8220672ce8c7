"""Levels, growth, tasks and rewards of customers of a store of the world."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.loyalty import rewards, tasks
from app.loyalty.models import RewardSource, TaskKind
from app.loyalty.rewards import Reward
from app.loyalty.tasks import TaskSpec
from app.membership.models import GrowthEntry, LevelMove, MembershipLevel
from tests.admin.place import Place
from tests.factories.membership import grow, make_level
from tests.factories.people import make_member

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def put_membership(session: Session, place: Place, name: str) -> None:
    """A customer of this store who grew to a level and was given something."""
    if session.scalar(sa.select(MembershipLevel.id).limit(1)) is None:
        make_level(session, 1, 0)
        make_level(session, 2, 1_000)
    member = make_member(session, nickname=f"{name} grown customer")
    member.origin_store_id = place.store.id
    session.flush()
    grow(session, member.id, 1_500, key=f"{name} growth", now=NOON)
    of_member = LevelMove.member_id == member.id
    move_id = session.scalars(sa.select(LevelMove.id).where(of_member)).one()
    entry = sa.select(GrowthEntry.id).where(GrowthEntry.member_id == member.id)
    place.put("level_moves", move_id, f"{name} grown customer")
    place.put("growth_entries", session.scalars(entry).one(), f"{name} grown customer")
    given = rewards.give(
        session,
        member.id,
        Reward.points(5),
        key=f"{name} reward",
        source=RewardSource.HAND,
        now=NOON,
    )
    place.put("given_rewards", given.id, f"{name} grown customer")


def put_brand_membership(session: Session, brand: Place) -> None:
    """A level and a task, which are of the whole brand."""
    level = make_level(session, 50)
    brand.put("membership_levels", level.id, "Level 50")
    spec = TaskSpec(
        kind=TaskKind.FOLLOW,
        title="Follow us",
        rewards=[Reward.points(1)],
        starts_at=NOON,
    )
    task = tasks.put_task(session, None, spec, actor=SYSTEM, now=NOON)
    brand.put("member_tasks", task.id, "Follow us")
