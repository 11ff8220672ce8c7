"""The figures of distributors that levels depend on, in sets: SQL, whatever their number.

Every figure is of settled orders, matured awards or approved recruits within a span of time. One
subquery serves all figures of one source and one span; they are joined to the distributors asked
about: some by id, a range of ids, or all. The decision on them is pure (`engines.levels`); the
statement of `moves` says the same in SQL, so that those who do not move are never loaded.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.engines.levels import Figure, figures_needed
from app.engines.parameters import ConditionKind, Levels, Mode, Upgrade

NET: Final = "(o.paid_fen - o.refunded_fen)"


class Span(NamedTuple):
    """After one instant, until another one and including it."""

    since: datetime
    until: datetime

    @classmethod
    def last_days(cls, days: int, *, now: datetime) -> Self:
        """Return the window of a condition, which ends now."""
        return cls(now - timedelta(days=days), now)

    @classmethod
    def period(cls, begins_at: datetime, ends_at: datetime) -> Self:
        """Return a period that holds its first instant and not its end, as the database counts."""
        return cls(begins_at - datetime.resolution, ends_at - datetime.resolution)


class Wanted(NamedTuple):
    """One figure within one span."""

    kind: ConditionKind
    span: Span


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose figures: a condition on a column of member ids, and its parameters."""

    condition: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def some(cls, member_ids: Collection[int]) -> Self:
        """Only these."""
        return cls("= ANY(:member_ids)", {"member_ids": list(member_ids)})

    @classmethod
    def between(cls, first_id: int, last_id: int) -> Self:
        """A range of ids, both ends included."""
        return cls("BETWEEN :first_id AND :last_id", {"first_id": first_id, "last_id": last_id})

    @classmethod
    def after(cls, member_id: int) -> Self:
        """Everybody behind an id; behind 0 is everybody."""
        return cls("> :after_id", {"after_id": member_id})


_SOURCES: Final[Mapping[str, str]] = {
    "owners": """
        SELECT o.owner_id AS member_id, {columns} FROM orders o
        WHERE o.owner_id {whose} AND o.settled_at > :{since} AND o.settled_at <= :{until}
        GROUP BY 1""",
    "buyers": """
        SELECT o.member_id, {columns} FROM orders o
        WHERE o.member_id {whose} AND o.settled_at > :{since} AND o.settled_at <= :{until}
        GROUP BY 1""",
    "teams": """
        SELECT o.member_id, {columns} FROM (
            SELECT o.owner_id AS member_id, o.paid_fen, o.refunded_fen FROM orders o
            WHERE o.owner_id {whose} AND o.settled_at > :{since} AND o.settled_at <= :{until}
            UNION ALL
            SELECT r.recommender_id, o.paid_fen, o.refunded_fen
            FROM distributors r JOIN orders o ON o.owner_id = r.member_id
            WHERE r.recommender_id {whose}
                AND o.settled_at > :{since} AND o.settled_at <= :{until}) AS o
        GROUP BY 1""",
    "earners": """
        SELECT a.beneficiary_id AS member_id, {columns} FROM awards a
        WHERE a.beneficiary_id {whose} AND a.matured_at > :{since} AND a.matured_at <= :{until}
        GROUP BY 1""",
    "recommenders": """
        SELECT r.recommender_id AS member_id, {columns} FROM distributors r
        WHERE r.recommender_id {whose} AND r.approved_at > :{since} AND r.approved_at <= :{until}
        GROUP BY 1""",
}

_COLUMNS: Final[Mapping[ConditionKind, tuple[str, str]]] = {
    ConditionKind.DIRECT_SALES: ("owners", f"sum({NET})"),
    ConditionKind.PAYING_CUSTOMERS: (
        "owners",
        f"count(DISTINCT o.member_id) FILTER (WHERE {NET} > 0)",
    ),
    ConditionKind.DIRECT_ORDERS: ("owners", f"count(*) FILTER (WHERE {NET} > 0)"),
    ConditionKind.LARGEST_ORDER: ("owners", f"max({NET})"),
    ConditionKind.OWN_SPEND: ("buyers", f"sum({NET})"),
    ConditionKind.OWN_ORDERS: ("buyers", f"count(*) FILTER (WHERE {NET} > 0)"),
    ConditionKind.TEAM_SALES: ("teams", f"sum({NET})"),
    ConditionKind.COMMISSION_MATURED: ("earners", "sum(a.amount_fen - a.reversed_fen)"),
    ConditionKind.RECRUITS: ("recommenders", "count(*)"),
}
"""Where each figure comes from, and how; what was refunded whole is neither order nor customer."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The joins that bring figures to the rows of `distributors d`, and each one's expression."""

    joins: str
    columns: Mapping[Wanted, str]
    parameters: Mapping[str, Any]

    def shown(self) -> str:
        """Return every figure as a column `f0`, `f1` and so on, in the order of `columns`."""
        return ", ".join(f"{text} AS f{n}" for n, text in enumerate(self.columns.values()))

    def read(self, row: sa.RowMapping) -> dict[Wanted, int]:
        """Read the figures of a row back."""
        return {wanted: int(row[f"f{n}"]) for n, wanted in enumerate(self.columns)}


def joined(wanted: Collection[Wanted], whose: Whose) -> Joined:
    """Return how to join these figures to distributors; a figure without rows is zero."""
    by_source: defaultdict[tuple[str, Span], list[Wanted]] = defaultdict(list)
    for one in sorted(wanted):
        by_source[_COLUMNS[one.kind][0], one.span].append(one)
    joins: list[str] = []
    columns: dict[Wanted, str] = {}
    parameters: dict[str, Any] = dict(whose.parameters)
    for number, ((source, span), group) in enumerate(by_source.items()):
        since, until = f"since_{number}", f"until_{number}"
        parameters |= {since: span.since, until: span.until}
        listed = ", ".join(f"{_COLUMNS[one.kind][1]} AS {one.kind.value.lower()}" for one in group)
        body = _SOURCES[source].format(
            columns=listed, whose=whose.condition, since=since, until=until
        )
        joins.append(f"LEFT JOIN ({body}) AS s{number} ON s{number}.member_id = d.member_id")
        for one in group:
            columns[one] = f"coalesce(s{number}.{one.kind.value.lower()}, 0)"
    return Joined("\n".join(joins), columns, parameters)


def gather(
    session: Session, wanted: Collection[Wanted], member_ids: Collection[int]
) -> dict[int, dict[Wanted, int]]:
    """Return the figures of each of these distributors."""
    if not wanted or not member_ids:
        return {one: {} for one in member_ids}
    whose = Whose.some(member_ids)
    figures = joined(wanted, whose)
    rows = session.execute(
        sa.text(
            f"SELECT d.member_id, {figures.shown()} FROM distributors d {figures.joins}"  # noqa: S608 - our own constants
            f" WHERE d.member_id {whose.condition}"
        ),
        dict(figures.parameters),
    ).mappings()
    return {int(row["member_id"]): figures.read(row) for row in rows}


def windows(levels: Levels, *, now: datetime) -> dict[Figure, Wanted]:
    """Return what has to be known to evaluate these levels now."""
    return {
        one: Wanted(one.kind, Span.last_days(one.window_days, now=now))
        for one in figures_needed(levels)
    }


def moves(levels: Levels, whose: Whose, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return the statement of active distributors whom their figures would lift, and to where.

    Its columns are member_id, level and target. It says in SQL what `engines.levels.promote` says
    of one; so whoever stays where they are never leaves the database.
    """
    wanted = windows(levels, now=now)
    figures = joined(set(wanted.values()), whose)
    target = _target(levels, {one: figures.columns[where] for one, where in wanted.items()})
    statement = f"""
        SELECT * FROM (
            SELECT d.member_id, d.level, {target} AS target
            FROM distributors d {figures.joins}
            WHERE d.standing = 'active' AND d.level < {levels.count}
                AND d.member_id {whose.condition}
        ) AS reached WHERE target > level"""  # noqa: S608 - our own constants, figures as parameters
    return statement, dict(figures.parameters)


def _target(levels: Levels, columns: Mapping[Figure, str]) -> str:
    """Return the level that the figures of a row lead to; its own where to none."""
    if not levels.upgrades:
        return "d.level"
    cases = []
    for upgrade in reversed(levels.upgrades):
        here = f"d.level < {upgrade.level}" if levels.jump else f"d.level = {upgrade.level - 1}"
        cases.append(f"WHEN {here} AND ({_condition(upgrade, columns)}) THEN {upgrade.level}")
    return f"CASE {' '.join(cases)} ELSE d.level END"


def _condition(upgrade: Upgrade, columns: Mapping[Figure, str]) -> str:
    joint = " AND " if upgrade.mode is Mode.ALL else " OR "
    return joint.join(
        f"{columns[Figure(one.kind, one.window_days)]} >= {one.at_least}"
        for one in upgrade.conditions
    )
