"""What follows from guest cards: the giver's reward for who came, and the orders that came of it.

The reward is points or a coupon, never money, and comes once for each new customer whichever cards
they use. Money comes by the plans alone, where the customer buys.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.guest_cards import settling
from app.guest_cards.models import CardConversion, CardTemplate, GuestCard
from app.kernel import outbox
from app.kernel.batches import work_off
from app.kernel.jobs import job
from app.kernel.outbox import Task
from app.loyalty.models import RewardSource
from app.loyalty.rewards import Reward, give_all
from app.orders.models import Order, Refund

BATCH: Final = 100


@job("reward_card_givers")
def reward_card_givers() -> int:
    """Give the givers of cards what their templates promise for new customers who came."""
    return work_off("reward_card_givers", _reward, limit=BATCH)


@job("note_card_orders")
def note_card_orders() -> int:
    """Note which paid orders followed a card."""
    return work_off("note_card_orders", _note_orders, limit=BATCH)


@job("note_card_refunds")
def note_card_refunds() -> int:
    """Note what of such orders went back."""
    return work_off("note_card_refunds", _note_refunds, limit=BATCH)


def _reward(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    for task in tasks:
        card = session.get_one(GuestCard, task.subject_id)
        template = session.get_one(CardTemplate, card.template_id)
        if card.is_new and card.first_used_at is not None:
            give_all(
                session,
                card.giver_id,
                _promised(template),
                key=f"guest_card_used:{card.member_id}",
                source=RewardSource.INVITE,
                now=now,
            )
    outbox.finish(session, tasks)


def _promised(template: CardTemplate) -> list[Reward]:
    """Return the one reward that a template promises its givers, points before a coupon."""
    if template.reward_points:
        return [Reward.points(template.reward_points)]
    if template.reward_coupon_template_id is not None:
        return [Reward.coupon(template.reward_coupon_template_id)]
    return []


def _note_orders(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    del now
    span = timedelta(seconds=settings().card_conversion_seconds)
    wanted = [task.subject_id for task in tasks]
    orders = session.scalars(
        sa.select(Order)
        .where(Order.id.in_(wanted), Order.paid_at.is_not(None))
        .order_by(Order.paid_at, Order.id)
    )
    for paid in orders:
        assert paid.paid_at is not None, "only paid orders were asked for"
        card = settling.card_before(
            session, paid.member_id, paid_at=paid.paid_at, since=paid.paid_at - span
        )
        if card is not None:
            _convert(session, card, _first_order(session, card) or paid)
    outbox.finish(session, tasks)


def _first_order(session: Session, card: GuestCard) -> Order | None:
    """Return the first order paid after a card's first use: tasks may come in another order."""
    return session.scalar(
        sa.select(Order)
        .where(Order.member_id == card.member_id, Order.paid_at >= card.first_used_at)
        .order_by(Order.paid_at, Order.id)
        .limit(1)
    )


def _convert(session: Session, card: GuestCard, order: Order) -> None:
    assert order.paid_at is not None, "only paid orders convert"
    settling.note_conversion(
        session,
        card_id=card.id,
        order_id=order.id,
        store_id=order.store_id,
        paid_fen=order.paid_fen,
        paid_at=order.paid_at,
    )
    _note_gone(session, [order.id])


def _note_refunds(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    del now
    ids = [task.subject_id for task in tasks]
    _note_gone(session, session.scalars(sa.select(Refund.order_id).where(Refund.id.in_(ids))).all())
    outbox.finish(session, tasks)


def _note_gone(session: Session, order_ids: Sequence[int]) -> None:
    gone = session.execute(
        sa.select(Order.id, Order.refunded_fen)
        .join(CardConversion, CardConversion.order_id == Order.id)
        .where(Order.id.in_(order_ids))
        .order_by(Order.id)
    )
    for order_id, refunded_fen in gone:
        settling.note_refunded(session, order_id=order_id, refunded_fen=refunded_fen)
