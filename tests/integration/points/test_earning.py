"""Points that come in, and what refunds take back: pending first, then lots, then a debt."""

from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.ledger.queries import balance
from app.points import accounts, adjusting, earning, expiring, queries, spending
from app.points.accounts import Held
from app.points.errors import (
    PointsInvalid,
    PointsNeedSecond,
    PointsReasonMissing,
    PointsShort,
)
from app.points.states import PointSource
from tests.factories.people import make_member, make_staff
from tests.factories.points import make_points

DAY = timedelta(days=1)
KEY = "order:1"


def test_a_purchase_can_be_spent_once_its_window_is_over(session: Session, now: datetime) -> None:
    member_id = make_member(session).id

    new = [earning.earn_pending(session, member_id, 80, key=KEY, now=now) for _ in range(2)]
    before = queries.held(session, member_id)
    settled = [earning.settle(session, KEY, now=now + 7 * DAY) for _ in range(2)]

    assert new == [True, False]
    assert before == Held(pending=80, available=0, reserved=0, debt=0)
    assert settled == [80, 0]
    assert queries.held(session, member_id) == Held(pending=0, available=80, reserved=0, debt=0)
    found = queries.balance_of(session, member_id, now=now + 8 * DAY)
    assert found.next is not None
    assert found.next.expires_at == now + 7 * DAY + 365 * DAY


def test_nothing_happens_for_no_points(session: Session, now: datetime) -> None:
    member_id = make_member(session).id

    assert not earning.earn_pending(session, member_id, 0, key=KEY, now=now)
    assert earning.settle(session, KEY, now=now) == 0
    assert earning.take_back(session, KEY, 10, now=now) == 0


def test_a_refund_takes_from_what_is_pending(session: Session, now: datetime) -> None:
    member = make_member(session)
    member_id = member.id
    make_points(session, member, 5)
    earning.earn_pending(session, member_id, 80, key=KEY, now=now)

    taken = [earning.take_back(session, KEY, in_all, now=now) for in_all in (30, 30, 20, 100)]

    assert taken == [30, 0, 0, 50]
    assert earning.settle(session, KEY, now=now) == 0
    assert queries.held(session, member_id) == Held(pending=0, available=5, reserved=0, debt=0)


def test_a_late_refund_takes_the_purchases_own_lot_then_others_then_makes_a_debt(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    soon = make_points(session, member, 20, now=now - 100 * DAY)
    earning.earn_pending(session, member.id, 80, key=KEY, now=now)
    earning.settle(session, KEY, now=now)

    earning.take_back(session, KEY, 30, now=now)
    assert (soon.left_points, balance(session, accounts.available(member.id))) == (20, 70)
    spending.hold(session, "order:2", 60, member_id=member.id, now=now)
    earning.take_back(session, KEY, 80, now=now)

    assert queries.held(session, member.id) == Held(pending=0, available=0, reserved=60, debt=40)


def test_what_comes_in_fills_the_debt_first(session: Session, now: datetime) -> None:
    member_id = make_member(session).id
    earning.earn_pending(session, member_id, 50, key=KEY, now=now)
    earning.settle(session, KEY, now=now)
    spending.hold(session, "order:2", 50, member_id=member_id, now=now)
    spending.spend_held(session, "order:2", now=now)
    earning.take_back(session, KEY, 50, now=now)

    earning.grant(session, member_id, 20, key="task:1", source=PointSource.TASK, reason="", now=now)
    spending.give_back_up_to(session, "order:2", 45, now=now)

    assert queries.held(session, member_id) == Held(pending=0, available=15, reserved=0, debt=0)


def test_what_ran_out_unspent_is_not_taken_a_second_time(session: Session, now: datetime) -> None:
    member = make_member(session)
    earning.earn_pending(session, member.id, 50, key=KEY, now=now)
    earning.settle(session, KEY, now=now)
    later = now + 366 * DAY
    expiring.expire_batch(session, now=later)
    make_points(session, member, 30, now=later)

    assert earning.take_back(session, KEY, 50, now=later) == 50

    assert queries.held(session, member.id) == Held(pending=0, available=30, reserved=0, debt=0)


def test_staff_give_and_take_with_a_reason_in_the_trail(session: Session, now: datetime) -> None:
    member, staff = make_member(session), Actor("staff", make_staff(session).id)

    adjusting.adjust(session, member.id, 100, reason=" sorry ", actor=staff, now=now)
    adjusting.adjust(session, member.id, -30, reason="mistake", actor=staff, now=now)

    assert balance(session, accounts.available(member.id)) == 70
    assert adjusting.by_hand(session, member.id) == 70
    rows = session.scalars(
        sa.select(AuditRecord)
        .where(AuditRecord.action == "points_adjusted")
        .order_by(AuditRecord.id)
    ).all()
    told = [(row.reason, row.before["points"], row.after["points"]) for row in rows]
    assert told == [("sorry", 0, 100), ("mistake", 100, 70)]
    lines = queries.statement_page(session, member.id, after_id=None, limit=9)
    assert [(one.available_change, one.actor) for one in lines] == [
        (-30, str(staff)),
        (100, str(staff)),
    ]


@pytest.mark.parametrize(
    ("points", "reason", "refusal"),
    [
        (0, "why", PointsInvalid),
        (1_000_001, "why", PointsInvalid),
        (-1_000_001, "why", PointsInvalid),
        (10, "  ", PointsReasonMissing),
        (10, "x" * 501, PointsReasonMissing),
        (-51, "why", PointsShort),
        (5_000, "why", PointsNeedSecond),
    ],
)
def test_what_staff_may_not_do_changes_nothing(
    session: Session, now: datetime, points: int, reason: str, refusal: type[Exception]
) -> None:
    member, staff = make_member(session), Actor("staff", make_staff(session).id)
    make_points(session, member, 50)

    with pytest.raises(refusal):
        adjusting.adjust(session, member.id, points, reason=reason, actor=staff, now=now)

    assert balance(session, accounts.available(member.id)) == 50


def test_many_small_gifts_of_one_person_need_a_second_as_one_large_does(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    maker, other = (Actor("staff", make_staff(session).id) for _ in range(2))
    give = partial(adjusting.adjust, session, member.id, reason="prize")
    give(2_500, actor=maker, now=now)

    with pytest.raises(PointsNeedSecond):
        give(2_500, actor=maker, now=now + timedelta(hours=23))

    assert balance(session, accounts.available(member.id)) == 2_500
    give(2_499, actor=maker, now=now + timedelta(hours=23))
    give(2_500, actor=other, now=now + timedelta(hours=23))
    give(2_500, actor=maker, now=now + timedelta(hours=48))
    assert balance(session, accounts.available(member.id)) == 9_999


def test_two_people_give_as_many_as_they_like(session: Session, now: datetime) -> None:
    member = make_member(session)
    maker, checker = (Actor("staff", make_staff(session).id) for _ in range(2))

    adjusting.adjust(
        session, member.id, 9_000, reason="prize", actor=maker, second=checker, now=now
    )

    assert balance(session, accounts.available(member.id)) == 9_000
    row = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()
    assert (row.actor_id, row.after["second_actor"]) == (maker.id, str(checker))
