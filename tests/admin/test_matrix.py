"""Every view × every role × own and foreign store × every way in, against the permission table.

What is expected comes from `ROLE_PERMISSIONS` and from where the rows are, never from the views'
own filters. A row of another store is answered like one that does not exist.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.settings import Settings
from app.stores.permissions import Permission, RoleName, permissions_of
from tests.admin.conftest import Desk
from tests.admin.world import Place, World, build

OF_BRAND: Final = frozenset({"products", "plan_versions", "roles", "simulations", "tags"})
"""Rows without a store that everybody with the permission sees."""
OF_HEADQUARTERS: Final = frozenset(
    {"ledger_entries", "tasks", "notices", "settings", "audit_checks"}
)
"""Rows without a store that only staff of the whole brand see."""


@dataclass
class Person:
    """Somebody with one role, at one store or at all."""

    desk: Desk
    allowed: frozenset[Permission]
    sees_all: bool
    pairs: int = 0

    def expect(self, answer: Any, status: int, what: str) -> None:
        """Compare one answer with what the table says, and count it."""
        self.pairs += 1
        assert answer.status_code == status, f"{what}: {answer.status_code}, not {status}"


@pytest.fixture(scope="session")
def tally() -> Iterator[list[int]]:
    """Adds up how many pairs were compared and prints it at the end."""
    counts: list[int] = []
    yield counts
    print(f"\nadmin matrix: {sum(counts)} pairs of role, view, store and way in")  # noqa: T201


@pytest.fixture
def world(session: Session, settings: Settings) -> World:
    return build(session, settings)


def places(world: World, person: Person, endpoint: str) -> list[tuple[Place, bool]]:
    """Return where rows of a view are, with whether this person may see those there."""
    if endpoint in OF_BRAND:
        return [(world.brand, True)]
    if endpoint in OF_HEADQUARTERS:
        return [(world.brand, person.sees_all)]
    return [(world.here, True), (world.there, person.sees_all)]


@pytest.mark.parametrize("sees_all", [False, True], ids=["one-store", "all-stores"])
@pytest.mark.parametrize("role", list(RoleName))
def test_every_way_into_every_view_is_open_to_exactly_those_who_may(
    role: str,
    sees_all: bool,
    app: Flask,
    world: World,
    sit_down: Callable[..., Desk],
    tally: list[int],
) -> None:
    desk = sit_down(role) if sees_all else sit_down(role, world.here.store)
    person = Person(desk, permissions_of([role]), sees_all)

    for endpoint, view in app.extensions["backoffice"].items():
        found = places(world, person, endpoint)
        assert all(endpoint in place.ids for place, _ in found), f"no row of {endpoint}"
        check_list(person, view, found)
        check_details(person, view, found)
        check_decisions(person, view, found)
        check_forms(person, view, found)
        check_lookups(person, view, world)
        check_export(person, view, found)

    tally.append(person.pairs)


def check_list(person: Person, view: Any, found: list[tuple[Place, bool]]) -> None:
    answer = person.desk.get(f"/{view.endpoint}/", size=100)
    may = view.permission in person.allowed
    person.expect(answer, 200 if may else 403, f"list of {view.endpoint}")
    for place, is_visible in found:
        mark = place.marks[view.endpoint]
        if mark:
            shown = mark in answer.get_data(as_text=True)
            assert shown is (may and is_visible), f"{mark!r} in the list of {view.endpoint}"


def check_details(person: Person, view: Any, found: list[tuple[Place, bool]]) -> None:
    for place, is_visible in found:
        answer = person.desk.get(f"/{view.endpoint}/details/", id=place.ids[view.endpoint])
        status = 200 if is_visible else 404
        if not view.can_view_details:
            status = 404
        elif view.permission not in person.allowed:
            status = 403
        person.expect(answer, status, f"details of {view.endpoint}")


def check_decisions(person: Person, view: Any, found: list[tuple[Place, bool]]) -> None:
    """Ask for each decision, without confirming it; a foreign row with the confirmation too."""
    for decision in view.decisions:
        for place, is_visible in found:
            data = {"action": decision.name, "rowid": place.ids[view.endpoint]}
            if not is_visible:
                data["confirmed"] = "1"
            answer = person.desk.post(f"/{view.endpoint}/action/", data)
            may = {view.permission, decision.permission} <= person.allowed
            status = (200 if is_visible else 404) if may else 403
            person.expect(answer, status, f"{decision.name} of {view.endpoint}")


def check_forms(person: Person, view: Any, found: list[tuple[Place, bool]]) -> None:
    for page in view.form_pages:
        may = {view.permission, page.permission} <= person.allowed
        path = f"/{view.endpoint}/form/{page.name}/"
        if not page.is_about_row:
            person.expect(person.desk.get(path), 200 if may else 403, path)
            continue
        for place, is_visible in found:
            answer = person.desk.get(path, id=place.ids[view.endpoint])
            status = (200 if is_visible else 404) if may else 403
            person.expect(answer, status, path)


def check_lookups(person: Person, view: Any, world: World) -> None:
    for loader in view.lookups:
        answer = person.desk.get(f"/{view.endpoint}/ajax/lookup/", name=loader.name, query="")
        may = {view.permission, loader.permission} <= person.allowed
        person.expect(answer, 200 if may else 403, f"lookup {loader.name} of {view.endpoint}")
        if may and loader.name == "distributors":
            ids = {row[0] for row in answer.get_json()}
            assert world.here.owner is not None
            assert world.there.owner is not None
            assert world.here.owner.member_id in ids
            assert (world.there.owner.member_id in ids) is person.sees_all


def check_export(person: Person, view: Any, found: list[tuple[Place, bool]]) -> None:
    answer = person.desk.get(f"/{view.endpoint}/export/csv/")
    may = {view.permission, Permission.EXPORTS} <= person.allowed
    status = (200 if may else 403) if view.can_export else 404
    person.expect(answer, status, f"export of {view.endpoint}")
    if status == 200:
        text = answer.get_data().decode("utf-8-sig")
        for place, is_visible in found:
            mark = place.marks[view.endpoint]
            assert not mark or (mark in text) is is_visible, f"{mark!r} in {view.endpoint}.csv"


@pytest.mark.usefixtures("world")
def test_a_stranger_is_sent_to_sign_in_from_everywhere(app: Flask, stranger: Desk) -> None:
    paths = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/admin/") and "GET" in (rule.methods or ())
    ]
    behind_the_door = [
        path.removeprefix("/admin").replace("<form_name>", "new").replace("<export_type>", "csv")
        for path in paths
        if not path.startswith(("/admin/static/", "/admin/login", "/admin/tf-", "/admin/mf-"))
        and "<path:rest>" not in path
    ]

    for path in behind_the_door:
        answer = stranger.get(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/admin/login"), path
    assert len(behind_the_door) > 70
