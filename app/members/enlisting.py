"""Distributors whom staff bring in, such as those of a former system: applied for and approved.

The rules are those of an application; only who acts differs.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.members import team
from app.members.models import Distributor, DistributorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlisting:
    """Whom staff make a distributor, under which agreement, at which store, brought by whom."""

    member_id: int
    agreement_version: str
    real_name: str | None = None
    kind: DistributorKind = DistributorKind.PERSON
    store_id: int | None = None
    recommender_id: int | None = None


def enlist_distributor(
    session: Session, wish: Enlisting, *, actor: Actor, now: datetime
) -> Distributor:
    """Make a member an active distributor at once.

    The recommender counts as in any application: active, and of another household. Whoever applied
    before, was refused or has quit keeps the recommender of that time. Raises what applying and
    approving raise.
    """
    row = team.apply_as_distributor(
        session,
        wish.member_id,
        agreement_version=wish.agreement_version,
        real_name=wish.real_name,
        recommender_code_owner_id=wish.recommender_id,
        actor=actor,
        now=now,
    )
    row.kind = wish.kind
    row.store_id = wish.store_id or row.store_id
    session.flush()
    return team.approve_distributor(session, wish.member_id, actor=actor, now=now)
