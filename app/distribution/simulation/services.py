"""Simulations that people asked for: queued, worked off with a lease, told about as they run.

A worker writes how far it is every second or so, in a transaction of its own, and so keeps its
lease. One that dies loses it, and the next worker begins again: the same seed, or the same orders,
give the same result. What takes two workers down is not tried a third time.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.distribution.plan_records import PlanSimulation, SimulationKind, SimulationState
from app.distribution.simulation import history
from app.distribution.simulation.errors import (
    NothingToSimulate,
    SimulationCancelled,
    SimulationInterrupted,
    SimulationNotFound,
)
from app.distribution.simulation.growth import Brand
from app.distribution.simulation.lane import Entry
from app.distribution.simulation.parameters import read_growth, read_history
from app.distribution.simulation.results import result_of
from app.distribution.simulation.runner import run
from app.engines.documents import load_rules
from app.kernel import audit, outbox
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, database_now
from app.kernel.errors import DomainError
from app.kernel.i18n import N_, Message
from app.kernel.money import BASIS_POINTS
from app.plans import services as plans
from app.plans.errors import PlanNotFound, PlanRevised
from app.plans.models import PlanVersion
from app.plans.queries import versions_in_force
from app.plans.scopes import Scope

Clock: TypeAlias = Callable[[], datetime]

LEASE: Final = timedelta(minutes=5)
TELL_SECONDS: Final = 1.0
NEARLY_DONE_BP: Final = BASIS_POINTS - 1
OPEN: Final = (SimulationState.QUEUED, SimulationState.RUNNING)
FAILED_ELSE: Final = N_("The simulation failed: %(error)s")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be tried on what, and the version it is compared with, if any."""

    version_id: int
    kind: SimulationKind
    parameters: Mapping[str, Any] = field(default_factory=dict)
    against_version_id: int | None = None


@dataclass(slots=True)
class _Claimed:
    """A simulation that this worker has, and until when, which also tells its lease from others."""

    id: int
    version_id: int
    revision: int
    actor: str
    kind: SimulationKind
    parameters: Mapping[str, Any]
    entries: tuple[Entry, ...]
    lease_until_at: datetime


def request(session: Session, wish: Wish, *, actor: Actor, now: datetime) -> PlanSimulation:
    """Queue a simulation of a version as it stands.

    The version must have been through the compliance check, whatever that found: what it forbids
    can be tried, and goes no further. Raises PlanNotFound, PlanNotChecked, SimulationInvalid and
    NothingToSimulate.
    """
    version = plans.lock_version(session, wish.version_id)
    plans.latest_check(session, version)
    against = wish.against_version_id
    if against is not None and session.get(PlanVersion, against) is None:
        raise PlanNotFound
    row = PlanSimulation(
        version_id=version.id,
        revision=version.revision,
        against_version_id=against,
        kind=wish.kind,
        parameters=_validated(session, wish, entry_of(version), now=now),
        state=SimulationState.QUEUED,
        progress_bp=0,
        requested_at=now,
        actor=str(actor),
    )
    session.add(row)
    session.flush()
    facts = {"kind": row.kind.value, "parameters": row.parameters, "revision": row.revision}
    subject = Subject("plan_version", version.id)
    audit.record(session, actor, "plan.simulated", subject, Change(after=facts), now=now)
    outbox.emit(session, "simulation_requested", row.id, now=now)
    return row


def cancel(session: Session, simulation_id: int, *, actor: Actor, now: datetime) -> PlanSimulation:
    """Call a simulation off that has not ended; one that has stays as it is."""
    row = session.get(PlanSimulation, simulation_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise SimulationNotFound
    if row.state in OPEN:
        _fail(row, SimulationCancelled.code, now=now)
        session.flush()
        log.info("simulation_cancelled", simulation_id=row.id, actor=str(actor))
    return row


def in_force_of(session: Session, plan_id: int, *, at: datetime) -> PlanVersion | None:
    """Return the version of a plan that is in force at an instant."""
    return next((one for one in versions_in_force(session, at=at) if one.plan_id == plan_id), None)


def entry_of(version: PlanVersion) -> Entry:
    """Return the rules of a version and what they are for."""
    scope = Scope.read(dict(version.scope))
    return Entry(
        rules=load_rules(version.rules),
        store_ids=scope.store_ids,
        product_ids=scope.product_ids,
    )


def failure(row: PlanSimulation) -> Message:
    """Tell why a simulation failed."""
    known: Mapping[str, Message] = {
        NothingToSimulate.code: NothingToSimulate(row.parameters.get("months", 0)).message(),
        SimulationCancelled.code: SimulationCancelled().message(),
        SimulationInterrupted.code: SimulationInterrupted().message(),
        PlanRevised.code: Message(N_("The version was revised before the simulation had begun.")),
    }
    return known.get(row.error or "", Message(FAILED_ELSE, {"error": row.error or ""}))


def work(clock: Clock = database_now) -> int:
    """Run every simulation that waits, one after the other; return how many were taken up.

    `clock` tells what time it is, wherever it is written down.
    """
    count = 0
    while _work_one(clock):
        count += 1
    return count


def _work_one(clock: Clock) -> bool:
    now = clock()
    with atomic() as session:
        row = _next(session, now=now)
        if row is None:
            return False
        claimed = _claim(session, row, now=now)
    if claimed is None:
        return True
    try:
        result = _run(claimed, clock)
    except SimulationCancelled:
        log.info("simulation_given_up", simulation_id=claimed.id)
    except DomainError as error:
        _end_failed(claimed, error.code, now=clock())
    except Exception as error:
        log.exception("simulation_failed", simulation_id=claimed.id)
        _end_failed(claimed, type(error).__name__, now=clock())
    else:
        _end_done(claimed, result, now=clock())
    return True


def _next(session: Session, *, now: datetime) -> PlanSimulation | None:
    """Lock the oldest simulation that nobody works on."""
    running, state = SimulationState.RUNNING, PlanSimulation.state
    lost = sa.and_(state == running, PlanSimulation.lease_until_at < now)
    return session.scalar(
        sa.select(PlanSimulation)
        .where(sa.or_(state == SimulationState.QUEUED, lost))
        .order_by(PlanSimulation.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _claim(session: Session, row: PlanSimulation, *, now: datetime) -> _Claimed | None:
    """Take a simulation for this worker; None where it ends here, with its reason."""
    version = session.get_one(PlanVersion, row.version_id, populate_existing=True)
    is_taken_over = row.state is SimulationState.RUNNING
    if is_taken_over and row.error == SimulationInterrupted.code:
        _fail(row, SimulationInterrupted.code, now=now)
        return None
    if version.revision != row.revision:
        _fail(row, PlanRevised.code, now=now)
        return None
    row.state, row.progress_bp, row.lease_until_at = SimulationState.RUNNING, 0, now + LEASE
    row.error = SimulationInterrupted.code if is_taken_over else None
    versions = [version]
    if row.against_version_id is not None:
        versions.append(session.get_one(PlanVersion, row.against_version_id))
    session.flush()
    return _Claimed(
        row.id,
        row.version_id,
        row.revision,
        row.actor,
        row.kind,
        dict(row.parameters),
        tuple(entry_of(one) for one in versions),
        now + LEASE,
    )


def _run(claimed: _Claimed, clock: Clock) -> dict[str, Any]:
    if claimed.kind is SimulationKind.GROWTH:
        growth = read_growth(claimed.parameters)
        telling = _Telling(claimed, growth.orders, clock)
        entries = [Entry(rules=one.rules) for one in claimed.entries]
        lanes = run(Brand(growth).happenings(), entries, levels_rise=True, progress=telling)
    else:
        window = history.window_of(read_history(claimed.parameters), now=clock())
        with atomic() as session:
            orders = history.count_orders(session, window, claimed.entries[0])
        telling = _Telling(claimed, orders, clock)
        lanes = run(
            history.happenings(window),
            claimed.entries,
            levels_rise=False,
            until_at=window.until_at,
            progress=telling,
        )
    telling.now()
    return result_of(lanes, kind=claimed.kind.value, parameters=claimed.parameters)


class _Telling:
    """Writes how far a simulation is, which keeps its lease; raises where somebody else has it."""

    def __init__(self, claimed: _Claimed, orders: int, clock: Clock) -> None:
        self._claimed, self._clock = claimed, clock
        self._expected = max(orders, 1)
        self._orders = 0
        self._told_at = time.monotonic()

    def __call__(self, orders: int) -> None:
        self._orders = orders
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self.now()

    def now(self) -> None:
        """Write it now."""
        self._told_at = time.monotonic()
        progress_bp = min(self._orders * BASIS_POINTS // self._expected, NEARLY_DONE_BP)
        lease = self._clock() + LEASE
        with atomic() as session:
            row = _lock_own(session, self._claimed)
            if row is None:
                raise SimulationCancelled
            row.progress_bp, row.lease_until_at = progress_bp, lease
        self._claimed.lease_until_at = lease


def _lock_own(session: Session, claimed: _Claimed) -> PlanSimulation | None:
    """Lock a simulation that this worker still has; None where it lost it."""
    row = session.get_one(PlanSimulation, claimed.id, with_for_update=True, populate_existing=True)
    is_ours = row.lease_until_at == claimed.lease_until_at
    return row if is_ours and row.state is SimulationState.RUNNING else None


def _end_failed(claimed: _Claimed, reason: str, *, now: datetime) -> None:
    with atomic() as session:
        row = _lock_own(session, claimed)
        if row is not None:
            _fail(row, reason, now=now)


def _end_done(claimed: _Claimed, result: dict[str, Any], *, now: datetime) -> None:
    """Keep the result, and let the version go on from there if it is still the same revision."""
    with atomic() as session:
        plans.lock_version(session, claimed.version_id)
        row = _lock_own(session, claimed)
        if row is None:
            return
        row.state, row.result, row.error = SimulationState.DONE, result, None
        row.progress_bp, row.lease_until_at, row.ended_at = BASIS_POINTS, None, now
        session.flush()
        plans.note_simulated(
            session, claimed.version_id, revision=claimed.revision, actor=claimed.actor, now=now
        )


def _fail(row: PlanSimulation, reason: str, *, now: datetime) -> None:
    row.state, row.error = SimulationState.FAILED, reason
    row.lease_until_at, row.ended_at = None, now


def _validated(session: Session, wish: Wish, entry: Entry, *, now: datetime) -> dict[str, Any]:
    """Return the parameters as they are stored: complete, and with the instant they end at."""
    if wish.kind is SimulationKind.GROWTH:
        return read_growth(wish.parameters).model_dump(mode="json")
    meant = read_history({**wish.parameters, "until_at": now.isoformat()})
    history.demand_orders(session, history.window_of(meant, now=now), entry)
    return meant.model_dump(mode="json")
