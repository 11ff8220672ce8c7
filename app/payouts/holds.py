"""Holds: why payouts of a distributor wait, whoever placed them.

A hold keeps money where it is and takes nothing away: requests are accepted and wait, what is
approved is not sent, what was sent already goes on. Placing one locks the distributor; approving
and sending share that lock while they look. So whatever commits after a hold has seen it, and a
hold never stops half of a decision. Lifting needs no lock: what waited is looked at again soon.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.members.errors import DistributorNotFound
from app.members.models import Distributor, Standing
from app.payouts.errors import PayoutHeld, PayoutNotFound, PayoutOnHold
from app.payouts.models import Payout, PayoutHold


def place(session: Session, member_id: int, *, cause: str, now: datetime) -> None:
    """Hold the payouts of a distributor for a cause; the same again changes nothing.

    Raises `DistributorNotFound`.
    """
    found = session.scalar(
        sa.select(Distributor.member_id)
        .where(Distributor.member_id == member_id)
        .with_for_update(key_share=True)
    )
    if found is None:
        raise DistributorNotFound
    session.execute(
        insert(PayoutHold)
        .values(member_id=member_id, cause=cause, placed_at=now)
        .on_conflict_do_nothing()
    )


def lift(session: Session, *, cause: str, now: datetime) -> None:
    """End the hold of a cause; one that does not stand stays as it is."""
    session.execute(
        sa.update(PayoutHold)
        .where(PayoutHold.cause == cause, PayoutHold.lifted_at.is_(None))
        .values(lifted_at=now)
        .execution_options(synchronize_session=False)
    )


def held(session: Session, member_ids: Collection[int]) -> set[int]:
    """Return those distributors whose payouts wait: on a hold, or because they are frozen."""
    on_hold = sa.select(PayoutHold.member_id).where(
        PayoutHold.member_id.in_(member_ids), PayoutHold.lifted_at.is_(None)
    )
    frozen = sa.select(Distributor.member_id).where(
        Distributor.member_id.in_(member_ids), Distributor.standing == Standing.FROZEN
    )
    return set(session.scalars(sa.union(on_hold, frozen)))


def require_free(session: Session, payout_id: int) -> None:
    """Keep holds away from a payout until the end of this transaction, or refuse.

    Raises `PayoutNotFound`, `PayoutOnHold` where the distributor is frozen, `PayoutHeld`. Call it
    before the payout is locked: the distributor comes first.
    """
    distributor = _shared(session, payout_id)
    if distributor is None:
        raise PayoutNotFound
    if distributor.standing is Standing.FROZEN:
        raise PayoutOnHold(Standing.FROZEN)
    if _stands(session, distributor.member_id):
        raise PayoutHeld


def waits(session: Session, payout_id: int) -> bool:
    """Tell whether a payout may not be sent now; where it may, no hold comes before the commit."""
    distributor = _shared(session, payout_id)
    assert distributor is not None, "a bill belongs to a payout of a distributor"
    return distributor.standing is Standing.FROZEN or _stands(session, distributor.member_id)


def _shared(session: Session, payout_id: int) -> Distributor | None:
    return session.scalar(
        sa.select(Distributor)
        .join(Payout, Payout.member_id == Distributor.member_id)
        .where(Payout.id == payout_id)
        .with_for_update(read=True, of=Distributor)
        .execution_options(populate_existing=True)
    )


def _stands(session: Session, member_id: int) -> bool:
    found = sa.select(PayoutHold.id).where(
        PayoutHold.member_id == member_id, PayoutHold.lifted_at.is_(None)
    )
    return session.scalar(found.limit(1)) is not None
