"""Levels and tasks of the demo brand, and a few members with a level of their own story."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demo.brand import HISTORY
from app.kernel.audit import SYSTEM, Actor
from app.kernel.db import atomic, database_now
from app.loyalty import tasks
from app.loyalty.models import MemberTask, TaskKind
from app.loyalty.rewards import Reward
from app.loyalty.tasks import TaskSpec
from app.members.models import Member
from app.membership import by_hand, growth
from app.membership.by_hand import LevelWish
from app.membership.leveling import LevelSpec, put_level
from app.membership.models import LevelHolding, MembershipLevel
from app.membership.queries import levels_at
from app.membership.states import Basis
from app.stores.models import Staff

LEVELS: Final = (
    LevelSpec(
        rank=1,
        name="普卡",
        name_en="Classic",
        growth_at_least=0,
        benefits="消费积分",
        benefits_en="Points for what you buy",
        birthday_gift=[Reward.points(100).to_json()],
    ),
    LevelSpec(
        rank=2,
        name="银卡",
        name_en="Silver",
        growth_at_least=1_000,
        discount_bp=9_500,
        points_multiplier_bp=12_000,
        benefits="全场 95 折，积分 1.2 倍",
        benefits_en="5% off, points times 1.2",
        upgrade_gift=[Reward.points(200).to_json()],
        birthday_gift=[Reward.points(200).to_json()],
    ),
    LevelSpec(
        rank=3,
        name="金卡",
        name_en="Gold",
        growth_at_least=4_000,
        discount_bp=9_000,
        points_multiplier_bp=15_000,
        benefits="全场 9 折，积分 1.5 倍，专属预约",
        benefits_en="10% off, points times 1.5, bookings first",
        upgrade_gift=[Reward.points(500).to_json()],
        birthday_gift=[Reward.points(500).to_json()],
    ),
)
TASKS: Final = (
    (TaskKind.JOIN, "新人礼", "Welcome gift", 1, Reward.points(50)),
    (TaskKind.COMPLETE_PROFILE, "完善资料", "Complete your profile", 1, Reward.points(30)),
    (TaskKind.FIRST_ORDER, "首单礼", "First order", 1, Reward.points(100)),
    (TaskKind.BRING_A_FRIEND, "带三位好友消费", "Bring three friends", 3, Reward.growth(300)),
    (TaskKind.FOLLOW, "关注公众号", "Follow us", 1, Reward.points(20)),
)
GUEST_OF_HONOUR: Final = "陈小满"
EXCUSED: Final = "李若曦"


def load_membership() -> Iterator[str]:
    """Set up levels and tasks before the demo's past begins; yield what to tell the reader."""
    now = database_now() - HISTORY
    with atomic() as session:
        if session.scalar(sa.select(MembershipLevel.id).limit(1)) is not None:
            return
        for spec in LEVELS:
            put_level(session, None, spec, actor=SYSTEM, reason="开业时设定", now=now)
        for kind, title, title_en, target, reward in TASKS:
            task = TaskSpec(
                kind=kind,
                title=title,
                title_en=title_en,
                target=target,
                rewards=[reward],
                starts_at=now,
            )
            tasks.put_task(session, None, task, actor=SYSTEM, now=now)
    yield f"{len(LEVELS)} membership levels, {len(TASKS)} tasks."


def load_member_levels() -> Iterator[str]:
    """Set one level by hand, give some growth, and mark who follows, as staff would."""
    now = database_now()
    with atomic() as session:
        by_staff = LevelHolding.basis == Basis.HAND
        if session.scalar(sa.select(LevelHolding.id).where(by_staff).limit(1)) is not None:
            return
        staff_id = session.scalar(sa.select(Staff.id).where(Staff.email == "ops@demo.tuoke"))
        actor = Actor("staff", staff_id)
        honoured, excused = _member(session, GUEST_OF_HONOUR), _member(session, EXCUSED)
        best = levels_at(session, at=now)[-1]
        wish = LevelWish(
            level_id=best.level_id, until_at=now + timedelta(days=180), reason="品牌大使"
        )
        by_hand.set_level(session, honoured, wish, actor=actor, now=now)
        growth.add_by_hand(session, excused, 500, reason="服务补偿", actor=actor, now=now)
        follow = session.scalar(
            sa.select(MemberTask.id).where(MemberTask.kind == TaskKind.FOLLOW).limit(1)
        )
        if follow is not None:
            tasks.mark_by_hand(session, follow, excused, actor=actor, now=now)
    yield "A level set by hand, growth given, a task marked."


def _member(session: Session, nickname: str) -> int:
    return session.scalars(
        sa.select(Member.id).where(Member.nickname == nickname).order_by(Member.id).limit(1)
    ).one()
