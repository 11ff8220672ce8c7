"""Changing a setting and proving the trail, as an owner does at a desk and on a phone."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit_checks
from app.kernel.audit_checks import AuditCheck
from app.preferences.models import SettingChange
from app.stores.models import Staff
from tests.browser.conftest import Window

pytestmark = pytest.mark.commits


@pytest.mark.parametrize("width", [1440, 390])
def test_an_owner_changes_a_setting_and_proves_that_the_trail_is_whole(
    session: Session, window: Callable[..., Window], employ: Callable[..., Staff], width: int
) -> None:
    tab = window(width=width, language="en")
    tab.sign_in(employ(tab, "owner"))
    tab.speak("en")
    page = tab.page

    tab.open("/settings/")
    tab.picture(f"settings-{width}")
    page.click("text=How long a lock-out lasts")
    page.click("a.button.primary")
    page.fill("#value", "2")
    page.select_option("#measure", label="hours")
    page.fill("#reason", "Too many guesses this week")
    tab.picture(f"setting-form-{width}")
    page.click("form.form button[type=submit]")
    page.wait_for_url("**/settings/details/**")
    assert "2 hours" in (page.locator("dl.facts").first.text_content() or "")
    assert "15 minutes → 2 hours" in page.content()
    tab.picture(f"setting-{width}")

    tab.open("/audit/?action=setting.changed")
    page.click("table.rows a.open")
    page.wait_for_url("**/audit/details/**")
    assert "15 minutes" in (page.locator("table.rows").first.text_content() or "")
    tab.picture(f"audit-row-{width}")
    tab.open("/audit_checks/form/new/")
    page.click("form.form button[type=submit]")
    page.wait_for_url("**/audit_checks/details/**")
    audit_checks.check_audit_trail()
    page.wait_for_selector(".badge.good")
    tab.picture(f"audit-check-{width}")

    session.rollback()
    assert session.scalars(sa.select(SettingChange.value)).all() == [7_200]
    assert session.scalars(sa.select(AuditCheck.broken_count)).all() == [0]
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert wide is False
    assert tab.troubles == []
