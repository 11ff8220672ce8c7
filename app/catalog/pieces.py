"""One piece of a store's stock for something that is no order, such as a gift for points.

It moves as for an order: set aside, then handed over or let go, each time with a movement that says
what for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.errors import StockOut
from app.catalog.models import Product, StockLevel, StockMove, StockMovement
from app.kernel.audit import Actor

SIGNS: Final = {
    StockMove.RESERVE: (0, 1),
    StockMove.RELEASE: (0, -1),
    StockMove.SELL: (-1, -1),
}
"""What one piece changes of (on_hand, reserved)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a product in a store, and what it is for, such as `exchange:E2026…`."""

    product_id: int
    store_id: int
    purpose: str


def set_aside(session: Session, piece: Piece, *, actor: Actor, now: datetime) -> None:
    """Promise a piece. Raises `StockOut` where none is free; the caller rolls back then."""
    _move(session, StockMove.RESERVE, piece, actor=actor, now=now)


def let_go(session: Session, piece: Piece, *, actor: Actor, now: datetime) -> None:
    """Take the promise back."""
    _move(session, StockMove.RELEASE, piece, actor=actor, now=now)


def hand_over(session: Session, piece: Piece, *, actor: Actor, now: datetime) -> None:
    """Let a promised piece go."""
    _move(session, StockMove.SELL, piece, actor=actor, now=now)


def _move(session: Session, move: StockMove, piece: Piece, *, actor: Actor, now: datetime) -> None:
    on_hand, reserved = SIGNS[move]
    change = (
        sa.update(StockLevel)
        .where(StockLevel.product_id == piece.product_id, StockLevel.store_id == piece.store_id)
        .values(on_hand=StockLevel.on_hand + on_hand, reserved=StockLevel.reserved + reserved)
        .returning(StockLevel.on_hand)
        .execution_options(synchronize_session=False)
    )
    if move is StockMove.RESERVE:
        change = change.where(StockLevel.on_hand > StockLevel.reserved)
    if session.scalar(change) is None:
        title = session.scalar(sa.select(Product.title).where(Product.id == piece.product_id))
        raise StockOut(piece.product_id, title or "", 0)
    session.add(
        StockMovement(
            product_id=piece.product_id,
            store_id=piece.store_id,
            move=move,
            on_hand_change=on_hand,
            reserved_change=reserved,
            at=now,
            actor=str(actor),
            reason=piece.purpose,
        )
    )
    session.flush()
