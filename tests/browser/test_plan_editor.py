"""Writing a plan in a real browser: the live check tells while somebody types."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.plans.models import PlanVersion
from app.stores.models import Staff
from tests.browser.conftest import Window
from tests.factories.plan_lives import write_draft

pytestmark = pytest.mark.commits


@pytest.mark.parametrize("width", [1440, 390])
def test_the_live_check_tells_faults_cost_and_findings_while_somebody_types(
    session: Session, window: Callable[..., Window], employ: Callable[..., Staff], width: int
) -> None:
    version = write_draft(session)
    version_id = version.id
    session.commit()
    desk = window(width=width)
    desk.sign_in(employ(desk, "owner"))
    desk.speak("en")
    desk.open(f"/plan_versions/form/edit/?id={version_id}")
    page = desk.page
    expect(page.locator("[data-total]")).to_have_text("28%")
    desk.picture(f"plan-editor-{width}")

    page.fill('[name="f.rates_first_bp.2"]', "2x")
    expect(page.locator('[data-errors="rates_first_bp.2"]')).to_contain_text(
        "Please enter a percentage"
    )
    page.fill('[name="f.rates_first_bp.2"]', "40")
    expect(page.locator('[data-errors="rates_first_bp.2"]')).to_be_empty()
    page.fill('[name="f.payout_cap_bp"]', "60")
    expect(page.locator("[data-verdict] .verdict-total")).to_contain_text("48%")
    expect(page.locator("[data-verdict] .findings")).to_contain_text("C9")

    page.check('[name="on.levels.retention"]')
    expect(page.locator('[name="f.levels.retention.grace_days"]')).to_have_value("30")
    expect(page.locator('[name="f.rates_first_bp.2"]')).to_have_value("40")
    page.click("button[value=more_levels]")
    expect(page.locator('[name="f.rates_first_bp.3"]')).to_have_value("40")
    page.click("button[value=as_text]")
    expect(page.locator("textarea[name=rules]")).to_contain_text('"grace_days": 30')
    page.click("button[value=as_form]")
    page.fill("#note", "dearer")
    page.click(".form-buttons button[type=submit]")
    page.wait_for_url("**/plan_versions/details/**")
    desk.picture(f"plan-version-{width}")

    rules = session.scalars(sa.select(PlanVersion.rules).where(PlanVersion.id == version_id)).one()
    assert rules["rates_first_bp"] == [1_000, 1_500, 4_000, 4_000]
    assert rules["levels"]["retention"]["grace_days"] == 30
    assert desk.troubles == []
