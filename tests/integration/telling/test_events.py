"""What happened becomes a message to whom it concerns, once."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import invites
from app.activities.states import ActivityKind
from app.coupons.services import give_by_staff
from app.guest_cards import booking
from app.interactions.message_models import Message
from app.interactions.occasions import OCCASIONS
from app.kernel.jobs import by_name
from app.kernel.outbox import OutboxEvent, Task
from app.reactions import TASKS
from app.settings import Settings
from app.telling.events import TELLERS
from app.telling.jobs import JOBS
from tests.factories import coupons as coupon_factory
from tests.factories.activities import make_activity
from tests.factories.guest_cards import claimed_card, missable_booking
from tests.factories.interactions import actor_of, make_template
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_staff, make_store


def leave(session: Session, event: str, subject_id: int) -> None:
    """Leave the tasks that the relay would."""
    session.add(Task(job=JOBS[event], subject_id=subject_id, created_at=NOON, due_at=NOON))
    session.commit()


def told_of(session: Session, event: str, subject_id: int) -> Message:
    """Return the one message that follows from something, however often it is told."""
    assert session.scalars(
        sa.select(OutboxEvent.subject_id).where(OutboxEvent.name == event)
    ).all() == [subject_id]
    for _ in range(2):
        leave(session, event, subject_id)
        by_name(JOBS[event])()
    return session.scalars(sa.select(Message)).one()


def test_a_paid_order_is_told_once_however_often_the_job_runs(session: Session) -> None:
    order = make_order(session, price_fen=12_300)
    number, member_id = order.number, order.member_id
    make_template(session, "order_paid")

    for _ in range(2):
        leave(session, "order_paid", order.id)
        by_name(JOBS["order_paid"])()

    row = session.scalars(sa.select(Message)).one()
    assert row.member_id == member_id
    assert (row.data["character_string1"], row.data["amount3"]) == (number, "¥123.00")
    assert session.scalars(sa.select(Task)).all() == []


def test_an_event_of_something_that_is_gone_tells_nobody(session: Session) -> None:
    for event in TELLERS:
        leave(session, event, 999_999)
        by_name(JOBS[event])()

    assert session.scalars(sa.select(Message)).all() == []
    assert session.scalars(sa.select(Task)).all() == []


def test_a_coupon_that_staff_gave_is_told_with_its_end(session: Session) -> None:
    make_template(session, "coupon_given")
    template = coupon_factory.make_template(session)
    member, staff = make_member(session), make_staff(session)
    coupon = give_by_staff(
        session, template.id, member.id, reason="sorry", actor=actor_of(staff), now=NOON
    )

    row = told_of(session, "coupon_given", coupon.id)

    assert row.member_id == member.id
    assert row.data == {"thing1": "满减十元", "time2": "2026-03-08 20:00"}


def test_whoever_invited_enough_friends_is_told(session: Session) -> None:
    make_template(session, "invite_complete")
    activity = make_activity(
        session, ActivityKind.INVITE_ROUNDS, rules={"friends": 2, "days": 10, "reward_points": 100}
    )
    host = make_member(session)
    round_ = invites.begin(session, activity.id, member_id=host.id, now=NOON)
    for _ in range(2):
        friend = make_member(session)
        invites.accept(session, round_.code, friend_id=friend.id, now=NOON)
        invites.arrived(session, friend.id, "first_order_kept", now=NOON)

    row = told_of(session, "invite_round_complete", round_.id)

    assert row.member_id == host.id
    assert row.data == {"thing1": activity.name, "number2": "2"}


def test_who_missed_a_visit_is_told(session: Session, settings: Settings) -> None:
    make_template(session, "booking_missed")
    store = make_store(session)
    card = claimed_card(session, settings)
    visit = missable_booking(session, card, store, now=NOON)
    over = visit.until_at + timedelta(seconds=settings.card_no_show_seconds)
    assert booking.miss_due(session, settings=settings, now=over, limit=9) == 1

    row = told_of(session, "guest_card_missed", visit.id)

    assert row.member_id == card.member_id
    assert row.data["thing2"] == store.name


def test_every_event_of_the_table_leaves_a_task_for_its_job() -> None:
    assert all(JOBS[event] in TASKS[event] for event in TELLERS)
    assert OCCASIONS
