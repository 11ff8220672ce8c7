"""Simulations that have ended, for tests."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy.orm import Session

from app.distribution.plan_records import PlanSimulation, SimulationKind, SimulationState
from app.distribution.simulation.growth import Brand
from app.distribution.simulation.lane import Entry
from app.distribution.simulation.parameters import read_growth
from app.distribution.simulation.results import result_of
from app.distribution.simulation.runner import run
from app.distribution.simulation.services import entry_of
from app.plans.models import PlanVersion

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_simulation(
    session: Session, version: PlanVersion, *, against: PlanVersion | None = None
) -> PlanSimulation:
    """A small brand that was invented, with what the version would have paid there."""
    growth = read_growth({"members": 80, "months": 2, "orders_bp": 10_000})
    versions = [version] if against is None else [version, against]
    entries = [Entry(rules=entry_of(one).rules) for one in versions]
    lanes = run(Brand(growth).happenings(), entries, levels_rise=True)
    parameters = growth.model_dump(mode="json")
    simulation = PlanSimulation(
        version_id=version.id,
        revision=version.revision,
        against_version_id=against.id if against else None,
        kind=SimulationKind.GROWTH,
        parameters=parameters,
        state=SimulationState.DONE,
        progress_bp=10_000,
        result=result_of(lanes, kind="growth", parameters=parameters),
        requested_at=NOON,
        ended_at=NOON,
        actor="system",
    )
    session.add(simulation)
    session.flush()
    return simulation
