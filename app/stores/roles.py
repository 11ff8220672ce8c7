"""Roles: those built in, and those the brand makes for itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.stores.errors import RoleUnknown
from app.stores.granting import Deciders, Grant, lock_appointers, require_agreement
from app.stores.models import Role, staff_roles
from app.stores.permissions import (
    CROWN,
    ROLE_DESCRIPTIONS,
    ROLE_NAME_LENGTH_MAX,
    Permission,
    RoleName,
    allowed_by,
)
from app.stores.staff_errors import (
    MayNotGrant,
    RoleBuiltIn,
    RoleHeld,
    RoleInvalid,
    RoleNameTaken,
    RoleNotFound,
)

DESCRIPTION_LENGTH_MAX: Final = 200
_BUILT_IN: Final = frozenset(RoleName)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpec:
    """A role of the brand's own as it is to be; a role that is not active allows nothing."""

    name: str
    description: str = ""
    permissions: Collection[str] = ()
    is_active: bool = True


def ensure_roles(session: Session) -> None:
    """Put a row for every built-in role into the database; those that exist stay as they are."""
    rows = [{"name": name.value, "description": text} for name, text in ROLE_DESCRIPTIONS.items()]
    session.execute(insert(Role).on_conflict_do_nothing(), rows)


def roles_named(session: Session, names: Collection[str]) -> list[Role]:
    """Return the roles of some names that can be given to somebody. Raises `RoleUnknown`."""
    ensure_roles(session)
    wanted = sa.select(Role).where(Role.name.in_(list(names)), Role.is_active).order_by(Role.id)
    found = list(session.scalars(wanted))
    for name in set(names) - {role.name for role in found}:
        raise RoleUnknown(name)
    return found


def put_role(  # noqa: PLR0913 - who decides, why and when, all by keyword
    session: Session,
    role_id: int | None,
    spec: RoleSpec,
    *,
    actor: Actor,
    second_actor: Actor | None = None,
    reason: str,
    now: datetime,
) -> Role:
    """Make a role of the brand's own, or say anew what it allows. Its holders have that at once.

    Raises `RoleNotFound`, `RoleBuiltIn`, `RoleInvalid`, `RoleNameTaken`, and what
    `require_agreement` raises.
    """
    wanted = _cleaned(spec)
    lock_appointers(session)
    role = _locked(session, role_id) if role_id is not None else None
    before = facts_of(role) if role is not None else {}
    by = Deciders(actor=actor, second_actor=second_actor, now=now)
    gained = frozenset(map(Permission, wanted.permissions)) if wanted.is_active else frozenset()
    if role is not None and role.is_active:
        gained -= allowed_by(role.name, role.permissions)
    agreed = require_agreement(session, by, Permission.ROLES_EDIT, Grant(permissions=gained))
    _require_free_name(session, wanted.name, role_id)
    if role is None:
        role = Role()
        session.add(role)
    role.name, role.description = wanted.name, wanted.description
    role.permissions, role.is_active = list(wanted.permissions), wanted.is_active
    session.flush()
    action = "role_changed" if before else "role_created"
    change = Change(before, {**facts_of(role), **agreed}, reason)
    audit.record(session, actor, action, Subject("role", role.id), change, now=now)
    return role


def retire_role(
    session: Session, role_id: int, *, actor: Actor, reason: str, now: datetime
) -> Role:
    """Switch a role off: from now on it allows nothing and is given to nobody.

    Taking rights away needs no second person; `put_role` gives them back. Raises `RoleNotFound`,
    `RoleBuiltIn`.
    """
    role = _locked(session, role_id)
    before = facts_of(role)
    role.is_active = False
    session.flush()
    change = Change(before, facts_of(role), reason)
    audit.record(session, actor, "role_retired", Subject("role", role.id), change, now=now)
    return role


def delete_role(
    session: Session, role_id: int, *, actor: Actor, reason: str, now: datetime
) -> None:
    """Remove a role that nobody holds; the trail keeps what it was.

    Raises `RoleNotFound`, `RoleBuiltIn`, `RoleHeld`.
    """
    lock_appointers(session)
    role = _locked(session, role_id)
    holders = sa.select(staff_roles.c.staff_id).where(staff_roles.c.role_id == role_id)
    if session.scalar(holders.limit(1)) is not None:
        raise RoleHeld
    change = Change(facts_of(role), {}, reason)
    audit.record(session, actor, "role_deleted", Subject("role", role_id), change, now=now)
    session.delete(role)
    session.flush()


def own_role(session: Session, role_id: int) -> Role:
    """Return a role that the brand made for itself. Raises `RoleNotFound`, `RoleBuiltIn`."""
    role = session.get(Role, role_id, populate_existing=True)
    if role is None:
        raise RoleNotFound
    if role.name in _BUILT_IN:
        raise RoleBuiltIn
    return role


def require_possible(session: Session, role_id: int | None, spec: RoleSpec) -> None:
    """Raise what `put_role` would raise, leaving aside who decides."""
    wanted = _cleaned(spec)
    if role_id is not None:
        own_role(session, role_id)
    _require_free_name(session, wanted.name, role_id)


def _cleaned(spec: RoleSpec) -> RoleSpec:
    """Return a spec with tidy texts and known permissions, in the order of the table."""
    name, description = " ".join(spec.name.split()), spec.description.strip()
    if not 1 <= len(name) <= ROLE_NAME_LENGTH_MAX:
        raise RoleInvalid("name")
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise RoleInvalid("description")
    known = {one.value for one in Permission}
    if not set(spec.permissions) <= known:
        raise RoleInvalid("permissions")
    if not CROWN.isdisjoint(spec.permissions):
        raise MayNotGrant
    ordered = tuple(one.value for one in Permission if one.value in set(spec.permissions))
    return RoleSpec(
        name=name, description=description, permissions=ordered, is_active=spec.is_active
    )


def _require_free_name(session: Session, name: str, role_id: int | None) -> None:
    """Raise `RoleNameTaken` where another role, or a built-in one, is called like this."""
    same = sa.select(Role.id).where(sa.func.lower(Role.name) == sa.func.lower(name))
    if role_id is not None:
        same = same.where(Role.id != role_id)
    is_reserved = name.casefold().replace(" ", "_") in _BUILT_IN
    if is_reserved or session.scalar(same.limit(1)) is not None:
        raise RoleNameTaken


def _locked(session: Session, role_id: int) -> Role:
    role = session.get(Role, role_id, with_for_update=True, populate_existing=True)
    if role is None:
        raise RoleNotFound
    if role.name in _BUILT_IN:
        raise RoleBuiltIn
    return role


def facts_of(role: Role) -> dict[str, Any]:
    """Return a role as the trail keeps it."""
    return {
        "name": role.name,
        "description": role.description,
        "permissions": list(role.permissions),
        "is_active": role.is_active,
    }
