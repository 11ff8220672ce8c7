"""What follows from guest cards: the giver's reward, and the orders that came of a card."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.guest_cards.models import CardConversion, GuestCard
from app.kernel.outbox import Task
from app.loyalty import guest_cards
from app.loyalty.models import GivenReward
from app.members.models import Member
from app.settings import Settings
from tests.factories.guest_cards import claimed_card, make_template, used
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_store

DAY = timedelta(days=1)


def task(session: Session, job: str, subject_id: int, now: datetime) -> None:
    session.add(Task(job=job, subject_id=subject_id, created_at=now, due_at=now))
    session.commit()


def used_card(session: Session, settings: Settings, now: datetime, **facts: Any) -> GuestCard:
    template = make_template(session, reward_points=80, **facts)
    return used(session, claimed_card(session, settings, template=template), make_store(session))


def rewards(session: Session) -> list[tuple[int, int, str]]:
    rows = session.scalars(sa.select(GivenReward).order_by(GivenReward.id))
    return [(one.member_id, one.amount, one.key) for one in rows]


def test_the_giver_is_rewarded_once_for_a_new_customer_who_came(
    session: Session, settings: Settings, now: datetime
) -> None:
    card = used_card(session, settings, now)
    giver_id, member_id = card.giver_id, card.member_id
    for _ in range(2):
        task(session, "reward_card_givers", card.id, now)

    done = guest_cards.reward_card_givers()

    assert done == 2
    assert rewards(session) == [(giver_id, 80, f"guest_card_used:{member_id}:0")]


def test_nobody_is_rewarded_for_whoever_had_come_before(
    session: Session, settings: Settings, now: datetime
) -> None:
    card = used_card(session, settings, now, is_new_only=False)
    card.is_new = False
    task(session, "reward_card_givers", card.id, now)

    guest_cards.reward_card_givers()

    assert rewards(session) == []


@pytest.mark.parametrize(
    ("after", "counts"), [(-DAY, False), (DAY, True), (30 * DAY, True), (31 * DAY, False)]
)
def test_an_order_counts_for_a_card_in_the_month_after_its_use(
    session: Session, settings: Settings, now: datetime, after: timedelta, *, counts: bool
) -> None:
    card = used_card(session, settings, now)
    member = session.get_one(Member, card.member_id)
    order = make_order(session, member=member, price_fen=50_000, now=now + after)
    order.paid_at = now + after
    task(session, "note_card_orders", order.id, now)

    guest_cards.note_card_orders()

    found = session.scalars(sa.select(CardConversion)).all()
    expected = [(card.id, order.id, 50_000, 0)] if counts else []
    assert [
        (one.card_id, one.order_id, one.paid_fen, one.refunded_fen) for one in found
    ] == expected


def test_the_first_order_counts_whichever_is_told_of_first(
    session: Session, settings: Settings, now: datetime
) -> None:
    card = used_card(session, settings, now)
    member = session.get_one(Member, card.member_id)
    first, second = (make_order(session, member=member, price_fen=fen) for fen in (300, 200))
    first.paid_at, second.paid_at = now + DAY, now + 2 * DAY
    for order in (second, first):
        task(session, "note_card_orders", order.id, now)
        guest_cards.note_card_orders()

    assert session.scalars(sa.select(CardConversion.order_id)).all() == [first.id]


def test_what_goes_back_of_such_an_order_is_noted(
    session: Session, settings: Settings, now: datetime
) -> None:
    card = used_card(session, settings, now)
    member = session.get_one(Member, card.member_id)
    order = make_order(session, member=member, price_fen=50_000)
    refund = make_refund(session, order)
    order.paid_at = now + DAY
    task(session, "note_card_orders", order.id, now)
    guest_cards.note_card_orders()
    order.refunding_fen, order.refunded_fen = 0, 20_000
    task(session, "note_card_refunds", refund.id, now)

    guest_cards.note_card_refunds()

    session.expire_all()
    assert session.scalars(sa.select(CardConversion.refunded_fen)).all() == [20_000]
