"""Columns that readers choose: shown, in their order, in files too, and nobody else's."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.stores.view_models import ListChoice, SavedView
from tests.admin.conftest import Desk
from tests.factories.orders import make_order

HEAD: Final = re.compile(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]+)')


def arrange(desk: Desk, *columns: str, url: str = "/admin/orders/", **more: Any) -> Any:
    """Send the menu of columns, ticked and numbered in the order given."""
    places = {f"place-{name}": number for number, name in enumerate(columns, start=1)}
    data = {"url": url, "column": sorted(columns), **places, **more}
    return desk.post("/lists/orders/columns/", data)


def heads(desk: Desk, **query: Any) -> list[str]:
    page = desk.get("/orders/", size="50", **query).get_data(as_text=True)
    table = re.search(r"<thead>.*?</thead>", page, re.DOTALL)
    assert table is not None, page
    return [text.strip() for text in HEAD.findall(table[0])]


def test_the_list_and_its_file_show_the_columns_chosen_in_their_order(
    session: Session, owner: Desk
) -> None:
    order = make_order(session, price_fen=12_345)
    session.commit()

    arrange(owner, "payable_fen", "number", "shipping_fen")

    assert heads(owner) == ["Payable", "Number", "Shipping"]
    [head, row] = csv.reader(
        io.StringIO(owner.get("/orders/export/csv/").get_data().decode("utf-8-sig"))
    )
    assert head == ["Payable", "Number", "Shipping"]
    assert row == ["123.45", order.number, "0.00"]


def test_columns_are_each_persons_own(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    make_order(session)
    session.commit()
    before = heads(owner)

    arrange(owner, "number")

    assert heads(owner) == ["Number"]
    assert heads(sit_down("owner")) == before


def test_resetting_shows_the_columns_of_the_list_again(session: Session, owner: Desk) -> None:
    make_order(session)
    session.commit()
    before = heads(owner)
    arrange(owner, "number")

    arrange(owner, "number", reset="1")

    assert heads(owner) == before


def test_columns_that_are_not_on_offer_are_passed_over(session: Session, owner: Desk) -> None:
    make_order(session)
    session.commit()
    before = heads(owner)

    arrange(owner, "wechat_prepay_id", "__class__", "number", "number")
    assert heads(owner) == ["Number"]

    arrange(owner, "password")
    assert heads(owner) == before


def test_whoever_unticks_everything_gets_the_columns_of_the_list(
    session: Session, owner: Desk
) -> None:
    make_order(session)
    session.commit()
    before = heads(owner)

    arrange(owner)

    assert heads(owner) == before


def test_rows_close_together_are_remembered(session: Session, owner: Desk) -> None:
    make_order(session)
    session.commit()

    arrange(owner, "number", dense="1")

    assert 'class="card flush list-card dense"' in owner.get("/orders/").get_data(as_text=True)
    [liked] = session.scalars(sa.select(ListChoice))
    assert (liked.list, liked.columns, liked.is_dense) == ("orders", ["number"], True)


def test_a_view_keeps_its_own_columns(session: Session, owner: Desk) -> None:
    make_order(session)
    session.commit()
    arrange(owner, "number", "state")
    url = "/admin/orders/?size=50"
    owner.post("/lists/orders/views/", {"act": "save", "name": "Narrow", "url": url})
    [view] = session.scalars(sa.select(SavedView))

    arrange(owner, "payable_fen")

    assert heads(owner) == ["Payable"]
    assert heads(owner, view=view.id) == ["Number", "State"]


def test_choosing_columns_in_an_open_view_changes_the_view_and_not_the_list(
    session: Session, owner: Desk
) -> None:
    make_order(session)
    session.commit()
    before = heads(owner)
    url = "/admin/orders/?size=50"
    owner.post("/lists/orders/views/", {"act": "save", "name": "Narrow", "url": url})
    [view] = session.scalars(sa.select(SavedView))

    arrange(owner, "number", url=f"/admin/orders/?view={view.id}&size=50")

    assert heads(owner, view=view.id) == ["Number"]
    assert heads(owner) == before


def test_choosing_columns_in_somebody_elses_view_leaves_it_alone(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    make_order(session)
    session.commit()
    arrange(owner, "number", "state")
    data = {"act": "save", "name": "All", "url": "/admin/orders/?size=50", "shared": "1"}
    owner.post("/lists/orders/views/", data)
    [view] = session.scalars(sa.select(SavedView))
    reader = sit_down("finance")

    answer = arrange(reader, "payable_fen", url=f"/admin/orders/?view={view.id}&size=50")

    assert answer.headers["Location"] == "/admin/orders/?size=50"
    assert heads(reader) == ["Payable"]
    assert heads(reader, view=view.id) == ["Number", "State"]


def test_every_list_offers_columns_that_can_be_shown(app: Any, owner: Desk) -> None:
    for endpoint, view in app.extensions["backoffice"].items():
        columns = view.offered_columns()
        places = {f"place-{name}": number for number, name in enumerate(columns)}
        data = {"url": f"/admin/{endpoint}/", "column": list(columns), **places}

        owner.post(f"/lists/{endpoint}/columns/", data)

        assert owner.get(f"/{endpoint}/", size="50").status_code == 200, endpoint
