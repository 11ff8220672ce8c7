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
from app.stores import sessions, staff_mode
from app.stores.errors import EmailTaken, RegionNotFound, StaffInvalid
from app.stores.granting import (
    Deciders,
    Grant,
    held_by,
    keep_an_owner,
    lock_appointers,
    require_agreement,
    require_right,
)
from app.stores.models import Region, Staff, Store
from app.stores.people import NAME_LENGTH_MAX, Person, put_person
from app.stores.permissions import Permission, RoleName
from app.stores.places import stores_of
from app.stores.queries import role_permissions, staff_permissions
from app.stores.roles import roles_named
from app.stores.session_models import SessionEnd

EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}", re.ASCII)
UNIQUIFIER_LENGTH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What somebody may do, and where: their stores, those of their regions, or all."""

    roles: Collection[str]
    store_ids: Collection[int] = ()
    region_ids: Collection[int] = ()
    sees_all_stores: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """Somebody to be appointed: what they may do, and where.

    `password_hash` is what the front end's password context made of a first password; without one
    they must set a password before they can sign in. `person` tells more of them than the name.
    """

    name: str
    email: str
    roles: Collection[str]
    store_ids: Collection[int] = ()
    region_ids: Collection[int] = ()
    sees_all_stores: bool = False
    password_hash: str | None = field(default=None, repr=False)
    must_change_password: bool = True
    person: Person | None = None

    @property
    def is_given_duties(self) -> bool:
        """Tell whether they are to do or see anything yet: that is what takes two people."""
        return bool(self.roles or self.store_ids or self.region_ids or self.sees_all_stores)


def create_staff(
    session: Session,
    new: NewStaff,
    *,
    actor: Actor,
    second_actor: Actor | None = None,
    reason: str = "",
    now: datetime,
) -> Staff:
    """Appoint a member of staff, as one of two (`granting.require_agreement`).

    Somebody without any duties yet can do nothing and is entered by one person; `set_duties` says
    the rest.

    Raises `StaffInvalid`, `EmailTaken`, `RoleUnknown`, `StoreNotFound`, `RegionNotFound`,
    `StaffPhoneTaken`, and what `require_agreement` raises.
    """
    name, email = new.name.strip(), new.email.strip().lower()
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise StaffInvalid("name")
    if not EMAIL.fullmatch(email):
        raise StaffInvalid("email")
    lock_appointers(session)
    duties = Duties(
        roles=new.roles,
        store_ids=new.store_ids,
        region_ids=new.region_ids,
        sees_all_stores=new.sees_all_stores,
    )
    staff_id = session.scalar(
        insert(Staff)
        .values(
            name=name,
            email=email,
            password=new.password_hash,
            must_change_password=new.must_change_password,
            fs_uniquifier=random_text(UNIQUIFIER_LENGTH),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Staff.email])
        .returning(Staff.id)
    )
    if staff_id is None:
        raise EmailTaken
    staff = session.get_one(Staff, staff_id)
    put_person(session, staff, new.person or Person(name=name))
    by = Deciders(actor=actor, second_actor=second_actor, now=now)
    agreed = _give(session, staff, duties, by) if new.is_given_duties else {}
    if not agreed:
        require_right(session, by, Permission.STAFF_EDIT)
    _record(session, actor, "staff_created", staff, {}, agreed, reason=reason, now=now)
    return staff


def set_duties(  # noqa: PLR0913 - who decides, why and when, all by keyword
    session: Session,
    staff_id: int,
    duties: Duties,
    *,
    actor: Actor,
    second_actor: Actor | None = None,
    reason: str,
    now: datetime,
) -> Staff:
    """Say anew what a member of staff may do and where, as one of two; it holds at once.

    Raises `StaffNotFound`, `RoleUnknown`, `StoreNotFound`, `RegionNotFound`, `LastOwner`, and what
    `granting.require_agreement` raises.
    """
    staff = lock_appointers(session, staff_id)[staff_id]
    before = duties_of(staff)
    if RoleName.OWNER not in duties.roles:
        keep_an_owner(session, staff)
    by = Deciders(actor=actor, second_actor=second_actor, now=now)
    agreed = _give(session, staff, duties, by)
    _record(session, actor, "staff_duties_set", staff, before, agreed, reason=reason, now=now)
    return staff


def disable_staff(
    session: Session, staff_id: int, *, actor: Actor, reason: str, now: datetime
) -> Staff:
    """Let a member of staff go: every session of theirs ends with this transaction.

    Raises `StaffNotFound`, `LastOwner`.
    """
    staff = lock_appointers(session, staff_id)[staff_id]
    before = duties_of(staff)
    keep_an_owner(session, staff)
    staff.active = False
    staff.fs_uniquifier = random_text(UNIQUIFIER_LENGTH)
    sessions.end_all(session, staff_id, why=SessionEnd.DISABLED, now=now)
    staff_mode.end_binding(session, staff_id, actor=actor, reason=reason, now=now)
    _record(session, actor, "staff_disabled", staff, before, {}, reason=reason, now=now)
    return staff


def enable_staff(
    session: Session,
    staff_id: int,
    *,
    actor: Actor,
    second_actor: Actor | None = None,
    reason: str,
    now: datetime,
) -> Staff:
    """Let a disabled member of staff sign in again, as one of two: it gives all they had.

    Or one person could wake an account that nobody watches, and be two. Raises `StaffNotFound` and
    what `granting.require_agreement` raises.
    """
    staff = lock_appointers(session, staff_id)[staff_id]
    before = duties_of(staff)
    by = Deciders(actor=actor, second_actor=second_actor, now=now)
    agreed = require_agreement(
        session, by, Permission.STAFF_EDIT, held_by(staff), subject_id=staff_id
    )
    staff.active = True
    _record(session, actor, "staff_enabled", staff, before, agreed, reason=reason, now=now)
    return staff


def require_possible(session: Session, staff_id: int, duties: Duties) -> None:
    """Raise what `set_duties` would raise, leaving aside who decides."""
    staff = lock_appointers(session, staff_id)[staff_id]
    if RoleName.OWNER not in duties.roles:
        keep_an_owner(session, staff)
    roles_named(session, duties.roles)
    stores_of(session, duties.store_ids)
    _regions_of(session, duties.region_ids)


def duties_of(staff: Staff) -> dict[str, Any]:
    """Return what somebody may do and where, as the trail keeps it."""
    return {
        "active": staff.active,
        "roles": sorted(role.name for role in staff.roles),
        "store_ids": sorted(store.id for store in staff.stores),
        "region_ids": sorted(region.id for region in staff.regions),
        "sees_all_stores": staff.sees_all_stores,
    }


def _give(session: Session, staff: Staff, duties: Duties, by: Deciders) -> dict[str, Any]:
    """Put duties on somebody, if those who decide may give what is new; return who agreed."""
    roles = roles_named(session, duties.roles)
    stores = stores_of(session, duties.store_ids)
    regions = _regions_of(session, duties.region_ids)
    allowed = frozenset(one for role in roles for one in role_permissions(role))
    grant = Grant(
        permissions=allowed - staff_permissions(staff),
        store_ids=frozenset(_ids(stores) - _ids(staff.stores)),
        region_ids=frozenset(_ids(regions) - _ids(staff.regions)),
        sees_all_stores=duties.sees_all_stores and not staff.sees_all_stores,
    )
    agreed = require_agreement(session, by, Permission.STAFF_EDIT, grant, subject_id=staff.id)
    staff.roles, staff.stores, staff.regions = roles, stores, regions
    staff.sees_all_stores = duties.sees_all_stores
    return agreed


def _ids(rows: Collection[Store] | Collection[Region]) -> set[int]:
    return {row.id for row in rows}


def _regions_of(session: Session, region_ids: Collection[int]) -> list[Region]:
    wanted = sa.select(Region).where(Region.id.in_(list(region_ids))).order_by(Region.id)
    found = list(session.scalars(wanted))
    if len(found) < len(set(region_ids)):
        raise RegionNotFound
    return found


def _record(  # noqa: PLR0913 - one line of the trail
    session: Session,
    actor: Actor,
    action: str,
    staff: Staff,
    before: dict[str, Any],
    agreed: dict[str, Any],
    *,
    reason: str = "",
    now: datetime,
) -> None:
    session.flush()
    change = Change(before, {**duties_of(staff), **agreed}, reason)
    audit.record(session, actor, action, Subject("staff", staff.id), change, now=now)
