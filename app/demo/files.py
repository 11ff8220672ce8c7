"""What staff of the demo wrote about people: notes, tags, follow-ups, and two suspicions."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.audit import Actor
from app.kernel.clock import business_day
from app.kernel.db import atomic, database_now
from app.members import follow_ups, notes, tags
from app.members.file_models import Tag
from app.members.models import Member
from app.risk import services as risk
from app.risk.models import RiskFlag
from app.stores.models import Staff

TAGS: Final = ("会员日常客", "敏感肌", "婚礼季", "爱推荐朋友")
NOTES: Final = (
    ("陈小满", "皮肤偏敏感，新产品先在手臂内侧试。"),
    ("李若曦", "三月办婚礼，想提前两个月做护理安排。\n喜欢安静的房间。"),
    ("王乐瑶", "带过两位同事来店，愿意写评价。"),
)
TAGGED: Final = (
    ("陈小满", "敏感肌"),
    ("陈小满", "会员日常客"),
    ("李若曦", "婚礼季"),
    ("王乐瑶", "爱推荐朋友"),
)
TASKS: Final = (
    ("李若曦", "电话确认婚礼护理的时间", 0),
    ("陈小满", "回访试用后的感受", 0),
    ("王乐瑶", "邀请参加周末沙龙", 3),
)
"""Customer, what is to be done, and in how many days it is due."""
RELEASED: Final = ("何雨桐", "周末沙龙当天集中扫码，需核对", "活动签到表已核对，均为到场顾客")
OPEN: Final = ("陆思妍", "两位顾客由同一人代付，待说明")
"""Whom staff suspect, why, and why they let it go."""


def load_files() -> Iterator[str]:
    """Write the demo's files once; yield what to tell the reader."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(Tag.id).limit(1)) is not None:
            return
        desk = _staff(session, "ops@demo.tuoke")
        _write(session, desk, now=now)
        _suspect(session, desk, now=now)
    yield f"{len(NOTES)} notes, {len(TAGS)} tags, {len(TASKS)} follow-ups, 2 risk flags."


def _write(session: Session, desk: Actor, *, now: datetime) -> None:
    """Put notes, tags and follow-ups into the files of a few customers."""
    made = {name: tags.create_tag(session, name, actor=desk, now=now).id for name in TAGS}
    for name, text in NOTES:
        written_at = now - timedelta(days=5)
        notes.write_note(session, _member(session, name), text=text, actor=desk, now=written_at)
    for name, tag in TAGGED:
        tags.put_tag(session, _member(session, name), tag_id=made[tag], actor=desk, now=now)
    today: date = business_day(now)
    for name, what, days in TASKS:
        follow_ups.plan_follow_up(
            session,
            _member(session, name),
            what=what,
            due_on=today + timedelta(days=days),
            actor=desk,
            now=now,
        )


def _suspect(session: Session, desk: Actor, *, now: datetime) -> None:
    """Raise one flag that was let go, and one that is open and holds payouts."""
    name, why, cleared = RELEASED
    ago = now - timedelta(days=4)
    flag = _raise(session, name, why, desk, now=ago)
    risk.release(session, flag.id, actor=desk, reason=cleared, now=ago + timedelta(hours=20))
    _raise(session, *OPEN, desk, now=now - timedelta(hours=6))


def _raise(session: Session, name: str, why: str, desk: Actor, *, now: datetime) -> RiskFlag:
    return risk.raise_flag(
        session,
        _member(session, name),
        reason=why,
        holds_payouts=True,
        actor=desk,
        settings=settings(),
        now=now,
    )


def _member(session: Session, name: str) -> int:
    return session.scalars(sa.select(Member.id).where(Member.nickname == name)).one()


def _staff(session: Session, email: str) -> Actor:
    return Actor("staff", session.scalars(sa.select(Staff.id).where(Staff.email == email)).one())
