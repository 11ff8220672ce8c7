"""From paid orders to awards and ledger, in sets: load by set, decide purely, write in bulk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.distribution.engine.channel import Line, Person, Sale, Standing, decide
from app.distribution.engine.results import Decisions
from app.distribution.models import Award, AwardRefusal, AwardState, OrderDecision
from app.kernel import outbox
from app.kernel.db import db
from app.kernel.outbox import Task
from app.ledger import services as ledger
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, pending
from app.orders.models import Order, OrderLine
from app.orders.values import Seat
from app.plans.models import PlanVersion
from app.plans.rules import PlanRules, load_rules

WAIT_FOR_DECISION: Final = timedelta(seconds=2)
_STANDINGS: Final = {
    "active": Standing.ACTIVE,
    "frozen": Standing.FROZEN,
    "quit": Standing.QUIT,
}


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """What a decision needs to know of one order, as it was when it was paid."""

    sale: Sale
    chain: tuple[Person, ...]
    plan_version_id: int | None

    @property
    def base_fen(self) -> int:
        """What the whole order offers to be shared."""
        return sum(line.base_fen for line in self.sale.lines)


@dataclass(frozen=True, slots=True)
class Decided:
    """An order together with what was decided on it."""

    order: PaidOrder
    decisions: Decisions


def award_orders(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Record what paid orders bring to those above their buyers, each order once.

    A task for an order that was decided before changes nothing. An order without a plan in force
    is decided too: it pays nobody, and says so.
    """
    orders = load_paid(session, [task.subject_id for task in tasks])
    new = _mark_decided(session, orders, now=now)
    _record(session, [one for one in orders if one.order.sale.order_id in new], now=now)
    outbox.finish(session, tasks)


def freeze_awards(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Start the waiting time of the awards of orders that were received.

    An award matures when both its plan's waiting time and the after-sale window are over. A task
    whose order has not been decided yet waits for that.
    """
    ids = {task.subject_id for task in tasks}
    decided = set(
        session.scalars(sa.select(OrderDecision.order_id).where(OrderDecision.order_id.in_(ids)))
    )
    rows = session.execute(
        sa.select(Award.id, Award.plan_version_id)
        .join(Order, Order.id == Award.order_id)
        .where(Award.order_id.in_(decided), Award.state == AwardState.PENDING)
        .order_by(Award.id)
        .with_for_update(of=Award)
    ).all()
    for version_id in sorted({row.plan_version_id for row in rows}):
        chosen = [row.id for row in rows if row.plan_version_id == version_id]
        _freeze(session, chosen, wait=timedelta(seconds=rules_of(version_id).settle_seconds))
    outbox.finish(session, [task for task in tasks if task.subject_id in decided])
    waiting = [task for task in tasks if task.subject_id not in decided]
    outbox.defer(session, waiting, until=now + WAIT_FOR_DECISION)


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


@lru_cache(maxsize=256)
def rules_of(version_id: int) -> PlanRules:
    """Return the rules of a published version; they never change, so they are kept."""
    document = db.session.scalar(sa.select(PlanVersion.rules).where(PlanVersion.id == version_id))
    assert document is not None, f"no plan version {version_id}"
    return load_rules(document)


def load_paid(session: Session, order_ids: Sequence[int]) -> list[Decided]:
    """Load orders by set and decide on each; nothing is written."""
    orders = session.execute(
        sa.select(Order.id, Order.member_id, Order.upline)
        .where(Order.id.in_(order_ids), Order.upline.is_not(None))
        .order_by(Order.id)
    ).all()
    lines: dict[int, list[Any]] = {order.id: [] for order in orders}
    for line in session.execute(
        sa.select(
            OrderLine.id,
            OrderLine.order_id,
            OrderLine.product_id,
            OrderLine.net_fen,
            OrderLine.is_distributable,
            OrderLine.plan_version_id,
        )
        .where(OrderLine.order_id.in_(lines))
        .order_by(OrderLine.id)
    ):
        lines[line.order_id].append(line)
    return [_decide(_paid(order, lines[order.id])) for order in orders]


def _paid(order: Any, lines: Sequence[Any]) -> PaidOrder:
    buyer, *chain = (Seat.from_json(seat) for seat in order.upline)
    assert buyer.member_id == order.member_id, "the first seat is the buyer's"
    sale = Sale(
        order.id,
        _person(buyer, is_household=True),
        tuple(
            Line(line.id, line.product_id, line.net_fen, distributable=line.is_distributable)
            for line in lines
        ),
    )
    above = tuple(_person(seat, is_household=seat.is_household) for seat in chain)
    return PaidOrder(sale, above, lines[0].plan_version_id)


def _person(seat: Seat, *, is_household: bool) -> Person:
    """Make the engine's person; the buyer's household, to which the buyer belongs, has one key."""
    return Person(
        seat.member_id,
        level=seat.level,
        standing=_STANDINGS.get(seat.standing or "", Standing.NONE),
        household=frozenset({"buyer"}) if is_household else frozenset(),
    )


def _decide(order: PaidOrder) -> Decided:
    if order.plan_version_id is None:
        return Decided(order, Decisions((), ()))
    return Decided(order, decide(rules_of(order.plan_version_id), order.sale, order.chain))


def _mark_decided(session: Session, orders: Sequence[Decided], *, now: datetime) -> set[int]:
    """Claim orders for good; the primary key lets each be decided once."""
    if not orders:
        return set()
    return set(
        session.scalars(
            insert(OrderDecision).on_conflict_do_nothing().returning(OrderDecision.order_id),
            [
                {
                    "order_id": one.order.sale.order_id,
                    "plan_version_id": one.order.plan_version_id,
                    "base_fen": one.order.base_fen,
                    "awarded_fen": one.decisions.total_fen,
                    "decided_at": now,
                }
                for one in orders
            ],
        )
    )


def _record(session: Session, decided: Sequence[Decided], *, now: datetime) -> None:
    awards = [row for one in decided for row in _award_rows(one, now)]
    refusals = [row for one in decided for row in _refusal_rows(one, now)]
    if awards:
        session.execute(sa.insert(Award), awards)
    if refusals:
        session.execute(sa.insert(AwardRefusal), refusals)
    entries = [
        ledger.Entry(
            f"commission-accrued:{one.order.sale.order_id}",
            tuple(
                Transfer(COMMISSION_EXPENSE, pending(award.beneficiary_id), award.amount_fen)
                for award in one.decisions.awards
            ),
        )
        for one in decided
        if one.decisions.awards
    ]
    ledger.post_many(session, entries, now=now)


def _award_rows(one: Decided, now: datetime) -> Iterator[dict[str, Any]]:
    for award in one.decisions.awards:
        yield {
            "order_id": one.order.sale.order_id,
            "order_line_id": award.line_id,
            "plan_version_id": one.order.plan_version_id,
            "beneficiary_id": award.beneficiary_id,
            "kind": award.kind.value,
            "seat": award.seat,
            "base_fen": award.base_fen,
            "rate_bp": award.rate_bp,
            "amount_fen": award.amount_fen,
            "state": AwardState.PENDING,
            "explanation": award.explanation,
            "created_at": now,
        }


def _refusal_rows(one: Decided, now: datetime) -> Iterator[dict[str, Any]]:
    for refusal in one.decisions.refusals:
        yield {
            "order_id": one.order.sale.order_id,
            "order_line_id": refusal.line_id,
            "plan_version_id": one.order.plan_version_id,
            "beneficiary_id": refusal.beneficiary_id,
            "seat": refusal.seat,
            "reason": refusal.reason.value,
            "explanation": refusal.explanation,
            "created_at": now,
        }
