"""Points of the demo: customers with points, a mall, and exchanges at every stage."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product, ProductKind, StockLevel
from app.coupons.models import CouponTemplate
from app.kernel.audit import SYSTEM, Actor
from app.kernel.db import atomic, database_now
from app.loyalty import exchanging as loyalty
from app.members.models import Member
from app.points import adjusting, earning, exchanging
from app.points.exchanging import Wish
from app.points.mall import ItemSpec
from app.points.mall_models import MallItem
from app.points.states import ExchangeKind, PointSource
from app.stores.models import Staff

PEOPLE: Final = 6
GIFTS: Final = (
    (PointSource.TASK, "完善资料", 200, 40),
    (PointSource.BIRTHDAY, "生日礼", 500, 20),
    (PointSource.CHECK_IN, "连续签到", 70, 2),
)
"""Where points come from, why, how many, and how many days ago."""
CARE: Final = "门店补偿：预约等待过久"
"""Why the manager gave points by hand."""
PRODUCT_POINTS: Final = 400
COUPON_POINTS: Final = 300


def load_points() -> Iterator[str]:
    """Give customers points and let them exchange some, once; yield what to tell the reader."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(sa.func.count()).select_from(MallItem)):
            return
        people = session.scalars(
            sa.select(Member.id)
            .where(Member.first_paid_at.is_not(None))
            .order_by(Member.id)
            .limit(PEOPLE)
        ).all()
        _give(session, people, now=now)
        count = _fill_mall(session, now=now)
        _exchange(session, people, now=now)
    yield f"Points: {len(people)} customers have some, {count} items in the mall."


def _give(session: Session, people: Sequence[int], *, now: datetime) -> None:
    for member_id in people:
        for source, reason, points, days in GIFTS:
            earning.grant(
                session,
                member_id,
                points,
                key=f"demo:{source}:{member_id}",
                source=source,
                reason=reason,
                now=now - timedelta(days=days),
            )
    owner = session.scalars(sa.select(Staff.id).order_by(Staff.id).limit(1)).one()
    for member_id in people[:1]:
        adjusting.adjust(session, member_id, 100, reason=CARE, actor=Actor("staff", owner), now=now)


def _fill_mall(session: Session, *, now: datetime) -> int:
    specs = []
    goods = session.scalar(
        sa.select(Product)
        .join(StockLevel, StockLevel.product_id == Product.id)
        .where(Product.kind == ProductKind.GOODS, Product.is_published)
        .order_by(Product.price_fen)
        .limit(1)
    )
    if goods is not None:
        specs.append(
            ItemSpec(
                kind=ExchangeKind.PRODUCT,
                title=goods.title,
                title_en=goods.title_en,
                description="到店领取，每人限兑一件。",
                points=PRODUCT_POINTS,
                stock=20,
                product_id=goods.id,
                limit_per_member=1,
                is_published=True,
            )
        )
    template = session.scalar(
        sa.select(CouponTemplate)
        .where(CouponTemplate.ended_at.is_(None), CouponTemplate.valid_seconds.is_not(None))
        .order_by(CouponTemplate.id)
        .limit(1)
    )
    if template is not None:
        specs.append(
            ItemSpec(
                kind=ExchangeKind.COUPON,
                title=template.title[:60],
                title_en=template.title_en[:60],
                points=COUPON_POINTS,
                stock=50,
                template_id=template.id,
                is_published=True,
            )
        )
    for spec in specs:
        loyalty.create_item(session, spec, actor=SYSTEM, now=now)
    return len(specs)


def _exchange(session: Session, people: Sequence[int], *, now: datetime) -> None:
    """Let the first three have the product: one waits, one is handed over, one is cancelled."""
    item = session.scalar(sa.select(MallItem).where(MallItem.kind == ExchangeKind.PRODUCT))
    if item is None:
        return
    level = session.scalars(
        sa.select(StockLevel)
        .where(
            StockLevel.product_id == item.product_id,
            StockLevel.on_hand - StockLevel.reserved >= len(people),
        )
        .order_by(StockLevel.store_id)
        .limit(1)
    ).one_or_none()
    if level is None:
        return
    store_id = level.store_id
    rows = [
        exchanging.exchange(session, Wish(item.id, store_id), member_id=one, now=now)
        for one in people[:3]
    ]
    for row in rows[1:2]:
        locked = exchanging.locked(session, row.id)
        exchanging.end_handed_over(session, locked, store_id=store_id, actor=SYSTEM, now=now)
    for row in rows[2:]:
        exchanging.cancel(session, row.id, actor=SYSTEM, reason="改日再来", now=now)
