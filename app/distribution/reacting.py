"""What plans with places hear of besides orders: refunds, and newcomers to the team."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.boards import STANDINGS, lock_plan
from app.distribution.encoding import KINDS
from app.distribution.gathering import Share, shares_of
from app.distribution.models import OrderDecision
from app.distribution.plan_events import Happened, decide_events
from app.distribution.plan_records import PlanEvent
from app.engines.events import Joined, Refunded, Settled
from app.engines.people import Person, Standing
from app.engines.registry import MODELS
from app.kernel import outbox
from app.kernel.outbox import Task
from app.members.models import Distributor
from app.orders.models import Refund
from app.orders.states import RefundState
from app.plans.models import PlanVersion
from app.plans.queries import rules_of, versions_in_force

WAIT: Final = timedelta(seconds=2)
JOIN_BATCH_MAX: Final = 2_000


def note_refunds(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Tell plans with places of refunds; what is taken back of awards is `clawback`'s.

    A refund of what has not counted yet needs no telling: it will not be in the base.
    """
    refunds = session.execute(
        sa.select(Refund.id, Refund.order_id, Refund.ended_at)
        .where(
            Refund.id.in_([task.subject_id for task in tasks]),
            Refund.state == RefundState.SUCCEEDED,
        )
        .order_by(Refund.ended_at, Refund.id)
    ).all()
    shares = shares_of(session, {refund.order_id for refund in refunds})
    concerned = [one for one in shares if _hears_of_refunds(one)]
    for plan_id in sorted({one.plan_id for one in concerned}):
        lock_plan(session, plan_id)
    decided = _decided(session, {one.order_id for one in concerned})
    settled = _heard_of_settlement(session, {one.order_id for one in concerned})
    by_plan: dict[int, list[Happened]] = {}
    waiting: set[int] = set()
    for refund, share in ((one, part) for one in refunds for part in concerned):
        if not _concerns(refund, share):
            continue
        happened = refunded(refund.id, refund.ended_at, share)
        if _comes_too_early(happened, share, decided=decided, settled=settled):
            waiting.add(refund.id)
        else:
            by_plan.setdefault(share.plan_id, []).append(happened)
    for plan_id, found in sorted(by_plan.items()):
        decide_events(session, plan_id, found, now=now)
    outbox.finish(session, [task for task in tasks if task.subject_id not in waiting])
    outbox.defer(session, [one for one in tasks if one.subject_id in waiting], until=now + WAIT)


def note_joined(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Tell plans with places of distributors who were approved.

    Whoever recommended them comes first, and may still wait for `seat_everybody`.
    """
    members = [task.subject_id for task in tasks]
    waiting: set[int] = set()
    for version in _versions_with_joining(session, now=now):
        lock_plan(session, version.plan_id)
        happened = list(_joined(session, version, member_ids=members))
        early = _before_their_recommenders(session, version.plan_id, happened)
        waiting |= early
        ready = [one for one in happened if one.member_id not in early]
        decide_events(session, version.plan_id, ready, now=now)
    outbox.finish(session, [task for task in tasks if task.subject_id not in waiting])
    outbox.defer(session, [one for one in tasks if one.subject_id in waiting], until=now + WAIT)


def seat_everybody(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Give the distributors there are their places in plans that have come into force.

    In the order in which they came into the team, a batch at a time: the task stays until nobody is
    left. A version that begins later waits for its instant.
    """
    for task in tasks:
        version = session.get_one(PlanVersion, task.subject_id)
        begins_at = version.effective_from_at
        if Joined not in MODELS[rules_of(version.id).model].reacts_to or begins_at is None:
            outbox.finish(session, [task])
        elif begins_at > now:
            outbox.defer(session, [task], until=begins_at)
        else:
            lock_plan(session, version.plan_id)
            happened = list(_joined(session, version))
            decide_events(session, version.plan_id, happened, now=now)
            if len(happened) < JOIN_BATCH_MAX:
                outbox.finish(session, [task])


def _heard_of_settlement(session: Session, order_ids: set[int]) -> set[tuple[int, int]]:
    """Return which plans have been told that which orders were settled."""
    rows = session.execute(
        sa.select(PlanEvent.plan_id, PlanEvent.order_id).where(
            PlanEvent.order_id.in_(order_ids), PlanEvent.kind == KINDS[Settled]
        )
    )
    return {(plan_id, order_id) for plan_id, order_id in rows if order_id is not None}


def _comes_too_early(
    happened: Happened,
    share: Share,
    *,
    decided: set[tuple[int, int | None]],
    settled: set[tuple[int, int]],
) -> bool:
    """Tell whether the plan has yet to hear of the order, or that it was settled before."""
    event = happened.event
    assert isinstance(event, Refunded), "only refunds are told here"
    if (share.order_id, share.version_id) not in decided:
        return True
    waits = event.is_settled and Settled in share.model.reacts_to
    return waits and (share.plan_id, share.order_id) not in settled


def _hears_of_refunds(share: Share) -> bool:
    return share.version_id is not None and Refunded in share.model.reacts_to


def _decided(session: Session, order_ids: set[int]) -> set[tuple[int, int | None]]:
    rows = session.execute(
        sa.select(OrderDecision.order_id, OrderDecision.plan_version_id).where(
            OrderDecision.order_id.in_(order_ids)
        )
    )
    return {(order_id, version_id) for order_id, version_id in rows}


def _concerns(refund: Any, share: Share) -> bool:
    """Tell whether a refund took anything of these lines after they had come to count."""
    if share.order_id != refund.order_id or not share.taken_fen(refund.id):
        return False
    counted_at = share.counted_at()
    return counted_at is not None and counted_at < refund.ended_at


def refunded(refund_id: int, ended_at: datetime, share: Share) -> Happened:
    """Return what a plan with places has to hear of a refund."""
    assert share.version_id is not None, "only plans hear of refunds"
    event = Refunded(
        order_id=share.order_id,
        refund_id=refund_id,
        buyer_id=share.buyer.member_id,
        owner_id=share.chain[0].member_id if share.chain else None,
        remaining_fen=share.remaining_fen(ended_at, refund_id),
        is_settled=share.settled_at is not None and share.settled_at < ended_at,
        at=ended_at,
        store_id=share.store_id,
        refunded_fen=share.taken_fen(refund_id),
    )
    return Happened(
        event,
        share.version_id,
        at=ended_at,
        order_id=share.order_id,
        refund_id=refund_id,
    )


def _versions_with_joining(session: Session, *, now: datetime) -> list[PlanVersion]:
    return [
        version
        for version in versions_in_force(session, at=now)
        if Joined in MODELS[rules_of(version.id).model].reacts_to
    ]


def _joined(
    session: Session,
    version: PlanVersion,
    *,
    member_ids: Sequence[int] | None = None,
) -> Iterator[Happened]:
    """Yield the joining of distributors who have no place yet, recommenders before recommended.

    Whoever was approved later than those who stand below them by now still comes before these.
    """
    wanted = sa.select(
        Distributor.member_id,
        Distributor.recommender_id,
        Distributor.level,
        Distributor.standing,
        Distributor.approved_at,
        Distributor.team_order,
    ).where(Distributor.approved_at.is_not(None))
    if member_ids is not None:
        wanted = wanted.where(Distributor.member_id.in_(member_ids))
    else:
        wanted = wanted.where(~_has_joined(version.plan_id))
    assert version.effective_from_at is not None, "only versions that were published"
    at = version.effective_from_at
    for row in session.execute(wanted.order_by(Distributor.team_order).limit(JOIN_BATCH_MAX)):
        standing = STANDINGS.get(row.standing, Standing.NONE)
        at = max(row.approved_at, at)
        event = Joined(Person(row.member_id, row.level, standing), row.recommender_id, at)
        yield Happened(event, version.id, at=at, member_id=row.member_id, place_no=row.team_order)


def _before_their_recommenders(
    session: Session, plan_id: int, happened: Sequence[Happened]
) -> set[int]:
    """Return who came before their recommender, who was approved and has yet to be told of."""
    here = {one.member_id for one in happened}
    above = {
        one.event.recommender_id
        for one in happened
        if isinstance(one.event, Joined) and one.event.recommender_id not in {None, *here}
    }
    missing = set(
        session.scalars(
            sa.select(Distributor.member_id).where(
                Distributor.member_id.in_(above),
                Distributor.approved_at.is_not(None),
                ~_has_joined(plan_id),
            )
        )
    )
    early: set[int] = set()
    for one in happened:
        if isinstance(one.event, Joined) and one.event.recommender_id in missing | early:
            early.add(one.event.person.member_id)
    return early


def _has_joined(plan_id: int) -> sa.ColumnElement[bool]:
    return (
        sa.select(sa.literal(1))
        .where(
            PlanEvent.plan_id == plan_id,
            PlanEvent.kind == KINDS[Joined],
            PlanEvent.member_id == Distributor.member_id,
        )
        .exists()
    )
