"""Who may give whom which rights: two people, nobody more than they hold, nobody to themselves."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.stores import people, staff
from app.stores.errors import (
    LastOwner,
    RegionNotFound,
    RoleUnknown,
    StaffInvalid,
    StaffNotFound,
    StoreNotFound,
)
from app.stores.models import Region, Role, Staff, Store
from app.stores.people import Person
from app.stores.permissions import Permission
from app.stores.queries import staff_permissions, visible_store_ids
from app.stores.staff import Duties, NewStaff
from app.stores.staff_errors import DutiesNeedTwo, MayNotGrant, OwnDuties
from tests.factories.people import make_staff, make_store

REGIONAL = "Regional manager"


def actor(person: Staff) -> Actor:
    return Actor("staff", person.id)


def last_record(session: Session) -> AuditRecord:
    query = sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)
    return session.scalars(query).one()


def make_region(session: Session, name: str, *stores: Store) -> Region:
    region = Region(name=name)
    session.add(region)
    session.flush()
    for store in stores:
        store.region_id = region.id
    session.flush()
    return region


def regional(session: Session, permissions: Sequence[str] = ("orders.view",)) -> Role:
    role = Role(name=REGIONAL, permissions=list(permissions))
    session.add(role)
    session.flush()
    return role


@pytest.fixture
def owners(session: Session) -> tuple[Staff, Staff]:
    return make_staff(session, "owner"), make_staff(session, "owner")


def test_duties_are_set_by_two_people_on_record(
    session: Session, owners: tuple[Staff, Staff], now: datetime
) -> None:
    clerk = make_staff(session, "front_desk", stores=[make_store(session)])
    store, region = make_store(session), make_region(session, "East")
    regional(session)

    staff.set_duties(
        session,
        clerk.id,
        Duties(roles=["store_manager", REGIONAL], store_ids=[store.id], region_ids=[region.id]),
        actor=actor(owners[0]),
        second_actor=actor(owners[1]),
        reason="takes over the east",
        now=now,
    )

    assert {role.name for role in clerk.roles} == {"store_manager", REGIONAL}
    assert visible_store_ids(clerk) == frozenset({store.id})
    record = last_record(session)
    assert (record.action, record.reason) == ("staff_duties_set", "takes over the east")
    assert record.before["roles"] == ["front_desk"]
    assert record.after == {
        "active": True,
        "roles": [REGIONAL, "store_manager"],
        "store_ids": [store.id],
        "region_ids": [region.id],
        "sees_all_stores": False,
        "second_actor": f"staff:{owners[1].id}",
    }


def test_one_alone_changes_nobodys_duties_where_another_could_agree(
    session: Session, owners: tuple[Staff, Staff], now: datetime
) -> None:
    clerk = make_staff(session, "front_desk")

    for second in (None, actor(owners[0])):
        with pytest.raises(DutiesNeedTwo):
            staff.set_duties(
                session,
                clerk.id,
                Duties(roles=["finance"]),
                actor=actor(owners[0]),
                second_actor=second,
                reason="more work",
                now=now,
            )

    assert [role.name for role in clerk.roles] == ["front_desk"]
    assert session.scalars(sa.select(AuditRecord)).all() == []


@pytest.mark.parametrize("maker_is_subject", [True, False])
def test_nobody_decides_about_their_own_duties_as_first_or_as_second(
    session: Session, owners: tuple[Staff, Staff], now: datetime, maker_is_subject: bool
) -> None:
    subject, other = owners
    people_ = (subject, other) if maker_is_subject else (other, subject)

    with pytest.raises(OwnDuties):
        staff.set_duties(
            session,
            subject.id,
            Duties(roles=["owner", "finance"], sees_all_stores=True),
            actor=actor(people_[0]),
            second_actor=actor(people_[1]),
            reason="convenient",
            now=now,
        )

    assert [role.name for role in subject.roles] == ["owner"]


def test_a_sole_owner_appoints_the_first_colleague_alone_and_the_trail_says_so(
    session: Session, now: datetime
) -> None:
    sole = make_staff(session, "owner")
    make_staff(session, "owner").active = False
    past = make_staff(session, "owner")
    past.employed_until_on = date(2026, 2, 1)
    new = NewStaff(name="First", email="first@example.com", roles=["owner"], sees_all_stores=True)

    first = staff.create_staff(session, new, actor=actor(sole), now=now)

    assert staff_permissions(first) == frozenset(Permission)
    assert last_record(session).after["alone"] == "nobody else could agree"
    second = NewStaff(name="Second", email="second@example.com", roles=["front_desk"])
    with pytest.raises(DutiesNeedTwo):
        staff.create_staff(session, second, actor=actor(sole), now=now)


def test_somebody_without_duties_is_entered_by_one_owner_and_by_nobody_else(
    session: Session, owners: tuple[Staff, Staff], now: datetime
) -> None:
    new = NewStaff(name="New", email="new@example.com", roles=[])

    entered = staff.create_staff(session, new, actor=actor(owners[0]), now=now)
    finance = make_staff(session, "finance")
    with pytest.raises(MayNotGrant):
        staff.create_staff(
            session,
            NewStaff(name="Other", email="other@example.com", roles=[]),
            actor=actor(finance),
            now=now,
        )

    assert staff_permissions(entered) == frozenset()
    assert visible_store_ids(entered) == frozenset()


def test_nobody_gives_stores_or_regions_beyond_their_own(session: Session, now: datetime) -> None:
    own, foreign = make_store(session), make_store(session)
    region = make_region(session, "East", own)
    local = make_staff(session, "owner", stores=[own])
    clerk = make_staff(session, "front_desk", stores=[own])

    for duties in (
        Duties(roles=["front_desk"], store_ids=[own.id, foreign.id]),
        Duties(roles=["front_desk"], store_ids=[own.id], region_ids=[region.id]),
        Duties(roles=["front_desk"], store_ids=[own.id], sees_all_stores=True),
    ):
        with pytest.raises(MayNotGrant):
            staff.set_duties(session, clerk.id, duties, actor=actor(local), reason="wider", now=now)

    assert visible_store_ids(clerk) == frozenset({own.id})


def test_the_last_owner_stays(session: Session, owners: tuple[Staff, Staff], now: datetime) -> None:
    one, other = owners
    staff.set_duties(
        session, other.id, Duties(roles=["finance"]), actor=actor(one), reason="swap", now=now
    )

    with pytest.raises(LastOwner):
        staff.disable_staff(session, one.id, actor=SYSTEM, reason="oops", now=now)
    with pytest.raises(LastOwner):
        staff.set_duties(
            session, one.id, Duties(roles=["auditor"]), actor=SYSTEM, reason="oops", now=now
        )
    leaving = Person(name=one.name, employed_until_on=date(2026, 12, 31))
    with pytest.raises(LastOwner):
        people.edit_person(session, one.id, leaving, actor=SYSTEM, now=now)

    session.expire_all()
    assert one.active
    assert [role.name for role in one.roles] == ["owner"]
    assert [role.name for role in other.roles] == ["finance"]


def test_what_does_not_exist_is_given_to_nobody(session: Session, now: datetime) -> None:
    clerk = make_staff(session, "front_desk")
    regional(session).is_active = False
    session.flush()

    for staff_id, duties, error in (
        (clerk.id, Duties(roles=["cook"]), RoleUnknown),
        (clerk.id, Duties(roles=[REGIONAL]), RoleUnknown),
        (10**15, Duties(roles=["finance"]), StaffNotFound),
        (clerk.id, Duties(roles=[], store_ids=[10**15]), StoreNotFound),
        (clerk.id, Duties(roles=[], region_ids=[10**15]), RegionNotFound),
    ):
        with pytest.raises(error):
            staff.set_duties(session, staff_id, duties, actor=SYSTEM, reason="x", now=now)

    assert [role.name for role in clerk.roles] == ["front_desk"]


def test_a_store_is_seen_as_soon_as_it_moves_into_ones_region_and_no_longer_when_it_leaves(
    session: Session,
) -> None:
    own, moving = make_store(session), make_store(session)
    east = make_region(session, "East")
    person = make_staff(session, "store_manager", stores=[own])
    person.regions = [east]
    session.flush()

    before = visible_store_ids(person)
    moving.region_id = east.id
    session.flush()
    within = visible_store_ids(person)
    moving.region_id = None
    session.flush()

    assert before == frozenset({own.id})
    assert within == frozenset({own.id, moving.id})
    assert visible_store_ids(person) == frozenset({own.id})


def test_whose_stores_are_seen_is_asked_in_one_query(session: Session) -> None:
    person = make_staff(session, "store_manager", stores=[make_store(session)])
    session.refresh(person)
    statements: list[str] = []
    engine = session.get_bind()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        visible_store_ids(person)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)

    assert len(statements) == 1


def test_a_day_of_employment_needs_an_order_and_a_phone_is_kept_sealed(
    session: Session, now: datetime
) -> None:
    clerk = make_staff(session, "front_desk")
    person = Person(
        name="Li Na",
        phone="138 0013 8000",
        job_title="Therapist",
        employed_from_on=date(2026, 1, 1),
        employed_until_on=date(2026, 12, 31),
        notes="speaks French",
    )

    people.edit_person(session, clerk.id, person, actor=SYSTEM, now=now)

    assert clerk.phone_sealed is not None
    assert "13800138000" not in clerk.phone_sealed
    assert last_record(session).after["phone"] == "138****8000"
    kept = clerk.phone_sealed
    people.edit_person(session, clerk.id, Person(name="Li Na"), actor=SYSTEM, now=now)
    assert clerk.phone_sealed == kept
    people.edit_person(session, clerk.id, Person(name="Li Na", phone=""), actor=SYSTEM, now=now)
    session.refresh(clerk)
    assert clerk.phone_hash is None


@pytest.mark.parametrize(
    ("person", "field"),
    [
        (Person(name=" "), "name"),
        (Person(name="A", phone="12345"), "phone"),
        (Person(name="A", job_title="x" * 61), "job_title"),
        (
            Person(
                name="A",
                employed_from_on=date(2026, 3, 2),
                employed_until_on=date(2026, 3, 1),
            ),
            "employed_until_on",
        ),
    ],
)
def test_what_is_not_right_about_a_person_is_named(
    session: Session, now: datetime, person: Person, field: str
) -> None:
    clerk = make_staff(session, "front_desk", name="Before")

    with pytest.raises(StaffInvalid) as refused:
        people.edit_person(session, clerk.id, person, actor=SYSTEM, now=now)

    assert refused.value.field == field
