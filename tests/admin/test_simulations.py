"""Asking for a simulation, watching it, and what its page shows and hands out."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.plan_records import PlanSimulation, SimulationKind, SimulationState
from app.distribution.simulation import services
from app.kernel.audit import SYSTEM
from app.kernel.db import database_now
from app.stores.roles import ensure_roles
from tests.admin.conftest import Desk
from tests.factories.orders import paid_order
from tests.factories.people import make_distributor, make_member, make_store
from tests.factories.plans import make_plan
from tests.factories.simulations import make_simulation

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORM: Final[dict[str, Any]] = {
    "kind": "growth",
    "against_version_id": "",
    "months": 2,
    "members": 60,
    "referral_bp": 6_000,
    "recruit_bp": 500,
    "orders_bp": 10_000,
    "min_fen": "29.00",
    "typical_fen": "168.00",
    "max_fen": "998.00",
    "refund_bp": 300,
    "stores": 1,
    "seed": 4,
}


def asked(desk: Desk, version_id: int, **changes: Any) -> Any:
    return desk.post("/simulations/form/new/", {**FORM, "version_id": version_id, **changes})


def all_of(session: Session) -> list[PlanSimulation]:
    session.expire_all()
    return list(session.scalars(sa.select(PlanSimulation).order_by(PlanSimulation.id)))


def test_a_simulation_is_asked_for_watched_and_shown(session: Session, owner: Desk) -> None:
    version = make_plan(session)
    session.commit()
    form = owner.get("/simulations/form/new/", version=version.id).get_data(as_text=True)
    assert f'selected value="{version.id}"' in form

    answer = asked(owner, version.id)

    [row] = all_of(session)
    assert answer.location.endswith(f"/simulations/details/?id={row.id}")
    assert (row.kind, row.parameters["typical_fen"]) == (SimulationKind.GROWTH, 16_800)
    waiting = owner.get("/simulations/details/", id=row.id).get_data(as_text=True)
    assert f'data-progress="/admin/simulations/status/?id={row.id}"' in waiting
    assert "simulations.js" in waiting
    told = owner.get("/simulations/status/", id=row.id).get_json()
    assert told == {"state": "queued", "said": "Waiting", "progress_bp": 0, "is_open": True}
    session.commit()

    services.work()

    done = owner.get("/simulations/details/", id=row.id).get_data(as_text=True)
    assert "data-progress" not in done
    assert "<svg" in done
    assert "Turnover after refunds" in done
    assert "Brought the customer" in done
    assert owner.get("/simulations/status/", id=row.id).get_json()["is_open"] is False


def test_wrong_parameters_stand_beside_their_fields_and_nothing_is_queued(
    session: Session, owner: Desk
) -> None:
    version = make_plan(session)
    session.commit()

    page = asked(owner, version.id, members=0, max_fen="1.00").get_data(as_text=True)

    assert "This must be at least 1." in page
    assert all_of(session) == []
    page = asked(owner, version.id, max_fen="1.00").get_data(as_text=True)
    assert "This must not be less than 16800." in page
    assert all_of(session) == []


def test_without_own_orders_the_form_says_so(session: Session, owner: Desk) -> None:
    version = make_plan(session)
    session.commit()

    page = asked(owner, version.id, kind="orders").get_data(as_text=True)

    assert "There is nothing to simulate" in page
    assert all_of(session) == []


def test_a_simulation_under_way_can_be_called_off(session: Session, owner: Desk) -> None:
    version = make_plan(session)
    session.commit()
    asked(owner, version.id)
    [row] = all_of(session)
    session.commit()

    owner.decide("simulations", "cancel", row.id)

    [row] = all_of(session)
    assert (row.state, row.error) == (SimulationState.FAILED, "simulation_cancelled")
    page = owner.get("/simulations/details/", id=row.id).get_data(as_text=True)
    assert "The simulation was called off." in page


def test_a_comparison_tells_who_gains_and_who_loses(session: Session, owner: Desk) -> None:
    current = make_plan(session, rates_first_bp=[500, 500, 500])
    row = make_simulation(session, current, against=current)
    session.commit()

    page = owner.get("/simulations/details/", id=row.id).get_data(as_text=True)

    assert "0 people gain ¥0.00 together." in page
    assert "Compared with" in page


@pytest.mark.parametrize("name", ["people", "months", "levels", "kinds", "seats", "refused"])
def test_every_table_is_handed_out_as_csv(session: Session, owner: Desk, name: str) -> None:
    row = make_simulation(session, make_plan(session))
    assert row.result is not None
    cost_fen = row.result["plan"]["cost_fen"]
    session.commit()

    answer = owner.get(f"/simulations/table/{name}/", id=row.id)

    assert answer.mimetype == "text/csv"
    heads, *rows = csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert rows
    if name == "people":
        assert sum(int(one[heads.index("fen")]) for one in rows) == cost_fen
    if name in {"levels", "kinds", "seats"}:
        assert sum(int(one[heads.index("net_fen")]) for one in rows) == cost_fen


def test_a_table_that_does_not_exist_is_not_found(session: Session, owner: Desk) -> None:
    row = make_simulation(session, make_plan(session))
    session.commit()

    assert owner.get("/simulations/table/secrets/", id=row.id).status_code == 404
    assert owner.get("/simulations/table/people/", id=10**9).status_code == 404
    assert owner.get("/simulations/status/", id=10**9).status_code == 404


def test_people_of_other_stores_stay_unnamed_and_their_table_shut(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    ensure_roles(session)
    here, there = make_store(session), make_store(session)
    seller = make_member(session, nickname="Somebody elsewhere")
    distributor = make_distributor(session, seller, store_id=there.id)
    version = make_plan(session)
    session.commit()
    now = database_now()
    paid_order(session, owner=distributor, now=now - timedelta(days=2))
    wish = services.Wish(
        version_id=version.id, kind=SimulationKind.ORDERS, parameters={"months": 1}
    )
    row_id = services.request(session, wish, actor=SYSTEM, now=now).id
    session.commit()
    services.work()
    everywhere, local = sit_down("owner"), sit_down("owner", here)

    for desk, sees in ((everywhere, True), (local, False)):
        page = desk.get("/simulations/details/", id=row_id).get_data(as_text=True)
        assert ("Somebody elsewhere" in page) is sees
        status = 200 if sees else 403
        assert desk.get("/simulations/table/people/", id=row_id).status_code == status
        assert desk.get("/simulations/table/months/", id=row_id).status_code == 200
