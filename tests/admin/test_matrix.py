"""Every view × every role × one store, a region, everywhere × own, foreign and absent rows.

Lists, details, decisions, forms, lookups, files, saved views and chosen columns. What is expected
comes from the permission table and from where the rows are, never from the views' own filters. A
row of another store is answered like one that does not exist, and no answer tells anything of it.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.stores.permissions import Permission
from tests.admin.conftest import Desk
from tests.admin.house import House
from tests.admin.matrix import (
    ABSENT,
    OFFERED,
    ONE_STORE,
    REACHES,
    REGION,
    ROLES,
    Person,
    seat,
    text_of,
)


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    with house.as_found() as session:
        yield session


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("role", ROLES)
def test_every_way_into_every_view_is_open_to_exactly_those_who_may(
    role: str,
    reach: str,
    app: Flask,
    house: House,
    session: Session,
    sit_down: Callable[..., Desk],
    tally: Callable[[int], None],
) -> None:
    person = seat(house, session, sit_down, role, reach)

    for endpoint, view in app.extensions["backoffice"].items():
        found = person.places(endpoint)
        assert all(endpoint in place.ids for place, _ in found), f"no row of {endpoint}"
        check_list(person, view)
        check_details(person, view)
        if reach != REGION:  # what may be done to rows follows from which are seen, told above
            check_decisions(person, view)
            check_forms(person, view)
        check_lookups(person, view)
        check_files(person, view)

    tally(person.pairs)


@pytest.mark.parametrize("role", ROLES)
def test_lists_are_arranged_by_exactly_those_who_may_open_them(
    role: str,
    app: Flask,
    house: House,
    session: Session,
    sit_down: Callable[..., Desk],
    tally: Callable[[int], None],
) -> None:
    person = seat(house, session, sit_down, role, ONE_STORE)

    for endpoint, view in app.extensions["backoffice"].items():
        may = person.may(view.permission)
        there = f"/admin/{endpoint}/?{urlencode(wish_of(endpoint))}"
        saved = {"act": "save", "name": "Mine", "url": there}
        answer = person.post(302 if may else 403, f"/lists/{endpoint}/views/", saved)
        if may:
            listed = person.get(200, answer.headers["Location"].removeprefix("/admin"))
            check_shown(person, endpoint, text_of(listed), when=True)
        first = {"column": view.column_list[0], "url": there}
        person.post(302 if may else 403, f"/lists/{endpoint}/columns/", first)
        if may and view.can_export and person.may(Permission.EXPORTS):
            person.get(200, f"/{endpoint}/export/csv/")

    tally(person.pairs)


def answers(may: bool, is_seen: bool, seen: int = 200) -> int:
    """Return what the table demands: nobody learns of a row what they may not see."""
    return (seen if is_seen else 404) if may else 403


def wish_of(endpoint: str) -> dict[str, Any]:
    """Return what a list is asked for; the trail is longer than a page, for looks are audited."""
    return {"size": 100} | ({"search": "reason"} if endpoint == "audit" else {})


def check_shown(person: Person, endpoint: str, text: str, *, when: bool) -> None:
    """Compare the marks of rows in a text with where the rows are."""
    for place, is_seen in person.places(endpoint):
        mark = place.marks[endpoint]
        assert not mark or (mark in text) is (when and is_seen), f"{mark!r} in {endpoint}"


def check_list(person: Person, view: Any) -> None:
    may = person.may(view.permission)
    answer = person.get(answers(may, True), f"/{view.endpoint}/", **wish_of(view.endpoint))
    check_shown(person, view.endpoint, text_of(answer), when=may)


def check_details(person: Person, view: Any) -> None:
    path = f"/{view.endpoint}/details/"
    may = person.may(view.permission)
    for row_id, is_seen, _ in person.rows(view.endpoint, may=may):
        status = answers(may, is_seen) if view.can_view_details else 404
        person.get(status, path, id=row_id)


def check_decisions(person: Person, view: Any) -> None:
    """Ask for each decision, without confirming it; of a foreign row with the confirmation too.

    Which rows are seen is told by lists and details; here a few of them will do.
    """
    path = f"/{view.endpoint}/action/"
    for decision in view.decisions:
        may = person.may(view.permission, decision.permission)
        for row_id, is_seen, is_foreign in person.rows(view.endpoint, may=may, are_few=True):
            data = {"action": decision.name, "rowid": row_id, "reason": "for the matrix"}
            person.post(answers(may, is_seen), path, data)
            if is_foreign or not may:
                person.post(answers(may, False), path, data | {"confirmed": "1"})
        if may:
            check_bulk(person, view, decision.name)


def check_bulk(person: Person, view: Any, name: str) -> None:
    """Decide about many rows a few at a time: foreign and absent ones come back alike."""
    foreign = [one for one, _, is_foreign in person.rows(view.endpoint, may=True) if is_foreign]
    if not foreign:
        return
    told = set()
    for row_id in (foreign[-1], ABSENT):
        data = {"action": name, "rowid": row_id, "confirmed": "1", "chunk": "1"}
        answer = person.desk.post(f"/{view.endpoint}/action/", data | {"reason": "for the matrix"})
        assert answer.status_code in {200, 422}
        person.expect(answer, answer.status_code, f"{name} of many of {view.endpoint}")
        told.add((answer.status_code, text_of(answer).replace(str(row_id), "-")))
    assert len(told) == 1, f"{name} of {view.endpoint} tells a foreign row from none: {told}"


def check_forms(person: Person, view: Any) -> None:
    for page in view.form_pages:
        may = person.may(view.permission, page.permission)
        path = f"/{view.endpoint}/form/{page.name}/"
        if not page.is_about_row:
            person.get(answers(may, True), path)
            if not may:
                person.post(403, path, {})
            continue
        for row_id, is_seen, is_foreign in person.rows(view.endpoint, may=may, are_few=True):
            status = answers(may, is_seen)
            person.get(status, path, id=row_id)
            if is_foreign or not may:
                person.post(status, f"{path}?id={row_id}", {"reason": "for the matrix"})


def check_lookups(person: Person, view: Any) -> None:
    for loader in view.lookups:
        may = person.may(view.permission, loader.permission)
        path = f"/{view.endpoint}/ajax/lookup/"
        answer = person.get(answers(may, True), path, name=loader.name, query="")
        if may and loader.name in OFFERED:
            ids = {row[0] for row in answer.get_json()}
            of = OFFERED[loader.name]
            assert of(person.house.world.here) in ids, loader.name
            assert (of(person.house.world.there) in ids) is person.sees_all, loader.name
            person.get(200, path, name=loader.name, query="There")


def check_files(person: Person, view: Any) -> None:
    may = person.may(view.permission, Permission.EXPORTS)
    for kind in ("csv",) if person.reach == REGION else ("csv", "xlsx"):
        status = answers(may, True) if view.can_export else 404
        answer = person.get(status, f"/{view.endpoint}/export/{kind}/")
        if status == 200:
            check_shown(person, view.endpoint, text_of(answer), when=True)
