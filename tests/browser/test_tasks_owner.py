"""What an owner does with colleagues, in a real browser.

Settings with their history and the proof of the trail are in test_settings.py, a plan from draft to
publication in test_plans.py, opening and closing a store in test_stores.py.
"""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.approvals.models import Approval
from app.approvals.states import ApprovalState
from app.attribution.models import Binding
from app.kernel.audit import AuditRecord
from app.stores.models import Role, Staff
from tests.browser.conftest import Window
from tests.browser.hands import decide, fill, fits, send
from tests.factories.approvals import ask_transfer, make_case
from tests.factories.people import make_staff, make_store

pytestmark = pytest.mark.commits


@pytest.mark.parametrize("width", [1440, 390])
def test_an_owner_agrees_to_what_a_colleague_asked_for(
    session: Session, seat: Callable[..., Window], width: int
) -> None:
    case = make_case(session, name="陈小满")
    now = session.scalars(sa.select(sa.func.now())).one()
    asked = ask_transfer(session, case, now=now, reason="she moved to our city")
    desk = seat("owner", width=width)

    desk.open("/approvals/")
    desk.page.click("td.head a.open")
    expect(desk.page.locator("main")).to_contain_text("she moved to our city")
    decide(desk, "Approve")

    session.expire_all()
    assert session.get_one(Approval, asked.id).state is ApprovalState.APPROVED
    owners = session.scalars(
        sa.select(Binding.owner_id)
        .where(Binding.customer_id == case.customer.id)
        .order_by(Binding.id)
    ).all()
    assert owners == [case.owner.member_id, case.claimant.member_id]
    assert fits(desk)
    assert desk.troubles == []


def test_a_role_of_ones_own_is_made_and_given_with_the_consent_of_another_owner(
    session: Session, seat: Callable[..., Window]
) -> None:
    colleague = make_staff(session, "front_desk", stores=[make_store(session)], name="李静")
    first, second = seat("owner"), seat("owner", width=390)

    first.open("/roles/form/new/")
    fill(first, name="Cashier", reason="Two of them start in May")
    first.page.check("input[value='orders.view']")
    first.page.check("input[name=way][value=ask]")
    send(first)
    agree(second)
    first.open(f"/staff/form/duties/?id={colleague.id}")
    first.page.get_by_label("Cashier").check()
    fill(first, reason="She passed her trial month")
    first.page.check("input[name=way][value=ask]")
    send(first)
    agree(second)

    session.expire_all()
    role = session.scalars(sa.select(Role).where(Role.name == "Cashier")).one()
    names = {one.name for one in session.get_one(Staff, colleague.id).roles}
    assert role.permissions == ["orders.view"]
    assert names == {"front_desk", "Cashier"}
    first.open(f"/audit/?subject=staff&search={colleague.id}")
    trail = session.scalars(sa.select(AuditRecord.action)).all()
    assert {"role_created", "approval_approved"} <= set(trail)
    assert (first.troubles, second.troubles) == ([], [])


def agree(desk: Window) -> None:
    """Open what waits first and agree to it."""
    desk.open("/approvals/?state=waiting")
    desk.page.locator("td.head a.open").first.click()
    decide(desk, "Approve")
