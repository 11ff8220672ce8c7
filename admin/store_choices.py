"""The stores of the person here, as choices of a form."""

import sqlalchemy as sa

from admin.staff import visible_store_ids
from app.kernel.db import db
from app.stores.models import Store


def visible_stores() -> list[tuple[str, str]]:
    """Return id and name of each store that the person here sees, by name."""
    query = sa.select(Store.id, Store.name).order_by(Store.name)
    store_ids = visible_store_ids()
    if store_ids is not None:
        query = query.where(Store.id.in_(store_ids))
    return [(str(row.id), row.name) for row in db.session.execute(query)]
