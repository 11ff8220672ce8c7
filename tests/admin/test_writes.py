"""Nothing is written without the session's token, and the books by nobody."""

import io
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.db import Base
from app.members.models import Distributor, Standing
from app.orders.models import Order, Refund
from app.payouts.models import Payout
from app.plans.models import PlanVersion
from app.stores.models import Staff
from tests.admin.conftest import Desk
from tests.admin.house import House
from tests.admin.world import World

READING: Final = {"GET", "HEAD", "OPTIONS"}
READ_ONLY: Final = ("ledger_accounts", "ledger_entries", "audit", "touches", "stock_movements")


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    with house.as_found() as session:
        yield session


@pytest.fixture
def world(house: House, session: Session) -> World:
    return house.world


DECIDED: Final = (
    Order.state,
    Refund.state,
    Payout.state,
    Distributor.standing,
    PlanVersion.state,
    Staff.fs_uniquifier,
)


def content(session: Session) -> dict[Any, Any]:
    """Return how many rows each table has, and the state of what can be decided on."""
    counts = {
        table.name: session.scalar(sa.select(sa.func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }
    states = {
        column: session.scalars(sa.select(column).order_by(column)).all() for column in DECIDED
    }
    return {**counts, **states}


def writing_ways(app: Flask, world: World) -> list[tuple[str, str]]:
    """Return every path of the back office, with each of its methods that could write."""
    ways = []
    for rule in app.url_map.iter_rules():
        view = app.extensions["backoffice"].get(rule.endpoint.partition(".")[0])
        if not str(rule).startswith("/admin/") or str(rule) in CLOSED or "<token>" in str(rule):
            continue
        pages = [page.name for page in view.form_pages] if view is not None else []
        paths = [str(rule).replace("<form_name>", name) for name in pages or ["new"]]
        for path in paths if "<form_name>" in str(rule) else [str(rule)]:
            whole = path.replace("<name>", "members")
            row_id = world.here.ids.get(view.endpoint, "") if view is not None else ""
            for method in (rule.methods or set()) - READING:
                ways.append((method, f"{whole}?id={row_id}"))
    return sorted(set(ways))


CLOSED: Final = {"/admin/tf-rescue", "/admin/tf-select"}
"""They answer nobody."""


@pytest.mark.parametrize("token", ["", "nonsense", "IjEi.aaaa.bbbb", "of another session"])
@pytest.mark.parametrize("is_multipart", [False, True], ids=["fields", "files"])
def test_every_write_without_the_token_of_the_session_is_refused(
    app: Flask,
    session: Session,
    world: World,
    owner: Desk,
    sit_down: Callable[..., Desk],
    token: str,
    is_multipart: bool,
) -> None:
    sent = sit_down("finance").token() if token == "of another session" else token
    session.commit()
    before = content(session)
    ways = writing_ways(app, world)

    for method, path in ways:
        data: dict[str, Any] = {
            "csrf_token": sent,
            "action": "approve",
            "rowid": world.here.ids["payouts"],
            "confirmed": "1",
            "reason": "without a token",
        }
        if is_multipart:
            data["file"] = (io.BytesIO(b"phone\n+8613800000000\n"), "rows.csv")
        answer = owner.client.open(path, method=method, data=data)
        assert answer.status_code == 400, f"{method} {path}: {answer.status_code}"

    assert {method for method, _path in ways} == {"POST"}
    assert len(ways) > 80
    assert content(session) == before


@pytest.mark.parametrize("endpoint", READ_ONLY)
def test_books_and_histories_have_no_route_that_writes(app: Flask, endpoint: str) -> None:
    methods = {
        method
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(f"{endpoint}.")
        for method in rule.methods or ()
    }

    assert methods == READING


def test_no_view_has_flask_admins_own_ways_to_write(app: Flask) -> None:
    names = {rule.endpoint.rpartition(".")[2] for rule in app.url_map.iter_rules()}

    assert names.isdisjoint({"create_view", "edit_view", "delete_view", "ajax_update"})


def test_an_unconfirmed_decision_changes_nothing(
    session: Session, world: World, owner: Desk
) -> None:
    before = content(session)

    answer = owner.post(
        "/payouts/action/", {"action": "approve", "rowid": world.here.ids["payouts"]}
    )

    assert answer.status_code == 200
    assert "¥20.00" in answer.get_data(as_text=True)
    assert content(session) == before


def test_a_selection_with_foreign_rows_decides_about_ones_own_and_tells_of_the_rest(
    session: Session, world: World, sit_down: Any
) -> None:
    manager = sit_down("operations", world.here.store)
    ids = (world.here.ids["distributors"], world.there.ids["distributors"], 999_999_999)

    page = manager.decide("distributors", "approve", *ids).get_data(as_text=True)

    rows = session.scalars(sa.select(Distributor).where(Distributor.member_id.in_(ids)))
    standings = {row.member_id: row.standing for row in rows}
    assert standings == {ids[0]: Standing.ACTIVE, ids[1]: Standing.APPLIED}
    assert "Done: 1 · Refused: 0 · Not found: 2" in page


@pytest.mark.parametrize("row_id", ["abc", "-1", "9" * 40, "1;DROP TABLE staff", ""])
def test_what_is_no_id_counts_as_absent(world: World, owner: Desk, row_id: str) -> None:
    assert world.here.ids
    answer = owner.post("/payouts/action/", {"action": "approve", "rowid": row_id})

    assert answer.status_code == 404


def test_an_action_that_does_not_exist_is_not_found(world: World, owner: Desk) -> None:
    answer = owner.post(
        "/payouts/action/", {"action": "delete", "rowid": world.here.ids["payouts"]}
    )

    assert answer.status_code == 404


def test_too_many_rows_at_once_are_refused(owner: Desk) -> None:
    answer = owner.post("/payouts/action/", {"action": "approve", "rowid": list(range(2_001))})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "url", ["//evil.example", "https://evil.example/admin/", "/\\evil", "/login", "javascript:x"]
)
def test_a_decision_leads_back_to_our_own_pages_only(world: World, owner: Desk, url: str) -> None:
    answer = owner.decide("distributors", "approve", world.here.ids["distributors"], url=url)

    assert answer.headers["Location"] == "/admin/distributors/"


def test_switching_the_language_leads_back_to_our_own_pages_only(owner: Desk) -> None:
    answer = owner.post("/language/", {"locale": "en", "next": "//evil.example/admin/"})

    assert answer.headers["Location"] == "/admin/"
