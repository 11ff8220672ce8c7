"""What stores are like, their life, their regions, and how they are found."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.stores import finding, places, regions
from app.stores.errors import (
    RegionInUse,
    RegionNameInvalid,
    RegionNameTaken,
    RegionNotFound,
    StoreCodeTaken,
    StoreInvalid,
    StoreNameTaken,
    StoreNotFound,
    StoreNotInState,
)
from app.stores.finding import Spot
from app.stores.hours import OpeningHours, parse_day
from app.stores.models import Region, Store, StoreStep
from app.stores.places import StoreSpec
from app.stores.states import STORE_TRANSITIONS, StoreEvent, StoreState
from tests.factories.people import make_staff, make_store

ANN = Actor("staff", 1)
JINGAN = Spot(31_229_000, 121_454_000)


def spec(**facts: object) -> StoreSpec:
    return StoreSpec(**{"name": "静安店", **facts})  # type: ignore[arg-type]  # the test's own


def last_audit(session: Session) -> AuditRecord:
    return session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()


def test_a_store_keeps_all_that_was_said_of_it(session: Session, now: datetime) -> None:
    region = regions.create_region(session, name="上海", actor=ANN, now=now)
    hours = OpeningHours(monday=parse_day("10:00-22:00"))

    store = places.create_store(
        session,
        spec(
            code=" ja01 ",
            region_id=region.id,
            city="上海市",
            district="静安区",
            address="南京西路 1266 号",
            phone="021-62880000",
            latitude_udeg=JINGAN.latitude_udeg,
            longitude_udeg=JINGAN.longitude_udeg,
            opening_hours=hours,
        ),
        actor=ANN,
        now=now,
    )

    session.refresh(store)
    assert (store.code, store.region_id, store.city) == ("JA01", region.id, "上海市")
    assert (store.phone, store.latitude_udeg) == ("021-62880000", 31_229_000)
    assert store.opening_hours == hours.document()
    assert store.state is StoreState.OPEN


def test_a_store_without_a_code_gets_one_from_its_number(session: Session, now: datetime) -> None:
    store = places.create_store(session, spec(), actor=ANN, now=now)

    assert store.code == f"S{store.id:03d}"
    assert last_audit(session).after["code"] == store.code


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": "x" * 61}, "name"),
        ({"code": "A"}, "code"),
        ({"code": "静安"}, "code"),
        ({"address": "x" * 201}, "address"),
        ({"city": "x" * 41}, "city"),
        ({"phone": "call me"}, "phone"),
        ({"latitude_udeg": 90_000_001, "longitude_udeg": 0}, "latitude_udeg"),
        ({"latitude_udeg": 0, "longitude_udeg": -180_000_001}, "longitude_udeg"),
        ({"latitude_udeg": 1}, "longitude_udeg"),
        ({"longitude_udeg": 1}, "latitude_udeg"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    session: Session, now: datetime, facts: dict[str, object], field: str
) -> None:
    with pytest.raises(StoreInvalid) as refusal:
        places.create_store(session, spec(**facts), actor=ANN, now=now)

    assert refusal.value.field == field
    assert session.scalars(sa.select(Store)).all() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("code", "lower"), ("latitude_udeg", 90_000_001), ("state", "burnt"), ("latitude_udeg", 5)],
)
def test_the_database_refuses_it_too(session: Session, column: str, value: object) -> None:
    store = make_store(session)

    with pytest.raises(IntegrityError):
        session.execute(
            sa.text(f"UPDATE stores SET {column} = :value WHERE id = :id"),  # noqa: S608
            {"value": value, "id": store.id},
        )


def test_names_and_codes_tell_stores_apart(session: Session, now: datetime) -> None:
    places.create_store(session, spec(code="JA"), actor=ANN, now=now)
    other = places.create_store(session, spec(name="徐汇店", code="XH"), actor=ANN, now=now)

    with pytest.raises(StoreNameTaken):
        places.edit_store(session, other.id, spec(code="XH"), actor=ANN, now=now)
    with pytest.raises(StoreCodeTaken):
        places.edit_store(session, other.id, spec(name="徐汇店", code="ja"), actor=ANN, now=now)
    with pytest.raises(StoreCodeTaken):
        places.create_store(session, spec(name="新店", code="JA"), actor=ANN, now=now)
    with pytest.raises(RegionNotFound):
        places.create_store(session, spec(name="新店", region_id=999_999), actor=ANN, now=now)

    session.refresh(other)
    assert (other.name, other.code) == ("徐汇店", "XH")


def test_an_edit_is_on_record_with_what_was_before(session: Session, now: datetime) -> None:
    region = regions.create_region(session, name="上海", actor=ANN, now=now)
    store = places.create_store(session, spec(code="JA", region_id=region.id), actor=ANN, now=now)

    places.edit_store(session, store.id, spec(address="2 号"), actor=ANN, now=now)

    entry = last_audit(session)
    assert (entry.action, entry.store_id) == ("store_edited", store.id)
    assert (entry.before["address"], entry.after["address"]) == ("", "2 号")
    assert (store.code, store.region_id) == ("JA", region.id)
    with pytest.raises(StoreNotFound):
        places.edit_store(session, 999_999, spec(), actor=ANN, now=now)


def test_an_edit_that_changes_nothing_leaves_no_trace(session: Session, now: datetime) -> None:
    store = places.create_store(session, spec(), actor=ANN, now=now)
    before = last_audit(session).id

    places.edit_store(session, store.id, spec(), actor=ANN, now=now)

    assert last_audit(session).id == before


@pytest.mark.parametrize("state", list(StoreState))
@pytest.mark.parametrize("event", list(StoreEvent))
def test_a_store_lives_by_its_table(
    session: Session, now: datetime, state: StoreState, event: StoreEvent
) -> None:
    store = make_store(session)
    store.state = state
    session.flush()
    target = STORE_TRANSITIONS.get((state, event))

    if target is None:
        with pytest.raises(StoreNotInState):
            places.change_state(session, store.id, event, actor=ANN, reason="r", now=now)
        assert session.scalars(sa.select(StoreStep)).all() == []
        return
    places.change_state(session, store.id, event, actor=ANN, reason="water damage", now=now)

    step = session.scalars(sa.select(StoreStep)).one()
    assert (store.state, store.is_open) == (target, target is StoreState.OPEN)
    assert (step.to_state, step.actor, step.reason, step.at) == (
        target,
        "staff:1",
        "water damage",
        now,
    )
    entry = last_audit(session)
    assert (entry.action, entry.reason) == (f"store_{target}", "water damage")
    assert (entry.before, entry.after) == ({"state": state}, {"state": target})


def test_the_history_of_a_store_is_never_changed(session: Session, now: datetime) -> None:
    store = make_store(session)
    places.change_state(session, store.id, StoreEvent.PAUSE, actor=ANN, reason="r", now=now)

    with pytest.raises(sa.exc.DBAPIError, match="never changed"):
        session.execute(sa.text("UPDATE store_steps SET reason = 'other'"))


def test_regions_are_named_once_and_go_only_when_empty(session: Session, now: datetime) -> None:
    shanghai = regions.create_region(session, name=" 上海 ", actor=ANN, now=now)
    hangzhou = regions.create_region(session, name="杭州", actor=ANN, now=now)
    store = make_store(session)

    with pytest.raises(RegionNameTaken):
        regions.create_region(session, name="上海", actor=ANN, now=now)
    with pytest.raises(RegionNameTaken):
        regions.rename_region(session, hangzhou.id, name="上海", actor=ANN, now=now)
    with pytest.raises(RegionNameInvalid):
        regions.rename_region(session, hangzhou.id, name="  ", actor=ANN, now=now)
    places.move_store(session, store.id, region_id=shanghai.id, actor=ANN, now=now)
    with pytest.raises(RegionInUse):
        regions.delete_region(session, shanghai.id, actor=ANN, now=now)
    regions.delete_region(session, hangzhou.id, actor=ANN, now=now)

    assert session.scalars(sa.select(Region.name)).all() == ["上海"]
    assert last_audit(session).action == "region_deleted"
    assert store.region_id == shanghai.id


def test_a_region_of_staff_does_not_go(session: Session, now: datetime) -> None:
    region = regions.create_region(session, name="上海", actor=ANN, now=now)
    colleague = make_staff(session, "front_desk", sees_all_stores=False)
    colleague.regions = [region]
    session.flush()

    with pytest.raises(RegionInUse):
        regions.delete_region(session, region.id, actor=ANN, now=now)

    assert session.scalars(sa.select(Region.name)).all() == ["上海"]


def test_a_move_is_on_record(session: Session, now: datetime) -> None:
    region = regions.create_region(session, name="上海", actor=ANN, now=now)
    store = make_store(session)

    places.move_store(session, store.id, region_id=region.id, actor=ANN, now=now)

    entry = last_audit(session)
    assert entry.action == "store_moved"
    assert (entry.before, entry.after) == ({"region_id": None}, {"region_id": region.id})
    with pytest.raises(RegionNotFound):
        places.move_store(session, store.id, region_id=999_999, actor=ANN, now=now)


def test_open_stores_come_by_name_and_near_ones_by_distance(session: Session) -> None:
    spots = {
        "A far": Spot(30_247_000, 120_210_000),
        "B near": Spot(31_230_000, 121_460_000),
        "C nowhere": None,
        "D closed": JINGAN,
    }
    for name, spot in spots.items():
        store = make_store(session, name)
        if spot is not None:
            store.latitude_udeg, store.longitude_udeg = spot.latitude_udeg, spot.longitude_udeg
    store = session.scalars(sa.select(Store).where(Store.name == "D closed")).one()
    store.state = StoreState.PAUSED
    session.flush()

    by_name = finding.open_page(session, limit=10)
    near = finding.open_page(session, near=JINGAN, limit=10)

    assert [one.store.name for one in by_name] == ["A far", "B near", "C nowhere"]
    assert [one.distance_m for one in by_name] == [None, None, None]
    assert [(one.store.name, one.distance_m) for one in near] == [
        ("B near", 581),
        ("A far", 161_425),
        ("C nowhere", None),
    ]


def test_a_page_goes_on_behind_a_store_that_has_closed_meanwhile(session: Session) -> None:
    stores = [make_store(session, name) for name in "ABCD"]
    stores[1].state = StoreState.CLOSED
    session.flush()

    page = finding.open_page(session, after_id=stores[1].id, limit=1)

    assert [one.store.name for one in page] == ["C"]
    assert finding.open_page(session, after_id=999_999, limit=9) == []
