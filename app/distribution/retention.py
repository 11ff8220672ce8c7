"""Keeping a level: a review of each period that is over, warnings, and what becomes of them.

Three decisions of ours stand behind this. A period is judged by the version that was in force when
it began, so no plan asks for anything after the fact. Nobody is reviewed for a period in which they
came to their level or in which they were frozen, and a warning whose holder may not earn at its end
is lifted: who could not sell loses nothing by it. A warning is made good by reaching what was asked
for between the beginning of the missed period and the end of the time of grace; that is looked at
every day, and the sooner it is reached the sooner it ends.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.distribution import figures, level_moves, levels
from app.distribution.figures import Span, Wanted, Whose
from app.distribution.level_moves import DOWNGRADE, FIRST_LEVEL, Move
from app.distribution.plan_records import LevelWarning, WarningOutcome
from app.engines.documents import load_rules
from app.engines.levels import Review, period_name, required, review
from app.engines.parameters import ConditionKind, Every, Levels, Mode, Retention
from app.kernel import outbox
from app.kernel.clock import business_day, day_begins_at
from app.kernel.db import atomic, retrying, take_time
from app.members.models import Distributor, Standing
from app.plans.models import PlanVersion
from app.plans.queries import level_version

BATCH_MAX: Final = 2_000
"""How many are locked and decided on in one transaction."""
MONTHS: Final[Mapping[Every, int]] = {Every.MONTH: 1, Every.QUARTER: 3}

log = structlog.get_logger()

Figures = Mapping[ConditionKind, int]


class Period(NamedTuple):
    """A month or a quarter in Shanghai; `ends_at` is the first instant after it."""

    name: str
    begins_at: datetime
    ends_at: datetime


def last_period(every: Every, *, now: datetime) -> Period:
    """Return the last month or quarter that is over.

    >>> from datetime import UTC
    >>> last_period(Every.QUARTER, now=datetime(2026, 11, 22, tzinfo=UTC)).name
    '2026-Q3'
    >>> last_period(Every.MONTH, now=datetime(2026, 10, 31, 16, tzinfo=UTC)).name
    '2026-10'
    """
    length = MONTHS[every]
    today = business_day(now)
    months = today.year * 12 + (today.month - 1) // length * length
    first, following = (divmod(one, 12) for one in (months - length, months))
    return Period(
        period_name(first[0], first[1] + 1, every),
        day_begins_at(date(first[0], first[1] + 1, 1)),
        day_begins_at(date(following[0], following[1] + 1, 1)),
    )


def review_levels(*, now: datetime) -> int:
    """Warn everybody who missed the last period that is over; return how many warnings.

    Each person is warned at most once about a period, however often this runs.
    """
    with atomic() as session:
        asked = _asked(session, now=now)
    if asked is None:
        return 0
    version_id, rules, period = asked
    warned = 0
    for whose in levels.sets():
        with atomic() as session:
            missing = _missing(session, rules, whose, period)
        for start in range(0, len(missing), BATCH_MAX):
            some = missing[start : start + BATCH_MAX]
            warned += _warn(some, rules, period, version_id=version_id, now=now)
    log.info("levels_reviewed", period=period.name, warned=warned)
    return warned


def _asked(session: Session, *, now: datetime) -> tuple[int, Levels, Period] | None:
    """Return what was asked for in the last period that is over, by the version at its beginning.

    How long a period is depends on the version, and which version counts on when the period began;
    so both lengths are tried. Nothing is asked where levels are no longer lost at all.
    """
    present = level_version(session, at=now)
    if present is None or load_rules(present.rules).levels.retention is None:
        return None
    for every in Every:
        period = last_period(every, now=now)
        version = level_version(session, at=period.begins_at)
        if version is None:
            continue
        rules = load_rules(version.rules).levels
        if rules.retention is not None and rules.retention.every is every:
            return version.id, rules, period
    return None


def at_risk(
    session: Session, rules: Levels, *, now: datetime, store_ids: Collection[int] | None = None
) -> dict[int, int]:
    """Return how many of each level would be warned if the running period ended now.

    For looking only: nobody is warned. Empty where no level is ever lost.
    """
    if rules.retention is None:
        return {}
    take_time(session)
    last = last_period(rules.retention.every, now=now)
    running = Period("", last.ends_at, now)
    statement, told = _statement(rules, Whose.after(0), running)
    own = "" if store_ids is None else " AND d.store_id = ANY(:store_ids)"
    rows = session.execute(
        sa.text(f"SELECT d.level, count(*) {statement}{own} GROUP BY 1 ORDER BY 1"),
        told | ({} if store_ids is None else {"store_ids": list(store_ids)}),
    )
    return {int(level): int(people) for level, people in rows}


def _missing(session: Session, rules: Levels, whose: Whose, period: Period) -> list[int]:
    """Return those of a set who may have to be warned, in SQL and without a lock."""
    take_time(session)
    statement, told = _statement(rules, whose, period)
    found = session.scalars(
        sa.text(f"SELECT d.member_id {statement} ORDER BY d.member_id"),
        told,
    )
    return [int(one) for one in found]


def _statement(rules: Levels, whose: Whose, period: Period) -> tuple[str, dict[str, Any]]:
    """Return FROM and WHERE of those who did not earn their level again in a period."""
    retention = rules.retention
    assert retention is not None
    joined = figures.joined(_wanted(rules, Span.period(*period[1:])), whose)
    held = " ".join(
        f"WHEN {upgrade.level} THEN {_kept(rules, upgrade.level, joined.columns, retention)}"
        for upgrade in rules.upgrades
    )
    is_kept = f"CASE d.level {held} ELSE true END" if held else "true"
    statement = f"""
        FROM distributors d {joined.joins}
        WHERE d.standing = 'active' AND d.level > {FIRST_LEVEL} AND d.member_id {whose.condition}
            AND NOT {is_kept} AND {_REVIEWED}"""
    return statement, dict(joined.parameters) | _about(period)


_REVIEWED: Final = """
    coalesce((SELECT p.from_at FROM level_periods p
        WHERE p.member_id = d.member_id AND p.until_at IS NULL),
        d.approved_at) < :begins_at
    AND NOT EXISTS (SELECT 1 FROM distributor_steps s WHERE s.member_id = d.member_id
        AND 'frozen' IN (s.from_standing, s.to_standing) AND s.at >= :begins_at)
    AND NOT EXISTS (SELECT 1 FROM level_warnings w WHERE w.member_id = d.member_id
        AND (w.period = :period OR w.ended_at IS NULL))
"""
"""Who came to their level before the period, was not frozen since it began, and is not warned."""


def _about(period: Period) -> dict[str, Any]:
    return {"begins_at": period.begins_at, "period": period.name}


def _wanted(rules: Levels, span: Span) -> set[Wanted]:
    """Return every figure that any level of these depends on, within one span."""
    kinds = {one.kind for upgrade in rules.upgrades for one in upgrade.conditions}
    return {Wanted(kind, span) for kind in kinds}


def _kept(rules: Levels, level: int, columns: Mapping[Wanted, str], retention: Retention) -> str:
    """Say in SQL what `engines.levels.review` says of one: whether a level is kept."""
    upgrade = rules.upgrades[level - 2]
    of_kind = {wanted.kind: column for wanted, column in columns.items()}
    joint = " AND " if upgrade.mode is Mode.ALL else " OR "
    parts = (
        f"{of_kind[one.kind]} >= {required(one.at_least, retention.share_bp)}"
        for one in upgrade.conditions
    )
    return f"({joint.join(parts)})"


def _warn(
    member_ids: Sequence[int], rules: Levels, period: Period, *, version_id: int, now: datetime
) -> int:
    """Lock some distributors, look at them again, and warn those who still have to be."""

    def act() -> int:
        with atomic() as session:
            held = _lock(session, member_ids, period)
            found = _found(session, rules, list(held), Span.period(*period[1:]))
            seen = {one: review(rules, level, found[one]) for one, level in held.items()}
            missed = {one: got for one, got in seen.items() if got is not None and not got.is_kept}
            if missed:
                rows = [
                    _warning(one, got, period, version_id=version_id, now=now)
                    for one, got in missed.items()
                ]
                session.execute(sa.insert(LevelWarning), rows)
                outbox.emit_many(session, "level_warned", list(missed), now=now)
            return len(missed)

    return retrying(act)


def _warning(
    member_id: int, seen: Review, period: Period, *, version_id: int, now: datetime
) -> dict[str, Any]:
    """Return the row of one warning; the time of grace begins now."""
    about = {"period": period.name, "begins_at": period.begins_at.isoformat()}
    return {
        "member_id": member_id,
        "level": seen.level,
        "plan_version_id": version_id,
        "period": period.name,
        "facts": dict(seen.explanation) | about,
        "given_at": now,
        "until_at": now + timedelta(days=seen.grace_days),
    }


def _lock(session: Session, member_ids: Sequence[int], period: Period) -> dict[int, int]:
    """Lock those who are still to be reviewed for a period; return their levels."""
    session.execute(
        sa.select(Distributor.member_id)
        .where(Distributor.member_id.in_(member_ids))
        .order_by(Distributor.member_id)
        .with_for_update(key_share=True)
    )
    rows = session.execute(
        sa.text(
            "SELECT d.member_id, d.level FROM distributors d"  # noqa: S608 - our own constants
            f" WHERE d.standing = 'active' AND d.member_id = ANY(:ids) AND {_REVIEWED}"
        ),
        {"ids": list(member_ids)} | _about(period),
    )
    return {int(member_id): int(level) for member_id, level in rows}


def _found(
    session: Session, rules: Levels, member_ids: Sequence[int], span: Span
) -> dict[int, Figures]:
    found = figures.gather(session, _wanted(rules, span), member_ids)
    return {
        member_id: {wanted.kind: value for wanted, value in values.items()}
        for member_id, values in found.items()
    }


def end_warnings(*, now: datetime) -> int:
    """End open warnings that were made good or whose time is over, in sets; return how many.

    Whoever reached what was asked for keeps the level; whoever did not by the end of the grace
    falls by one level, never below the first.
    """
    ended, last_id = 0, 0
    while True:
        with atomic() as session:
            ids = session.scalars(
                sa.select(LevelWarning.id)
                .where(LevelWarning.ended_at.is_(None), LevelWarning.id > last_id)
                .order_by(LevelWarning.id)
                .limit(BATCH_MAX)
            ).all()
        if not ids:
            return ended
        ended += _end(ids, now=now)
        last_id = ids[-1]


def _end(warning_ids: Sequence[int], *, now: datetime) -> int:
    def act() -> int:
        with atomic() as session:
            open_ones = _lock_open(session, warning_ids)
            outcomes = _outcomes(session, open_ones, now=now)
            lost = [one for one in open_ones if outcomes.get(one.id) is WarningOutcome.LOST]
            for outcome in WarningOutcome:
                ids = [key for key, found in outcomes.items() if found is outcome]
                _write_outcome(session, ids, outcome, now=now)
            level_moves.record(session, [_fall(one) for one in lost], now=now)
            return len(outcomes)

    return retrying(act)


def _lock_open(session: Session, warning_ids: Sequence[int]) -> Sequence[Any]:
    """Lock the holders, then return their warnings that are still open, with level and standing."""
    holders = sa.select(LevelWarning.member_id).where(LevelWarning.id.in_(warning_ids))
    session.execute(
        sa.select(Distributor.member_id)
        .where(Distributor.member_id.in_(holders))
        .order_by(Distributor.member_id)
        .with_for_update(key_share=True)
    )
    return session.execute(
        sa.select(
            LevelWarning.id,
            LevelWarning.member_id,
            LevelWarning.level,
            LevelWarning.plan_version_id,
            LevelWarning.facts,
            LevelWarning.until_at,
            Distributor.level.label("held"),
            Distributor.standing,
        )
        .join(Distributor, Distributor.member_id == LevelWarning.member_id)
        .where(LevelWarning.id.in_(warning_ids), LevelWarning.ended_at.is_(None))
        .order_by(LevelWarning.id)
    ).all()


def _outcomes(
    session: Session, warnings: Sequence[Any], *, now: datetime
) -> dict[int, WarningOutcome]:
    """Decide which warnings end now, and how."""
    good = _made_good(session, warnings, now=now)
    outcomes = {}
    for one in warnings:
        if one.held > one.level or one.id in good:
            outcomes[one.id] = WarningOutcome.KEPT
        elif one.until_at > now:
            continue
        elif one.held < one.level or one.standing is not Standing.ACTIVE:
            outcomes[one.id] = WarningOutcome.LIFTED
        else:
            outcomes[one.id] = WarningOutcome.LOST
    return outcomes


def _made_good(session: Session, warnings: Sequence[Any], *, now: datetime) -> set[int]:
    """Return the warnings whose holders have by now reached what was asked for.

    What counts is settled from the beginning of the missed period to the end of the grace.
    """
    groups: dict[tuple[int, str, datetime], list[Any]] = {}
    for one in warnings:
        until = min(one.until_at, now)
        groups.setdefault((one.plan_version_id, one.facts["begins_at"], until), []).append(one)
    good = set()
    for (version_id, begins_at, until), group in groups.items():
        rules = load_rules(session.get_one(PlanVersion, version_id).rules).levels
        span = Span(datetime.fromisoformat(begins_at) - datetime.resolution, until)
        found = _found(session, rules, [one.member_id for one in group], span)
        for one in group:
            seen = review(rules, one.level, found[one.member_id])
            if seen is None or seen.is_kept:
                good.add(one.id)
    return good


def _write_outcome(
    session: Session, warning_ids: Sequence[int], outcome: WarningOutcome, *, now: datetime
) -> None:
    if warning_ids:
        session.execute(
            sa.update(LevelWarning)
            .where(LevelWarning.id.in_(warning_ids))
            .values(ended_at=now, outcome=outcome)
            .execution_options(synchronize_session=False)
        )


def _fall(warning: Any) -> Move:
    """Return the move of somebody who lost a level: by one, never below the first."""
    to_level = max(FIRST_LEVEL, warning.level - 1)
    names = ("period", "mode", "share_bp", "grace_days", "conditions")
    facts = {name: warning.facts[name] for name in names} | {
        "from_level": warning.level,
        "to_level": to_level,
        "warning_id": warning.id,
        "plan_version_id": warning.plan_version_id,
    }
    return Move(warning.member_id, to_level, DOWNGRADE, facts)
