"""Simulations that were asked for: queued, run, told about, taken over, called off."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.plan_records import PlanSimulation, SimulationKind, SimulationState
from app.distribution.simulation import services
from app.distribution.simulation.errors import (
    NothingToSimulate,
    SimulationInvalid,
    SimulationNotFound,
)
from app.distribution.simulation.services import Wish
from app.engines.documents import load_rules
from app.engines.registry import MODELS
from app.kernel.audit import SYSTEM, AuditRecord
from app.kernel.i18n import ENGLISH, translate
from app.kernel.outbox import OutboxEvent
from app.plans import services as plans
from app.plans.errors import PlanNotChecked, PlanNotFound
from app.plans.models import PlanVersion, PlanVersionState
from app.plans.services import Draft, Verdict
from tests.factories.orders import paid_order
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan

DAY = timedelta(days=1)
GROWTH = {"members": 60, "months": 2, "orders_bp": 10_000, "seed": 3}


def drafted(
    session: Session, now: datetime, *, severity: str = "", name: str = "Trial", **rules: Any
) -> PlanVersion:
    """A draft that has been through the check, which found what `severity` says, if anything."""
    model = "CHANNEL_TWO_LEVEL"
    plan = plans.create_plan(session, name, model=model, now=now)
    version = plans.draft(
        session, plan.id, Draft(rules={"model": model, **rules}), actor=SYSTEM, now=now
    )
    findings = ({"rule": "C1", "severity": severity},) if severity else ()
    bound = MODELS[model].bound(load_rules(version.rules))
    verdict = Verdict(profile="cn", findings=findings, bound=bound)
    plans.record_check(session, version.id, verdict, actor=SYSTEM, now=now)
    return version


def ask(
    session: Session,
    version: PlanVersion,
    now: datetime,
    *,
    parameters: Mapping[str, Any] = GROWTH,
    against: int | None = None,
) -> PlanSimulation:
    wish = Wish(
        version_id=version.id,
        kind=SimulationKind.GROWTH,
        parameters=parameters,
        against_version_id=against,
    )
    row = services.request(session, wish, actor=SYSTEM, now=now)
    session.commit()
    return row


def seen(session: Session, row: PlanSimulation) -> PlanSimulation:
    session.expire_all()
    return session.get_one(PlanSimulation, row.id)


def test_a_simulation_is_queued_run_and_lets_the_version_go_on(
    session: Session, now: datetime
) -> None:
    version = drafted(session, now)
    row = ask(session, version, now)
    assert (row.state, row.progress_bp) == (SimulationState.QUEUED, 0)
    events = session.execute(sa.select(OutboxEvent.name, OutboxEvent.subject_id)).all()
    assert ("simulation_requested", row.id) in [tuple(one) for one in events]
    actions = session.scalars(sa.select(AuditRecord.action)).all()
    assert "plan.simulated" in actions

    assert services.work() == 1

    done = seen(session, row)
    assert (done.state, done.progress_bp, done.error) == (SimulationState.DONE, 10_000, None)
    assert done.lease_until_at is None
    assert done.result is not None
    assert done.result["plan"]["orders"] == 90
    assert done.parameters["members"] == 60
    assert done.parameters["refund_bp"] == 300
    assert session.get_one(PlanVersion, version.id).state is PlanVersionState.SIMULATED
    assert services.work() == 0


def test_running_again_gives_the_same_bytes(session: Session, now: datetime) -> None:
    version = drafted(session, now)
    rows = [ask(session, version, now), ask(session, version, now)]

    assert services.work() == 2

    one, other = (json.dumps(seen(session, row).result, sort_keys=True) for row in rows)
    assert one == other


def test_a_version_is_compared_with_the_one_in_force(session: Session, now: datetime) -> None:
    current = make_plan(session, rates_first_bp=[500, 500, 500])
    version = drafted(session, now)
    row = ask(session, version, now, against=current.id)
    assert services.in_force_of(session, current.plan_id, at=now) is current
    assert services.in_force_of(session, version.plan_id, at=now) is None

    services.work()

    result = seen(session, row).result
    assert result is not None
    difference_fen = result["plan"]["cost_fen"] - result["against"]["cost_fen"]
    assert result["comparison"]["gained_fen"] == difference_fen > 0
    assert result["comparison"]["losing"] == 0


def test_own_orders_are_simulated_as_they_were_when_it_was_asked_for(
    session: Session, now: datetime
) -> None:
    version = drafted(session, now)
    owner = make_distributor(session)
    paid_order(session, price_fen=10_000, owner=owner, now=now - DAY)
    wish = Wish(version_id=version.id, kind=SimulationKind.ORDERS, parameters={"months": 1})
    row = services.request(session, wish, actor=SYSTEM, now=now)
    paid_order(session, price_fen=70_000, owner=owner, now=now + DAY)
    session.commit()

    services.work()

    result = seen(session, row).result
    assert result is not None
    assert (result["plan"]["turnover_fen"], result["plan"]["cost_fen"]) == (10_000, 1_000)
    assert result["people"]["rows"] == [[owner.member_id, 1_000, 0]]


def test_what_cannot_be_simulated_is_refused_and_nothing_is_queued(
    session: Session, now: datetime
) -> None:
    version = drafted(session, now)
    unchecked = plans.draft(
        session, version.plan_id, Draft(rules=version.rules), actor=SYSTEM, now=now
    )
    wishes: list[tuple[Wish, type[Exception]]] = [
        (Wish(version_id=unchecked.id, kind=SimulationKind.GROWTH), PlanNotChecked),
        (Wish(version_id=10**9, kind=SimulationKind.GROWTH), PlanNotFound),
        (
            Wish(version_id=version.id, kind=SimulationKind.GROWTH, against_version_id=10**9),
            PlanNotFound,
        ),
        (
            Wish(version_id=version.id, kind=SimulationKind.GROWTH, parameters={"members": 0}),
            SimulationInvalid,
        ),
        (
            Wish(version_id=version.id, kind=SimulationKind.ORDERS, parameters={"months": 2}),
            NothingToSimulate,
        ),
    ]

    for wish, error in wishes:
        with pytest.raises(error):
            services.request(session, wish, actor=SYSTEM, now=now)

    assert session.scalar(sa.select(sa.func.count()).select_from(PlanSimulation)) == 0


def test_what_the_law_forbids_can_be_tried_and_goes_no_further(
    session: Session, now: datetime
) -> None:
    version = drafted(session, now, severity="BLOCK")
    row = ask(session, version, now)

    services.work()

    assert seen(session, row).state is SimulationState.DONE
    assert session.get_one(PlanVersion, version.id).state is PlanVersionState.DRAFT


def test_a_version_that_was_revised_meanwhile_is_not_simulated(
    session: Session, now: datetime
) -> None:
    version = drafted(session, now)
    row = ask(session, version, now)
    rules = {**version.rules, "payout_cap_bp": 2_900}
    plans.revise(session, version.id, Draft(rules=rules), revision=1, actor=SYSTEM, now=now)
    session.commit()

    assert services.work() == 1

    failed = seen(session, row)
    assert (failed.state, failed.result) == (SimulationState.FAILED, None)
    assert "revised" in translate(services.failure(failed), ENGLISH)
    assert session.get_one(PlanVersion, version.id).state is PlanVersionState.DRAFT


def lost(session: Session, row: PlanSimulation, *, until_at: datetime) -> None:
    """Leave a simulation as a worker leaves it that died."""
    row.state, row.lease_until_at, row.progress_bp = SimulationState.RUNNING, until_at, 4_000
    session.commit()


def test_a_lost_simulation_is_taken_over_once_its_lease_is_over(
    session: Session, now: datetime
) -> None:
    real_now = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    row = ask(session, drafted(session, now), now)
    lost(session, row, until_at=real_now + DAY)
    assert services.work() == 0
    assert seen(session, row).progress_bp == 4_000

    lost(session, seen(session, row), until_at=real_now - DAY)

    assert services.work() == 1
    assert seen(session, row).state is SimulationState.DONE


def test_what_takes_two_workers_down_is_not_tried_a_third_time(
    session: Session, now: datetime
) -> None:
    row = ask(session, drafted(session, now), now)
    row.error = "simulation_interrupted"
    lost(session, row, until_at=now - DAY)

    assert services.work() == 1

    failed = seen(session, row)
    assert (failed.state, failed.lease_until_at) == (SimulationState.FAILED, None)
    assert "twice" in translate(services.failure(failed), ENGLISH)


def test_a_simulation_that_breaks_fails_with_its_reason_and_the_next_one_runs(
    session: Session, now: datetime
) -> None:
    version = drafted(session, now)
    broken = PlanSimulation(
        version_id=version.id,
        revision=version.revision,
        kind=SimulationKind.GROWTH,
        parameters={"members": "many"},
        state=SimulationState.QUEUED,
        progress_bp=0,
        requested_at=now,
        actor="system",
    )
    session.add(broken)
    whole = ask(session, version, now)

    assert services.work() == 2

    failed = seen(session, broken)
    assert (failed.state, failed.error) == (SimulationState.FAILED, "simulation_invalid")
    assert "simulation_invalid" in translate(services.failure(failed), ENGLISH)
    assert seen(session, whole).state is SimulationState.DONE


def test_a_simulation_can_be_called_off_before_its_end_and_not_after(
    session: Session, now: datetime
) -> None:
    version = drafted(session, now)
    row = ask(session, version, now)
    services.cancel(session, row.id, actor=SYSTEM, now=now)
    session.commit()

    assert services.work() == 0
    called_off = seen(session, row)
    assert (called_off.state, called_off.ended_at) == (SimulationState.FAILED, now)
    assert "called off" in translate(services.failure(called_off), ENGLISH)

    done = ask(session, version, now)
    services.work()
    services.cancel(session, done.id, actor=SYSTEM, now=now)
    assert seen(session, done).state is SimulationState.DONE
    with pytest.raises(SimulationNotFound):
        services.cancel(session, 10**9, actor=SYSTEM, now=now)
