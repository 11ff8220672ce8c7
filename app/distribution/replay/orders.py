"""Orders decided again: what rests on their snapshots alone, and what refunds took back."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.encoding import KINDS, kind_of
from app.distribution.gathering import Share, shares_of
from app.distribution.plan_records import PlanEvent
from app.distribution.replay.comparing import (
    Expected,
    compare_absent,
    compare_part,
    compare_refund,
)
from app.distribution.replay.recorded import Part, Recorded, Underway, load, underway
from app.distribution.replay.report import Report, Span
from app.distribution.settlement import decide, happened
from app.engines.events import Refunded, Sold
from app.orders.models import Order, OrderLine
from app.plans.models import PlanVersion

BATCH: Final = 2_000


def replay_orders(session: Session, span: Span, report: Report) -> Iterator[int]:
    """Decide the orders of a span again, batch by batch; yield how many each batch had."""
    waiting = underway(session)
    for order_ids in _batches(session, span):
        shares = shares_of(session, order_ids)
        refund_ids = refunds_of(shares)
        recorded = load(session, order_ids, refund_ids)
        _compare_strangers(shares, recorded, report)
        for share in shares:
            if _is_wanted(share, span):
                _compare(share, waiting, recorded, report)
        with_places = [one for one in shares if _keeps_places(one) and _is_wanted(one, span)]
        if with_places:
            _compare_told(session, with_places, waiting, report)
        for refund_id in refund_ids:
            if refund_id in recorded.decided_refunds:
                compare_refund(refund_id, recorded, report)
            elif refund_id not in waiting.refunds:
                report.compare("refund_decisions", refund_id, "decided", None)
        report.counts["orders"] += len(order_ids)
        yield len(order_ids)


def count_orders(session: Session, span: Span) -> int:
    """Return how many orders a span has."""
    found = session.scalar(
        sa.select(sa.func.count()).select_from(_wanted(span, Order.id).subquery())
    )
    return found or 0


def refunds_of(shares: Sequence[Share]) -> list[int]:
    """Return the refunds that took anything of these orders' lines."""
    return sorted(
        {
            one.refund_id
            for share in shares
            for returned in share.returned.values()
            for one in returned
        }
    )


def _compare(share: Share, waiting: Underway, recorded: Recorded, report: Report) -> None:
    part = share.order_id, share.version_id
    is_decided = part in recorded.decisions
    if share.counted_at() is None:
        compare_absent(part, recorded, report)
    elif not is_decided:
        compare_absent(part, recorded, report)
        if share.order_id not in waiting.orders and _is_decided_in_the_end(share):
            report.compare("order_decisions", part, "decided", None)
    elif not _keeps_places(share):
        compare_part(Expected(share, decide(share)), recorded, report)


def _keeps_places(share: Share) -> bool:
    return share.version_id is not None and share.model.place is not None


def _is_decided_in_the_end(share: Share) -> bool:
    return not _keeps_places(share) or Sold in share.model.reacts_to


def _compare_told(
    session: Session, shares: Sequence[Share], waiting: Underway, report: Report
) -> None:
    """Note what plans with places should have been told of orders and were not."""
    told = _told(session, {share.order_id for share in shares})
    for share in shares:
        wanted: set[tuple[str, int | None]] = {
            (kind_of(one.event), None) for one in happened(share)
        }
        if share.order_id in waiting.orders:
            wanted.clear()
        if Refunded in share.model.reacts_to:
            wanted |= {
                (KINDS[Refunded], refund_id)
                for refund_id in _returned_later(share)
                if refund_id not in waiting.refunds
            }
        for kind, refund_id in wanted - told.get((share.order_id, share.version_id), set()):
            key = share.plan_id, share.order_id, refund_id
            report.compare("plan_events", key, kind, None)


def _returned_later(share: Share) -> set[int]:
    """Return the refunds that took anything of these lines after they had come to count."""
    counted_at = share.counted_at()
    return {
        one.refund_id
        for returned in share.returned.values()
        for one in returned
        if counted_at is not None and one.amount_fen and counted_at < one.ended_at
    }


def _told(session: Session, order_ids: Collection[int]) -> dict[Part, set[tuple[str, int | None]]]:
    found: dict[Part, set[tuple[str, int | None]]] = {}
    rows: Iterable[Any] = session.execute(
        sa.select(
            PlanEvent.order_id, PlanEvent.plan_version_id, PlanEvent.kind, PlanEvent.refund_id
        ).where(PlanEvent.order_id.in_(order_ids))
    )
    for order_id, version_id, kind, refund_id in rows:
        found.setdefault((order_id, version_id), set()).add((kind, refund_id))
    return found


def _is_wanted(share: Share, span: Span) -> bool:
    return span.plan_id is None or (share.version_id is not None and share.plan_id == span.plan_id)


def _compare_strangers(shares: Sequence[Share], recorded: Recorded, report: Report) -> None:
    """Note what is recorded under versions that none of an order's lines falls under."""
    known = {(share.order_id, share.version_id) for share in shares}
    for rows in (recorded.decisions, recorded.awards, recorded.refusals, recorded.gifts):
        for part in rows.keys() - known:
            compare_absent(part, recorded, report)
            known.add(part)


def _wanted(span: Span, *columns: Any) -> sa.Select[Any]:
    wanted = sa.select(*columns).where(
        Order.paid_at >= span.from_at, Order.paid_at < span.to_at, Order.upline.is_not(None)
    )
    if span.plan_id is not None:
        falls_under = (
            sa.select(sa.literal(1))
            .select_from(OrderLine)
            .join(PlanVersion, PlanVersion.id == OrderLine.plan_version_id)
            .where(OrderLine.order_id == Order.id, PlanVersion.plan_id == span.plan_id)
        )
        wanted = wanted.where(falls_under.exists())
    return wanted


def _batches(session: Session, span: Span) -> Iterator[list[int]]:
    """Yield the ids of the orders of a span by the instant of their payment, from one cursor."""
    rows = session.scalars(
        _wanted(span, Order.id).order_by(Order.paid_at, Order.id),
        execution_options={"yield_per": BATCH},
    )
    for batch in rows.partitions():
        yield list(batch)
