"""Posters on a phone and at a desk: the public page, and the form with its preview."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy.orm import Session

from app.attribution.models import ShareCode
from app.demo.posters import load_posters
from app.posters.states import PosterKind
from tests.browser.conftest import Window
from tests.browser.hands import decide
from tests.browser.looking import barriers, flaws
from tests.factories.orders import make_product
from tests.factories.people import make_distributor, make_member, make_share_code
from tests.factories.posters import background, make_template

pytestmark = pytest.mark.commits


def code_of(session: Session, *, product: bool = False) -> ShareCode:
    member = make_member(session, nickname="小美 👩‍👧")
    found = (
        make_product(session, title="面部深层护理 60 分钟", price_fen=19_900) if product else None
    )
    code = make_share_code(
        session,
        distributor=make_distributor(session, member),
        product_id=found.id if found else None,
    )
    session.commit()
    return code


def shown(window: Window) -> bool:
    """Tell whether the poster was loaded and nothing of the page lies beside the screen."""
    is_loaded = window.page.eval_on_selector("img.poster", "one => one.naturalWidth === 750")
    fits = window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return bool(is_loaded and fits)


@pytest.mark.parametrize("product", [False, True], ids=["personal", "product"])
def test_a_shared_link_shows_the_poster_on_a_phone(
    session: Session, window: Callable[..., Window], product: bool
) -> None:
    list(load_posters())
    code = code_of(session, product=product)
    phone = window(width=390)

    phone.page.goto(f"{phone.base_url}/s/{code.code}")
    phone.page.wait_for_load_state("networkidle")
    phone.picture(f"shared-{'product' if product else 'personal'}-390")

    assert shown(phone)
    assert phone.page.get_by_role("link", name="打开小程序").is_visible()
    assert phone.troubles == []


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_links_that_lead_nowhere_have_friendly_pages_in_both_languages_on_a_phone(
    session: Session, window: Callable[..., Window], language: str
) -> None:
    revoked = code_of(session)
    revoked.revoked_at = datetime.now(UTC)
    session.commit()
    phone = window(width=390, language=language)
    told = {}

    for name, code in {"revoked": revoked.code, "unknown": "0" * 22, "broken": "<b>"}.items():
        answer = phone.page.goto(f"{phone.base_url}/s/{quote(code, safe='')}")
        phone.picture(f"shared-{name}-390")
        assert answer is not None
        assert flaws(phone.page, 390) == []
        assert barriers(phone.page) == []
        assert phone.page.get_by_role("link").count() == 0
        told[name] = (answer.status, *phone.page.locator("h1").inner_text().split("\n"))

    unknown = (404, "链接不存在", "This link does not exist")
    assert told == {
        "revoked": (410, "链接已失效", "This link is no longer valid"),
        "unknown": unknown,
        "broken": unknown,
    }


@pytest.mark.parametrize("width", [1440, 390])
def test_a_poster_is_set_up_beside_its_preview_and_published(
    session: Session, seat: Callable[..., Window], tmp_path: Path, width: int
) -> None:
    picture = tmp_path / "background.png"
    picture.write_bytes(background((1500, 2668), "#f7d9cf"))
    desk = seat("owner", width=width)

    desk.open("/poster_templates/form/new/")
    desk.page.fill("#name", "春日邀请")
    desk.page.set_input_files("#picture", str(picture))
    preview = desk.page.locator("[data-poster-picture]:not(.is-old)[src^='data:image/jpeg']")
    preview.wait_for()
    desk.page.fill("#headline_left", "990")
    desk.page.locator("[data-poster-problem]:not([hidden])").wait_for()
    desk.page.fill("#headline_left", "80")
    desk.page.locator("[data-poster-problem]").wait_for(state="hidden")
    preview.wait_for()
    desk.picture(f"poster-form-{width}")
    desk.page.click(".form-buttons button[type=submit]")
    desk.page.wait_for_url("**/details/**")
    decide(desk, "Publish")
    desk.page.wait_for_load_state("networkidle")
    desk.picture(f"poster-details-{width}")

    assert desk.page.locator(".badge.good").first.is_visible()
    assert desk.troubles == []


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_about_a_distributor_shows_posters_and_links(
    session: Session, seat: Callable[..., Window], width: int
) -> None:
    make_template(session, kind=PosterKind.PERSONAL)
    code = code_of(session)
    desk = seat("owner", width=width)

    desk.open(f"/distributors/details/?id={code.distributor_id}")
    desk.page.locator(".poster-row img").scroll_into_view_if_needed()
    desk.page.wait_for_load_state("networkidle")
    desk.picture(f"distributor-posters-{width}")

    assert desk.page.eval_on_selector(".poster-row img", "one => one.naturalWidth === 750")
    assert code.code in desk.page.locator(".poster-row figcaption a").inner_text()
    assert desk.troubles == []
