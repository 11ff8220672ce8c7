"""Flash sales (秒杀): so many pieces at a price, first come, first served, paid within minutes.

Exactly the stock is sold under any load: `limits.take_item` decides, and the store's own stock
besides for goods. An order that is not paid in time gives its pieces back to the sale.
"""

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field
from sqlalchemy.orm import Session

from app.activities import dealing, entries, queries
from app.activities.contract import Kind
from app.activities.dealing import Purchase, Terms
from app.activities.entries import OrderFate, Taking
from app.activities.errors import ActivitySoldOut, NewcomersOnly, PiecesInvalid
from app.activities.models import ActivityEntry
from app.activities.rules import TradeRules
from app.activities.states import ActivityKind
from app.kernel.i18n import N_
from app.orders.models import Order
from app.settings import Settings


class FlashSaleRules(TradeRules):
    """What a flash sale asks of buyers."""

    pieces_max: Annotated[
        int,
        Field(
            ge=1,
            le=999,
            title=N_("Pieces in one order"),
            description=N_("How many pieces one order may hold."),
        ),
    ] = 1
    newcomers_only: Annotated[
        bool,
        Field(
            title=N_("New customers only"),
            description=N_("Whether only people may buy who have never paid here before."),
        ),
    ] = False


def buy(
    session: Session, item_id: int, purchase: Purchase, *, settings: Settings, now: datetime
) -> Order:
    """Order pieces of an item that is on sale now.

    Raises `ActivitySoldOut`, `ActivityLimitReached`, `ActivityNotOpen`, and what orders raise;
    then nothing was taken.
    """
    activity, item = queries.offered(session, item_id, kind=ActivityKind.FLASH_SALE)
    queries.require_open(activity, store_id=purchase.store_id, now=now)
    rules = FlashSaleRules.model_validate(activity.rules)
    if not 1 <= purchase.quantity <= rules.pieces_max:
        raise PiecesInvalid(rules.pieces_max)
    if item.sold + purchase.quantity > item.stock:
        raise ActivitySoldOut
    if rules.newcomers_only and not entries.is_newcomer(session, purchase.member_id):
        raise NewcomersOnly
    taking = Taking(
        activity=activity,
        item=item,
        member_id=purchase.member_id,
        store_id=purchase.store_id,
        quantity=purchase.quantity,
        regular_fen=dealing.regular_price(session, item),
        price_fen=item.price_fen,
    )
    entries.begin(session, taking)
    terms = Terms(
        activity=activity,
        item=item,
        rules=rules,
        price_fen=item.price_fen,
        pay_seconds=rules.pay_seconds,
    )
    order = dealing.order(session, purchase, terms, settings=settings, now=now)
    entries.finish(session, taking, order_id=order.id, now=now)
    return order


def _order_moved(session: Session, entry: ActivityEntry, now: datetime) -> None:
    order = session.get(Order, entry.order_id, populate_existing=True)
    assert order is not None, "a foreign key says that the order is there"
    if order.paid_at is not None and order.closed_at is None:
        entries.keep(session, [entry.id])
    elif entries.fate_of(order) is OrderFate.GONE:
        entries.release(session, [entry.id], now=now)


KIND: Final = Kind(
    code=ActivityKind.FLASH_SALE,
    title=N_("Flash sale"),
    about=N_("So many pieces at a price of their own, first come, first served."),
    counts=N_("pieces"),
    rules=FlashSaleRules,
    sells=True,
    order_moved=_order_moved,
)
