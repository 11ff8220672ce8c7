"""Closing months: what plans pay by the month, once and for good.

A month can be closed as soon as it is over, since nothing that happens later changes its books, and
is paid on a day of the month after. A plan is closed as a whole or store by store, as its model
says, under the version in force at the end of the month.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.boards import lock_plan
from app.distribution.models import Award, AwardRefusal, AwardState
from app.distribution.month_books import books_to_json, bounds, gather, month_of
from app.distribution.plan_records import ClosedMonth, PlanPlace
from app.engines.contract import Model
from app.engines.months import MonthBooks, MonthClose, MonthScope
from app.engines.registry import MODELS
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record
from app.kernel.db import atomic, take_time
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.ledger import services as ledger
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, pending
from app.plans.models import Plan, PlanVersion
from app.plans.queries import rules_of

PAID_AFTER: Final = timedelta(days=9)
"""Awards of a month mature when the tenth day of the next begins."""
QUIET: Final = timedelta(minutes=5)
"""How long after its end a month can be closed: whatever had begun within it has ended by then.

An order or a refund takes its instant before its transaction, which may wait for locks and be tried
again. Closed too early, a month would miss it, and so would every month after.
"""


_MOVES: Final = """
    SELECT to_char(o.settled_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')
    FROM orders o JOIN order_lines l ON l.order_id = o.id
    JOIN plan_versions v ON v.id = l.plan_version_id
    WHERE v.plan_id = :plan_id AND o.settled_at IS NOT NULL
    UNION
    SELECT to_char(r.ended_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')
    FROM refunds r JOIN refund_lines rl ON rl.refund_id = r.id
    JOIN order_lines l ON l.id = rl.order_line_id JOIN orders o ON o.id = l.order_id
    JOIN plan_versions v ON v.id = l.plan_version_id
    WHERE v.plan_id = :plan_id AND r.state = 'succeeded' AND o.settled_at < r.ended_at
"""


@dataclass(eq=False)
class MonthNotOver(DomainError):
    """A month is closed when it is over."""

    code: ClassVar[str] = "month_not_over"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(month)s is not over yet.")

    month: str


@dataclass(eq=False)
class MonthClosed(DomainError):
    """A closed month is never opened again; what comes later belongs to a later month."""

    code: ClassVar[str] = "month_closed"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(month)s is closed already.")

    month: str


@dataclass(eq=False)
class EarlierMonthOpen(DomainError):
    """Months are closed in their order: each hands a remainder or a shortfall on to the next."""

    code: ClassVar[str] = "earlier_month_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(month)s has to be closed first.")

    month: str


@dataclass(eq=False)
class NothingToClose(DomainError):
    """The plan paid nothing by the month then, or not for this store."""

    code: ClassVar[str] = "nothing_to_close"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This plan has nothing to close for that month.")


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One month of a plan, or of one store under it, that is to be closed."""

    plan_id: int
    month: str
    store_id: int | None = None


def close(due: Due, *, actor: Actor, now: datetime) -> ClosedMonth:
    """Close one month and book what it pays.

    Raises MonthNotOver, MonthClosed, EarlierMonthOpen and NothingToClose.
    """
    with atomic() as session:
        take_time(session)
        lock_plan(session, due.plan_id)
        if _is_closed(session, due):
            raise MonthClosed(due.month)
        if bounds(due.month)[1] + QUIET > now:
            raise MonthNotOver(due.month)
        _demand_earlier_ones_closed(session, due)
        version, books, outcome = _work_out(session, due)
        closed = ClosedMonth(
            plan_id=due.plan_id,
            plan_version_id=version.id,
            store_id=due.store_id,
            month=due.month,
            net_fen=books.net_fen,
            pool_fen=outcome.pool_fen,
            awarded_fen=outcome.total_fen,
            carried_fen=outcome.carried_fen,
            deficit_fen=outcome.deficit_fen,
            inputs=books_to_json(books),
            facts=outcome.facts,
            closed_at=now,
            actor=str(actor),
        )
        session.add(closed)
        session.flush()
        _book(session, closed, outcome, now=now)
        if actor != SYSTEM:
            subject = Subject("closed_month", closed.id, due.store_id)
            facts = {"month": due.month, "awarded_fen": outcome.total_fen}
            record(session, actor, "month.closed", subject, Change(after=facts), now=now)
        return closed


def preview(session: Session, due: Due, *, now: datetime) -> tuple[MonthBooks, MonthClose]:
    """Return what closing a month would bring; of the running month, as it stands.

    Raises NothingToClose, of a month that has not begun as well.
    """
    if bounds(due.month)[0] > now:
        raise NothingToClose
    _version, books, outcome = _work_out(session, due)
    return books, outcome


def due_months(session: Session, *, now: datetime) -> list[Due]:
    """Return every month before this one that is over and not closed, the oldest first."""
    return _unclosed(session, until=month_of(now))


def running_months(session: Session, *, now: datetime) -> list[Due]:
    """Return what of this month will be closed when it is over."""
    this_month = month_of(now)
    following = month_of(bounds(this_month)[1])
    return [due for due in _unclosed(session, until=following) if due.month == this_month]


def _demand_earlier_ones_closed(session: Session, due: Due) -> None:
    for earlier in _unclosed(session, until=due.month, plan_id=due.plan_id):
        if earlier.store_id == due.store_id:
            raise EarlierMonthOpen(earlier.month)


def _unclosed(session: Session, *, until: str, plan_id: int | None = None) -> list[Due]:
    """Return what is not closed of the months before `until`, the oldest first; of all plans."""
    found = []
    for version_month, version in _monthly_versions(session, until=until, plan_id=plan_id):
        model = MODELS[rules_of(version.id).model]
        found += [
            Due(version.plan_id, version_month, store_id)
            for store_id in _stores(session, version, model, version_month)
        ]
    unclosed = [due for due in sorted(set(found)) if not _is_closed(session, due)]
    return sorted(unclosed, key=lambda due: due.month)


def _work_out(session: Session, due: Due) -> tuple[PlanVersion, MonthBooks, MonthClose]:
    version = _version_of(session, due) or _last_version(session, due)
    model = MODELS[rules_of(version.id).model] if version else None
    if version is None or model is None or model.close_month is None or model.month_scope is None:
        raise NothingToClose
    if not model.pays_monthly(rules_of(version.id)):
        raise NothingToClose
    if (model.month_scope is MonthScope.STORE) != (due.store_id is not None):
        raise NothingToClose
    books = gather(session, version, due.month, scope=model.month_scope, store_id=due.store_id)
    return version, books, model.close_month(rules_of(version.id), books)


def _version_of(session: Session, due: Due) -> PlanVersion | None:
    """Return the plan's version in force at the end of a month, or the last one in it."""
    begins_at, ends_at = bounds(due.month)
    return session.scalar(
        sa.select(PlanVersion)
        .where(
            PlanVersion.plan_id == due.plan_id,
            PlanVersion.effective_from_at < ends_at,
            sa.or_(
                PlanVersion.effective_until_at.is_(None),
                PlanVersion.effective_until_at > begins_at,
            ),
            _was_in_force(),
        )
        .order_by(PlanVersion.effective_from_at.desc())
        .limit(1)
    )


def _last_version(session: Session, due: Due) -> PlanVersion | None:
    """Return the last version of a plan that had ended before a month in which it still moved.

    What was bought under it settles later, and refunds come later still: both belong to somebody.
    """
    if due.month not in _late_months(session, due.plan_id):
        return None
    return session.scalar(
        sa.select(PlanVersion)
        .where(
            PlanVersion.plan_id == due.plan_id,
            PlanVersion.effective_until_at <= bounds(due.month)[0],
            _was_in_force(),
        )
        .order_by(PlanVersion.effective_from_at.desc())
        .limit(1)
    )


def _late_months(session: Session, plan_id: int) -> set[str]:
    """Return the months in which orders of a plan were settled or refunded."""
    return set(session.scalars(sa.text(_MOVES), {"plan_id": plan_id}))


def _was_in_force() -> sa.ColumnElement[bool]:
    """Tell whether a version was in force at all: one that was ended before it began never was."""
    return sa.or_(
        PlanVersion.effective_until_at.is_(None),
        PlanVersion.effective_until_at > PlanVersion.effective_from_at,
    )


def _monthly_versions(
    session: Session, *, until: str, plan_id: int | None
) -> Iterator[tuple[str, PlanVersion]]:
    """Yield each month in which a plan that pays by the month was in force, before `until`.

    Of a plan that has ended also those in which its orders were settled or refunded after.
    """
    models = [code for code, model in MODELS.items() if model.close_month is not None]
    versions = (
        sa.select(PlanVersion)
        .join(Plan, Plan.id == PlanVersion.plan_id)
        .where(Plan.model.in_(models), PlanVersion.effective_from_at.is_not(None), _was_in_force())
        .order_by(PlanVersion.plan_id, PlanVersion.effective_from_at)
    )
    if plan_id is not None:
        versions = versions.where(PlanVersion.plan_id == plan_id)
    found = session.scalars(versions).all()
    last = {version.plan_id: version for version in found}
    for version in found:
        assert version.effective_from_at is not None, "selected so"
        if not MODELS[rules_of(version.id).model].pays_monthly(rules_of(version.id)):
            continue
        month = month_of(version.effective_from_at)
        while month < until:
            if version.effective_until_at is not None and (
                version.effective_until_at <= bounds(month)[0]
            ):
                break
            yield month, version
            month = month_of(bounds(month)[1])
        if last[version.plan_id] is version and month < until:
            late = _late_months(session, version.plan_id)
            yield from ((one, version) for one in sorted(late) if month <= one < until)


def _stores(
    session: Session, version: PlanVersion, model: Model, month: str
) -> Sequence[int | None]:
    """Return which stores have a month to close: those with a holder; or none for a whole plan."""
    if model.month_scope is MonthScope.PLAN:
        return [None]
    return list(
        session.scalars(
            sa.select(PlanPlace.number)
            .distinct()
            .where(
                PlanPlace.plan_id == version.plan_id,
                PlanPlace.made_at < bounds(month)[1],
            )
        )
    )


def _is_closed(session: Session, due: Due) -> bool:
    return (
        session.scalar(
            sa.select(ClosedMonth.id).where(
                ClosedMonth.plan_id == due.plan_id,
                ClosedMonth.month == due.month,
                ClosedMonth.store_id.is_not_distinct_from(due.store_id),
            )
        )
        is not None
    )


def _book(session: Session, closed: ClosedMonth, outcome: MonthClose, *, now: datetime) -> None:
    """Write what a closed month pays and does not pay, and accrue it."""
    common: dict[str, Any] = {
        "closed_month_id": closed.id,
        "plan_version_id": closed.plan_version_id,
        "seat": 0,
        "created_at": now,
    }
    if outcome.awards:
        matures_at = bounds(closed.month)[1] + PAID_AFTER
        rows = [
            common
            | {
                "beneficiary_id": one.beneficiary_id,
                "kind": one.kind.value,
                "base_fen": one.base_fen,
                "rate_bp": one.rate_bp,
                "amount_fen": one.amount_fen,
                "state": AwardState.FROZEN,
                "matures_at": matures_at,
                "explanation": one.explanation,
            }
            for one in outcome.awards
        ]
        session.execute(sa.insert(Award), rows)
        transfers = tuple(
            Transfer(COMMISSION_EXPENSE, pending(one.beneficiary_id), one.amount_fen)
            for one in outcome.awards
        )
        entry = ledger.Entry(f"commission-accrued-month:{closed.id}", transfers)
        ledger.post_many(session, [entry], now=now)
    if outcome.refusals:
        refusals = [
            common
            | {
                "beneficiary_id": one.beneficiary_id,
                "reason": one.reason.value,
                "explanation": one.explanation,
            }
            for one in outcome.refusals
        ]
        session.execute(sa.insert(AwardRefusal), refusals)
