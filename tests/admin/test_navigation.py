"""The way to every page: below a heading, or on the page of the list that it stands beside."""

import re
from collections.abc import Callable
from typing import Final

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from admin.navigation import BESIDE, LINKS_MAX, TITLES, UNFOLDED_MAX
from app.stores.models import Role, Store
from app.stores.permissions import RoleName
from tests.admin.conftest import Desk
from tests.factories.people import make_staff, make_store

SIDEBAR: Final = re.compile(r'<aside class="sidebar".*?</aside>', re.DOTALL)
TOP: Final = re.compile(r'<div class="nav-section".*?</div>', re.DOTALL)
HEADING: Final = re.compile(
    r'<details class="nav-section" (open)? ?data-nav-section="(\w+)">(.*?)</details>', re.DOTALL
)
LINK: Final = re.compile(r'<a href="/admin/([a-z_-]*)/"')
BESIDES: Final = re.compile(r'<nav class="beside".*?</nav>', re.DOTALL)
ROLES: Final = tuple(RoleName)


def sidebar_of(desk: Desk, path: str = "/help/") -> str:
    found = SIDEBAR.search(desk.get(path).get_data(as_text=True))
    assert found is not None
    return found[0]


def headings(desk: Desk, path: str = "/help/") -> dict[str, tuple[bool, list[str]]]:
    """Return of each heading whether it is open and what it leads to."""
    return {
        name: (bool(opened), LINK.findall(links))
        for opened, name, links in HEADING.findall(sidebar_of(desk, path))
    }


def beside(desk: Desk, endpoint: str) -> list[str]:
    found = BESIDES.search(desk.get(f"/{endpoint}/").get_data(as_text=True))
    return LINK.findall(found[0]) if found else []


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "静安店")


@pytest.mark.parametrize("role", ROLES)
def test_every_list_that_somebody_may_open_is_below_a_heading_or_beside_one_that_is(
    app: Flask, store: Store, sit_down: Callable[..., Desk], role: str
) -> None:
    desk = sit_down(role, *(() if role in {"owner", "auditor"} else (store,)))

    below = {one for _, links in headings(desk).values() for one in links}
    around = {one for name in set(BESIDE.values()) & below for one in beside(desk, name)}

    may_open = {
        name
        for name in app.extensions["backoffice"]
        if desk.get(f"/{name}/", clear="1").status_code != 403
    }
    assert may_open == (below | around) & set(app.extensions["backoffice"])
    assert below & set(BESIDE) == set()


def test_no_heading_has_more_links_than_are_seen_at_a_glance(owner: Desk) -> None:
    found = headings(owner)

    assert set(found) == set(TITLES)
    assert {name: links for name, (_, links) in found.items() if len(links) > LINKS_MAX} == {}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_open_at_first_is_seen_without_searching(
    sit_down: Callable[..., Desk], role: str
) -> None:
    desk = sit_down(role)

    top = TOP.search(sidebar_of(desk))
    opened = [links for is_open, links in headings(desk).values() if is_open]

    assert top is not None
    assert len(LINK.findall(top[0])) + sum(map(len, opened)) <= UNFOLDED_MAX


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("front_desk", {"work", "orders", "customers", "cards"}),
        ("store_manager", {"work", "orders", "customers"}),
        ("finance", {"work", "money", "orders", "customers"}),
        ("owner", {"work", "money", "orders"}),
    ],
)
def test_the_headings_of_daily_work_are_open_as_far_as_they_fit(
    store: Store, sit_down: Callable[..., Desk], role: str, expected: set[str]
) -> None:
    desk = sit_down(role, store)

    assert {name for name, (is_open, _) in headings(desk).items() if is_open} == expected


def test_the_heading_of_the_page_is_open_also_where_the_page_stands_beside_a_list(
    owner: Desk,
) -> None:
    below = headings(owner, "/growth_entries/")
    page = sidebar_of(owner, "/growth_entries/")

    assert below["points"][0] is True
    assert '<a href="/admin/membership_levels/" aria-current="true">' in page


def test_lists_side_by_side_lead_to_each_other(owner: Desk) -> None:
    together = ["membership_levels", "level_moves", "growth_entries"]

    assert [beside(owner, name) for name in together] == [together] * 3
    assert beside(owner, "refunds") == []


def test_who_may_not_open_the_list_beside_finds_its_companion_in_the_navigation(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    reader = make_staff(session, "front_desk")
    reader.roles = [Role(name="Who signs in", permissions=["audit.view"])]
    desk = sit_down(staff=reader)

    assert headings(desk)["settings"][1] == ["staff_sessions", "audit"]
    assert beside(desk, "staff_sessions") == []
    assert beside(desk, "audit") == ["audit", "audit_checks"]


def test_what_is_done_at_the_counter_is_one_press_from_the_first_page_of_a_store(
    store: Store, sit_down: Callable[..., Desk]
) -> None:
    counter = re.compile(r'<nav class="at-counter".*?</nav>', re.DOTALL)
    form = re.compile(r'href="/admin/(\w+/form/[\w-]+/)"')

    first = counter.search(sit_down("front_desk", store).get("/").get_data(as_text=True))
    headquarters = counter.search(sit_down("owner").get("/").get_data(as_text=True))
    finance = counter.search(sit_down("finance", store).get("/").get_data(as_text=True))

    assert first is not None
    assert form.findall(first[0]) == [
        "guest_cards/form/redeem/",
        "coupons/form/redeem/",
        "draw_tickets/form/hand-over/",
    ]
    assert (headquarters, finance) == (None, None)
