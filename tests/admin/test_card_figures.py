"""What guest cards bring and what stores owe each other: figures that equal their rows."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.month_books import month_of
from app.guest_cards import settling
from app.guest_cards.models import GuestCard
from app.kernel.audit import AuditRecord
from app.kernel.clock import utc_now
from app.settings import Settings
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.guest_cards import claimed_card, make_template, shared_card, used
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member, make_store

HEADS = [
    "Shared",
    "Claimed",
    "Booked",
    "Used",
    "Bought afterwards",
    "New customers",
    "Cost",
    "For each new customer",
    "First orders",
    "For each card",
]
ROW = re.compile(r"<tr>\s*<td", re.DOTALL)


def rows_of(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


@pytest.fixture
def now() -> datetime:
    return utc_now() - timedelta(minutes=10)


@pytest.fixture
def here(session: Session) -> Store:
    return make_store(session, "Here store")


@pytest.fixture
def there(session: Session) -> Store:
    return make_store(session, "There store")


@pytest.fixture
def brought(
    session: Session, settings: Settings, here: Store, there: Store, now: datetime
) -> GuestCard:
    """Of two cards that Here's giver shared one was used There, and its friend bought for ¥300."""
    giver = make_distributor(session, make_member(session, nickname="Wang"), store_id=here.id)
    template = make_template(session, name="Trial")
    shared_card(session, settings, giver=giver, template=template, now=now)
    card = claimed_card(session, settings, giver=giver, template=template, now=now)
    used(session, card, there, now=now + timedelta(minutes=1))
    order = make_order(session, store=there, price_fen=30_000)
    settling.note_conversion(
        session,
        card_id=card.id,
        order_id=order.id,
        store_id=there.id,
        paid_fen=30_000,
        paid_at=now + timedelta(minutes=2),
    )
    session.commit()
    return card


WANG = ["2", "1", "0", "1", "1", "1", "30.00", "30.00", "300.00", "150.00"]


@pytest.mark.parametrize(
    ("by", "head", "name"),
    [
        ("giver", "Given by", "Wang"),
        ("store", "Store of the giver", "Here store"),
        ("template", "Guest card", "Trial"),
    ],
)
def test_the_file_tells_what_cards_brought_line_by_line(
    brought: GuestCard, owner: Desk, by: str, head: str, name: str
) -> None:
    assert brought.id

    rows = rows_of(owner.get("/card-figures/table.csv", by=by))

    assert rows == [[head, *HEADS], [name, *WANG]]


def test_the_page_draws_how_far_cards_came_and_names_their_giver(
    brought: GuestCard, owner: Desk
) -> None:
    page = text_of(owner.get("/card-figures/"))

    for count, stage in zip("21011", HEADS, strict=False):
        assert f"{stage}: {count} of 2" in page
    assert f'href="/admin/members/details/?id={brought.giver_id}"' in page
    assert "¥300.00" in page


def test_cards_count_on_the_days_they_were_shared(
    session: Session, settings: Settings, here: Store, owner: Desk, now: datetime
) -> None:
    giver = make_distributor(session, store_id=here.id)
    shared_card(session, settings, giver=giver, now=now - timedelta(days=20))
    session.commit()

    assert len(rows_of(owner.get("/card-figures/table.csv", days=7))) == 1
    assert len(rows_of(owner.get("/card-figures/table.csv", days=30))) == 2
    assert "Nothing here yet." in text_of(owner.get("/card-figures/", days=7))


def test_a_store_is_told_of_its_givers_only(
    brought: GuestCard, here: Store, there: Store, sit_down: Callable[..., Desk]
) -> None:
    assert brought.id
    giver_side, visited = sit_down("store_manager", here), sit_down("store_manager", there)

    assert "Wang" in text_of(giver_side.get("/card-figures/"))
    for wish in ({}, {"store": here.id}):
        page = text_of(visited.get("/card-figures/", **wish))
        assert "Wang" not in page
        assert "Nothing here yet." in page


def test_what_is_not_on_offer_counts_as_not_said(brought: GuestCard, owner: Desk) -> None:
    assert brought.id

    page = text_of(owner.get("/card-figures/", by="' OR 1", days="9" * 30, store="x"))

    assert "Giver by giver" in page
    assert "Wang" in page


def test_taking_the_figures_out_needs_the_right_and_is_audited(
    session: Session, brought: GuestCard, here: Store, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    assert brought.id
    manager = sit_down("store_manager", here)

    refused = [
        manager.get("/card-figures/table.csv").status_code,
        manager.get("/between-stores/table.csv").status_code,
    ]
    owner.get("/card-figures/table.csv", by="store")

    assert refused == [403, 403]
    records = session.scalars(sa.select(AuditRecord).where(AuditRecord.action == "exported")).all()
    assert [(one.after["file"], one.after["rows"]) for one in records] == [("guest-cards-store", 1)]


def test_what_a_store_owes_is_stated_with_its_uses_behind_it(
    brought: GuestCard, owner: Desk
) -> None:
    page = owner.get("/between-stores/").get_data(as_text=True)
    links = {html.unescape(one) for one in re.findall(r'href="([^"]*settled=owed[^"]*)"', page)}
    uses = owner.get(links.pop().removeprefix("/admin")).get_data(as_text=True)

    assert brought.id
    assert not links
    assert "¥50.00" in text_of(owner.get("/between-stores/"))
    assert len(ROW.findall(uses)) == 1
    month = month_of(utc_now())
    assert rows_of(owner.get("/between-stores/table.csv", month=month)) == [
        ["Owed by", "Used at", "Uses", "Settlement"],
        ["Here store", "There store", "1", "50.00"],
    ]


def test_both_stores_of_a_pair_see_it_and_a_third_does_not(
    session: Session,
    brought: GuestCard,
    here: Store,
    there: Store,
    sit_down: Callable[..., Desk],
) -> None:
    third = make_store(session)
    assert brought.id

    pages = [
        text_of(sit_down("store_manager", store).get("/between-stores/"))
        for store in (here, there, third)
    ]

    assert ["¥50.00" in page for page in pages] == [True, True, False]
    assert "-¥50.00" in pages[0]
    assert "There store" not in pages[0], "a store of others is not named"


def test_a_month_without_uses_is_empty_and_no_month_is_no_page(
    brought: GuestCard, owner: Desk
) -> None:
    assert brought.id

    assert "Nothing here yet." in text_of(owner.get("/between-stores/", month="2026-01"))
    for wrong in ("2026-13", "2026-1", "x", "9" * 40):
        assert owner.get("/between-stores/", month=wrong).status_code == 404


def test_who_may_not_see_cards_has_no_such_pages(sit_down: Callable[..., Desk]) -> None:
    cook = sit_down("cook")

    for path in ("/card-figures/", "/card-figures/table.csv", "/between-stores/"):
        assert cook.get(path).status_code == 403
    assert "/admin/card-figures/" not in cook.get("/").get_data(as_text=True)
