"""Five things that finance does, in a real browser."""

from collections.abc import Callable
from io import BytesIO

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook  # type: ignore[import-untyped]
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.distribution import settlement
from app.distribution.models import Award
from app.kernel.audit import AuditRecord
from app.kernel.outbox import Task
from app.orders.models import Refund
from app.orders.states import OrderState, RefundState
from app.payouts.models import Payout
from app.payouts.states import PayoutState
from app.risk.models import RiskFlag
from app.risk.states import FlagState
from app.settings import Settings
from tests.browser.conftest import Window
from tests.browser.hands import decide, fill, fits, send
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import make_earner, make_payout, plan_version_id
from tests.factories.people import NOON, make_distributor, make_member

pytestmark = pytest.mark.commits


def test_payouts_are_approved_together_with_a_result_for_each(
    session: Session, settings: Settings, seat: Callable[..., Window]
) -> None:
    payouts = [
        make_payout(session, make_earner(session, 5_000), 2_000, settings=settings)
        for _ in range(3)
    ]
    numbers = {one.number for one in payouts}
    desk = seat("finance")

    desk.open("/payouts/")
    desk.page.locator("[data-pick-all]").check()
    desk.page.click(".bulk button[value=approve]")
    expect(desk.page.locator(".total")).to_contain_text("¥60.00")
    desk.page.click("form[data-run] button[data-once]")

    expect(desk.page.locator("[data-count=done]")).to_have_text("3")
    lines = desk.page.locator("[data-results] tbody tr")
    expect(lines).to_have_count(3)
    assert {number for number in numbers if number in desk.page.content()} == numbers
    session.expire_all()
    states = session.scalars(sa.select(Payout.state)).all()
    assert states == [PayoutState.APPROVED] * 3
    assert desk.troubles == []


def test_a_distributor_is_held_by_a_flag_and_let_go_again(
    session: Session, seat: Callable[..., Window]
) -> None:
    held = make_distributor(session, make_member(session, nickname="林晓"))
    desk = seat("finance")

    desk.open(f"/distributors/details/?id={held.member_id}")
    desk.page.click("a:has-text('Raise a flag')")
    fill(desk, reason="Four orders from one phone")
    send(desk)
    flag = session.scalars(sa.select(RiskFlag)).one()
    assert (flag.state, flag.holds_payouts) == (FlagState.OPEN, True)
    desk.open(f"/risk_flags/details/?id={flag.id}")
    expect(desk.page.locator("main")).to_contain_text("Four orders from one phone")
    decide(desk, "Release", reason="A family, all of them real")

    session.expire_all()
    assert session.scalars(sa.select(RiskFlag.state)).all() == [FlagState.RELEASED]
    assert desk.troubles == []


def test_why_a_commission_is_what_it_is_stands_beside_it(
    session: Session, seat: Callable[..., Window]
) -> None:
    award = paid_award(session, 20_000)
    desk = seat("finance", width=390)

    desk.open("/")
    desk.page.click("[data-nav-open]")
    desk.page.click(".sidebar a[href='/admin/awards/']")
    desk.page.locator("td.head a.open").first.click()

    expect(desk.page.locator("main")).to_contain_text("¥20.00")
    why = desk.page.locator("section:has(h2:text-is('Why')) li")
    expect(why.first).to_contain_text("¥200.00 was paid")
    expect(why.filter(has_text="10% of ¥200.00 is ¥20.00.")).to_have_count(1)
    assert desk.page.url.endswith(f"?id={award.id}")
    assert fits(desk)
    assert desk.troubles == []


def paid_award(session: Session, price_fen: int) -> Award:
    """The commission of somebody whose customer has bought, as the job decides it."""
    owner = make_distributor(session, make_member(session, nickname="林晓"))
    version_id = plan_version_id(session)
    order = make_order(session, price_fen=price_fen, owner=owner, plan_version_id=version_id)
    task = Task(job="award_orders", subject_id=order.id, created_at=NOON, due_at=NOON)
    session.add(task)
    session.flush()
    settlement.award_orders(session, [task], NOON)
    return session.scalars(sa.select(Award)).one()


def test_a_refund_is_decided_from_the_first_page(
    session: Session, seat: Callable[..., Window]
) -> None:
    order = make_order(session, state=OrderState.COMPLETED)
    refund = make_refund(session, order, state=RefundState.REQUESTED)
    desk = seat("finance")

    desk.open("/")
    desk.page.click(".tasks a:has-text('Refunds')")
    desk.page.click(f"a:has-text('{refund.number}')")
    decide(desk, "Approve")

    session.expire_all()
    assert session.scalars(sa.select(Refund.state)).all() == [RefundState.APPROVED]
    assert desk.troubles == []


def test_commissions_leave_as_a_workbook_and_the_trail_knows(
    session: Session, seat: Callable[..., Window]
) -> None:
    make_earner(session, 5_000, 7_000)
    desk = seat("finance")

    desk.open("/awards/")
    desk.page.click("summary:has-text('Export')")
    with desk.page.expect_download() as arriving:
        desk.page.click("a:has-text('Excel file')")
    sheet = load_workbook(BytesIO(arriving.value.path().read_bytes())).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))

    amounts = [name for name in rows[0] if name and "Amount" in name]
    place = rows[0].index(amounts[0])
    assert sorted(float(row[place]) for row in rows[1:]) == [50.0, 70.0]
    actions = session.scalars(sa.select(AuditRecord.action)).all()
    assert {"exported", "export_ended"} <= set(actions)
    assert desk.troubles == []
