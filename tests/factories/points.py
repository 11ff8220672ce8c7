"""Points, items of the mall and exchanges for tests.

Each function takes the session, fills in what the test does not care about, flushes and returns
the row. What it writes holds every invariant.
"""

from datetime import datetime
from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product, ProductKind
from app.members.models import Member
from app.points import earning, exchanging
from app.points.exchanging import Wish
from app.points.mall_models import MallExchange, MallItem
from app.points.models import PointLot
from app.points.states import ExchangeKind, PointSource
from app.stores.models import Store
from tests.factories.orders import make_product, make_stock
from tests.factories.people import NOON

_keys: Final = count(1)


def make_points(
    session: Session,
    member: Member,
    points: int = 1_000,
    *,
    source: PointSource = PointSource.TASK,
    now: datetime = NOON,
) -> PointLot:
    """So many points that can be spent at once, in a lot of their own."""
    key = f"test:{next(_keys)}"
    earning.grant(session, member.id, points, key=key, source=source, reason="", now=now)
    lot = session.scalar(sa.select(PointLot).where(PointLot.key == f"points-granted:{key}"))
    assert lot is not None
    return lot


def make_mall_item(
    session: Session,
    product: Product | None = None,
    *,
    store: Store | None = None,
    now: datetime = NOON,
    **changes: Any,
) -> MallItem:
    """A published item of 10 pieces for 100 points: a service, or what is given."""
    if product is None and "template_id" not in changes:
        product = make_product(session, kind=ProductKind.SERVICE)
    elif product is not None and product.kind is ProductKind.GOODS and store is not None:
        make_stock(session, product, store)
    facts: dict[str, Any] = {
        "kind": ExchangeKind.COUPON if "template_id" in changes else ExchangeKind.PRODUCT,
        "title": "护手霜",
        "points": 100,
        "product_id": None if product is None else product.id,
        "stock": 10,
        "exchanged": 0,
        "is_published": True,
        "created_at": now,
    }
    item = MallItem(**facts | changes)
    session.add(item)
    session.flush()
    return item


def make_exchange(
    session: Session,
    member: Member,
    store: Store,
    item: MallItem | None = None,
    *,
    now: datetime = NOON,
) -> MallExchange:
    """An exchange that waits in a store, paid with points of the member's."""
    item = item or make_mall_item(session, now=now)
    make_points(session, member, item.points, now=now)
    return exchanging.exchange(session, Wish(item.id, store.id), member_id=member.id, now=now)
