"""Which member of staff is here, what they may do, and whose rows they may see."""

from flask import g
from flask_login import current_user
from structlog.contextvars import get_contextvars

from app.kernel.audit import Actor
from app.stores import queries
from app.stores.models import Staff
from app.stores.permissions import Permission


def current() -> Staff | None:
    """Return who is signed in, with both factors; None for anybody else."""
    return current_user if current_user.is_authenticated else None


def may(permission: Permission | None) -> bool:
    """Tell whether the person here holds a permission; None asks only for a sign-in.

    A page asks a hundred times, so what was found stays for the rest of the request.
    """
    if "backoffice_permissions" not in g:
        staff = current()
        if staff is None:
            return False
        g.backoffice_permissions = queries.staff_permissions(staff)
    return permission is None or permission in g.backoffice_permissions


def visible_store_ids() -> frozenset[int] | None:
    """Return the stores of the person here, or None where they see all stores."""
    if "backoffice_stores" not in g:
        staff = current()
        if staff is None:
            return frozenset()
        g.backoffice_stores = queries.visible_store_ids(staff)
    found: frozenset[int] | None = g.backoffice_stores
    return found


def actor() -> Actor:
    """Return the person here as the audit trail names them."""
    staff = current()
    assert staff is not None, "a view let in somebody who is not signed in"
    return Actor("staff", staff.id, get_contextvars().get("request_id"))
