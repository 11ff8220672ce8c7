"""The monitor: teams that have grown to where the law calls them a scheme, and what stops them.

The criminal line is thirty persons and three tiers along recommendations, the organiser's own tier
included, and whoever formally left but is still paid keeps counting (刑法 art. 224-1). Counted are,
from each root down, the people who ever received an award, matured or not, and the tiers of those
who were ever approved, whatever became of them since. A root is whoever nobody brought: a line
crossed anywhere below is crossed there as well.

A team over the line is stopped once. A person lifts that, with a reason, and takes the
responsibility for the team as it was then; it is stopped again when it has grown by as many paid
people as the line has, or by a tier.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.kernel import audit, outbox
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, take_time
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.members.decisions import require_reason
from app.members.models import Distributor, TeamStop
from app.settings import Settings

SET_SIZE: Final = 5_000
"""How many roots are counted by one statement."""
_WATCH_LOCK: Final = 7_310_009

log = structlog.get_logger()


@dataclass(eq=False)
class TeamStopNotFound(DomainError):
    """There is no such stop, or it was lifted already."""

    code: ClassVar[str] = "team_stop_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This team is not stopped.")


class Size(NamedTuple):
    """How far a team has grown."""

    root_id: int
    paid_people: int
    tiers: int


_SIZES: Final = """
    WITH RECURSIVE team AS (
        SELECT d.member_id, d.member_id AS root_id, 1 AS tier, d.approved_at <= :by AS is_in
        FROM distributors d WHERE d.member_id = ANY(:roots)
        UNION ALL
        SELECT below.member_id, team.root_id, team.tier + 1, below.is_in
        FROM team CROSS JOIN LATERAL (
            SELECT d.member_id, d.approved_at <= :by AS is_in
            FROM distributors d WHERE d.recommender_id = team.member_id OFFSET 0) AS below
    )
    SELECT root_id, count(*) FILTER (WHERE is_paid) AS paid_people,
        max(tier) FILTER (WHERE is_in) AS tiers
    FROM (SELECT root_id, tier, is_in, EXISTS (SELECT 1 FROM awards a
            WHERE a.beneficiary_id = team.member_id AND a.created_at <= :by) AS is_paid
        FROM team) AS counted
    GROUP BY root_id
    HAVING count(*) FILTER (WHERE is_paid) >= :people AND max(tier) FILTER (WHERE is_in) >= :tiers
    ORDER BY root_id
"""
"""Teams over the line among some roots. `OFFSET 0` keeps the planner from reading the whole table
once for every tier: it looks below each person by the index of recommenders instead."""


def watch_trees(*, settings: Settings, now: datetime) -> int:
    """Count every team and stop those that have crossed the line; return how many were stopped.

    One run at a time; a second one does nothing. Open stops get the present figures.
    """
    stopped = 0
    with atomic() as session:
        sets = list(_roots(session, settings))
    for roots in sets:
        with atomic() as session:
            if not session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_WATCH_LOCK))):
                return stopped
            for size in sizes(session, roots, settings=settings, by=now):
                stopped += _note(session, size, settings=settings, now=now)
    return stopped


def over_the_line(session: Session, *, settings: Settings, by: datetime) -> Iterator[Size]:
    """Yield every team that had crossed the line by an instant, stopped or not."""
    for roots in _roots(session, settings):
        yield from sizes(session, roots, settings=settings, by=by)


def sizes(session: Session, roots: list[int], *, settings: Settings, by: datetime) -> list[Size]:
    """Return those teams among some roots that had crossed the line by an instant."""
    take_time(session)
    rows = session.execute(
        sa.text(_SIZES),
        {
            "roots": roots,
            "by": by,
            "people": settings.tree_stop_people,
            "tiers": settings.tree_stop_tiers,
        },
    )
    return [Size(*map(int, row)) for row in rows]


def _roots(session: Session, settings: Settings) -> Iterator[list[int]]:
    """Yield sets of roots whose teams could have crossed the line at all.

    The counters of a root say whether it has a second and a third tier, so that the many who
    brought nobody, or nobody who brought anybody, are passed over.
    """
    last_id = 0
    conditions: list[sa.ColumnElement[bool]] = [Distributor.recommender_id.is_(None)]
    if settings.tree_stop_tiers > 1:
        conditions.append(Distributor.direct_count > 0)
    if settings.tree_stop_tiers > 2:  # noqa: PLR2004 - the third tier
        conditions.append(Distributor.second_count > 0)
    while True:
        roots = list(
            session.scalars(
                sa.select(Distributor.member_id)
                .where(*conditions, Distributor.member_id > last_id)
                .order_by(Distributor.member_id)
                .limit(SET_SIZE)
            )
        )
        if not roots:
            return
        yield roots
        last_id = roots[-1]


def _note(session: Session, size: Size, *, settings: Settings, now: datetime) -> bool:
    """Stop a team that is over the line, unless it is or was let go at about this size."""
    last = session.scalar(
        sa.select(TeamStop)
        .where(TeamStop.root_id == size.root_id)
        .order_by(TeamStop.id.desc())
        .limit(1)
        .with_for_update()
    )
    if last is not None and last.lifted_at is None:
        last.paid_people, last.tiers = size.paid_people, size.tiers
        return False
    if last is not None and not _has_grown(last, size, settings):
        return False
    stop = TeamStop(
        root_id=size.root_id,
        paid_people=size.paid_people,
        tiers=size.tiers,
        stops_joining=settings.tree_stops_joining,
        raised_at=now,
        reason="",
    )
    session.add(stop)
    session.flush()
    outbox.emit(session, "team_stopped", size.root_id, now=now)
    log.warning("team_over_the_line", **size._asdict(), stops_joining=settings.tree_stops_joining)
    return True


def _has_grown(last: TeamStop, size: Size, settings: Settings) -> bool:
    more_people = size.paid_people >= last.paid_people + settings.tree_stop_people
    return more_people or size.tiers > last.tiers


def lift_stop(
    session: Session, stop_id: int, *, actor: Actor, reason: str, now: datetime
) -> TeamStop:
    """Let newcomers into a stopped team again, saying why.

    Raises `ReasonRequired`, `TeamStopNotFound`.
    """
    require_reason(reason)
    stop = session.scalar(sa.select(TeamStop).where(TeamStop.id == stop_id).with_for_update())
    if stop is None or stop.lifted_at is not None:
        raise TeamStopNotFound
    stop.lifted_at, stop.lifted_by, stop.reason = now, str(actor), reason.strip()
    store_id = session.scalar(
        sa.select(Distributor.store_id).where(Distributor.member_id == stop.root_id)
    )
    facts: Mapping[str, Any] = {"paid_people": stop.paid_people, "tiers": stop.tiers}
    audit.record(
        session,
        actor,
        "team_stop_lifted",
        Subject("distributor", stop.root_id, store_id),
        Change(facts, {"stop_id": stop_id}, reason),
        now=now,
    )
    session.flush()
    return stop
