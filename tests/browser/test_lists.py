"""Lists in a real browser: keys, columns, views, many decisions, files that arrive whole."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Route, expect
from sqlalchemy.orm import Session

from app.kernel.audit import AuditRecord
from app.members.models import Distributor, Standing
from app.stores.models import Staff
from app.stores.view_models import ListChoice, SavedView
from tests.browser.conftest import Window
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member

pytestmark = pytest.mark.commits

PATIENT = 60_000
"""Milliseconds; the machine that runs the tests may be busy."""


@pytest.fixture
def desk(window: Callable[..., Window], employ: Callable[..., Staff]) -> Window:
    """An owner who reads English at a desk."""
    shown = window(language="en-GB")
    shown.sign_in(employ(shown, "owner"))
    return shown


@pytest.fixture
def waiting(session: Session) -> list[int]:
    """Forty-five distributors who wait for a decision."""
    rows = [
        make_distributor(
            session, make_member(session, nickname=f"小{n:02}"), standing=Standing.APPLIED
        )
        for n in range(45)
    ]
    session.commit()
    return [row.member_id for row in rows]


def active(session: Session) -> int:
    session.expire_all()
    query = sa.select(sa.func.count()).select_from(Distributor)
    return session.scalar(query.where(Distributor.standing == Standing.ACTIVE)) or 0


def confirm_all(desk: Window) -> None:
    """Tick a row, then all that match, and ask for them to be approved."""
    desk.open("/distributors/?standing=applied")
    desk.page.locator("[data-pick]").first.check()
    desk.page.locator(".bulk-all input").check()
    desk.page.click(".bulk button[value=approve]")


def test_all_that_match_are_decided_a_few_at_a_time_with_a_line_for_each(
    session: Session, desk: Window, waiting: list[int]
) -> None:
    confirm_all(desk)
    expect(desk.page.locator("form[data-run] input[name=rowid]")).to_have_count(45)

    with desk.page.expect_request(lambda one: one.method == "POST"):
        desk.page.click("form[data-run] button[data-once]")

    expect(desk.page.locator("[data-count=done]")).to_have_text("45", timeout=PATIENT)
    expect(desk.page.locator("[data-results] tbody tr")).to_have_count(45)
    expect(desk.page.locator("[data-back]")).to_be_visible(timeout=PATIENT)
    desk.picture("lists-progress")
    with desk.page.expect_download() as arriving:
        desk.page.click("[data-progress] [data-download]")
    lines = list(csv.reader(arriving.value.path().read_text("utf-8-sig").splitlines()))
    assert lines[0] == ["Row", "Result", "Why"]
    assert len(lines) == 46
    assert {line[1] for line in lines[1:]} == {"Done"}
    assert active(session) == 45
    assert desk.troubles == []


def test_stopping_leaves_the_rest_as_it_was_and_says_which(
    session: Session, desk: Window, waiting: list[int]
) -> None:
    confirm_all(desk)

    def stop_and_go_on(route: Route) -> None:
        stop(desk)
        route.continue_()

    desk.page.route("**/action/**", stop_and_go_on)

    desk.page.click("form[data-run] button[data-once]")

    expect(desk.page.locator("[data-back]")).to_be_visible(timeout=PATIENT)
    expect(desk.page.locator("[data-count=done]")).to_have_text("20", timeout=PATIENT)
    expect(desk.page.locator("[data-count=unknown]")).to_have_text("25", timeout=PATIENT)
    assert active(session) == 20


def stop(desk: Window) -> None:
    """Press the button while the first rows are on their way."""
    desk.page.evaluate("document.querySelector('[data-stop]').click()")


def test_a_lost_connection_leaves_rows_that_nobody_claims_to_know(
    session: Session, desk: Window, waiting: list[int]
) -> None:
    confirm_all(desk)
    desk.page.route("**/action/**", lambda route: route.abort())

    desk.page.click("form[data-run] button[data-once]")

    expect(desk.page.locator("[data-count=unknown]")).to_have_text("45", timeout=PATIENT)
    expect(desk.page.locator("[data-problem]")).to_contain_text("The connection was lost")
    assert active(session) == 0


def test_a_reason_that_is_missing_is_asked_for_once_and_for_all_rows(
    session: Session, desk: Window, waiting: list[int]
) -> None:
    desk.open("/distributors/?standing=applied")
    desk.page.locator("[data-pick-all]").check()
    desk.page.click(".bulk button[value=refuse]")
    desk.page.fill("#reason", " ")
    desk.page.evaluate("document.querySelector('form[data-run]').noValidate = true")
    desk.page.click("form[data-run] button[data-once]")
    expect(desk.page.locator("[data-sent]")).to_contain_text("Reason")

    desk.page.fill("#reason", "never answered")
    desk.page.click("form[data-run] button[data-once]")

    expect(desk.page.locator("[data-count=done]")).to_have_text("25", timeout=PATIENT)


def test_a_list_is_read_with_keys_alone(session: Session, desk: Window, waiting: list[int]) -> None:
    desk.open("/distributors/")
    focused = desk.page.locator("tr:focus")
    desk.page.keyboard.press("j")
    expect(focused).to_contain_text("小44")
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("k")
    expect(focused).to_contain_text("小43")
    desk.page.keyboard.press("x")
    expect(desk.page.locator("[data-bulk-count]")).to_have_text("Rows selected: 1")
    desk.page.keyboard.press("?")
    expect(desk.page.locator("dialog[data-keys]")).to_be_visible()
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("/")
    expect(desk.page.locator("[data-search]")).to_be_focused()
    desk.page.keyboard.type("j")
    expect(desk.page.locator("[data-search]")).to_have_value("j")
    desk.page.locator("tbody tr").nth(1).focus()
    desk.page.keyboard.press("Enter")

    expect(desk.page).to_have_url(re.compile(f"/distributors/details/\\?id={waiting[43]}$"))
    assert desk.troubles == []


@pytest.mark.parametrize("width", [1440, 390])
def test_columns_are_moved_by_buttons_and_views_are_saved(
    session: Session,
    window: Callable[..., Window],
    employ: Callable[..., Staff],
    width: int,
) -> None:
    shown = window(width=width, language="en-GB")
    shown.sign_in(employ(shown, "owner"))
    for price in (10_000, 20_000):
        make_order(session, price_fen=price)
    session.commit()
    shown.open("/orders/?size=50")
    shown.page.click(".panel-menu:has(.column-list) > summary")
    shown.page.get_by_role("button", name="Move down: Number").click()
    shown.picture(f"lists-columns-{width}")
    shown.page.click(".column-list ~ .panel-buttons .primary")
    [liked] = session.scalars(sa.select(ListChoice))
    assert liked.columns is not None
    assert liked.columns[:2] == ["state", "number"]

    shown.page.click(".views-menu > summary")
    shown.picture(f"lists-views-{width}")
    shown.page.locator(".views-menu input[name=name]").last.fill("Fifty")
    shown.page.click(".views-menu button[value=save]")

    expect(shown.page.locator(".views a[aria-current]")).to_have_text("Fifty")
    [view] = session.scalars(sa.select(SavedView))
    assert (view.name, view.wish) == ("Fifty", {"size": "50"})
    shown.picture(f"lists-list-{width}")
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.troubles == []


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_arrives_whole_from_a_real_server(
    session: Session, desk: Window, waiting: list[int], kind: str
) -> None:
    desk.open("/distributors/")

    with desk.page.expect_download() as arriving:
        desk.page.evaluate(f"location.href = '/admin/distributors/export/{kind}/'")

    data = arriving.value.path().read_bytes()
    assert data.startswith(b"\xef\xbb\xbf" if kind == "csv" else b"PK")
    assert arriving.value.suggested_filename.startswith("tuoke-distributors-")
    assert ended(session) == [{"type": kind, "rows": 45, "outcome": "whole"}]


def ended(session: Session) -> list[Any]:
    session.expire_all()
    query = sa.select(AuditRecord.after).where(AuditRecord.action == "export_ended")
    return list(session.scalars(query))
