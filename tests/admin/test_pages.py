"""Pages: safe whatever is stored, whole whatever is asked, the same rows on every way through."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from admin.headers import CONTENT_SECURITY_POLICY
from app.catalog.models import ProductKind
from app.settings import Settings
from tests.admin.conftest import Desk
from tests.admin.world import World, build
from tests.factories.orders import make_order, make_product, make_refund
from tests.factories.payouts import make_award
from tests.factories.people import (
    make_binding,
    make_channel,
    make_distributor,
    make_member,
    make_share_code,
    make_staff,
    make_store,
)

ATTACK: Final = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
INLINE: Final = re.compile(
    r"<script(?![^>]*\bsrc=)|\son\w+\s*=|\sstyle\s*=|<style|javascript:", re.IGNORECASE
)
GARBAGE: Final = (
    {"after": "abc"},
    {"after": "9" * 40},
    {"before": "-1"},
    {"page": "9" * 30},
    {"page": "-5"},
    {"size": "1000000"},
    {"sort": "password"},
    {"sort": "id; DROP TABLE staff"},
    {"desc": "x"},
    {"search": "\x00"},
    {"search": "x" * 100_000},
    {"search": "%"},
    {"search": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢"},
    {"state": "nonsense"},
    {"store": "9" * 30},
    {"created_from": "2026-02-30"},
    {"created_to": "99999-01-01"},
    {"distributor": "abc"},
    {"export_type": "csv"},
    {"name": "x", "form_name": "y", "endpoint": "z"},
)


@pytest.fixture
def world(session: Session, settings: Settings) -> World:
    return build(session, settings)


def pages(app: Flask, world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every page that an owner can open, with its parameters."""
    yield from (("/", {}), ("/account/", {}), ("/account/password/", {}))
    for endpoint, view in app.extensions["backoffice"].items():
        row_id = world.here.ids.get(endpoint) or world.brand.ids.get(endpoint)
        yield f"/{endpoint}/", {}
        if view.can_view_details:
            yield f"/{endpoint}/details/", {"id": row_id}
        for page in view.form_pages:
            query = {"id": row_id} if page.is_about_row else {}
            yield f"/{endpoint}/form/{page.name}/", query


def test_every_page_carries_the_headers_and_nothing_inline(
    app: Flask, world: World, owner: Desk
) -> None:
    icons = owner.client.get("/admin/static/icons.svg", buffered=True).get_data(as_text=True)
    opened = 0
    for path, query in pages(app, world):
        answer = owner.get(path, **query)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert INLINE.search(text) is None, (path, INLINE.search(text))
        assert "http://" not in text.replace("http://www.w3.org", ""), path
        for name in re.findall(r"icons\.svg[^#\"]*#([\w-]+)", text):
            assert f'id="{name}"' in icons, (path, name)
        opened += 1
    assert opened > 55


@pytest.mark.parametrize("path", ["/login", "/nothing/here", "/orders/details/?id=1"])
def test_pages_before_and_beside_the_door_carry_the_headers_too(stranger: Desk, path: str) -> None:
    answer = stranger.get(path)

    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_files_are_kept_by_their_fingerprint_and_hold_what_pages_ask_for(owner: Desk) -> None:
    page = owner.get("/").get_data(as_text=True)
    addresses = set(re.findall(r'(?:href|src)="(/admin/static/[^"#]+)', page))

    for address in addresses:
        answer = owner.client.get(address, buffered=True)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
    assert {one.partition("?")[0].rpartition("/")[2] for one in addresses} >= {
        "admin.css",
        "admin.js",
        "icons.svg",
        "mark.svg",
    }


def test_what_customers_typed_is_never_markup(
    app: Flask, session: Session, owner: Desk, settings: Settings
) -> None:
    store = make_store(session, ATTACK)
    member = make_member(session, nickname=ATTACK, origin_store_id=store.id)
    seller = make_distributor(session, make_member(session, nickname=ATTACK), store_id=store.id)
    channel = make_channel(session, owner_id=seller.member_id, name=ATTACK[:40])
    code = make_share_code(session, distributor=seller, channel=channel)
    binding = make_binding(session, customer=member, owner=seller)
    product = make_product(session, kind=ProductKind.SERVICE, title=ATTACK)
    order = make_order(session, member=member, store=store, owner=seller)
    refund = make_refund(session, order)
    refund.reason = ATTACK
    staff = make_staff(session, "front_desk", stores=[store], name=ATTACK)
    session.commit()
    rows = {
        "members": member.id,
        "distributors": seller.member_id,
        "channels": channel.id,
        "share_codes": code.id,
        "bindings": binding.id,
        "products": product.id,
        "orders": order.id,
        "refunds": refund.id,
        "stores": store.id,
        "staff": staff.id,
    }

    seen = 0
    for endpoint, row_id in rows.items():
        for path, query in ((f"/{endpoint}/", {}), (f"/{endpoint}/details/", {"id": row_id})):
            text = owner.get(path, **query).get_data(as_text=True)
            assert "<script>alert" not in text, path
            assert "<img src=x" not in text, path
            seen += "&lt;script&gt;alert" in text
    assert seen > 12


def test_what_was_searched_for_is_never_markup(owner: Desk) -> None:
    text = owner.get("/orders/", search=ATTACK, member=ATTACK).get_data(as_text=True)

    assert "<script>alert" not in text
    assert "<img src=x" not in text


@pytest.mark.parametrize("number", range(len(GARBAGE)))
def test_nonsense_in_an_address_is_passed_over(app: Flask, owner: Desk, number: int) -> None:
    """Each list meets every third of the nonsense, and each of it every third list."""
    for endpoint in list(app.extensions["backoffice"])[number % 3 :: 3]:
        assert owner.get(f"/{endpoint}/", **GARBAGE[number]).status_code == 200, endpoint


@pytest.mark.parametrize("row_id", ["", "0", "-1", "abc", "9" * 40, "1' OR 1=1", "１"])
def test_what_is_no_id_is_not_found(app: Flask, owner: Desk, row_id: str) -> None:
    for endpoint, view in app.extensions["backoffice"].items():
        if view.can_view_details:
            answer = owner.get(f"/{endpoint}/details/", id=row_id)
            assert answer.status_code == 404, endpoint


def test_percent_and_underscore_stand_for_themselves(session: Session, owner: Desk) -> None:
    make_member(session, nickname="100% real")
    make_member(session, nickname="under_score")
    make_member(session, nickname="plain")
    session.commit()

    def found(text: str) -> list[str]:
        page = owner.get("/members/", search=text).get_data(as_text=True)
        return [name for name in ("100% real", "under_score", "plain") if f">{name}<" in page]

    assert found("%") == ["100% real"]
    assert found("_") == ["under_score"]
    assert found("pla") == ["plain"]


def test_a_list_that_is_searched_by_number_alone_finds_nothing_by_words(
    session: Session, owner: Desk
) -> None:
    award = make_award(session, make_distributor(session), 5_000)
    session.commit()

    by_number = owner.get("/awards/", search=str(award.id)).get_data(as_text=True)
    by_words = owner.get("/awards/", search="Mei").get_data(as_text=True)

    assert f"/awards/details/?id={award.id}" in by_number
    assert f"/awards/details/?id={award.id}" not in by_words
    assert "Nothing matches. Try fewer filters." in by_words


def test_paging_forth_and_back_shows_every_row_once(session: Session, owner: Desk) -> None:
    members = [make_member(session, nickname=f"m{number:03}") for number in range(60)]
    session.commit()
    names = re.compile(r">(m\d{3})<")
    link = re.compile(r'rel="(next|prev)" href="([^"]+)"')

    seen: list[str] = []
    path = "/members/?size=25"
    back = ""
    for _ in range(3):
        text = owner.get(path).get_data(as_text=True)
        seen += names.findall(text)
        links = dict(link.findall(text))
        back = links.get("prev", "")
        path = links.get("next", "").replace("&amp;", "&").removeprefix("/admin")
    middle = owner.get(back.replace("&amp;", "&").removeprefix("/admin")).get_data(as_text=True)

    expected = [f"m{number:03}" for number in reversed(range(len(members)))]
    assert seen == expected
    assert path == ""
    assert names.findall(middle) == expected[25:50]


def test_sorting_by_a_column_goes_both_ways(session: Session, owner: Desk) -> None:
    for price in (300, 100, 200):
        make_order(session, price_fen=price)
    session.commit()
    amounts = re.compile(r'class="money">¥(\d)\.00</span>')

    def order(descending: str) -> list[str]:
        page = owner.get("/orders/", sort="payable_fen", desc=descending).get_data(as_text=True)
        return [one for one in amounts.findall(page) if one != "0"]

    assert order("0") == ["1", "2", "3"]
    assert order("1") == ["3", "2", "1"]


def test_a_list_counts_up_to_a_thousand_only(
    session: Session, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make_member(session)
    session.commit()
    monkeypatch.setattr("admin.listing.COUNTED_MAX", 4)

    page = owner.get("/members/").get_data(as_text=True)

    assert "<small>4+</small>" in page


def test_days_are_those_of_the_shops(session: Session, owner: Desk) -> None:
    """Midnight in Shanghai is four in the afternoon in UTC, the day before."""
    midnight = datetime(2026, 3, 1, 16, tzinfo=UTC)
    before = make_order(session, now=midnight - timedelta(seconds=1))
    after = make_order(session, now=midnight)
    session.commit()

    page = owner.get("/orders/", created_from="2026-03-02", created_to="2026-03-02").get_data(
        as_text=True
    )

    assert after.number in page
    assert before.number not in page
    assert "2026-03-02 00:00" in page


def test_a_phone_number_is_found_without_standing_in_an_address(
    session: Session, owner: Desk
) -> None:
    wanted = make_member(session, nickname="wanted", phone="+8613812345678")
    make_member(session, nickname="other", phone="+8613812345679")
    session.commit()

    sent = owner.post("/members/find/", {"search": "138 1234 5678"})
    location = sent.headers["Location"]
    page = owner.get(location.removeprefix("/admin")).get_data(as_text=True)

    assert "5678" not in location.replace(wanted.phone_hash or "", "")
    assert ">wanted<" in page
    assert ">other<" not in page
    assert "138****5678" in page


def test_every_role_sees_phone_numbers_masked_everywhere(
    app: Flask, world: World, sit_down: Callable[..., Desk]
) -> None:
    opened = 0
    for role in ("owner", "operations", "finance", "store_manager", "front_desk", "auditor"):
        desk = sit_down(role)
        for path, query in pages(app, world):
            text = desk.get(path, **query).get_data(as_text=True)
            assert "13800001111" not in text, (role, path)
            opened += 1
    assert opened > 300


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        ("", "zh-CN,zh;q=0.9", "zh-Hans-CN"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "fr", "zh-Hans-CN"),
        ("", "", "zh-Hans-CN"),
        ("en", "zh-CN", "en"),
        ("zh_Hans_CN", "en", "zh-Hans-CN"),
        ("klingon", "en", "en"),
    ],
)
def test_the_language_comes_from_the_cookie_then_the_browser_then_it_is_chinese(
    stranger: Desk, cookie: str, header: str, language: str
) -> None:
    if cookie:
        stranger.client.set_cookie("tuoke_locale", cookie, path="/admin")

    page = stranger.client.get("/admin/login", headers={"Accept-Language": header})

    assert f'<html lang="{language}">' in page.get_data(as_text=True)


def test_the_chosen_language_is_kept_with_the_account(owner: Desk) -> None:
    owner.post("/language/", {"locale": "zh_Hans_CN", "next": "/admin/orders/"})
    owner.client.delete_cookie("tuoke_locale", path="/admin")

    page = owner.get("/orders/").get_data(as_text=True)

    assert '<html lang="zh-Hans-CN">' in page


def test_an_unknown_language_changes_nothing(owner: Desk) -> None:
    answer = owner.post("/language/", {"locale": "xx", "next": "/admin/"})

    assert "tuoke_locale" not in answer.headers.get("Set-Cookie", "")


def test_errors_are_pages_in_the_shell(owner: Desk, sit_down: Callable[..., Desk]) -> None:
    missing = owner.get("/nothing/here")
    forbidden = sit_down("front_desk").get("/payouts/")

    assert missing.status_code == 404
    assert "Not found" in missing.get_data(as_text=True)
    assert forbidden.status_code == 403
    assert "Your role does not allow this." in forbidden.get_data(as_text=True)
    assert '<aside class="sidebar"' in forbidden.get_data(as_text=True)


def test_the_navigation_shows_what_a_role_may_open_and_nothing_else(
    sit_down: Callable[..., Desk],
) -> None:
    page = sit_down("front_desk").get("/").get_data(as_text=True)

    links = set(re.findall(r'<li><a href="/admin/(\w+)/"', page))
    assert links == {
        "activities",
        "bargains",
        "buying_groups",
        "card_bookings",
        "card_templates",
        "coupon_templates",
        "coupons",
        "draw_tickets",
        "figures",
        "follow_ups",
        "gifts",
        "guest_cards",
        "help",
        "invite_rounds",
        "mall_exchanges",
        "mall_items",
        "members",
        "notes",
        "orders",
        "point_entries",
        "products",
        "refunds",
        "stock",
        "stores",
    }
