"""What staff should know before they schedule an activity: nothing of it forbids anything."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities.draw_advice import draw_advice
from app.activities.models import Activity, ActivityItem
from app.activities.queries import TAKING, touching_stores
from app.catalog.models import Product, ProductKind, StockLevel
from app.kernel.i18n import N_, Message, yuan


def advice(session: Session, activity: Activity) -> Sequence[Message]:
    """Return what is worth a second look, in the order of the items."""
    products = {
        product.id: product
        for product in session.scalars(
            sa.select(Product).where(Product.id.in_([one.product_id for one in activity.items]))
        )
    }
    about_items = [
        message
        for item in activity.items
        for message in _about(session, activity, item, products[item.product_id])
    ]
    return [*about_items, *draw_advice(session, activity)]


def _about(
    session: Session, activity: Activity, item: ActivityItem, product: Product
) -> Iterator[Message]:
    facts = {"title": product.title}
    if not product.is_published:
        yield Message(N_("%(title)s is not on sale."), facts)
    if item.price_fen >= product.price_fen:
        price = {"price": yuan(product.price_fen)}
        yield Message(N_("%(title)s costs %(price)s without the activity."), facts | price)
    elif item.price_fen * 2 < product.price_fen:
        yield Message(N_("%(title)s costs less than half of its usual price."), facts)
    for name in _others(session, activity, item.product_id):
        text = N_("%(title)s is in another activity at the same time: %(name)s.")
        yield Message(text, facts | {"name": name})
    if product.kind is ProductKind.GOODS:
        there = _in_stores(session, activity, item.product_id)
        if there < item.stock:
            text = N_("The stores have %(there)s of %(title)s, the activity gives %(stock)s.")
            yield Message(text, facts | {"there": there, "stock": item.stock})


def _others(session: Session, activity: Activity, product_id: int) -> Sequence[str]:
    """Return the names of other activities with a product, at the same time in the same stores."""
    return session.scalars(
        sa.select(Activity.name)
        .join(ActivityItem, ActivityItem.activity_id == Activity.id)
        .where(
            ActivityItem.product_id == product_id,
            Activity.id != activity.id,
            Activity.state.in_(TAKING),
            Activity.starts_at < activity.ends_at,
            Activity.ends_at > activity.starts_at,
            touching_stores(activity.store_ids),
        )
        .order_by(Activity.id)
    ).all()


def _in_stores(session: Session, activity: Activity, product_id: int) -> int:
    """Return how many pieces the stores of an activity can sell."""
    wanted = sa.select(
        sa.func.coalesce(sa.func.sum(StockLevel.on_hand - StockLevel.reserved), 0)
    ).where(StockLevel.product_id == product_id)
    if activity.store_ids is not None:
        wanted = wanted.where(StockLevel.store_id.in_(activity.store_ids))
    return int(session.scalar(wanted) or 0)
