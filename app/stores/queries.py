"""Reading stores and staff."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import object_session

from app.kernel.clock import business_day
from app.stores.models import Role, Staff, Store, staff_regions, staff_stores
from app.stores.permissions import Permission, allowed_by


def visible_store_ids(staff: Staff) -> frozenset[int] | None:
    """Return the stores whose rows a member of staff may see; None stands for all.

    Their own stores, and those that lie in one of their regions at this moment, read in one query:
    a store that moves into a region is seen with the next request. Whoever has been disabled sees
    none. This is the only place that says so.
    """
    if not staff.active:
        return frozenset()
    if staff.sees_all_stores:
        return None
    session = object_session(staff)
    assert session is not None, "whose stores are asked for comes out of the database"
    own = sa.select(staff_stores.c.store_id).where(staff_stores.c.staff_id == staff.id)
    of_regions = (
        sa.select(Store.id)
        .join(staff_regions, staff_regions.c.region_id == Store.region_id)
        .where(staff_regions.c.staff_id == staff.id)
    )
    return frozenset(session.scalars(own.union(of_regions)))


def role_permissions(role: Role) -> frozenset[Permission]:
    """Return what the holder of a role may do, built-in or the brand's own."""
    return allowed_by(role.name, role.permissions or () if role.is_active is not False else ())


def staff_permissions(staff: Staff) -> frozenset[Permission]:
    """Return what a member of staff may do; whoever has been disabled may do nothing."""
    nothing: frozenset[Permission] = frozenset()
    if not staff.active:
        return nothing
    return nothing.union(*(role_permissions(role) for role in staff.roles))


def may(staff: Staff, permission: Permission) -> bool:
    """Tell whether a member of staff may do something, leaving aside where."""
    return permission in staff_permissions(staff)


def is_employed(staff: Staff, *, now: datetime) -> bool:
    """Tell whether somebody works here today: not disabled, and between first and last day."""
    today = business_day(now)
    has_begun = staff.employed_from_on is None or staff.employed_from_on <= today
    goes_on = staff.employed_until_on is None or staff.employed_until_on >= today
    return staff.active and has_begun and goes_on
