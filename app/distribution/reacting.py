"""What plans with places hear of besides orders: refunds, and newcomers to the team."""

from collections.abc import Iterator, Mapping, Sequence
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
from app.engines.parameters import Moment
from app.engines.people import Person, Standing
from app.engines.registry import MODELS
from app.kernel import outbox
from app.kernel.outbox import Task
from app.members.models import Distributor
from app.orders.models import Refund, RefundLine
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
    amounts = _amounts(session, [refund.id for refund in refunds])
    settled = _heard_of_settlement(session, {one.order_id for one in concerned})
    by_plan: dict[int, list[Happened]] = {}
    waiting: set[int] = set()
    for refund, share in ((one, part) for one in refunds for part in concerned):
        if share.order_id != refund.order_id:
            continue
        happened = _refunded(refund, share, amounts)
        if _comes_too_early(happened, share, decided=decided, settled=settled):
            waiting.add(refund.id)
        elif (share.order_id, share.version_id) in decided:
            by_plan.setdefault(share.plan_id, []).append(happened)
    for plan_id, found in sorted(by_plan.items()):
        decide_events(session, plan_id, found, now=now)
    outbox.finish(session, [task for task in tasks if task.subject_id not in waiting])
    outbox.defer(session, [one for one in tasks if one.subject_id in waiting], until=now + WAIT)


def note_joined(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Tell plans with places of distributors who were approved."""
    members = [task.subject_id for task in tasks]
    for version in _versions_with_joining(session, now=now):
        lock_plan(session, version.plan_id)
        happened = list(_joined(session, version, member_ids=members))
        decide_events(session, version.plan_id, happened, now=now)
    outbox.finish(session, tasks)


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
        return share.rules.effective_at is Moment.PAID
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


def _amounts(session: Session, refund_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return what each refund took of each line."""
    rows = session.execute(
        sa.select(RefundLine.refund_id, RefundLine.order_line_id, RefundLine.amount_fen).where(
            RefundLine.refund_id.in_(refund_ids)
        )
    )
    return {(refund_id, line_id): amount_fen for refund_id, line_id, amount_fen in rows}


def _refunded(refund: Any, share: Share, amounts: Mapping[tuple[int, int], int]) -> Happened:
    assert share.version_id is not None, "only plans hear of refunds"
    paid_fen = sum(line.base_fen for line in share.lines)
    event = Refunded(
        order_id=share.order_id,
        refund_id=refund.id,
        buyer_id=share.buyer.member_id,
        owner_id=share.chain[0].member_id if share.chain else None,
        remaining_fen=paid_fen - sum(share.refunded_fen.values()),
        is_settled=share.settled_at is not None and share.settled_at < refund.ended_at,
        at=refund.ended_at,
        store_id=share.store_id,
        refunded_fen=sum(amounts.get((refund.id, line.line_id), 0) for line in share.lines),
    )
    return Happened(
        event,
        share.version_id,
        at=refund.ended_at,
        order_id=share.order_id,
        refund_id=refund.id,
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
    """Yield the joining of distributors who have no place yet, recommenders before recommended."""
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
    for row in session.execute(wanted.order_by(Distributor.team_order).limit(JOIN_BATCH_MAX)):
        standing = STANDINGS.get(row.standing, Standing.NONE)
        at = max(row.approved_at, version.effective_from_at or row.approved_at)
        event = Joined(Person(row.member_id, row.level, standing), row.recommender_id, at)
        yield Happened(event, version.id, at=at, member_id=row.member_id, place_no=row.team_order)


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
