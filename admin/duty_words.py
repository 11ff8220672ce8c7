"""Stores and regions of somebody's duties, by name, where only their numbers are kept."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from admin.i18n import gettext, listed
from app.kernel.db import db
from app.stores.models import Region, Store


def store_names_of(ids: Collection[int]) -> str:
    """Return the names of some stores, by name."""
    return _names(Store, ids)


def region_names_of(ids: Collection[int]) -> str:
    """Return the names of some regions, by name."""
    return _names(Region, ids)


def _names(model: Any, ids: Collection[int]) -> str:
    if not ids:
        return gettext("None")
    query = sa.select(model.name).where(model.id.in_(list(ids))).order_by(model.name)
    return listed(db.session.scalars(query))
