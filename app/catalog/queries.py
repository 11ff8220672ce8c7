"""Reading products and stock."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.errors import ProductNotFound
from app.catalog.models import Product, StockLevel


def products_page(
    session: Session, *, after_id: int | None = None, limit: int
) -> Sequence[Product]:
    """Return what is on sale, newest first, from below `after_id` on."""
    wanted = sa.select(Product).where(Product.is_published).order_by(Product.id.desc())
    if after_id is not None:
        wanted = wanted.where(Product.id < after_id)
    return session.scalars(wanted.limit(limit)).all()


def product(session: Session, product_id: int) -> Product:
    """Return a product that is on sale; one that is not is the same as none."""
    found = session.get(Product, product_id)
    if found is None or not found.is_published:
        raise ProductNotFound(product_id)
    return found


def by_ids(session: Session, product_ids: Collection[int]) -> dict[int, Product]:
    """Return products by id, on sale or not; those that do not exist are missing."""
    rows = session.scalars(sa.select(Product).where(Product.id.in_(product_ids)))
    return {row.id: row for row in rows}


def available(session: Session, product_ids: Collection[int], *, store_id: int) -> dict[int, int]:
    """Return how many pieces of each of these goods a store can still promise."""
    rows = session.execute(
        sa.select(StockLevel.product_id, StockLevel.on_hand - StockLevel.reserved).where(
            StockLevel.store_id == store_id, StockLevel.product_id.in_(product_ids)
        )
    )
    return {row[0]: row[1] for row in rows}
