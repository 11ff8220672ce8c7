"""The tree of a team, drawn and opened by a person."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.stores.models import Staff
from tests.browser.conftest import Window
from tests.factories.people import make_distributor, make_member

pytestmark = pytest.mark.commits


def test_a_branch_opens_by_click_and_a_search_leads_to_the_person(
    session: Session, window: Callable[..., Window], employ: Callable[..., Staff]
) -> None:
    top = make_distributor(session, make_member(session, nickname="Top"))
    middle = make_distributor(session, make_member(session, nickname="Middle"), recommender=top)
    for number in range(52):
        make_distributor(
            session, make_member(session, nickname=f"Leaf {number}"), recommender=middle
        )
    session.commit()
    tab = window()
    tab.sign_in(employ(tab, "owner"))
    page = tab.page

    tab.open("/team/")
    page.wait_for_selector(".team-node")
    assert page.locator(".team-node").count() == 1
    page.click(".team-toggle >> nth=0")
    page.wait_for_selector(".team-node >> nth=1")
    page.click(".team-toggle >> nth=1")
    page.wait_for_selector(".team-node >> nth=51")
    assert page.locator(".team-node").count() == 52
    tab.picture("team-tree")
    page.click(".team-more")
    page.wait_for_selector(".team-node >> nth=53")
    page.fill("input[name=search]", "Leaf 7")
    page.press("input[name=search]", "Enter")
    page.click(".team-list a >> nth=0")
    page.wait_for_selector(".team-node.is-focus")

    assert page.locator(".team-node").all_text_contents()[0].startswith("Top")
    assert "Leaf 7" in (page.locator(".team-node.is-focus").text_content() or "")
    tab.picture("team-path")
    assert tab.troubles == []
