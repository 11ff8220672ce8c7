"""Reading stores and staff."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.stores.models import Staff, Store
from app.stores.permissions import Permission, permissions_of


def visible_store_ids(staff: Staff) -> frozenset[int] | None:
    """Return the stores whose rows a member of staff may see; None stands for all.

    Whoever has been disabled sees none.
    """
    if not staff.active:
        return frozenset()
    if staff.sees_all_stores:
        return None
    return frozenset(store.id for store in staff.stores)


def staff_permissions(staff: Staff) -> frozenset[Permission]:
    """Return what a member of staff may do; whoever has been disabled may do nothing."""
    return permissions_of([role.name for role in staff.roles]) if staff.active else frozenset()


def may(staff: Staff, permission: Permission) -> bool:
    """Tell whether a member of staff may do something, leaving aside where."""
    return permission in staff_permissions(staff)


def open_stores(session: Session) -> Sequence[Store]:
    """Return the stores at which customers can order, by name."""
    return session.scalars(sa.select(Store).where(Store.is_open).order_by(Store.name)).all()
