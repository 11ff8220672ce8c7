"""Who may give somebody rights: nobody more than they hold, nobody to themselves, and two together.

One exception keeps a small brand from locking itself out: where nobody else could agree - no other
active person who holds the right, the person concerned left aside - one decides alone, and the
trail says so. The sole owner appoints the first colleague that way. Whoever has just taken the say
of another owner away is not alone for a day, and two of whom one gave the other a sign-in are not
two (`independence`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.clock import business_day
from app.stores.errors import LastOwner, StaffNotFound
from app.stores.independence import has_put_out, require_independent
from app.stores.models import Role, Staff, staff_regions
from app.stores.permissions import CROWN, ROLE_PERMISSIONS, Permission, RoleName
from app.stores.queries import (
    is_employed,
    role_permissions,
    staff_permissions,
    visible_store_ids,
)
from app.stores.staff_errors import DutiesNeedTwo, MayNotGrant, OwnDuties

STAFF: Final = "staff"
ALONE: Final = "nobody else could agree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What somebody is to gain."""

    permissions: frozenset[Permission] = frozenset()
    store_ids: frozenset[int] = frozenset()
    region_ids: frozenset[int] = frozenset()
    sees_all_stores: bool = False


NOTHING: Final = Grant()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciders:
    """Who decides about rights: one who wants it, and one who agrees."""

    actor: Actor
    second_actor: Actor | None = None
    now: datetime


def lock_appointers(session: Session, *staff_ids: int) -> dict[int, Staff]:
    """Lock some members of staff together with every owner; return the former by id.

    Whoever changes rights takes these locks first, so that two owners cannot both go and nobody
    decides with a right that is just being taken away. Raises `StaffNotFound`.
    """
    is_owner = Staff.roles.any(Role.name == RoleName.OWNER)
    rows = session.scalars(
        sa.select(Staff)
        .where(sa.or_(Staff.id.in_(staff_ids), is_owner))
        .order_by(Staff.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    found = {staff.id: staff for staff in rows if staff.id in staff_ids}
    if len(found) < len(set(staff_ids)):
        raise StaffNotFound
    return found


def require_agreement(
    session: Session,
    by: Deciders,
    permission: Permission,
    grant: Grant = NOTHING,
    *,
    subject_id: int | None = None,
) -> dict[str, Any]:
    """Return what the trail keeps of who agreed; nothing where the system itself acts.

    Call it after `lock_appointers`. Raises `OwnDuties`, `MayNotGrant`, `DutiesNeedTwo`,
    `NotIndependent`.
    """
    if by.actor.kind != STAFF:
        return {}
    people = [by.actor, *([by.second_actor] if by.second_actor else [])]
    ids = {one.id for one in people if one.kind == STAFF and one.id is not None}
    if subject_id in ids:
        raise OwnDuties
    if len(ids) < len(people):
        raise DutiesNeedTwo
    require_right(session, by, permission, grant)
    if by.second_actor is not None:
        require_independent(session, people, now=by.now)
        return {"second_actor": str(by.second_actor)}
    if needs_another(session, permission, actor_id=by.actor.id, subject_id=subject_id, now=by.now):
        raise DutiesNeedTwo
    return {"alone": ALONE}


def held_by(staff: Staff) -> Grant:
    """Return all that somebody holds, also while they are disabled: what coming back gives them."""
    nothing: frozenset[Permission] = frozenset()
    return Grant(
        permissions=nothing.union(*(role_permissions(role) for role in staff.roles)),
        store_ids=frozenset(one.id for one in staff.stores),
        region_ids=frozenset(one.id for one in staff.regions),
        sees_all_stores=staff.sees_all_stores,
    )


def needs_another(
    session: Session,
    permission: Permission,
    *,
    actor_id: int | None,
    subject_id: int | None,
    now: datetime,
) -> bool:
    """Tell whether one person has to find another for a decision about rights."""
    if who_else_may(session, permission, but={actor_id, subject_id}, now=now):
        return True
    return actor_id is not None and has_put_out(session, actor_id, now=now)


def require_right(
    session: Session, by: Deciders, permission: Permission, grant: Grant = NOTHING
) -> None:
    """Raise `MayNotGrant` unless all who decide hold a permission and what they give away."""
    for one in (by.actor, by.second_actor):
        if one is None or one.kind != STAFF:
            continue
        if one.id is None or not _may_give(session, one.id, permission, grant, by.now):
            raise MayNotGrant


def who_else_may(
    session: Session, permission: Permission, *, but: Collection[int | None], now: datetime
) -> bool:
    """Tell whether an active person other than some could agree to something."""
    built_in = [name for name, allowed in ROLE_PERMISSIONS.items() if permission in allowed]
    holds = Staff.roles.any(Role.name.in_(built_in))
    if permission not in CROWN:
        own = sa.and_(Role.is_active, Role.permissions.contains([permission.value]))
        holds = sa.or_(holds, Staff.roles.any(own))
    today = business_day(now)
    others = sa.select(Staff.id).where(
        holds,
        Staff.active,
        sa.or_(Staff.employed_from_on.is_(None), Staff.employed_from_on <= today),
        sa.or_(Staff.employed_until_on.is_(None), Staff.employed_until_on >= today),
        Staff.id.not_in([one for one in but if one is not None]),
    )
    return session.scalar(others.limit(1)) is not None


def _may_give(
    session: Session, staff_id: int, permission: Permission, grant: Grant, now: datetime
) -> bool:
    staff = session.get(Staff, staff_id)
    if staff is None or not is_employed(staff, now=now):
        return False
    if not {permission, *grant.permissions} <= staff_permissions(staff):
        return False
    store_ids = visible_store_ids(staff)
    if store_ids is None:
        return True
    regions = sa.select(staff_regions.c.region_id).where(staff_regions.c.staff_id == staff_id)
    own_regions = frozenset(session.scalars(regions))
    within = grant.store_ids <= store_ids and grant.region_ids <= own_regions
    return within and not grant.sees_all_stores


def keep_an_owner(session: Session, leaving: Staff) -> None:
    """Raise `LastOwner` if nobody but the one leaving is an active owner without a last day."""
    is_owner = any(role.name == RoleName.OWNER for role in leaving.roles)
    others = sa.select(Staff.id).where(
        Staff.id != leaving.id,
        Staff.active,
        Staff.employed_until_on.is_(None),
        Staff.roles.any(Role.name == RoleName.OWNER),
    )
    if leaving.active and is_owner and session.scalar(others.limit(1)) is None:
        raise LastOwner
