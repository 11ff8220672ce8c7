"""Activities for tests, and what follows for them from orders and time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

import app.tables  # noqa: F401 - foreign keys need every table
from app.activities import jobs, queries
from app.activities.dealing import Purchase
from app.activities.kinds import KINDS
from app.activities.models import (
    Activity,
    ActivityEntry,
    ActivityItem,
    ActivityStep,
    ActivityTally,
)
from app.activities.states import TRANSITIONS, ActivityEvent, ActivityKind, ActivityState
from app.catalog.models import Product
from app.kernel import outbox
from app.kernel.outbox import Task
from app.members.models import Member
from app.orders import services as orders
from app.orders.models import Fulfilment, Order
from app.reactions import TASKS
from app.settings import Settings
from app.stores.models import Store
from tests.factories.orders import make_goods, offer, payment_report

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
_names = count(1)
_PATHS: Final[Mapping[ActivityState, Sequence[ActivityEvent]]] = {
    ActivityState.DRAFT: (),
    ActivityState.SCHEDULED: (ActivityEvent.SCHEDULE,),
    ActivityState.RUNNING: (ActivityEvent.SCHEDULE, ActivityEvent.START),
    ActivityState.ENDED: (ActivityEvent.SCHEDULE, ActivityEvent.START, ActivityEvent.END),
    ActivityState.CANCELLED: (ActivityEvent.CANCEL,),
}


def make_activity(
    session: Session,
    kind: ActivityKind = ActivityKind.FLASH_SALE,
    *,
    products: Sequence[Product] = (),
    name: str | None = None,
    price_fen: int = 5_000,
    stock: int = 10,
    stores: Sequence[Store] = (),
    rules: Mapping[str, Any] | None = None,
    limit_per_member: int | None = None,
    limit_total: int | None = None,
    state: ActivityState = ActivityState.RUNNING,
    starts_at: datetime = NOON - timedelta(hours=1),
    ends_at: datetime = NOON + timedelta(days=3_650),
) -> Activity:
    """An activity with its products at `price_fen`; everywhere unless stores are named."""
    activity = Activity(
        kind=kind,
        name=name or f"Activity {next(_names)}",
        state=state,
        starts_at=starts_at,
        ends_at=ends_at,
        store_ids=[store.id for store in stores] or None,
        rules=KINDS[kind].rules.model_validate(dict(rules or {})).model_dump(mode="json"),
        limit_per_member=limit_per_member,
        limit_total=limit_total,
        taken=0,
        pays_commission=True,
        created_by="system",
        created_at=starts_at,
        items=[
            ActivityItem(product_id=product.id, price_fen=price_fen, stock=stock, sold=0)
            for product in products
        ],
    )
    session.add(activity)
    session.flush()
    at = ActivityState.DRAFT
    for event in _PATHS[state]:
        at = TRANSITIONS[at, event]
        step = ActivityStep(
            activity_id=activity.id,
            event=event,
            to_state=at,
            at=starts_at,
            actor="system",
            reason="",
        )
        session.add(step)
    session.flush()
    return activity


def make_deal(
    session: Session, store: Store, kind: ActivityKind, *, on_hand: int = 100, **facts: Any
) -> ActivityItem:
    """One running activity with goods of 100 yuan that a store has; returns its item."""
    goods = make_goods(session, store, on_hand=on_hand)
    return make_activity(session, kind, products=[goods], **facts).items[0]


def purchase(member: Member, store: Store, quantity: int = 1) -> Purchase:
    """Somebody who wants to pick up so many pieces."""
    return Purchase(
        member_id=member.id, store_id=store.id, fulfilment=Fulfilment.PICKUP, quantity=quantity
    )


def pay_for(session: Session, order: Order, *, settings: Settings, now: datetime) -> None:
    """Let WeChat report that an order was paid, offered before or not; commits."""
    row = fresh(session, order)
    member = session.get_one(Member, row.member_id)
    if row.paid_at is None and not session.scalar(
        sa.text("SELECT count(*) FROM payments WHERE order_id = :id"), {"id": row.id}
    ):
        offer(session, row, now=now)
    session.commit()
    report = payment_report(row, openid=member.wechat_openid)
    orders.confirm_payment(report, received=None, settings=settings, now=now)


def close(session: Session, order: Order, *, now: datetime) -> None:
    """Let the buyer give an order up that was never offered to WeChat; commits."""
    orders.request_close(session, order.number, member_id=order.member_id, now=now)
    session.commit()


def follow(session: Session, *, now: datetime) -> None:
    """Do what follows for activities from everything that happened to orders; commits."""
    session.commit()
    while outbox.relay(session, TASKS, now=now):
        session.commit()
    session.execute(sa.update(Task).values(due_at=NOON))
    session.commit()
    jobs.follow_activity_orders()
    jobs.follow_activity_refunds()
    session.commit()


def sweep(session: Session, *, now: datetime) -> None:
    """Let time do to activities what it does by `now`; commits."""
    session.commit()
    for kind in KINDS.values():
        if kind.sweep is not None:
            kind.sweep(now)


def fresh(session: Session, order: Order) -> Order:
    """Return an order with its lines as they are now."""
    return session.scalars(
        sa.select(Order)
        .where(Order.id == order.id)
        .options(selectinload(Order.lines))
        .execution_options(populate_existing=True)
    ).one()


def counts(session: Session, item: ActivityItem) -> tuple[int, int]:
    """Return how many pieces of an item are sold, and what all members' tallies add up to."""
    session.refresh(item)
    taken = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(ActivityTally.taken), 0)).where(
            ActivityTally.activity_id == item.activity_id
        )
    )
    return item.sold, int(taken or 0)


def entry_of(session: Session, order: Order) -> ActivityEntry:
    """Return what an order pays for."""
    entry = queries.entry_of_order(session, order.id)
    assert entry is not None
    return entry
