from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions import care
from app.interactions.audience_models import CareMark, CareRule
from app.interactions.care import CareDraft
from app.interactions.errors import CareRuleInvalid
from app.interactions.message_models import Message
from app.interactions.states import CareKind
from app.kernel.audit import Actor
from app.loyalty.models import GivenReward, RewardState
from app.loyalty.rewards import Reward
from app.members.file_models import FollowUp
from tests.factories.coupons import make_template as make_coupon_template
from tests.factories.interactions import actor_of, make_template
from tests.factories.orders import make_order
from tests.factories.people import make_member, make_staff, make_store

MORNING = datetime.fromisoformat("2026-03-01T09:15:00+08:00")


@pytest.fixture
def actor(session: Session) -> Actor:
    return actor_of(make_staff(session))


def birthday(session: Session, actor: Actor, days: int = 0, **more: Any) -> CareRule:
    draft = CareDraft(
        name="Birthday", kind=CareKind.BIRTHDAY, days=days, message="Happy birthday", **more
    )
    return care.save_rule(session, draft, actor=actor, now=MORNING)


def sleeping(session: Session, actor: Actor, days: int = 60, **more: Any) -> CareRule:
    draft = CareDraft(
        name="Sleeping", kind=CareKind.SLEEPING, days=days, message="We miss you", **more
    )
    return care.save_rule(session, draft, actor=actor, now=MORNING)


def marks(session: Session) -> list[tuple[int, str]]:
    session.expire_all()
    rows = session.scalars(sa.select(CareMark).order_by(CareMark.member_id, CareMark.id))
    return [(one.member_id, one.occasion) for one in rows]


def do_all(session: Session, now: datetime = MORNING) -> None:
    session.commit()
    while care.work_off_next(now=now):
        pass


def test_a_birthday_is_found_once_a_year(session: Session, actor: Actor) -> None:
    member = make_member(session)
    member.birthday_on = date(1990, 3, 4)
    make_member(session).birthday_on = date(1990, 3, 5)
    make_member(session)
    rule = birthday(session, actor, days=3)

    found = [care.find(session, rule, now=MORNING) for _ in range(2)]
    again = care.find(session, rule, now=MORNING + timedelta(days=365))

    assert (found, again) == ([1, 0], 1)
    assert marks(session) == [(member.id, "2026"), (member.id, "2027")]


def test_who_is_born_on_the_last_of_february_is_not_forgotten(
    session: Session, actor: Actor
) -> None:
    member = make_member(session)
    member.birthday_on = date(1992, 2, 29)
    rule = birthday(session, actor)

    counts = {
        day: care.find(session, rule, now=datetime.fromisoformat(f"{day}T09:00:00+08:00"))
        for day in ("2026-02-28", "2028-02-28", "2028-02-29")
    }

    assert counts == {"2026-02-28": 1, "2028-02-28": 0, "2028-02-29": 1}


def test_who_has_not_come_for_so_many_days_is_found_once_an_absence(
    session: Session, actor: Actor
) -> None:
    gone, fresh, never = (make_member(session) for _ in range(3))
    for member, days in ((gone, 60), (fresh, 59)):
        at = MORNING - timedelta(days=days)
        make_order(session, member=member, now=at)
        member.first_paid_at = at
    session.flush()
    rule = sleeping(session, actor)

    assert care.find(session, rule, now=MORNING) == 1
    assert care.find(session, rule, now=MORNING + timedelta(hours=1)) == 0
    assert marks(session) == [(gone.id, "2025-12-31")]
    assert never.id not in {one for one, _ in marks(session)}


def test_an_absence_that_lasts_is_not_called_again_for_ever(session: Session, actor: Actor) -> None:
    member = make_member(session)
    at = MORNING - timedelta(days=60)
    make_order(session, member=member, now=at)
    member.first_paid_at = at
    rule = sleeping(session, actor)

    counts = [
        care.find(session, rule, now=MORNING + timedelta(days=days)) for days in (0, 1, 100, 200)
    ]

    assert counts == [1, 0, 0, 0]


def test_a_rule_of_a_store_is_about_its_customers(session: Session, actor: Actor) -> None:
    store = make_store(session)
    ours, other = make_member(session, origin_store_id=store.id), make_member(session)
    ours.birthday_on = other.birthday_on = date(1990, 3, 1)
    session.flush()
    rule = birthday(session, actor, store_id=store.id)

    assert care.find(session, rule, now=MORNING) == 1
    assert marks(session) == [(ours.id, "2026")]


def test_care_writes_gives_and_leaves_a_task_once(session: Session, actor: Actor) -> None:
    store = make_store(session)
    member = make_member(session, origin_store_id=store.id)
    member.birthday_on = date(1990, 3, 1)
    make_template(session, "care")
    rule = birthday(session, actor, reward=Reward.points(50), follow_up="Call and congratulate")
    care.find(session, rule, now=MORNING)

    do_all(session)
    do_all(session)

    message = session.scalars(sa.select(Message)).one()
    assert (message.member_id, message.data) == (member.id, {"thing1": "Happy birthday"})
    reward = session.scalars(sa.select(GivenReward)).one()
    assert (reward.member_id, reward.amount, reward.state) == (member.id, 50, RewardState.GIVEN)
    task = session.scalars(sa.select(FollowUp)).one()
    assert (task.store_id, task.author_id, task.due_on) == (
        store.id,
        actor.id,
        date(2026, 3, 4),
    )


def test_a_reward_that_cannot_be_given_holds_nothing_up(session: Session, actor: Actor) -> None:
    member = make_member(session)
    member.birthday_on = date(1990, 3, 1)
    make_template(session, "care")
    gone = make_coupon_template(session, stock=0)
    rule = birthday(session, actor, reward=Reward.coupon(gone.id))
    care.find(session, rule, now=MORNING)

    do_all(session)

    assert session.scalars(sa.select(CareMark.note)).one() == "coupons_gone"
    assert session.scalars(sa.select(Message)).one().member_id == member.id


@pytest.mark.parametrize(
    "draft",
    [
        CareDraft(name="x", kind=CareKind.BIRTHDAY, days=31, message="x"),
        CareDraft(name="x", kind=CareKind.SLEEPING, days=6, message="x"),
        CareDraft(name="x", kind=CareKind.SLEEPING, days=60),
        CareDraft(name="x", kind=CareKind.SLEEPING, days=60, message=" "),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    session: Session, actor: Actor, draft: CareDraft
) -> None:
    with pytest.raises(CareRuleInvalid):
        care.save_rule(session, draft, actor=actor, now=MORNING)

    assert session.scalars(sa.select(CareRule)).all() == []


def test_a_rule_that_was_switched_off_rests(session: Session, actor: Actor) -> None:
    rule = birthday(session, actor)
    care.switch_rule(session, rule.id, is_active=False, actor=actor, now=MORNING)

    assert care.rules_at_work(session) == []
