"""What dashboards ask: sums of figures by day, by store or at all, within the reader's stores."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.insight.models import DayFigures, DayTotals, FigureRefresh, StandingFigures
from app.insight.refreshing import RECENT

STANDING: Final = ("commission_pending_fen", "commission_available_fen", "clawback_debt_fen")

Figures = Mapping[str, int]
StoreIds = frozenset[int] | None
"""Whose figures: None for those of all stores and of none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Days from `since` to `until`, both included, of some stores, and which figures of them."""

    since: date
    until: date
    store_ids: StoreIds
    names: Sequence[str]


def by_day(session: Session, asked: Asked) -> dict[date, Figures]:
    """Return the figures of each day; days without a row are not in it."""
    table = _table(asked)
    query = _columns(asked, table.day).where(table.day.between(asked.since, asked.until))
    rows = session.execute(_scoped(query, asked.store_ids).group_by(table.day))
    return {row[0]: dict(zip(asked.names, map(int, row[1:]), strict=True)) for row in rows}


def by_store(session: Session, asked: Asked, *, most: int) -> list[tuple[int, Figures]]:
    """Return the figures of the stores that have most of the first one, most first."""
    first = getattr(DayFigures, asked.names[0])
    sums = [sa.func.sum(getattr(DayFigures, name)) for name in asked.names]
    query = sa.select(DayFigures.store_id, *sums).where(
        DayFigures.day.between(asked.since, asked.until),
        DayFigures.store_id.is_not(None),
        first > sa.literal_column("0"),
    )
    rows = session.execute(
        _scoped(query, asked.store_ids)
        .group_by(DayFigures.store_id)
        .order_by(sa.func.sum(first).desc(), DayFigures.store_id)
        .limit(most)
    )
    return [(row[0], dict(zip(asked.names, map(int, row[1:]), strict=True))) for row in rows]


def of_days(session: Session, days: Collection[date], asked: Asked) -> dict[date, Figures]:
    """Return the figures of single days; those of a day without a row are all 0."""
    table = _table(asked)
    query = _columns(asked, table.day).where(table.day.in_(days))
    rows = session.execute(_scoped(query, asked.store_ids).group_by(table.day))
    found = {row[0]: dict(zip(asked.names, map(int, row[1:]), strict=True)) for row in rows}
    return {day: found.get(day, dict.fromkeys(asked.names, 0)) for day in days}


def standing(session: Session, *, store_ids: StoreIds) -> Figures:
    """Return what stands on the accounts of distributors."""
    columns = [sa.func.coalesce(sa.func.sum(getattr(StandingFigures, one)), 0) for one in STANDING]
    query = sa.select(*columns)
    if store_ids is not None:
        query = query.where(StandingFigures.store_id.in_(store_ids))
    return dict(zip(STANDING, map(int, session.execute(query).one()), strict=True))


def refreshed_at(session: Session) -> datetime | None:
    """Return the moment that the figures are of, or None where they were never made."""
    return session.scalar(sa.select(FigureRefresh.refreshed_at).where(FigureRefresh.name == RECENT))


def _table(asked: Asked) -> type[DayFigures] | type[DayTotals]:
    """Return where the answer is read from: the totals where all stores are meant."""
    return DayTotals if asked.store_ids is None else DayFigures


def _columns(asked: Asked, key: Any) -> sa.Select[Any]:
    table = _table(asked)
    return sa.select(key, *(sa.func.sum(getattr(table, name)) for name in asked.names))


def _scoped(query: sa.Select[Any], store_ids: StoreIds) -> sa.Select[Any]:
    return query if store_ids is None else query.where(DayFigures.store_id.in_(store_ids))
