"""Distributors: how they join, what becomes of them, and who brought whom.

The recommender is set by the first application and stays, also through refusal and return.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.outbox import emit
from app.kernel.secrecy import vault
from app.members import tree
from app.members.decisions import require_reason, require_two_desks
from app.members.errors import (
    AgreementRequired,
    AlreadyADistributor,
    DistributorNotFound,
    RecommenderCycle,
    RecommenderNotActive,
    RecommenderUnchanged,
    TeamClosed,
)
from app.members.models import Distributor, DistributorStep, Member
from app.members.profiles import REAL_NAME_LENGTH_MAX, clean_name, lock_member
from app.members.queries import household_of, is_above
from app.members.states import Standing, StandingEvent

MAY_APPLY_AGAIN: Final = frozenset({Standing.REFUSED, Standing.QUIT})

ACTIONS: Final[Mapping[StandingEvent, str]] = {
    StandingEvent.APPROVE: "distributor_approved",
    StandingEvent.REFUSE: "distributor_refused",
    StandingEvent.FREEZE: "distributor_frozen",
    StandingEvent.UNFREEZE: "distributor_unfrozen",
    StandingEvent.QUIT: "distributor_quit",
}
"""What the audit trail calls each decision."""


def apply_as_distributor(  # noqa: PLR0913 - one application: whose, to what, by whom, when
    session: Session,
    member_id: int,
    *,
    agreement_version: str,
    real_name: str | None,
    recommender_code_owner_id: int | None,
    actor: Actor | None = None,
    now: datetime,
) -> Distributor:
    """Ask to be a distributor, brought by the recommender given.

    The recommender counts if active and not of the applicant's own household. Whoever was refused
    or has quit may ask again and keeps the recommender of the first time. Raises
    `AlreadyADistributor`, `AgreementRequired`, `ProfileInvalid`, `MemberNotFound`.
    """
    member = lock_member(session, member_id)
    by = str(actor or Actor("member", member_id))
    if not agreement_version:
        raise AgreementRequired
    row = tree.lock_rows(session, {member_id}).get(member_id)
    if row is None:
        row = _join(session, member, recommender_code_owner_id, by=by, now=now)
    elif row.standing in MAY_APPLY_AGAIN:
        _require_open(session, row.recommender_id)
        row.advance(StandingEvent.APPLY, now=now, actor=by)
    else:
        raise AlreadyADistributor(row.standing)
    row.agreement_version = agreement_version
    row.applied_at = now
    if real_name is not None:
        name = clean_name("real_name", real_name, length_max=REAL_NAME_LENGTH_MAX)
        row.real_name_sealed = vault().seal(name)
        row.real_name_hash = vault().look_up("real_name", name)
    session.flush()
    return row


def _join(
    session: Session, member: Member, recommender_id: int | None, *, by: str, now: datetime
) -> Distributor:
    """Make the row of a new distributor under their recommender and count them above."""
    tree.hold_still(session)
    above = _active_above(session, recommender_id, new_id=member.id)
    _require_open(session, above.member_id if above else None)
    row = Distributor(
        member_id=member.id,
        standing=Standing.APPLIED,
        recommender_id=above.member_id if above else None,
        recommender_team_order=above.team_order if above else None,
        second_recommender_id=above.recommender_id if above else None,
        agreement_version="",
        store_id=member.origin_store_id,
        applied_at=now,
    )
    session.add(row)
    session.flush()
    row.steps.add(
        DistributorStep(
            from_standing=None,
            to_standing=Standing.APPLIED,
            recommender_id=row.recommender_id,
            at=now,
            actor=by,
            reason="",
        )
    )
    tree.shift_counts(session, tree.counted(row, 1))
    return row


def _active_above(
    session: Session, recommender_id: int | None, *, new_id: int
) -> Distributor | None:
    """Lock the recommender and the one above, and return the former if they count.

    One's own second account, or family, would earn twice on the same customers.
    """
    if recommender_id is None or recommender_id == new_id:
        return None
    if household_of(session, new_id, {recommender_id}):
        return None
    second_id = session.scalar(
        sa.select(Distributor.recommender_id).where(Distributor.member_id == recommender_id)
    )
    above = tree.lock_rows(session, {recommender_id, second_id}).get(recommender_id)
    return above if above and above.standing is Standing.ACTIVE else None


def _require_open(session: Session, recommender_id: int | None) -> None:
    """Raise `TeamClosed` where the team above takes nobody: the runtime monitor stopped it."""
    if tree.stops_above(session, recommender_id):
        raise TeamClosed


def approve_distributor(
    session: Session, member_id: int, *, actor: Actor, now: datetime
) -> Distributor:
    """Let an applicant earn from now on.

    Raises `DistributorNotFound`, `StandingConflict`, and `TeamClosed` where the team they applied
    to has been stopped meanwhile.
    """
    brought_by = sa.select(Distributor.recommender_id).where(Distributor.member_id == member_id)
    _require_open(session, session.scalar(brought_by))
    row = _decide(session, member_id, StandingEvent.APPROVE, actor=actor, reason="", now=now)
    row.approved_at = now
    emit(session, "distributor_approved", member_id, now=now)
    session.flush()
    return row


def refuse_distributor(
    session: Session, member_id: int, *, actor: Actor, reason: str, now: datetime
) -> Distributor:
    """Turn an application down, saying why."""
    require_reason(reason)
    return _decide(session, member_id, StandingEvent.REFUSE, actor=actor, reason=reason, now=now)


def freeze_distributor(
    session: Session, member_id: int, *, actor: Actor, reason: str, now: datetime
) -> Distributor:
    """Stop a distributor from earning, winning customers and withdrawing, saying why."""
    require_reason(reason)
    return _decide(session, member_id, StandingEvent.FREEZE, actor=actor, reason=reason, now=now)


def unfreeze_distributor(
    session: Session, member_id: int, *, actor: Actor, reason: str, now: datetime
) -> Distributor:
    """Let a frozen distributor go on, saying why. What was missed meanwhile stays missed."""
    require_reason(reason)
    return _decide(session, member_id, StandingEvent.UNFREEZE, actor=actor, reason=reason, now=now)


def quit_distributor(
    session: Session, member_id: int, *, actor: Actor, reason: str = "", now: datetime
) -> Distributor:
    """End the career of a distributor; those they brought stay where they are."""
    return _decide(session, member_id, StandingEvent.QUIT, actor=actor, reason=reason, now=now)


def _decide(
    session: Session,
    member_id: int,
    event: StandingEvent,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Distributor:
    row = tree.lock_rows(session, {member_id}).get(member_id)
    if row is None:
        raise DistributorNotFound
    before = row.standing
    row.advance(event, now=now, actor=str(actor), reason=reason)
    audit.record(
        session,
        actor,
        ACTIONS[event],
        Subject("distributor", member_id, row.store_id),
        Change({"standing": before.value}, {"standing": row.standing.value}, reason),
        now=now,
    )
    return row


def move_recommender(  # noqa: PLR0913 - one decision: about whom, where to, by whom, why, when
    session: Session,
    member_id: int,
    *,
    to_member_id: int | None,
    actor: Actor,
    second_actor: Actor,
    reason: str,
    now: datetime,
) -> Distributor:
    """Put a distributor, with all below, under another recommender or under none.

    Two different members of staff decide it, with a reason. Nothing is recomputed: orders keep the
    upline they were paid with. Raises `SecondPersonRequired`, `ReasonRequired`,
    `DistributorNotFound`, `RecommenderUnchanged`, `RecommenderCycle`, `RecommenderNotActive`,
    `TeamClosed` where that would bring people into a stopped team from elsewhere.
    """
    require_two_desks(session, actor, second_actor, now=now)
    require_reason(reason)
    tree.take(session)
    row, target = _lock_for_move(session, member_id, to_member_id)
    _check_target(session, row, target)
    before = row.recommender_id
    leaving = tree.counted(row, -1)
    tree.place(session, member_id, target)
    tree.shift_counts(session, leaving + tree.counted(row, 1))
    row.steps.add(
        DistributorStep(
            from_standing=row.standing,
            to_standing=row.standing,
            recommender_id=row.recommender_id,
            at=now,
            actor=f"{actor}+{second_actor}",
            reason=reason,
        )
    )
    after = {"recommender_id": row.recommender_id, "second_actor": str(second_actor)}
    audit.record(
        session,
        actor,
        "recommender_moved",
        Subject("distributor", member_id, row.store_id),
        Change({"recommender_id": before}, after, reason),
        now=now,
    )
    return row


def require_movable(session: Session, member_id: int, *, to_member_id: int | None) -> None:
    """Raise what `move_recommender` would, were it asked now; takes the tree and locks the team."""
    tree.take(session)
    row, target = _lock_for_move(session, member_id, to_member_id)
    _check_target(session, row, target)


def _lock_for_move(
    session: Session, member_id: int, to_member_id: int | None
) -> tuple[Distributor, Distributor | None]:
    """Lock the distributor and all below, and the two above the old place and above the new.

    The tree is taken, so who they are cannot change between reading and locking.
    """
    ends = {member_id, to_member_id} - {None}
    rows = session.scalars(
        sa.select(Distributor)
        .where(Distributor.member_id.in_(ends))
        .execution_options(populate_existing=True)
    ).all()
    if len(rows) < len(ends):
        raise DistributorNotFound
    above = {one for row in rows for one in (row.recommender_id, row.second_recommender_id)}
    tree.lock_team(session, member_id, above | ends)
    for row in rows:
        session.refresh(row)
    found = {row.member_id: row for row in rows}
    return found[member_id], None if to_member_id is None else found[to_member_id]


def _check_target(session: Session, row: Distributor, target: Distributor | None) -> None:
    if (target.member_id if target else None) == row.recommender_id:
        raise RecommenderUnchanged
    if target is None:
        return
    if target is row or is_above(session, row.member_id, target.member_id):
        raise RecommenderCycle
    if target.standing is not Standing.ACTIVE:
        raise RecommenderNotActive
    if tree.stops_above(session, target.member_id) - tree.stops_above(session, row.member_id):
        raise TeamClosed
