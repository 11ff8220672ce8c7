"""Appointing staff, saying what they may do and where, and letting them go."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import random_text
from app.stores.errors import (
    EmailTaken,
    LastOwner,
    RoleUnknown,
    StaffInvalid,
    StaffNotFound,
)
from app.stores.models import Role, Staff
from app.stores.permissions import ROLE_DESCRIPTIONS, RoleName
from app.stores.places import stores_of

NAME_LENGTH_MAX: Final = 60
EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}", re.ASCII)
UNIQUIFIER_LENGTH: Final = 64


def ensure_roles(session: Session) -> None:
    """Put a row for every role into the database; those that exist stay as they are."""
    rows = [{"name": name.value, "description": text} for name, text in ROLE_DESCRIPTIONS.items()]
    session.execute(insert(Role).on_conflict_do_nothing(), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """Somebody to be appointed: what they may do, and where.

    `password_hash` is what the front end's password context made of a first password; without one
    they must set a password before they can sign in.
    """

    name: str
    email: str
    roles: Collection[str]
    store_ids: Collection[int] = ()
    sees_all_stores: bool = False
    password_hash: str | None = field(default=None, repr=False)
    must_change_password: bool = True


def create_staff(session: Session, new: NewStaff, *, actor: Actor, now: datetime) -> Staff:
    """Appoint a member of staff.

    Raises `StaffInvalid`, `EmailTaken`, `RoleUnknown`, `StoreNotFound`.
    """
    name, email = new.name.strip(), new.email.strip().lower()
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise StaffInvalid("name")
    if not EMAIL.fullmatch(email):
        raise StaffInvalid("email")
    staff_id = session.scalar(
        insert(Staff)
        .values(
            name=name,
            email=email,
            password=new.password_hash,
            must_change_password=new.must_change_password,
            sees_all_stores=new.sees_all_stores,
            fs_uniquifier=random_text(UNIQUIFIER_LENGTH),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Staff.email])
        .returning(Staff.id)
    )
    if staff_id is None:
        raise EmailTaken
    staff = session.get_one(Staff, staff_id)
    staff.roles = _roles(session, new.roles)
    staff.stores = stores_of(session, new.store_ids)
    _record(session, actor, "staff_created", staff, {}, now=now)
    return staff


def set_roles(
    session: Session, staff_id: int, *, roles: Collection[str], actor: Actor, now: datetime
) -> Staff:
    """Say anew what a member of staff may do.

    Raises `StaffNotFound`, `RoleUnknown`, `LastOwner`.
    """
    wanted = _roles(session, roles)
    staff = _locked(session, staff_id)
    before = _facts(staff)
    if RoleName.OWNER not in roles:
        _keep_an_owner(session, staff)
    staff.roles = wanted
    _record(session, actor, "staff_roles_set", staff, before, now=now)
    return staff


def set_stores(
    session: Session,
    staff_id: int,
    *,
    store_ids: Collection[int],
    sees_all_stores: bool,
    actor: Actor,
    now: datetime,
) -> Staff:
    """Say anew where a member of staff may act. Raises `StaffNotFound`, `StoreNotFound`."""
    wanted = stores_of(session, store_ids)
    staff = _locked(session, staff_id)
    before = _facts(staff)
    staff.stores = wanted
    staff.sees_all_stores = sees_all_stores
    _record(session, actor, "staff_stores_set", staff, before, now=now)
    return staff


def disable_staff(
    session: Session, staff_id: int, *, actor: Actor, reason: str, now: datetime
) -> Staff:
    """Let a member of staff go: every session of theirs ends with this transaction.

    Raises `StaffNotFound`, `LastOwner`.
    """
    staff = _locked(session, staff_id)
    before = _facts(staff)
    _keep_an_owner(session, staff)
    staff.active = False
    staff.fs_uniquifier = random_text(UNIQUIFIER_LENGTH)
    _record(session, actor, "staff_disabled", staff, before, reason=reason, now=now)
    return staff


def enable_staff(
    session: Session, staff_id: int, *, actor: Actor, reason: str, now: datetime
) -> Staff:
    """Let a disabled member of staff sign in again. Raises `StaffNotFound`."""
    staff = _locked(session, staff_id)
    before = _facts(staff)
    staff.active = True
    _record(session, actor, "staff_enabled", staff, before, reason=reason, now=now)
    return staff


def _roles(session: Session, names: Collection[str]) -> list[Role]:
    ensure_roles(session)
    for name in names:
        if name not in set(RoleName):
            raise RoleUnknown(name)
    wanted = sa.select(Role).where(Role.name.in_(list(names))).order_by(Role.id)
    return list(session.scalars(wanted))


def _locked(session: Session, staff_id: int) -> Staff:
    """Lock a member of staff together with every owner, so that two owners cannot both go."""
    is_owner = Staff.roles.any(Role.name == RoleName.OWNER)
    rows = session.scalars(
        sa.select(Staff)
        .where(sa.or_(Staff.id == staff_id, is_owner))
        .order_by(Staff.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for staff in rows:
        if staff.id == staff_id:
            return staff
    raise StaffNotFound


def _keep_an_owner(session: Session, leaving: Staff) -> None:
    """Raise `LastOwner` if nobody but the one leaving is an active owner."""
    is_owner = any(role.name == RoleName.OWNER for role in leaving.roles)
    others = sa.select(Staff.id).where(
        Staff.id != leaving.id, Staff.active, Staff.roles.any(Role.name == RoleName.OWNER)
    )
    if leaving.active and is_owner and session.scalar(others.limit(1)) is None:
        raise LastOwner


def _facts(staff: Staff) -> dict[str, Any]:
    return {
        "active": staff.active,
        "roles": sorted(role.name for role in staff.roles),
        "store_ids": sorted(store.id for store in staff.stores),
        "sees_all_stores": staff.sees_all_stores,
    }


def _record(  # noqa: PLR0913 - one line of the trail
    session: Session,
    actor: Actor,
    action: str,
    staff: Staff,
    before: dict[str, Any],
    *,
    reason: str = "",
    now: datetime,
) -> None:
    session.flush()
    change = Change(before, _facts(staff), reason)
    audit.record(session, actor, action, Subject("staff", staff.id), change, now=now)
