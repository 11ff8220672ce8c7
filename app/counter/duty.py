"""Who stands behind the counter, and what they are allowed at that moment (B33)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.counter.errors import OwnAccount
from app.kernel.audit import Actor
from app.members.queries import household_of
from app.stores import queries as stores
from app.stores import staff_mode
from app.stores.models import Staff
from app.stores.staff_mode_models import StaffBinding


@dataclass(frozen=True, slots=True)
class Duty:
    """A member of staff at work. `store_ids` is None for staff of all stores.

    `member_id` is who they are as a customer, known of those who work with the mini-program.
    """

    staff_id: int
    member_id: int | None
    store_ids: tuple[int, ...] | None

    def covers(self, store_id: int) -> bool:
        """Tell whether a store is theirs to work in."""
        return self.store_ids is None or store_id in self.store_ids

    def is_one_of(self, member_ids: Collection[int | None]) -> bool:
        """Tell whether they are, as a customer, one of these people."""
        return self.member_id is not None and self.member_id in member_ids


def duty_of(session: Session, actor: Actor, *, now: datetime) -> Duty | None:
    """Return what somebody is allowed now; None for who is no staff, or not employed any more."""
    staff = session.get(Staff, actor.id) if actor.kind == "staff" else None
    if staff is None or not stores.is_employed(staff, now=now):
        return None
    store_ids = stores.visible_store_ids(staff)
    binding = staff_mode.binding_of(session, staff.id)
    return Duty(
        staff_id=staff.id,
        member_id=binding.member_id if binding is not None else None,
        store_ids=None if store_ids is None else tuple(sorted(store_ids)),
    )


def require_somebody_else(session: Session, actor: Actor, member_id: int) -> None:
    """Raise `OwnAccount` where staff are about to favour themselves, or their household.

    As a customer they are known once they worked with the mini-program, also if they do no more.
    """
    if actor.kind != "staff" or actor.id is None:
        return
    accounts = sa.select(StaffBinding.member_id).where(StaffBinding.staff_id == actor.id)
    own = set(session.scalars(accounts))
    if member_id in own or household_of(session, member_id, own):
        raise OwnAccount
