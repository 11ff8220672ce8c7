"""What a purchase brings its buyer: points, growth, and the level that it paid for.

One function brings what was given into line with the order as it stands; the jobs that hear of
payment, settlement and refund all call it. So their order and their repetition do not matter.

Points are promised when the order is paid, with the multiplier of the level the buyer held then,
and pending until it settles; growth comes when it settles. The base is what was paid in money for
goods and services: no shipping, and nothing that points or coupons paid. Refunds take both back by
share of all that went back, rounded down.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from app.kernel.audit import SYSTEM
from app.loyalty.models import OrderReward
from app.membership import by_hand, growth
from app.membership.growth import Growth
from app.membership.queries import LevelTerms, levels_at, standing_of
from app.membership.rules import earned, taken_back
from app.membership.states import GrowthSource
from app.orders import services as orders
from app.orders.models import Order, OrderLine
from app.orders.states import OrderState
from app.points import earning
from app.settings import Settings


def bring_into_line(session: Session, order_id: int, *, settings: Settings, now: datetime) -> None:
    """Give and take back what an order as it stands brings its buyer. Repeat it freely."""
    order = session.scalars(
        sa.select(Order)
        .where(Order.id == order_id)
        .options(selectinload(Order.lines))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if order is None or order.paid_at is None or order.state is OrderState.PAID_LATE:
        return
    row = _promise(session, order, settings=settings, now=now)
    _take_back(session, row, order, now=now)
    _settle(session, row, order, now=now)
    _follow_paid_levels(session, order, settings=settings, now=now)


def key_of(order_id: int) -> str:
    """Return the name under which an order's points and growth are kept."""
    return f"order:{order_id}"


def _promise(session: Session, order: Order, *, settings: Settings, now: datetime) -> OrderReward:
    """Write down what an order brings, once, and lock it."""
    assert order.paid_at is not None, "asked before"
    base_fen = sum(line.net_fen for line in order.lines)
    held = standing_of(session, order.member_id, at=order.paid_at)
    earns_points = order.deal is None or bool(order.deal.get("allows_points"))
    per_yuan = settings.points_per_yuan_spent if earns_points else 0
    points = earned(base_fen, per_yuan, held.points_multiplier_bp)
    inserted = session.scalar(
        insert(OrderReward)
        .values(
            order_id=order.id,
            member_id=order.member_id,
            base_fen=base_fen,
            points=points,
            growth=earned(base_fen, settings.growth_per_yuan, 10_000),
            rule={
                "level_id": held.level_id,
                "level": held.name,
                "points_multiplier_bp": held.points_multiplier_bp,
                "points_per_yuan": per_yuan,
                "growth_per_yuan": settings.growth_per_yuan,
            },
            promised_at=now,
        )
        .on_conflict_do_nothing(index_elements=[OrderReward.order_id])
        .returning(OrderReward.order_id)
    )
    row = session.scalars(
        sa.select(OrderReward)
        .where(OrderReward.order_id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if inserted is not None and points:
        earning.earn_pending(
            session, order.member_id, points, key=key_of(order.id), now=now, order_id=order.id
        )
    return row


def _take_back(session: Session, row: OrderReward, order: Order, *, now: datetime) -> None:
    gone_fen = sum(line.refunded_fen for line in order.lines)
    if gone_fen <= row.gone_fen:
        return
    row.gone_fen = gone_fen
    row.points_taken = taken_back(row.points, gone_fen, row.base_fen)
    earning.take_back(session, key_of(order.id), row.points_taken, now=now)
    due = taken_back(row.growth, gone_fen, row.base_fen)
    more, row.growth_taken = due - row.growth_taken, due
    session.flush()
    if row.settled_at is not None and more:
        fact = Growth(
            key=f"{key_of(order.id)}:gone:{gone_fen}",
            amount=-more,
            source=GrowthSource.REFUND,
            counts_at=row.settled_at,
            order_id=order.id,
        )
        growth.add(session, order.member_id, fact, now=now)


def _settle(session: Session, row: OrderReward, order: Order, *, now: datetime) -> None:
    if order.settled_at is None or row.settled_at is not None:
        return
    row.settled_at = order.settled_at
    session.flush()
    earning.settle(session, key_of(order.id), now=now)
    left = row.growth - row.growth_taken
    if left:
        fact = Growth(
            key=key_of(order.id),
            amount=left,
            source=GrowthSource.ORDER,
            counts_at=order.settled_at,
            order_id=order.id,
        )
        growth.add(session, order.member_id, fact, now=now)


def _follow_paid_levels(
    session: Session, order: Order, *, settings: Settings, now: datetime
) -> None:
    """Grant the levels that an order pays for, for as long as the pieces kept; end the others."""
    assert order.paid_at is not None, "asked before"
    sold = _levels_sold(session, order, at=order.paid_at)
    for terms, line in sold:
        paid_days = terms.version.paid_days or 0
        kept = line.quantity - line.refunded_quantity
        if not kept or line.refunded_fen >= line.net_fen:
            by_hand.end_paid(session, order.member_id, terms.level_id, order_id=order.id, now=now)
            continue
        days = paid_days * kept
        by_hand.grant_paid(
            session, order.member_id, terms.level_id, order_id=order.id, days=days, now=now
        )
        by_hand.shorten_paid(
            session, order.member_id, terms.level_id, order_id=order.id, days=days, now=now
        )
    _complete(session, order, sold, settings=settings, now=now)


def _levels_sold(
    session: Session, order: Order, *, at: datetime
) -> Sequence[tuple[LevelTerms, OrderLine]]:
    lines = {line.product_id: line for line in order.lines if line.is_service}
    return [
        (terms, lines[terms.version.paid_product_id])
        for terms in levels_at(session, at=at)
        if terms.version.paid_product_id in lines and not terms.version.is_retired
    ]


def _complete(
    session: Session,
    order: Order,
    sold: Sequence[tuple[LevelTerms, OrderLine]],
    *,
    settings: Settings,
    now: datetime,
) -> None:
    """An order of levels only is handed over with them, so that it can settle."""
    is_all = len(sold) == len(order.lines)
    is_whole = order.refunded_fen == 0 and order.refunding_fen == 0
    if is_all and is_whole and order.state is OrderState.PAID and order.held_for is None:
        orders.complete(session, order.id, actor=SYSTEM, settings=settings, now=now)
