"""Random people, roles and places: rights are unions, and nobody gains beyond the giver."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.errors import DomainError
from app.stores import staff as services
from app.stores.models import Region, Role, Staff, Store
from app.stores.permissions import CROWN, ROLE_PERMISSIONS, Permission, RoleName, allowed_by
from app.stores.queries import staff_permissions, visible_store_ids
from app.stores.staff import Duties
from tests.factories.people import make_staff, make_store
from tests.thoroughness import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = st.sampled_from([*(one.value for one in Permission), "fly", ""])
OWN_ROLES = st.lists(st.tuples(st.lists(WORDS, max_size=8), st.booleans()), max_size=3)
BUILT_IN = st.lists(st.sampled_from(list(RoleName)), max_size=3, unique=True)
PLACES = st.lists(st.integers(0, 4), max_size=4, unique=True)
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(roles=st.lists(WORDS), name=st.text(max_size=10))
def test_a_role_of_ones_own_never_allows_what_is_the_crowns(roles: list[str], name: str) -> None:
    allowed = allowed_by(f"own {name}", roles)

    assert allowed.isdisjoint(CROWN)
    assert {one.value for one in allowed} <= set(roles)


@settings(max_examples=examples(40), suppress_health_check=HEALTH)
@given(built_in=BUILT_IN, own=OWN_ROLES, data=st.data())
def test_rights_and_stores_are_the_union_of_what_each_role_and_region_gives(
    session: Session, built_in: list[RoleName], own: list[Any], data: st.DataObject
) -> None:
    with session.begin_nested() as savepoint:
        stores = [make_store(session) for _ in range(5)]
        regions = [Region(name=f"Region {number}") for number in range(2)]
        session.add_all(regions)
        session.flush()
        for store in stores:
            number = data.draw(st.integers(-1, 1))
            store.region_id = regions[number].id if number >= 0 else None
        person = make_staff(session, "front_desk", stores=stores[:1])
        _give(session, person, built_in, own)
        chosen, reached = data.draw(PLACES), data.draw(st.sets(st.integers(0, 1)))
        person.stores = [stores[number] for number in chosen]
        person.regions = [regions[number] for number in reached]
        session.flush()

        expected: set[Permission] = set()
        for name in built_in:
            expected |= ROLE_PERMISSIONS[name]
        for words, is_active in own:
            if is_active:
                expected |= {one for one in Permission if one.value in words} - CROWN
        seen = {stores[number].id for number in chosen}
        region_ids = {regions[number].id for number in reached}
        seen |= {store.id for store in stores if store.region_id in region_ids}
        assert staff_permissions(person) == expected
        assert visible_store_ids(person) == frozenset(seen)
        person.active = False
        session.flush()
        assert staff_permissions(person) == frozenset()
        assert visible_store_ids(person) == frozenset()
        savepoint.rollback()


@settings(max_examples=examples(60), suppress_health_check=HEALTH)
@given(
    giver=st.tuples(BUILT_IN, PLACES, st.booleans()),
    second=st.none() | st.tuples(BUILT_IN, PLACES, st.booleans()),
    wish=st.tuples(BUILT_IN, PLACES, st.booleans()),
)
def test_whoever_gives_rights_nobody_gains_what_the_giver_and_the_second_do_not_hold(
    session: Session, giver: Any, second: Any, wish: Any
) -> None:
    with session.begin_nested() as savepoint:
        stores = [make_store(session) for _ in range(5)]
        make_staff(session, "owner")
        clerk = make_staff(session, "front_desk", stores=stores[:1])
        people = [_person(session, stores, one) for one in (giver, second) if one is not None]
        before = _holding(clerk)
        duties = Duties(
            roles=wish[0], store_ids=[stores[one].id for one in wish[1]], sees_all_stores=wish[2]
        )

        try:
            services.set_duties(
                session,
                clerk.id,
                duties,
                actor=Actor("staff", people[0].id),
                second_actor=Actor("staff", people[1].id) if second is not None else None,
                reason="wish",
                now=NOON,
            )
        except DomainError:
            session.expire_all()
            assert _holding(clerk) == before
        else:
            session.expire_all()
            gained_rights = _holding(clerk)[0] - before[0]
            gained_places = _holding(clerk)[1] - before[1]
            assert len(people) == 2
            for one in people:
                held = _holding(one)
                assert Permission.STAFF_EDIT in held[0]
                assert gained_rights <= held[0]
                assert None in held[1] or gained_places <= held[1]
        savepoint.rollback()


def _give(session: Session, person: Staff, built_in: list[RoleName], own: list[Any]) -> None:
    made = [
        Role(name=f"Own {number}", permissions=words, is_active=is_active)
        for number, (words, is_active) in enumerate(own)
    ]
    session.add_all(made)
    make_staff(session, *RoleName)
    rows = session.scalars(sa.select(Role).where(Role.name.in_(list(built_in)))).all()
    person.roles = [*rows, *made]
    session.flush()


def _person(session: Session, stores: list[Store], spec: Any) -> Staff:
    roles, places, sees_all = spec
    make_staff(session, *RoleName).active = False
    person = make_staff(session, "front_desk", sees_all_stores=sees_all)
    person.roles = list(session.scalars(sa.select(Role).where(Role.name.in_(list(roles)))))
    person.stores = [stores[number] for number in places]
    session.flush()
    return person


def _holding(person: Staff) -> tuple[frozenset[Permission], frozenset[int | None]]:
    places = visible_store_ids(person)
    return staff_permissions(person), frozenset({None}) if places is None else frozenset(places)
