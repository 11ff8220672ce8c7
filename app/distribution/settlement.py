"""From orders to awards and ledger, in sets: load by set, decide purely, write in bulk.

An order counts for a plan when it was paid, received, or its after-sale window has closed, as the
plan's rules say; each part of it under one version is decided once. Plans without places are
decided in any order. Plans with places are decided one event after the other, by the instant of
payment and the number of the order, under the plan's lock (`plan_events`).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.distribution.boards import lock_plan
from app.distribution.gathering import Share, shares_of
from app.distribution.models import Award, AwardState, OrderDecision
from app.distribution.plan_events import Happened, decide_events, plans_being_seated
from app.distribution.recording import Decided, claim, record
from app.engines.contract import Model
from app.engines.events import Settled, Sold
from app.engines.parameters import Moment
from app.engines.places import Board
from app.engines.registry import MODELS
from app.engines.results import NOTHING
from app.kernel import outbox
from app.kernel.outbox import Task
from app.orders.models import Order, OrderLine
from app.plans.queries import plan_of, rules_of

WAIT_FOR_DECISION: Final = timedelta(seconds=2)
_NO_PLACES: Final[Board[Any]] = Board()


@dataclass(slots=True)
class _Work:
    """What there is to do about a batch of orders: at once, plan by plan, or a little later."""

    at_once: list[Share] = field(default_factory=list)
    by_plan: dict[int, list[Happened]] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)


def award_orders(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Record what orders that count by now bring to those above their buyers, each once.

    A task for what was decided before changes nothing. Lines without a plan in force are decided
    too: they pay nobody, and say so. An order that does not count yet leaves another task when it
    does.
    """
    order_ids = {task.subject_id for task in tasks}
    plan_ids = _lock(session, order_ids)
    full = plans_being_seated(session, now=now) if plan_ids else set()
    work = _sort_out(shares_of(session, order_ids), unready=full, now=now)
    record(session, claim(session, [decide(one) for one in work.at_once], now=now), now=now)
    for plan_id, happened in sorted(work.by_plan.items()):
        decide_events(session, plan_id, happened, now=now)
    waiting = [task for task in tasks if task.subject_id in work.waiting]
    outbox.finish(session, [task for task in tasks if task.subject_id not in work.waiting])
    outbox.defer(session, waiting, until=now + WAIT_FOR_DECISION)


def model_of(version_id: int) -> Model:
    """Return the model of a version."""
    return MODELS[rules_of(version_id).model]


def _lock(session: Session, order_ids: Collection[int]) -> set[int]:
    """Take the locks of all plans with places that these orders concern, and return the plans."""
    versions = session.scalars(
        sa.select(OrderLine.plan_version_id)
        .distinct()
        .where(OrderLine.order_id.in_(order_ids), OrderLine.plan_version_id.is_not(None))
    )
    with_places = {
        plan_of(one) for one in versions if one is not None and model_of(one).place is not None
    }
    for plan_id in sorted(with_places):
        lock_plan(session, plan_id)
    return with_places


def _sort_out(shares: Sequence[Share], *, unready: Collection[int], now: datetime) -> _Work:
    work = _Work()
    ripe = now - timedelta(seconds=settings().plan_order_wait_seconds)
    for share in shares:
        if share.version_id is None or share.model.place is None:
            if share.counted_at() is not None:
                work.at_once.append(share)
            continue
        for one in happened(share):
            if one.at > ripe or share.plan_id in unready:
                work.waiting.add(share.order_id)
            else:
                work.by_plan.setdefault(share.plan_id, []).append(one)
    return work


def happened(share: Share) -> Iterator[Happened]:
    """Yield what a plan with places has to hear of an order by now."""
    version_id = share.version_id
    assert version_id is not None, "no version, no plan"
    counted_at = share.counted_at()
    reacts_to = share.model.reacts_to
    if counted_at is not None and Sold in reacts_to:
        event = Sold(share.sale(), share.chain)
        yield Happened(
            event,
            version_id,
            at=counted_at,
            order_id=share.order_id,
            matures_at=share.matures_at(),
        )
    if share.settled_at is not None and Settled in reacts_to:
        settled = Settled(share.settled_sale(), share.chain)
        yield Happened(settled, version_id, at=share.settled_at, order_id=share.order_id)


def decide(share: Share) -> Decided:
    """Decide on a part of an order whose plan keeps no places."""
    decisions = NOTHING
    if share.version_id is not None:
        sold = Sold(share.sale(), share.chain)
        decisions = share.model.decide(share.rules, sold, _NO_PLACES)
    return Decided(
        share.order_id,
        share.version_id,
        share.base_fen,
        decisions,
        matures_at=share.matures_at(),
    )


def freeze_awards(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Start the waiting time of the awards of orders that were received.

    An award matures when both its plan's waiting time and the after-sale window are over. A task
    whose order has not been decided yet waits for that; what counts only when it was received, or
    later, starts to wait when it is decided.
    """
    ids = {task.subject_id for task in tasks}
    undecided = undecided_though_counting(session, ids)
    rows = session.execute(
        sa.select(Award.id, Award.plan_version_id)
        .join(Order, Order.id == Award.order_id)
        .where(Award.order_id.in_(ids), Award.state == AwardState.PENDING)
        .order_by(Award.id)
        .with_for_update(of=Award)
    ).all()
    for version_id in sorted({row.plan_version_id for row in rows}):
        chosen = [row.id for row in rows if row.plan_version_id == version_id]
        _freeze(session, chosen, wait=timedelta(seconds=rules_of(version_id).settle_seconds))
    outbox.finish(session, [task for task in tasks if task.subject_id not in undecided])
    waiting = [task for task in tasks if task.subject_id in undecided]
    outbox.defer(session, waiting, until=now + WAIT_FOR_DECISION)


def undecided_though_counting(session: Session, order_ids: Collection[int]) -> set[int]:
    """Return the orders of which a part counts for its plan and has not been decided on yet."""
    rows = session.execute(
        sa.select(
            OrderLine.order_id, OrderLine.plan_version_id, Order.completed_at, Order.settled_at
        )
        .distinct()
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(
            OrderDecision,
            sa.and_(
                OrderDecision.order_id == OrderLine.order_id,
                OrderDecision.plan_version_id == OrderLine.plan_version_id,
            ),
        )
        .where(
            OrderLine.order_id.in_(order_ids),
            OrderLine.plan_version_id.is_not(None),
            OrderDecision.order_id.is_(None),
        )
    )
    return {row.order_id for row in rows if _counts(row)}


def _counts(row: Any) -> bool:
    match rules_of(row.plan_version_id).effective_at:
        case Moment.PAID:
            return True
        case Moment.RECEIVED:
            return row.completed_at is not None
        case Moment.AFTER_SALE_CLOSED:
            return row.settled_at is not None


def _freeze(session: Session, award_ids: Sequence[int], *, wait: timedelta) -> None:
    session.execute(
        sa.update(Award)
        .where(Award.id.in_(award_ids), Award.order_id == Order.id)
        .values(
            state=AwardState.FROZEN,
            matures_at=sa.func.greatest(Order.completed_at + wait, Order.after_sale_until_at),
        )
        .execution_options(synchronize_session=False)
    )
