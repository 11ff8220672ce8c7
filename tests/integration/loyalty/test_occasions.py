"""Joining, rising, birthdays and tasks bring what they promise, once."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.kernel.clock import day_begins_at
from app.kernel.outbox import emit
from app.loyalty import occasions, tasks
from app.loyalty.errors import TaskInvalid, TaskNotFound, TaskOver
from app.loyalty.models import GivenReward, MemberTask, TaskKind, TaskProgress
from app.loyalty.rewards import Reward
from app.loyalty.tasks import TaskSpec
from app.members.models import Member
from app.membership import by_hand
from app.membership.by_hand import LevelWish
from app.orders.states import OrderState
from tests.factories.loyalty import given, work
from tests.factories.membership import LONG_AGO, grow, make_level
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member, make_staff

DAY = timedelta(days=1)
TEN = [Reward.points(10).to_json()]


def staff(session: Session) -> Actor:
    return Actor("staff", make_staff(session, "operations").id)


def make_task(
    session: Session,
    kind: TaskKind,
    *,
    target: int = 1,
    starts_at: datetime = LONG_AGO,
    ends_at: datetime | None = None,
) -> MemberTask:
    spec = TaskSpec(
        kind=kind,
        title="Task",
        target=target,
        rewards=[Reward.points(10)],
        starts_at=starts_at,
        ends_at=ends_at,
    )
    return tasks.put_task(session, None, spec, actor=staff(session), now=LONG_AGO)


def test_reaching_a_level_brings_its_gift_once_in_a_year(session: Session) -> None:
    now = LONG_AGO + 30 * DAY
    make_level(session, 1, 0)
    gold = make_level(session, 2, 1_000, upgrade_gift=TEN).id
    member, actor = make_member(session), staff(session)
    grow(session, member.id, 1_000, key="a", now=now)
    work(session, now=now, twice=True)
    assert given(session, member.id) == [("upgrade", 10, "given")]

    grow(session, member.id, -1_000, key="b", now=now + DAY, counts_at=now)
    grow(session, member.id, 1_000, key="c", now=now + 2 * DAY)
    work(session, now=now + 2 * DAY)
    assert given(session, member.id) == [("upgrade", 10, "given")]
    wish = LevelWish(level_id=gold, until_at=now + 800 * DAY, reason="x")
    grow(session, member.id, -1_000, key="d", now=now + 3 * DAY, counts_at=now + 2 * DAY)
    by_hand.set_level(session, member.id, wish, actor=actor, now=now + 400 * DAY)
    work(session, now=now + 400 * DAY)

    assert given(session, member.id) == [("upgrade", 10, "given")] * 2


def test_a_birthday_brings_what_the_level_brings_once_a_year(
    session: Session, now: datetime
) -> None:
    make_level(session, 1, 0, birthday_gift=[Reward.points(5).to_json()])
    make_level(session, 2, 1_000, birthday_gift=TEN)
    today, other, silver, deleted = (make_member(session) for _ in range(4))
    today.birthday_on = silver.birthday_on = deleted.birthday_on = date(1990, 3, 1)
    other.birthday_on, deleted.deleted_at = date(1990, 3, 2), now
    grow(session, silver.id, 1_000, key="a", now=now)
    session.commit()

    assert occasions.celebrate(now=now) == 2
    assert occasions.celebrate(now=now + timedelta(hours=1)) == 0

    assert given(session, today.id) == [("birthday", 5, "given")]
    assert given(session, silver.id) == [("birthday", 10, "given")]
    session.get_one(Member, today.id).birthday_on = date(1990, 3, 2)
    session.commit()
    occasions.celebrate(now=now + DAY)
    assert given(session, today.id) == [("birthday", 5, "given")]
    assert given(session, other.id) == [("birthday", 5, "given")]
    assert given(session, deleted.id) == []


def test_days_that_were_missed_are_made_good(session: Session, now: datetime) -> None:
    make_level(session, 1, 0, birthday_gift=TEN)
    member = make_member(session)
    member.birthday_on = date(1990, 3, 3)
    session.commit()
    occasions.celebrate(now=now)

    assert occasions.celebrate(now=now + 4 * DAY) == 1
    assert given(session, member.id) == [("birthday", 10, "given")]


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2026, 2, 28), 1), (date(2026, 3, 1), 0), (date(2028, 2, 28), 0), (date(2028, 2, 29), 1)],
)
def test_whoever_was_born_on_the_29th_of_february_has_a_birthday_every_year(
    session: Session, day: date, count: int
) -> None:
    make_level(session, 1, 0, birthday_gift=TEN)
    make_member(session).birthday_on = date(1992, 2, 29)
    session.commit()

    assert occasions.celebrate(now=day_begins_at(day)) == count


def test_a_birthday_begins_at_midnight_in_shanghai(session: Session) -> None:
    make_level(session, 1, 0, birthday_gift=TEN)
    make_member(session).birthday_on = date(1990, 6, 2)
    session.commit()

    assert occasions.celebrate(now=datetime(2026, 6, 1, 15, 59, tzinfo=UTC)) == 0
    assert occasions.celebrate(now=datetime(2026, 6, 1, 16, 0, tzinfo=UTC)) == 1


def test_newcomers_get_their_gift_and_those_of_before_do_not(
    session: Session, now: datetime
) -> None:
    make_task(session, TaskKind.JOIN, starts_at=now)
    early, new = make_member(session), make_member(session)
    early.registered_at, new.registered_at = now - DAY, now
    for member in (early, new):
        emit(session, "member_joined", member.id, now=now)

    work(session, now=now, twice=True)

    assert given(session, new.id) == [("task", 10, "given")]
    assert given(session, early.id) == []


def test_one_phone_fulfils_a_task_once_whoever_has_it(session: Session, now: datetime) -> None:
    make_task(session, TaskKind.BIND_PHONE)
    first, second = (make_member(session, phone="+8613800000001") for _ in range(2))
    emit(session, "phone_bound", first.id, now=now)
    work(session, now=now)
    emit(session, "phone_bound", second.id, now=now)
    work(session, now=now)

    assert given(session, first.id) == [("task", 10, "given")]
    assert given(session, second.id) == []


def test_a_profile_counts_when_it_is_complete(session: Session, now: datetime) -> None:
    make_task(session, TaskKind.COMPLETE_PROFILE)
    member = make_member(session)
    member.nickname, member.birthday_on = "Mei", None
    emit(session, "profile_changed", member.id, now=now)
    work(session, now=now)
    assert given(session, member.id) == []

    session.get_one(Member, member.id).birthday_on = date(1990, 1, 1)
    emit(session, "profile_changed", member.id, now=now)
    emit(session, "profile_changed", member.id, now=now)
    work(session, now=now)

    assert given(session, member.id) == [("task", 10, "given")]


def test_first_orders_that_are_kept_count_for_buyer_and_friend(
    session: Session, now: datetime
) -> None:
    make_task(session, TaskKind.FIRST_ORDER)
    brings = make_task(session, TaskKind.BRING_A_FRIEND, target=2)
    owner = make_distributor(session)
    friends = [make_member(session) for _ in range(2)]
    for friend in (friends[0], friends[0], friends[1]):
        order = make_order(session, member=friend, owner=owner, state=OrderState.SETTLED, now=now)
        emit(session, "order_settled", order.id, now=now)
        work(session, now=now, twice=True)
        count = session.get_one(TaskProgress, (brings.id, owner.member_id)).count
        assert count == 1 + (friend is friends[1])

    assert given(session, friends[0].id) == [("task", 10, "given")]
    assert given(session, friends[1].id) == [("task", 10, "given")]
    assert given(session, owner.member_id) == [("task", 10, "given")]


def test_an_order_that_went_back_but_for_a_coin_is_no_first_order_and_the_next_one_is(
    session: Session, now: datetime
) -> None:
    make_task(session, TaskKind.FIRST_ORDER)
    brings = make_task(session, TaskKind.BRING_A_FRIEND, target=2)
    owner, friend = make_distributor(session), make_member(session)
    for gone_fen, counted in ((1, 0), (0, 1)):
        order = make_order(session, member=friend, owner=owner, state=OrderState.SETTLED, now=now)
        order.refunded_fen = gone_fen and order.paid_fen - 999
        emit(session, "order_settled", order.id, now=now)
        work(session, now=now, twice=True)

        progress = session.get(TaskProgress, (brings.id, owner.member_id))
        assert (progress.count if progress else 0) == counted
        assert given(session, friend.id) == [("task", 10, "given")] * counted


def test_whoever_bought_in_a_former_system_has_no_first_order_any_more(
    session: Session, now: datetime
) -> None:
    make_task(session, TaskKind.FIRST_ORDER)
    member = make_member(session)
    member.first_paid_at = now - 900 * DAY
    order = make_order(session, member=member, state=OrderState.SETTLED, now=now)
    emit(session, "order_settled", order.id, now=now)

    work(session, now=now)

    assert given(session, member.id) == []


def test_staff_say_who_follows_and_it_counts_once(session: Session, now: datetime) -> None:
    follow, join = make_task(session, TaskKind.FOLLOW), make_task(session, TaskKind.JOIN)
    member, actor = make_member(session), staff(session)

    for _ in range(2):
        tasks.mark_by_hand(session, follow.id, member.id, actor=actor, now=now)
    with pytest.raises(TaskInvalid):
        tasks.mark_by_hand(session, join.id, member.id, actor=actor, now=now)
    with pytest.raises(TaskNotFound):
        tasks.mark_by_hand(session, 999_999, member.id, actor=actor, now=now)
    tasks.end_task(session, follow.id, actor=actor, now=now)
    with pytest.raises(TaskOver):
        tasks.mark_by_hand(session, follow.id, make_member(session).id, actor=actor, now=now)

    assert given(session, member.id) == [("task", 10, "given")]
    actions = session.scalars(
        sa.select(AuditRecord.action).where(AuditRecord.action == "member_task_marked")
    ).all()
    assert len(actions) == 1


def test_a_task_shows_how_far_a_member_is_also_after_it_ended(
    session: Session, now: datetime
) -> None:
    done, open_, over = (make_task(session, TaskKind.FOLLOW, target=1 + n) for n in range(3))
    member, actor = make_member(session), staff(session)
    for task in (done, open_):
        tasks.mark_by_hand(session, task.id, member.id, actor=actor, now=now)
    for task in (done, over):
        tasks.end_task(session, task.id, actor=actor, now=now + DAY)
    with pytest.raises(TaskOver):
        tasks.end_task(session, over.id, actor=actor, now=now + 2 * DAY)

    found = tasks.tasks_of(session, member.id, now=now + 2 * DAY)

    assert [(one.task.id, one.count, one.done_at) for one in found] == [
        (done.id, 1, now),
        (open_.id, 1, None),
    ]


def test_a_task_keeps_its_bounds_and_its_kind(session: Session, now: datetime) -> None:
    task, actor = make_task(session, TaskKind.FOLLOW), staff(session)
    good = {
        "kind": TaskKind.FOLLOW,
        "title": "Task",
        "rewards": [Reward.points(1)],
        "starts_at": now,
    }

    changes: tuple[dict[str, object], ...] = (
        {"title": " "},
        {"target": 0},
        {"rewards": []},
        {"ends_at": now},
        {"kind": TaskKind.JOIN},
    )
    for change in changes:
        with pytest.raises(TaskInvalid):
            tasks.put_task(session, task.id, TaskSpec(**good | change), actor=actor, now=now)  # type: ignore[arg-type]

    session.refresh(task)
    assert (task.kind, task.rewards, task.target) == (TaskKind.FOLLOW, TEN, 1)
    assert session.scalar(sa.select(sa.func.count()).select_from(GivenReward)) == 0
