"""What can be done with products and stock, all in the caller's transaction.

Stock moves by guarded updates in the order of product ids: whoever moves several products locks
them in one order, and two orders never wait for each other in a circle.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.errors import (
    ProductInvalid,
    ProductNotFound,
    StockChangeInvalid,
    StockOut,
    StockPromised,
)
from app.catalog.models import Product, ProductKind, StockLevel, StockMove, StockMovement
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record

PRICE_FEN_MAX: Final = 100_000_000
TITLE_LENGTH_MAX: Final = 80
STOCK_CHANGE_MAX: Final = 1_000_000

_SIGNS: Final[Mapping[StockMove, tuple[int, int]]] = {
    StockMove.RESERVE: (0, 1),
    StockMove.RELEASE: (0, -1),
    StockMove.SELL: (-1, -1),
    StockMove.RETURN: (1, 0),
}
"""What one piece of a movement changes of (on_hand, reserved)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSpec:
    """What staff say of a product. Prices are fen; `list_price_fen` is shown crossed out."""

    kind: ProductKind
    title: str
    title_en: str = ""
    description: str = ""
    price_fen: int
    list_price_fen: int
    is_published: bool = False
    is_distributable: bool = True
    is_refundable: bool = True
    is_medical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StockCount:
    """How many pieces people found in a store, promised ones included, and why they counted."""

    product_id: int
    store_id: int
    counted: int
    reason: str


def put_product(
    session: Session,
    spec: ProductSpec,
    *,
    product_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> Product:
    """Add a product, or change the one of that id. Orders that exist keep what they copied.

    Goods stay goods and services stay services: their stock and their orders depend on it.
    """
    _check(spec)
    before = {}
    if product_id is None:
        product = Product(**asdict(spec), created_at=now)
        session.add(product)
    else:
        product = _lock_product(session, product_id)
        if product.kind is not spec.kind:
            raise ProductInvalid("kind")
        before = {name: getattr(product, name) for name in asdict(spec)}
        for name, value in asdict(spec).items():
            setattr(product, name, value)
    session.flush()
    after = {name: value for name, value in asdict(spec).items() if before.get(name) != value}
    before = {name: before[name] for name in after if name in before}
    record(
        session,
        actor,
        "product_put",
        Subject("product", product.id),
        Change(before=before, after=after),
        now=now,
    )
    return product


def receive_stock(
    session: Session, *, product_id: int, store_id: int, quantity: int, actor: Actor, now: datetime
) -> StockLevel:
    """Put newly arrived goods on the shelf of a store."""
    if not 1 <= quantity <= STOCK_CHANGE_MAX:
        raise StockChangeInvalid
    _require_goods(session, product_id)
    session.execute(
        insert(StockLevel)
        .values(product_id=product_id, store_id=store_id, on_hand=quantity, reserved=0)
        .on_conflict_do_update(
            index_elements=["product_id", "store_id"],
            set_={"on_hand": StockLevel.on_hand + quantity},
        )
    )
    movement = StockMovement(
        product_id=product_id,
        store_id=store_id,
        move=StockMove.RECEIVE,
        on_hand_change=quantity,
        reserved_change=0,
        at=now,
        actor=str(actor),
    )
    session.add(movement)
    _record_stock(session, movement, actor)
    return _lock_level(session, product_id, store_id)


def count_stock(session: Session, count: StockCount, *, actor: Actor, now: datetime) -> StockLevel:
    """Set what is on the shelf to what people counted; the difference becomes a movement."""
    if not 0 <= count.counted <= STOCK_CHANGE_MAX:
        raise StockChangeInvalid
    _require_goods(session, count.product_id)
    level = _lock_level(session, count.product_id, count.store_id)
    if count.counted < level.reserved:
        raise StockPromised(level.reserved)
    movement = StockMovement(
        product_id=count.product_id,
        store_id=count.store_id,
        move=StockMove.COUNT,
        on_hand_change=count.counted - level.on_hand,
        reserved_change=0,
        at=now,
        actor=str(actor),
        reason=count.reason,
    )
    level.on_hand = count.counted
    session.add(movement)
    _record_stock(session, movement, actor)
    return level


def set_low_at(
    session: Session, *, product_id: int, store_id: int, low_at: int, actor: Actor, now: datetime
) -> StockLevel:
    """Set how few sellable pieces of a product remind a store to order more; 0 when all are gone.

    Raises `StockChangeInvalid` where the store never had the product.
    """
    if not 0 <= low_at <= STOCK_CHANGE_MAX:
        raise StockChangeInvalid
    level = _lock_level(session, product_id, store_id)
    before, level.low_at = level.low_at, low_at
    record(
        session,
        actor,
        "stock_low_at_set",
        Subject("product", product_id, store_id),
        Change(before={"low_at": before}, after={"low_at": low_at}),
        now=now,
    )
    return level


def reserve(
    session: Session, order_id: int, quantities: Mapping[int, int], *, store_id: int, now: datetime
) -> None:
    """Promise goods of a store to an unpaid order, all of them or none.

    `quantities` goes by product id and holds goods only. Raises `StockOut` for the first product
    of which not enough is free; the caller's transaction is then to be rolled back.
    """
    _move(session, StockMove.RESERVE, order_id, quantities, store_id=store_id, now=now)


def release(
    session: Session, order_id: int, quantities: Mapping[int, int], *, store_id: int, now: datetime
) -> None:
    """Take back the promise to an order that will not be paid."""
    _move(session, StockMove.RELEASE, order_id, quantities, store_id=store_id, now=now)


def sell(
    session: Session, order_id: int, quantities: Mapping[int, int], *, store_id: int, now: datetime
) -> None:
    """Let promised goods go: their order is paid."""
    _move(session, StockMove.SELL, order_id, quantities, store_id=store_id, now=now)


def take_back(
    session: Session, order_id: int, quantities: Mapping[int, int], *, store_id: int, now: datetime
) -> None:
    """Put sold goods back on the shelf: their money went back."""
    _move(session, StockMove.RETURN, order_id, quantities, store_id=store_id, now=now)


def _move(
    session: Session,
    move: StockMove,
    order_id: int,
    quantities: Mapping[int, int],
    *,
    store_id: int,
    now: datetime,
) -> None:
    on_hand_sign, reserved_sign = _SIGNS[move]
    rows = []
    for product_id, quantity in sorted(quantities.items()):
        assert quantity > 0, f"{quantity} pieces cannot move"
        on_hand_change, reserved_change = on_hand_sign * quantity, reserved_sign * quantity
        change = (
            sa.update(StockLevel)
            .where(StockLevel.product_id == product_id, StockLevel.store_id == store_id)
            .values(
                on_hand=StockLevel.on_hand + on_hand_change,
                reserved=StockLevel.reserved + reserved_change,
            )
            .returning(StockLevel.product_id)
            .execution_options(synchronize_session=False)
        )
        if move is StockMove.RESERVE:
            change = change.where(StockLevel.on_hand - StockLevel.reserved >= quantity)
        if session.scalar(change) is None:
            raise _stock_out(session, product_id, store_id)
        rows.append(
            {
                "product_id": product_id,
                "store_id": store_id,
                "move": move,
                "on_hand_change": on_hand_change,
                "reserved_change": reserved_change,
                "order_id": order_id,
                "at": now,
                "actor": str(SYSTEM),
            }
        )
    if rows:
        session.execute(sa.insert(StockMovement), rows)


def _stock_out(session: Session, product_id: int, store_id: int) -> StockOut:
    available = session.scalar(
        sa.select(StockLevel.on_hand - StockLevel.reserved).where(
            StockLevel.product_id == product_id, StockLevel.store_id == store_id
        )
    )
    title = session.scalar(sa.select(Product.title).where(Product.id == product_id))
    return StockOut(product_id, title or "", available or 0)


def _check(spec: ProductSpec) -> None:
    if not 1 <= len(spec.title.strip()) <= TITLE_LENGTH_MAX:
        raise ProductInvalid("title")
    if len(spec.title_en) > TITLE_LENGTH_MAX:
        raise ProductInvalid("title_en")
    if not 1 <= spec.price_fen <= PRICE_FEN_MAX:
        raise ProductInvalid("price_fen")
    if not spec.price_fen <= spec.list_price_fen <= PRICE_FEN_MAX:
        raise ProductInvalid("list_price_fen")


def _lock_product(session: Session, product_id: int) -> Product:
    product = session.get(Product, product_id, with_for_update=True, populate_existing=True)
    if product is None:
        raise ProductNotFound(product_id)
    return product


def _require_goods(session: Session, product_id: int) -> None:
    product = session.get(Product, product_id)
    if product is None:
        raise ProductNotFound(product_id)
    if product.kind is not ProductKind.GOODS:
        raise StockChangeInvalid


def _lock_level(session: Session, product_id: int, store_id: int) -> StockLevel:
    session.flush()
    level = session.get(
        StockLevel, (product_id, store_id), with_for_update=True, populate_existing=True
    )
    if level is None:
        raise StockChangeInvalid
    return level


def _record_stock(session: Session, movement: StockMovement, actor: Actor) -> None:
    record(
        session,
        actor,
        f"stock_{movement.move}",
        Subject("product", movement.product_id, movement.store_id),
        Change(after={"on_hand_change": movement.on_hand_change}, reason=movement.reason or ""),
        now=movement.at,
    )
