"""Five things that operations does, in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.approvals.models import Approval
from app.approvals.states import ApprovalState
from app.imports import running
from app.members.expected import ExpectedMember
from app.members.file_models import FollowUp, MemberNote, Tag
from app.members.models import Distributor, Member, Standing
from app.stores.models import Store
from tests.browser.conftest import Window
from tests.browser.hands import decide, fill, fits, pick, send
from tests.factories.approvals import make_case
from tests.factories.imports import csv_of
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_distributor, make_member, make_store

pytestmark = pytest.mark.commits

HEADINGS = ("Phone", "Nickname", "Store of origin")


def test_an_applicant_becomes_a_distributor_on_a_phone(
    session: Session, seat: Callable[..., Window]
) -> None:
    wanted = make_distributor(
        session, make_member(session, nickname="林晓"), standing=Standing.APPLIED
    )
    tab = seat("operations", width=390)

    tab.open("/distributors/?standing=applied")
    tab.page.click("a:has-text('林晓')")
    decide(tab, "Approve")

    session.expire_all()
    assert session.get_one(Distributor, wanted.member_id).standing is Standing.ACTIVE
    assert fits(tab)
    assert tab.troubles == []


def test_a_customer_is_handed_over_by_asking_a_colleague(
    session: Session, seat: Callable[..., Window]
) -> None:
    case = make_case(session, name="陈小满")
    session.get_one(Member, case.claimant.member_id).nickname = "周敏"
    desk = seat("operations")

    desk.open(f"/members/details/?id={case.customer.id}")
    desk.page.click("a:has-text('Hand over')")
    desk.page.check("input[name=way][value=ask]")
    expect(desk.page.locator("[name=second_password]")).to_be_hidden()
    pick(desk, "to_owner_id", "周敏")
    fill(desk, reason="She moved to Xuhui")
    send(desk)

    asked = session.scalars(sa.select(Approval)).one()
    assert (asked.state, asked.asked_by_id) == (ApprovalState.REQUESTED, desk.staff_id)
    session.refresh(case.binding)
    assert case.binding.valid_until_at.year == 2999
    assert desk.troubles == []


def test_a_file_with_a_wrong_row_is_mended_and_brought_in(
    session: Session, seat: Callable[..., Window], tmp_path: Path
) -> None:
    make_store(session, "静安店")
    desk = seat("operations")
    file = tmp_path / "members.csv"

    def bring(*rows: tuple[str, str, str]) -> None:
        file.write_text(csv_of(HEADINGS, rows))
        desk.open("/imports/form/members/")
        desk.page.set_input_files("input[name=file]", file)
        desk.page.check("[name=consent]")
        desk.page.click("form.form button[data-once]")
        desk.page.wait_for_url("**/imports/details/**")

    bring(("13800138001", "陈小满", "静安店"), ("1380013", "王一", "静安店"))
    expect(desk.page.locator("main")).to_contain_text("1 row is wrong")
    decide(desk, "Call off")
    bring(("13800138001", "陈小满", "静安店"), ("13800138002", "王一", "静安店"))
    expect(desk.page.locator("main")).to_contain_text("2 rows can be imported")
    decide(desk, "Import these rows")
    session.commit()
    running.work()

    expect(desk.page.locator("h1 .badge")).to_have_text("Done", timeout=20_000)
    session.expire_all()
    assert session.scalar(sa.select(sa.func.count()).select_from(ExpectedMember)) == 2
    assert desk.troubles == []


def test_a_customer_gets_a_tag_a_note_and_something_to_be_done(
    session: Session, seat: Callable[..., Window]
) -> None:
    member = make_member(session, nickname="陈小满")
    session.add(Tag(name="Bride", created_at=NOON))
    desk = seat("operations")

    desk.open(f"/members/details/?id={member.id}")
    desk.page.click("button[value=tag]")
    desk.page.select_option("[name=tag_id]", label="Bride")
    send(desk)
    desk.page.click("a:has-text('Write a note')")
    fill(desk, text="Wedding on May 4th")
    send(desk)
    desk.page.click("a:has-text('Plan a follow-up')")
    fill(desk, what="Offer the evening before", due_on="2026-12-01")
    send(desk)

    expect(desk.page.locator(".tag-row")).to_contain_text("Bride")
    expect(desk.page.locator("main")).to_contain_text("Wedding on May 4th")
    [note] = session.scalars(sa.select(MemberNote)).all()
    [task] = session.scalars(sa.select(FollowUp)).all()
    assert (note.text, note.author_id) == ("Wedding on May 4th", desk.staff_id)
    assert (task.what, str(task.due_on)) == ("Offer the evening before", "2026-12-01")
    assert desk.troubles == []


def test_a_view_with_columns_of_ones_own_is_what_the_file_holds(
    session: Session, seat: Callable[..., Window]
) -> None:
    order = make_order(session, price_fen=12_300)
    desk = seat("operations")

    desk.open("/orders/?state=paid")
    desk.page.click("summary:has-text('Columns')")
    desk.page.locator(".column-list input[value=store_id]").uncheck()
    desk.page.click(".column-list ~ .panel-buttons .primary")
    desk.page.click("summary:has-text('Save view')")
    desk.page.fill(".views-menu input[name=name]", "To hand over")
    desk.page.click(".views-menu button[value=save]")
    expect(desk.page.locator(".views [aria-current]")).to_contain_text("To hand over")
    desk.page.click("summary:has-text('Export')")
    with desk.page.expect_download() as arriving:
        desk.page.click("a:has-text('CSV file')")

    text = arriving.value.path().read_text("utf-8-sig")
    head, row = text.splitlines()
    assert "Store" not in head.split(",")
    assert order.number in row
    assert desk.page.locator("th:text-is('Store')").count() == 0
    assert desk.troubles == []


def test_opening_hours_that_two_people_change_are_shown_with_both_values(
    session: Session, seat: Callable[..., Window]
) -> None:
    store = make_store(session, "静安店")
    mine, theirs = seat("operations", width=390), seat("operations")
    path = f"/stores/form/edit/?id={store.id}"

    mine.open(path)
    theirs.open(path)
    fill(theirs, monday="09:00-18:00")
    send(theirs)
    fill(mine, monday="10:00-22:00")
    mine.page.click("form.form button[data-once]")

    conflict = mine.page.locator(".conflicts")
    expect(conflict).to_contain_text("09:00")
    expect(conflict).to_contain_text("10:00")
    mine.page.click("form.form button[data-once]")
    expect(mine.page.locator(".flash.good")).to_be_visible()
    session.expire_all()
    assert "22:00" in str(session.get_one(Store, store.id).opening_hours)
    assert fits(mine)
    assert theirs.troubles == []
