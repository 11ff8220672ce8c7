"""Making the figures: whole days are computed again from their rows, set by set.

Nothing is added up bit by bit, so running twice, at once or late changes nothing. Today and
yesterday are made again by every refresh, and so is every day since the last one; older days that
something was written into were noted by triggers (migration 0020). Nothing goes by "rows with a
greater id", which loses rows that commit late. Once a night everything is made again, for what no
trigger sees, such as a distributor who moved to another store.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.insight.models import (
    FIGURES,
    DayFigures,
    DayToRedo,
    DayTotals,
    FigureRefresh,
    StandingFigures,
)
from app.insight.sources import SOURCES, Source, rows_of
from app.kernel.clock import business_day
from app.kernel.db import atomic, take_time
from app.ledger.models import LedgerAccount
from app.ledger.transfers import Name, Unit
from app.members.models import Distributor

RECENT: Final = "recent"
ALL: Final = "all"
CHUNK_DAYS: Final = 31
BACK_DAYS: Final = 400
"""How far the nightly reconciliation goes back: thirteen months, so that years can be compared."""
GAP_DAYS_MAX: Final = 31
"""After a longer pause a refresh leaves the days between to the nightly reconciliation."""
_LOCK: Final = 7_310_027


@dataclass(frozen=True, slots=True)
class Span:
    """Business days from `since` to `until`, both included."""

    since: date
    until: date


def refresh(session: Session, *, now: datetime) -> int:
    """Make the recent days and those noted as changed again; return how many days that were."""
    _wait_for_others(session)
    take_time(session)
    noted = set(session.scalars(sa.delete(DayToRedo).returning(DayToRedo.day)))
    last = session.scalar(sa.select(FigureRefresh.refreshed_at).where(FigureRefresh.name == RECENT))
    recent = _recent(last, now)
    days = noted | recent
    for span in _spans(days):
        _remake(session, span)
    _remake_standing(session)
    _stamp(session, RECENT, now)
    return len(days)


def rebuild(*, days: int, now: datetime) -> int:
    """Make the figures of the last `days` days again, a month a transaction; return how many."""
    today = business_day(now)
    first = today - timedelta(days=days - 1)
    while first <= today:
        until = min(first + timedelta(days=CHUNK_DAYS - 1), today)
        with atomic() as session:
            _wait_for_others(session)
            take_time(session)
            _remake(session, Span(first, until))
        first = until + timedelta(days=1)
    with atomic() as session:
        _wait_for_others(session)
        take_time(session)
        _remake_standing(session)
        _stamp(session, ALL, now)
    return days


def is_whole(session: Session) -> bool:
    """Tell whether the figures were ever made from the beginning."""
    return session.get(FigureRefresh, ALL) is not None


def _wait_for_others(session: Session) -> None:
    """Let refreshes follow each other: the next one's statements then see what this one wrote."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _recent(last: datetime | None, now: datetime) -> set[date]:
    """Return yesterday, today and the days since the last refresh and before it.

    Triggers note what falls on a day longer ago than yesterday; what fell on the day before a
    refresh that never came must be made up for.
    """
    today = business_day(now)
    since = business_day(last) if last is not None else today
    since = max(min(since, today), today - timedelta(days=GAP_DAYS_MAX)) - timedelta(days=1)
    return {since + timedelta(days=n) for n in range((today - since).days + 1)}


def _spans(days: set[date]) -> Iterator[Span]:
    """Yield the days as spans without gaps, none longer than a chunk."""
    since = until = None
    for day in sorted(days):
        is_next = until is not None and day == until + timedelta(days=1)
        if since is not None and is_next and (day - since).days < CHUNK_DAYS:
            until = day
            continue
        if since is not None and until is not None:
            yield Span(since, until)
        since = until = day
    if since is not None and until is not None:
        yield Span(since, until)


def _remake(session: Session, span: Span) -> None:
    """Make the figures of a span again: rows appear, change and vanish in one statement."""
    fresh = _counted(span)
    table = DayFigures.__table__
    nothing_left = sa.not_(
        sa.exists().where(
            fresh.c.day == DayFigures.day,
            sa.func.coalesce(fresh.c.store_id, 0) == sa.func.coalesce(DayFigures.store_id, 0),
        )
    )
    gone = (
        sa.delete(DayFigures)
        .where(DayFigures.day.between(span.since, span.until), nothing_left)
        .cte("gone")
    )
    names = ("day", "store_id", *FIGURES)
    put = insert(DayFigures).from_select(list(names), sa.select(*(fresh.c[name] for name in names)))
    kept = sa.tuple_(*(table.c[name] for name in FIGURES))
    new = sa.tuple_(*(put.excluded[name] for name in FIGURES))
    session.execute(
        put.on_conflict_do_update(
            index_elements=["day", "store_id"],
            set_={name: put.excluded[name] for name in FIGURES},
            where=kept.is_distinct_from(new),
        ).add_cte(gone)
    )
    _add_up(session, span)


def _add_up(session: Session, span: Span) -> None:
    """Make the totals of a span again from its figures."""
    within = DayFigures.day.between(span.since, span.until)
    sums = [sa.cast(sa.func.sum(getattr(DayFigures, name)), sa.BigInteger) for name in FIGURES]
    session.execute(sa.delete(DayTotals).where(DayTotals.day.between(span.since, span.until)))
    session.execute(
        sa.insert(DayTotals).from_select(
            ["day", *FIGURES],
            sa.select(DayFigures.day, *sums).where(within).group_by(DayFigures.day),
        )
    )


def _counted(span: Span) -> sa.CTE:
    """Count the rows of a span by day and store, every source in its own columns."""
    parts = sa.union_all(*(_part(source, span) for source in SOURCES.values())).subquery()
    sums = [sa.cast(sa.func.sum(parts.c[name]), sa.BigInteger).label(name) for name in FIGURES]
    return (
        sa.select(parts.c.day, parts.c.store_id, *sums)
        .group_by(parts.c.day, parts.c.store_id)
        .cte("fresh")
        .prefix_with("MATERIALIZED")
    )


def _part(source: Source, span: Span) -> sa.Select[Any]:
    rows = (
        sa.select(
            source.day.label("day"),
            source.store_id.label("store_id"),
            (source.amount if source.amount is not None else sa.literal(0)).label("amount"),
        )
        .where(rows_of(source, since=span.since, until=span.until, store_ids=None))
        .subquery()
    )
    values: dict[str, Any] = {source.count: sa.func.count()}
    if source.sum:
        values[source.sum] = sa.func.sum(rows.c.amount)
    columns = [values.get(name, sa.literal(0)).label(name) for name in FIGURES]
    return sa.select(rows.c.day, rows.c.store_id, *columns).group_by(rows.c.day, rows.c.store_id)


def _remake_standing(session: Session) -> None:
    """Add up what stands on the accounts of each store's distributors; the table is small."""
    names = {
        "commission_pending_fen": Name.COMMISSION_PENDING,
        "commission_available_fen": Name.COMMISSION_AVAILABLE,
        "clawback_debt_fen": Name.CLAWBACK_DEBT,
    }
    sums = [
        sa.cast(
            sa.func.coalesce(
                sa.func.sum(LedgerAccount.balance).filter(LedgerAccount.name == name), 0
            ),
            sa.BigInteger,
        )
        for name in names.values()
    ]
    held = (
        sa.select(Distributor.store_id, *sums)
        .select_from(LedgerAccount)
        .outerjoin(Distributor, Distributor.member_id == LedgerAccount.member_id)
        .where(
            LedgerAccount.name.in_(names.values()),
            LedgerAccount.unit == Unit.FEN,
            LedgerAccount.balance != 0,
        )
        .group_by(Distributor.store_id)
    )
    session.execute(sa.delete(StandingFigures))
    session.execute(sa.insert(StandingFigures).from_select(["store_id", *names], held))


def _stamp(session: Session, name: str, now: datetime) -> None:
    """Record the moment, unless a later refresh did meanwhile."""
    put = insert(FigureRefresh).values(name=name, refreshed_at=now)
    session.execute(
        put.on_conflict_do_update(
            index_elements=["name"],
            set_={"refreshed_at": sa.func.greatest(FigureRefresh.refreshed_at, now)},
        )
    )
