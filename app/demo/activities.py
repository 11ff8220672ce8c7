"""Activities of the demo: a sale that runs, one to come, groups and a bargain under way."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.activities import bargains, flash_sales, groups, jobs, services
from app.activities.dealing import Purchase
from app.activities.models import Activity
from app.activities.services import ActivitySpec, ItemSpec
from app.activities.states import ActivityEvent, ActivityKind
from app.catalog.models import Product, ProductKind, StockLevel
from app.demo.acts import pay
from app.demo.trade import CUSTOMERS
from app.kernel import outbox
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.members.models import Member
from app.orders.models import Fulfilment
from app.reactions import TASKS
from app.stores.models import Staff

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
PARTS: Final = 8
HELPERS: Final = 3


def load_activities() -> Iterator[str]:
    """Set activities up and let customers take part in them, once; yield what to tell."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(Activity.id).limit(1)) is not None:
            return
        stocked = _stocked(session)
        if stocked is None:
            return
        members = session.scalars(
            sa.select(Member.id).where(Member.nickname.in_(CUSTOMERS)).order_by(Member.id)
        ).all()
        numbers = _take_part(session, stocked, members, now=now)
    for number in numbers:
        pay(number, at=now)
    with atomic() as session:
        while outbox.relay(session, TASKS, now=now):
            continue
    jobs.follow_activity_orders()
    yield "activities: a flash sale, a group buy and a bargain are open"


def _stocked(session: Session) -> tuple[Product, int] | None:
    """Return goods and a store that has the most of them."""
    row = session.execute(
        sa.select(Product, StockLevel.store_id)
        .join(StockLevel, StockLevel.product_id == Product.id)
        .where(Product.kind == ProductKind.GOODS, Product.is_published)
        .order_by((StockLevel.on_hand - StockLevel.reserved).desc(), Product.id)
        .limit(1)
    ).first()
    return None if row is None else (row[0], row[1])


def _take_part(
    session: Session, stocked: tuple[Product, int], members: Sequence[int], *, now: datetime
) -> list[str]:
    """Open everything and let the first customers in; returns the numbers of orders to pay."""
    product, store_id = stocked
    staff_id = session.scalars(sa.select(Staff.id).where(Staff.email == "ops@demo.tuoke")).one()
    actor = Actor("staff", staff_id)

    def opened(kind: ActivityKind, name: str, share: int, **rules: Any) -> int:
        item = ItemSpec(product_id=product.id, price_fen=product.price_fen * share // 10, stock=20)
        spec = ActivitySpec(
            kind=kind,
            name=name,
            starts_at=now - HOUR,
            ends_at=now + 14 * DAY,
            rules=rules,
            limit_per_member=2,
            items=[item],
        )
        activity = services.put_activity(session, spec, actor=actor, now=now)
        for event in (ActivityEvent.SCHEDULE, ActivityEvent.START):
            services.decide(session, activity.id, event, actor=actor, now=now)
        return activity.items[0].id

    def wants(number: int) -> Purchase:
        return Purchase(member_id=members[number], store_id=store_id, fulfilment=Fulfilment.PICKUP)

    known: dict[str, Any] = {"settings": settings(), "now": now}
    sale = opened(ActivityKind.FLASH_SALE, "周末秒杀", 6)
    bought = [flash_sales.buy(session, sale, wants(number), **known) for number in (0, 1)]
    together = opened(ActivityKind.GROUP_BUY, "三人拼团", 7, size=3)
    full, first = groups.open_group(session, together, wants(2), **known)
    bought += [first, *(groups.join(session, full.code, wants(one), **known)[1] for one in (3, 4))]
    _, alone = groups.open_group(session, together, wants(5), **known)
    cut = opened(ActivityKind.BARGAIN, "好友砍价", 5, parts=PARTS)
    bargain = bargains.start(session, cut, member_id=members[6], store_id=store_id, now=now)
    for helper in range(HELPERS):
        bargains.cut(session, bargain.code, helper_id=members[7 + helper], now=now)
    return [order.number for order in (*bought, alone)]
