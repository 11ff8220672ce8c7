"""Care: birthdays and customers who have not come for a while, found every day by rules.

Finding marks everybody once for one birthday or one absence; the marks are then worked off one by
one: a message, a reward, and a follow-up for the staff of the customer's store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.interactions import messages
from app.interactions.audience_models import CareMark, CareRule
from app.interactions.errors import CareRuleInvalid, InteractionNotFound
from app.interactions.occasions import CARE
from app.interactions.segments import clean_name
from app.interactions.states import CareKind
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.clock import business_day, day_begins_at
from app.kernel.db import atomic, retrying, take_time
from app.kernel.errors import DomainError
from app.loyalty import rewards
from app.loyalty.models import RewardSource, RewardState
from app.loyalty.rewards import Reward
from app.members import follow_ups
from app.members.models import Member, MemberStore
from app.orders.models import Order

FOLLOW_UP_DAYS: Final = 3
FOUND_MAX: Final = 5_000
"""People marked in one transaction."""
DAYS: Final[Mapping[CareKind, tuple[int, int]]] = {
    CareKind.BIRTHDAY: (0, 30),
    CareKind.SLEEPING: (7, 730),
}
RESTS: Final = timedelta(days=90)
"""So long a sleeping customer is left in peace after care, whatever they do."""
AWAY_AT_MOST: Final = timedelta(days=365)
"""Who has been away longer than this beyond the days of a rule is no longer called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CareDraft:
    """What staff enter: when, and what then happens."""

    name: str
    kind: CareKind
    days: int
    message: str = ""
    reward: Reward | None = None
    follow_up: str = ""
    store_id: int | None = None


def save_rule(
    session: Session,
    draft: CareDraft,
    *,
    rule_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> CareRule:
    """Make or change a rule. Raises `CareRuleInvalid`, `TextUnfit`, `InteractionNotFound`."""
    assert actor.id is not None, "rules are made by staff"
    least, most = DAYS[draft.kind]
    does_something = bool(draft.message.strip() or draft.reward or draft.follow_up.strip())
    if not least <= draft.days <= most or not does_something:
        raise CareRuleInvalid
    row = CareRule(created_by_id=actor.id, created_at=now, is_active=True)
    if rule_id is not None:
        row = locked(session, rule_id)
    row.name, row.kind, row.days = clean_name(draft.name), draft.kind, draft.days
    row.message, row.follow_up = draft.message.strip(), draft.follow_up.strip()
    row.reward = None if draft.reward is None else draft.reward.to_json()
    if rule_id is None:
        row.store_id = draft.store_id
        session.add(row)
    session.flush()
    _record(session, actor, "care_rule_saved", row, now=now)
    return row


def switch_rule(
    session: Session, rule_id: int, *, is_active: bool, actor: Actor, now: datetime
) -> None:
    """Let a rule work, or rest."""
    row = locked(session, rule_id)
    if row.is_active != is_active:
        row.is_active = is_active
        _record(session, actor, "care_rule_saved", row, now=now)


def locked(session: Session, rule_id: int) -> CareRule:
    """Return a rule with its row locked. Raises `InteractionNotFound`."""
    row = session.get(CareRule, rule_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise InteractionNotFound
    return row


def find(session: Session, rule: CareRule, *, now: datetime) -> int:
    """Mark everybody a rule is about today; return how many are new."""
    take_time(session)
    found = _birthdays(rule, now) if rule.kind is CareKind.BIRTHDAY else _sleeping(rule, now)
    if rule.store_id is not None:
        known = sa.exists().where(
            MemberStore.member_id == Member.id, MemberStore.store_id == rule.store_id
        )
        found = found.where(known)
    due = found.where(Member.deleted_at.is_(None)).subquery()
    marked = sa.exists().where(
        CareMark.rule_id == rule.id,
        CareMark.member_id == due.c.id,
        CareMark.occasion == due.c.occasion,
    )
    fresh = sa.select(
        sa.literal(rule.id, sa.BigInteger),
        due.c.id,
        due.c.occasion,
        sa.literal(now, sa.DateTime(timezone=True)),
    ).where(~marked)
    statement = (
        insert(CareMark)
        .from_select(["rule_id", "member_id", "occasion", "made_at"], fresh.limit(FOUND_MAX))
        .on_conflict_do_nothing()
        .returning(CareMark.id)
    )
    return len(session.scalars(statement).all())


def work_off_next(*, now: datetime) -> bool:
    """Do what the rule of the oldest open mark says; False where none is open."""

    def act() -> bool:
        with atomic() as session:
            return _work_off_next(session, now=now)

    return retrying(act)


def rules_at_work(session: Session) -> list[CareRule]:
    """Return the rules that are switched on."""
    return list(session.scalars(sa.select(CareRule).where(CareRule.is_active).order_by("id")))


def _birthdays(rule: CareRule, now: datetime) -> sa.Select[int, str]:
    """Whose birthday is `days` from today; of the 29th of February the 28th in other years."""
    day = business_day(now) + timedelta(days=rule.days)
    days = [(day.month, day.day)]
    if (day.month, day.day) == (2, 28) and not _is_leap(day.year):
        days.append((2, 29))
    month, of_month = sa.extract("month", Member.birthday_on), sa.extract("day", Member.birthday_on)
    occasion = sa.literal(str(day.year), sa.Text).label("occasion")
    return sa.select(Member.id, occasion).where(
        sa.or_(*(sa.and_(month == one, of_month == other) for one, other in days))
    )


def _is_leap(year: int) -> bool:
    return (date(year, 3, 1) - timedelta(days=1)).day == 29  # noqa: PLR2004 - of February


def _sleeping(rule: CareRule, now: datetime) -> sa.Select[int, str]:
    """Who paid last `days` ago or before, and is not called by this rule for a while already."""
    until = day_begins_at(business_day(now) - timedelta(days=rule.days - 1))
    last = (
        sa.select(sa.func.max(Order.paid_at))
        .where(Order.member_id == Member.id, Order.paid_at.is_not(None))
        .scalar_subquery()
    )
    called = sa.exists().where(
        CareMark.rule_id == rule.id, CareMark.member_id == Member.id, CareMark.made_at > now - RESTS
    )
    day = sa.func.to_char(sa.func.timezone("Asia/Shanghai", last), "YYYY-MM-DD")
    return sa.select(Member.id, day.label("occasion")).where(
        Member.first_paid_at.is_not(None),
        Member.first_paid_at < until,
        last < until,
        last >= until - AWAY_AT_MOST,
        ~called,
    )


def _work_off_next(session: Session, *, now: datetime) -> bool:
    mark = session.scalar(
        sa.select(CareMark)
        .where(CareMark.done_at.is_(None))
        .order_by(CareMark.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if mark is None:
        return False
    rule = session.get_one(CareRule, mark.rule_id)
    mark.done_at = now
    if rule.message:
        values = {"title": rule.message}
        key = f"care:{mark.id}"
        messages.notify(session, mark.member_id, CARE, values, key=key, now=now)
    if rule.reward is not None:
        mark.note = _give(session, mark, Reward.from_json(rule.reward), now=now)
    if rule.follow_up:
        _plan(session, mark, rule, now=now)
    return True


def _give(session: Session, mark: CareMark, reward: Reward, *, now: datetime) -> str:
    given = rewards.give(
        session,
        mark.member_id,
        reward,
        key=f"care:{mark.id}",
        source=RewardSource.INTERACTION,
        now=now,
    )
    return "" if given.state is RewardState.GIVEN else given.refusal


def _plan(session: Session, mark: CareMark, rule: CareRule, *, now: datetime) -> None:
    """Leave a task to the customer's store, or to who wrote the rule where none knows them."""
    store_id = rule.store_id or session.scalar(
        sa.select(sa.func.min(MemberStore.store_id)).where(MemberStore.member_id == mark.member_id)
    )
    try:
        with session.begin_nested():
            follow_ups.plan_follow_up(
                session,
                mark.member_id,
                what=rule.follow_up,
                due_on=business_day(now) + timedelta(days=FOLLOW_UP_DAYS),
                store_id=store_id,
                actor=Actor("staff", rule.created_by_id),
                now=now,
            )
    except DomainError as error:
        mark.note = mark.note or error.code


def _record(session: Session, actor: Actor, action: str, row: CareRule, *, now: datetime) -> None:
    subject = Subject("care_rule", row.id, row.store_id)
    change = Change({}, {"name": row.name, "is_active": row.is_active, "days": row.days})
    audit.record(session, actor, action, subject, change, now=now)
