from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import invites, services
from app.activities.draw_errors import InviteNotFound, InviteOver, InviteOwn, InviteTaken
from app.activities.draw_models import InvitedFriend, InviteRound
from app.activities.errors import ActivityInvalid, ActivityLimitReached, NewcomersOnly
from app.activities.invite_jobs import count_invited_buyers
from app.activities.models import Activity
from app.activities.states import ActivityEvent, ActivityKind, ActivityState, InviteState
from app.kernel.audit import SYSTEM
from app.kernel.outbox import Task
from app.members.models import Member
from app.orders.models import Order
from app.orders.states import OrderState
from app.points.queries import held
from tests.factories.activities import make_activity, sweep
from tests.factories.orders import make_order
from tests.factories.people import make_member, make_store

RULES = {"friends": 2, "days": 10, "reward_points": 100, "friend_points": 30}
HOW = "first_order_kept"
DAY = timedelta(days=1)


@pytest.fixture
def activity(session: Session, now: datetime) -> Activity:
    return make_activity(
        session,
        ActivityKind.INVITE_ROUNDS,
        rules=RULES,
        starts_at=now - DAY,
        ends_at=now + 90 * DAY,
    )


@pytest.fixture
def host(session: Session) -> Member:
    return make_member(session)


def begin(session: Session, activity: Activity, host: Member, now: datetime) -> InviteRound:
    return invites.begin(session, activity.id, member_id=host.id, now=now)


def bring(session: Session, row: InviteRound, now: datetime) -> Member:
    friend = make_member(session)
    invites.accept(session, row.code, friend_id=friend.id, now=now)
    return friend


def test_enough_friends_complete_a_round_and_everybody_gets_theirs_once(
    session: Session, activity: Activity, host: Member, now: datetime
) -> None:
    row = begin(session, activity, host, now)
    friends = [bring(session, row, now) for _ in range(3)]

    for friend in [*friends, *friends]:
        invites.arrived(session, friend.id, HOW, now=now)

    assert (row.state, row.arrived, row.ended_at) == (InviteState.COMPLETE, 2, now)
    assert held(session, host.id).available == 100
    assert [held(session, one.id).available for one in friends] == [30, 30, 0]
    counted = {one.friend_id: one.is_counted for one in invites.friends_of(session, row.id)}
    assert counted == {friends[0].id: True, friends[1].id: True, friends[2].id: False}


def test_one_round_is_open_at_a_time_and_the_next_follows(
    session: Session, activity: Activity, host: Member, now: datetime
) -> None:
    first = begin(session, activity, host, now)
    same = begin(session, activity, host, now)
    later = now + 11 * DAY

    second = begin(session, activity, host, later)

    assert same is first
    session.refresh(first)
    assert (first.state, first.number, second.number) == (InviteState.EXPIRED, 1, 2)
    assert second.code != first.code


def test_a_limit_counts_rounds(session: Session, now: datetime, host: Member) -> None:
    activity = make_activity(
        session, ActivityKind.INVITE_ROUNDS, rules=RULES, limit_per_member=1, starts_at=now - DAY
    )
    begin(session, activity, host, now)

    with pytest.raises(ActivityLimitReached), session.begin_nested():
        begin(session, activity, host, now + 11 * DAY)

    assert session.scalar(sa.select(sa.func.count()).select_from(InviteRound)) == 1


def test_friends_who_come_too_late_count_for_nothing(
    session: Session, activity: Activity, host: Member, now: datetime
) -> None:
    row = begin(session, activity, host, now)
    friend = bring(session, row, now)
    sweep(session, now=now + 10 * DAY)

    counted = invites.arrived(session, friend.id, HOW, now=now + 10 * DAY)

    session.refresh(row)
    assert (counted, row.state, row.arrived) == (0, InviteState.EXPIRED, 0)
    assert held(session, friend.id).available == 0
    with pytest.raises(InviteOver):
        invites.accept(session, row.code, friend_id=make_member(session).id, now=now)


def test_who_cannot_be_invited_is_told_why_and_nothing_is_kept(
    session: Session, activity: Activity, host: Member, now: datetime
) -> None:
    row = begin(session, activity, host, now)
    other = begin(session, activity, make_member(session), now)
    phone = "+8613911112222"
    host_with_phone = make_member(session, phone=phone)
    row_of_household = begin(session, activity, host_with_phone, now)
    relative = make_member(session, phone=phone)
    buyer = make_member(session)
    buyer.first_paid_at = now - DAY
    friend = bring(session, row, now)
    make_member(session, phone="+8613922223333", first_paid_at=now - DAY)
    second_account = make_member(session, phone="+8613922223333")
    session.flush()

    refusals = [
        (row.code, host, InviteOwn),
        (row_of_household.code, relative, InviteOwn),
        (row.code, buyer, NewcomersOnly),
        (row.code, second_account, NewcomersOnly),
        (other.code, friend, InviteTaken),
        ("0" * 22, friend, InviteNotFound),
    ]
    for code, person, refusal in refusals:
        with pytest.raises(refusal):
            invites.accept(session, code, friend_id=person.id, now=now)

    kept = session.scalars(sa.select(InvitedFriend.friend_id)).all()
    assert kept == [friend.id]


def test_only_what_the_rules_name_counts(
    session: Session, activity: Activity, host: Member, now: datetime
) -> None:
    friend = bring(session, begin(session, activity, host, now), now)

    assert invites.arrived(session, friend.id, "card_used", now=now) == 0
    assert invites.arrived(session, friend.id, HOW, now=now) == 1


@pytest.mark.parametrize(("kept_fen", "counted"), [(0, 0), (1, 0), (999, 0), (1_000, 1)])
def test_an_order_counts_when_its_window_has_closed_with_enough_left(
    session: Session, activity: Activity, host: Member, now: datetime, kept_fen: int, counted: int
) -> None:
    row = begin(session, activity, host, now)
    friend = bring(session, row, now)
    order: Order = make_order(
        session, member=friend, store=make_store(session), state=OrderState.SETTLED
    )
    order.refunded_fen = order.paid_fen - kept_fen
    order.state = OrderState.SETTLED if kept_fen else OrderState.REFUNDED
    task = Task(job="count_invited_buyers", subject_id=order.id, created_at=now, due_at=now)
    session.add(task)
    session.commit()

    done = count_invited_buyers()

    session.refresh(row)
    assert (done, row.arrived) == (1, counted)
    assert session.scalars(sa.select(Task)).all() == []


def test_a_cancelled_activity_takes_and_counts_nobody(
    session: Session, activity: Activity, host: Member, now: datetime
) -> None:
    row = begin(session, activity, host, now)
    friend = bring(session, row, now)
    services.decide(session, activity.id, ActivityEvent.CANCEL, actor=SYSTEM, now=now)

    assert invites.arrived(session, friend.id, HOW, now=now) == 0
    with pytest.raises(InviteOver):
        invites.accept(session, row.code, friend_id=make_member(session).id, now=now)


def test_rounds_that_bring_nothing_are_not_scheduled(session: Session, now: datetime) -> None:
    for rules in ({"reward_points": 0}, {"reward_points": 1, "reward_coupon_id": 999_999}):
        activity = make_activity(
            session,
            ActivityKind.INVITE_ROUNDS,
            rules=RULES | rules,
            state=ActivityState.DRAFT,
            starts_at=now + DAY,
            ends_at=now + 2 * DAY,
        )
        with pytest.raises(ActivityInvalid) as refusal:
            services.decide(session, activity.id, ActivityEvent.SCHEDULE, actor=SYSTEM, now=now)
        assert (refusal.value.field, activity.state) == ("reward", ActivityState.DRAFT)
