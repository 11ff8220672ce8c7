"""A plan from its draft into force, with people's clicks, and how its pages look."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.engines.registry import MODELS
from app.plans.models import PlanVersion, PlanVersionState
from app.stores.models import Staff
from tests.browser.conftest import Window
from tests.factories.orders import make_product
from tests.factories.people import make_store
from tests.factories.plan_lives import write_draft
from tests.servers import Process

pytestmark = pytest.mark.commits


def test_a_plan_is_drafted_tried_out_and_approved_by_somebody_else(
    session: Session,
    window: Callable[..., Window],
    employ: Callable[..., Staff],
    launch: Callable[..., Process],
) -> None:
    make_store(session, "静安店")
    make_product(session)
    session.commit()
    launch("worker")
    launch("relay")
    desk, office = window(), window(language="en")
    desk.sign_in(employ(desk, "operations"))
    desk.speak("en")
    office.sign_in(employ(office, "owner"))

    desk.open("/plan_versions/form/plan/")
    desk.page.fill("[name=name]", "Partners 2027")
    desk.page.select_option("[name=model]", "CHANNEL_TWO_LEVEL")
    desk.page.click("form.form button.primary")
    desk.page.click("a:has-text('Edit')")
    verdict = desk.page.locator("[data-verdict]")
    expect(verdict).to_contain_text("28%")
    desk.page.fill("[name='f.rates_first_bp.2']", "12")
    expect(desk.page.locator("[data-errors]:has(li)")).to_have_count(0)
    expect(verdict).to_contain_text("23%")
    expect(verdict).to_contain_text("C4")
    desk.page.fill("[name='f.payout_cap_bp']", "200")
    expect(desk.page.locator("[data-errors='payout_cap_bp'] li")).to_have_count(1)
    desk.page.fill("[name='f.payout_cap_bp']", "25")
    desk.page.fill("[name=note]", "A flatter table for next year")
    desk.page.click("form.form button.primary:visible")
    decide(desk, "Check")
    expect(desk.page.locator("h1 .badge")).to_contain_text("Checked")

    desk.page.click("a:has-text('Try it out')")
    desk.page.fill("[name=members]", "200")
    desk.page.fill("[name=months]", "3")
    desk.page.click("form.form button.primary")
    expect(desk.page.locator("figure svg").first).to_be_visible(timeout=60_000)
    desk.picture("plan-simulated")
    version = session.query(PlanVersion).one()
    desk.open(f"/plan_versions/details/?id={version.id}")
    decide(desk, "Submit for approval")

    office.open(f"/plan_versions/details/?id={version.id}")
    office.page.click("a:has-text('Answer in writing')")
    office.page.fill("[name=answer_C4]", "Known to the board, and looked at each quarter.")
    office.page.click("form.form button.primary")
    decide(office, "Approve")
    decide(office, "Publish")

    expect(office.page.locator("h1 .badge")).to_contain_text("Published")
    session.refresh(version)
    assert version.state is PlanVersionState.PUBLISHED
    assert version.rules["rates_first_bp"] == [1_000, 1_500, 1_200]
    assert (desk.troubles, office.troubles) == ([], [])


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("locale", ["zh_Hans_CN", "en"])
def test_the_editor_of_every_model_fits_its_window(
    session: Session,
    window: Callable[..., Window],
    employ: Callable[..., Staff],
    locale: str,
    width: int,
) -> None:
    versions = {
        code: write_draft(session, model=code, rules=json.loads(json.dumps(dict(one.original))))
        for code, one in MODELS.items()
    }
    session.commit()
    desk = window(width=width)
    desk.sign_in(employ(desk, "operations"))
    desk.speak(locale)

    for code, version in versions.items():
        path = f"/plan_versions/form/edit/?id={version.id}"
        desk.open(path)
        desk.picture(f"{locale}-{width}-editor-{code.lower()}")
        assert desk.page.locator("h1").count() == 1, path
        assert desk.page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert desk.troubles == []


def decide(desk: Window, name: str) -> None:
    """Press a decision on a page, and then its confirmation."""
    desk.page.get_by_role("button", name=name, exact=True).first.click()
    desk.page.locator("form.form").get_by_role("button", name=name, exact=True).click()
    expect(desk.page.locator(".flash.good")).to_be_visible()
