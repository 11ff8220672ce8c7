"""Orders of activities: at the activity's price, with its rules about what else lowers it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.activities.models import Activity, ActivityItem
from app.activities.rules import TradeRules
from app.catalog.errors import ProductNotFound
from app.catalog.models import Product
from app.orders import services as orders
from app.orders.deals import Deal
from app.orders.models import Fulfilment, Order
from app.orders.pricing import WantedLine
from app.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Who buys so many pieces, in which store, how they get them, and what else pays for them."""

    member_id: int
    store_id: int
    fulfilment: Fulfilment
    quantity: int = 1
    coupon_ids: tuple[int, ...] = ()
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """At which price an item is bought, in how much time, and whether it is held until later."""

    activity: Activity
    item: ActivityItem
    rules: TradeRules
    price_fen: int
    pay_seconds: int
    is_held: bool = False


def order(
    session: Session, purchase: Purchase, terms: Terms, *, settings: Settings, now: datetime
) -> Order:
    """Make the order of an activity; it raises what orders raise, such as `StockOut`."""
    activity, rules = terms.activity, terms.rules
    deal = Deal(
        kind=activity.kind.value,
        activity_id=activity.id,
        title=activity.name,
        prices_fen={terms.item.product_id: terms.price_fen},
        allows_coupons=rules.allows_coupons,
        allows_points=rules.allows_points,
        allows_level=rules.allows_level,
        pays_commission=activity.pays_commission,
        is_held=terms.is_held,
        pay_seconds=terms.pay_seconds,
    )
    basket = orders.Basket(
        store_id=purchase.store_id,
        lines=[WantedLine(terms.item.product_id, purchase.quantity)],
        fulfilment=purchase.fulfilment,
        coupon_ids=purchase.coupon_ids,
        points=purchase.points,
    )
    return orders.create(
        session,
        member_id=purchase.member_id,
        basket=basket,
        deal=deal,
        settings=settings,
        now=now,
    )


def regular_price(session: Session, item: ActivityItem) -> int:
    """Return what a piece costs without the activity, in fen."""
    product = session.get(Product, item.product_id)
    if product is None:
        raise ProductNotFound(item.product_id)
    return product.price_fen
