"""The stores of the person here, as choices of a form."""

import sqlalchemy as sa

from admin.scopes import region_of_store
from admin.staff import visible_store_ids
from app.kernel.db import db
from app.stores.models import Region, Store


def visible_stores() -> list[tuple[str, str]]:
    """Return id and name of each store that the person here sees, by name."""
    query = sa.select(Store.id, Store.name).order_by(Store.name)
    store_ids = visible_store_ids()
    if store_ids is not None:
        query = query.where(Store.id.in_(store_ids))
    return [(str(row.id), row.name) for row in db.session.execute(query)]


def visible_regions() -> list[tuple[str, str]]:
    """Return the regions in which the reader works, by name; all for staff of the brand."""
    query = sa.select(Region.id, Region.name).order_by(Region.name)
    store_ids = visible_store_ids()
    if store_ids is not None:
        query = query.where(region_of_store(Region.id)(store_ids))
    return [(str(row.id), row.name) for row in db.session.execute(query)]
