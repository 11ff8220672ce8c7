"""Closed months decided again from the books they were closed on, and these from the orders."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award, AwardRefusal
from app.distribution.month_books import books_from_json, gather
from app.distribution.plan_records import ClosedMonth
from app.distribution.replay.comparing import accruals_of
from app.distribution.replay.recorded import moves
from app.distribution.replay.report import Report, Span
from app.engines.months import MonthClose
from app.engines.registry import MODELS
from app.plans.models import PlanVersion
from app.plans.queries import rules_of


def replay_months(session: Session, span: Span, report: Report) -> Iterator[int]:
    """Close every month again that was closed within the span; yield one for each."""
    for closed in session.scalars(_wanted(span, ClosedMonth).order_by(ClosedMonth.id)).all():
        model = MODELS[rules_of(closed.plan_version_id).model]
        assert model.close_month is not None, "it was closed"
        assert model.month_scope is not None, "it was closed"
        books = books_from_json(closed.inputs)
        version = session.get_one(PlanVersion, closed.plan_version_id)
        from_orders = gather(
            session, version, closed.month, scope=model.month_scope, store_id=closed.store_id
        )
        report.compare("closed_months", (closed.id, "net"), from_orders.net_fen, books.net_fen)
        outcome = model.close_month(rules_of(closed.plan_version_id), books)
        _compare(session, closed, outcome, report)
        report.compare("closed_months", (closed.id, "net_fen"), books.net_fen, closed.net_fen)
        report.counts["months"] += 1
        yield 1


def count_months(session: Session, span: Span) -> int:
    """Return how many months were closed within a span."""
    found = _wanted(span, ClosedMonth.id).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(found)) or 0


def _wanted(span: Span, *wanted: Any) -> sa.Select[Any]:
    found = sa.select(*wanted).where(
        ClosedMonth.closed_at >= span.from_at, ClosedMonth.closed_at < span.to_at
    )
    return found if span.plan_id is None else found.where(ClosedMonth.plan_id == span.plan_id)


def _compare(session: Session, closed: ClosedMonth, outcome: MonthClose, report: Report) -> None:
    sums = (outcome.pool_fen, outcome.total_fen, outcome.carried_fen, outcome.deficit_fen)
    found = (closed.pool_fen, closed.awarded_fen, closed.carried_fen, closed.deficit_fen)
    report.compare("closed_months", closed.id, sums, found)
    report.compare("closed_months", (closed.id, "facts"), outcome.facts, closed.facts)
    awards = {
        (award.kind.value, award.beneficiary_id, award.explanation.get("promoted_id")): (
            award.base_fen,
            award.rate_bp,
            award.amount_fen,
            0,
        )
        for award in outcome.awards
    }
    report.compare_all("awards", (closed.id, "month"), awards, _awards(session, closed.id))
    refusals = Counter((one.beneficiary_id, one.reason.value) for one in outcome.refusals)
    recorded = Counter(_refusals(session, closed.id))
    report.compare_all("award_refusals", (closed.id, "month"), refusals, recorded)
    key = f"commission-accrued-month:{closed.id}"
    accruals = accruals_of((one.beneficiary_id, one.amount_fen) for one in outcome.awards)
    report.compare_all("ledger_entries", key, accruals, moves(session, [key]).get(key, {}))


def _awards(session: Session, closed_id: int) -> Mapping[tuple[Any, ...], tuple[Any, ...]]:
    rows = session.execute(
        sa.select(
            Award.kind,
            Award.beneficiary_id,
            Award.explanation["promoted_id"],
            Award.base_fen,
            Award.rate_bp,
            Award.amount_fen,
            Award.reversed_fen,
        ).where(Award.closed_month_id == closed_id)
    )
    return {tuple(row[:3]): tuple(row[3:]) for row in rows}


def _refusals(session: Session, closed_id: int) -> list[tuple[int | None, str]]:
    rows = session.execute(
        sa.select(AwardRefusal.beneficiary_id, AwardRefusal.reason).where(
            AwardRefusal.closed_month_id == closed_id
        )
    )
    return [(beneficiary_id, reason) for beneficiary_id, reason in rows]
