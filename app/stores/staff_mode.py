"""Staff in the mini-program: a one-time code from the back office ties a WeChat account to them.

The tie says who somebody is; what they may do there is asked of their roles and stores at every
request, so that whoever is disabled or moved is so at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import random_text
from app.kernel.secrecy import vault
from app.stores import queries
from app.stores.errors import StaffNotFound, StoreNotFound
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.staff_mode_errors import (
    MemberBoundAlready,
    StaffBoundAlready,
    StaffCodeUnknown,
    StaffMayNot,
    StaffModeClosed,
    StaffNotBound,
)
from app.stores.staff_mode_models import StaffBinding, StaffBindingCode

CODE_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0, 1, I, L and O, which people mistake for each other."""
CODE_LENGTH: Final = 8
CODE_LASTS: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A code as its owner sees it once; `text` is nowhere else."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody who works in the mini-program now: who they are, what they may do, and where."""

    staff: Staff
    binding: StaffBinding
    permissions: frozenset[Permission]
    store_ids: frozenset[int] | None
    """None stands for all stores."""

    def require(self, permission: Permission) -> None:
        """Raise `StaffMayNot` where their roles do not allow something."""
        if permission not in self.permissions:
            raise StaffMayNot

    def require_store(self, store_id: int) -> None:
        """Raise `StoreNotFound` for a store that is not theirs: it is the same as none."""
        if self.store_ids is not None and store_id not in self.store_ids:
            raise StoreNotFound

    def actor(self, request_id: str | None) -> Actor:
        """Return how the audit trail names them."""
        return Actor("staff", self.staff.id, request_id)


def make_code(session: Session, staff_id: int, *, actor: Actor, now: datetime) -> MadeCode:
    """Make a code for a member of staff; the one before is worth nothing from now on.

    Raises `StaffNotFound`, `StaffMayNot`, `StaffBoundAlready`.
    """
    staff = _held(session, staff_id)
    if not _may_begin(staff, now=now):
        raise StaffMayNot
    if binding_of(session, staff_id) is not None:
        raise StaffBoundAlready
    made = MadeCode(random_text(CODE_LENGTH, CODE_ALPHABET), now + CODE_LASTS)
    values = {
        "code_hash": _hash(made.text),
        "made_at": now,
        "expires_at": made.expires_at,
        "binding_id": None,
    }
    session.execute(
        insert(StaffBindingCode)
        .values(staff_id=staff_id, **values)
        .on_conflict_do_update(index_elements=[StaffBindingCode.staff_id], set_=values)
    )
    _record(session, actor, "staff_code_made", staff_id, Change(), now=now)
    return made


def bind(
    session: Session, *, code: str, member_id: int, request_id: str | None = None, now: datetime
) -> StaffBinding:
    """Tie a member to the staff whose code they name. The same again by the same member is no news.

    Raises `StaffCodeUnknown`, `StaffBoundAlready`, `MemberBoundAlready`. Callers count misses.
    """
    row = session.scalar(
        sa.select(StaffBindingCode)
        .where(StaffBindingCode.code_hash == _hash(code))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise StaffCodeUnknown
    if row.binding_id is not None:
        return _bound_before(session, row.binding_id, member_id)
    staff = _held(session, row.staff_id)
    if row.expires_at <= now or not _may_begin(staff, now=now):
        raise StaffCodeUnknown
    binding_id = session.scalar(
        insert(StaffBinding)
        .values(staff_id=staff.id, member_id=member_id, bound_at=now)
        .on_conflict_do_nothing()
        .returning(StaffBinding.id)
    )
    if binding_id is None:
        is_bound = binding_of(session, staff.id) is not None
        raise StaffBoundAlready if is_bound else MemberBoundAlready
    row.binding_id = binding_id
    who = Actor("staff", staff.id, request_id)
    _record(session, who, "staff_bound", staff.id, Change(after={"member_id": member_id}), now=now)
    return session.get_one(StaffBinding, binding_id)


def unbind(
    session: Session, staff_id: int, *, actor: Actor, reason: str = "", now: datetime
) -> None:
    """End staff mode on a phone, at once. Raises `StaffNotBound`."""
    if not end_binding(session, staff_id, actor=actor, reason=reason, now=now):
        raise StaffNotBound


def end_binding(
    session: Session, staff_id: int, *, actor: Actor, reason: str = "", now: datetime
) -> bool:
    """End staff mode on a phone if there is any; tell whether there was."""
    binding = session.scalar(
        _active().where(StaffBinding.staff_id == staff_id).with_for_update(of=StaffBinding)
    )
    if binding is None:
        return False
    binding.ended_at, binding.ended_by = max(now, binding.bound_at), str(actor)
    session.flush()
    change = Change(before={"member_id": binding.member_id}, reason=reason)
    _record(session, actor, "staff_unbound", staff_id, change, now=now)
    return True


def end_binding_of_member(session: Session, member_id: int, *, actor: Actor, now: datetime) -> bool:
    """End the staff mode of whoever a member is bound to; tell whether there was any."""
    staff_id = session.scalar(
        sa.select(StaffBinding.staff_id).where(
            StaffBinding.member_id == member_id, StaffBinding.ended_at.is_(None)
        )
    )
    return staff_id is not None and end_binding(session, staff_id, actor=actor, now=now)


def binding_of(session: Session, staff_id: int) -> StaffBinding | None:
    """Return the tie of a member of staff that is in force, whether or not they are active."""
    return session.scalar(_active().where(StaffBinding.staff_id == staff_id))


def on_duty(session: Session, member_id: int, *, now: datetime) -> OnDuty:
    """Return as whom a member works in the mini-program now, or raise `StaffModeClosed`."""
    row = session.execute(
        sa.select(StaffBinding, Staff)
        .join(Staff, Staff.id == StaffBinding.staff_id)
        .where(StaffBinding.member_id == member_id, StaffBinding.ended_at.is_(None), Staff.active)
    ).one_or_none()
    if row is None:
        raise StaffModeClosed
    binding, staff = row
    permissions = queries.staff_permissions(staff)
    if Permission.STAFF_MODE not in permissions or not queries.is_employed(staff, now=now):
        raise StaffModeClosed
    return OnDuty(staff, binding, permissions, queries.visible_store_ids(staff))


def _may_begin(staff: Staff, *, now: datetime) -> bool:
    return queries.may(staff, Permission.STAFF_MODE) and queries.is_employed(staff, now=now)


def _bound_before(session: Session, binding_id: int, member_id: int) -> StaffBinding:
    """Return what a used code led to, to the one who used it; to others it is no code."""
    binding = session.get_one(StaffBinding, binding_id)
    if binding.member_id != member_id or binding.ended_at is not None:
        raise StaffCodeUnknown
    return binding


def _active() -> sa.Select[StaffBinding]:
    return (
        sa.select(StaffBinding)
        .where(StaffBinding.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )


def _held(session: Session, staff_id: int) -> Staff:
    """Keep a member of staff from being disabled until this transaction has ended."""
    staff = session.scalar(
        sa.select(Staff)
        .where(Staff.id == staff_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if staff is None:
        raise StaffNotFound
    return staff


def _hash(code: str) -> str:
    """Return the keyed hash of a code, however people write it: small letters, spaces, a dash."""
    plain = "".join(code.split()).replace("-", "").upper()
    return vault().look_up("staff_code", plain)


def _record(
    session: Session, actor: Actor, action: str, staff_id: int, change: Change, *, now: datetime
) -> None:
    audit.record(session, actor, action, Subject("staff", staff_id), change, now=now)
