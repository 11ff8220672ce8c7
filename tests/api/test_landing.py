import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from redis import Redis
from sqlalchemy.orm import Session

from app.kernel.ids import random_text
from app.members.avatar_models import DoubtfulNickname
from app.members.models import Standing
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import nothing_moves
from tests.factories.orders import make_product
from tests.factories.people import make_distributor, make_member, make_share_code
from tests.factories.posters import make_template


@pytest.fixture(autouse=True)
def _own_shelf(tmp_path: Path, settings_of: Callable[..., None]) -> None:
    """Posters of one test are kept apart from those of others."""
    settings_of(state_dir=str(tmp_path))


def test_the_page_invites_in_two_languages_and_discloses_the_commission(
    session: Session, client: FlaskClient
) -> None:
    product = make_product(session, title="<b>面部护理</b>", price_fen=19_900)
    code = make_share_code(session, product_id=product.id)

    with nothing_moves(session):
        response = client.get(f"/s/{code.code}")

    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "&lt;b&gt;面部护理&lt;/b&gt;" in page
    assert "¥199.00" in page
    assert "may earn a commission" in page
    assert f'href="/s/{code.code}/open"' in page
    assert 'name="viewport"' in page
    assert "<script" not in page
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "Set-Cookie" not in response.headers


def test_a_chat_finds_title_text_and_poster_in_the_head(
    session: Session, client: FlaskClient
) -> None:
    make_template(session)
    code = make_share_code(session)

    response = client.get(f"/s/{code.code}")

    page = response.get_data(as_text=True)
    assert '<meta property="og:title" content="好友的礼物">' in page
    assert '<meta property="og:description" content="点开看看">' in page
    assert f'/s/{code.code}/poster.jpg">' in page.partition('property="og:image"')[2][:200]
    assert '<meta itemprop="name" content="好友的礼物">' in page
    assert f'src="/s/{code.code}/poster.jpg"' in page
    assert response.headers["Cache-Control"] == "public, max-age=60"


def test_the_poster_has_an_address_that_stays(
    session: Session, client: FlaskClient, redis: Redis
) -> None:
    make_template(session)
    path = f"/s/{make_share_code(session).code}/poster.jpg"

    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, first.mimetype) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(first.data)).format == "JPEG"
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert again.status_code == 304


def test_no_poster_is_drawn_without_template_or_live_code(
    session: Session, client: FlaskClient
) -> None:
    bare = make_share_code(session).code
    revoked = make_share_code(session, revoked_at=datetime.now(UTC)).code
    suspended = make_distributor(session, make_member(session), standing=Standing.FROZEN)
    ended = make_share_code(session, distributor=suspended).code

    codes = {"x": 404, bare: 404, revoked: 410, ended: 410}
    found = {code: client.get(f"/s/{code}/poster.jpg").status_code for code in codes}

    assert found == codes


def test_drawing_is_counted_and_what_was_drawn_before_is_not(
    session: Session,
    client: FlaskClient,
    redis: Redis,
    settings_of: Callable[..., None],
    tmp_path: Path,
) -> None:
    make_template(session)
    first, second = (make_share_code(session).code for _ in range(2))
    settings_of(rate_limit_per_minute=1, state_dir=str(tmp_path))

    drawn = [client.get(f"/s/{first}/poster.jpg").status_code for _ in range(3)]
    other = client.get(f"/s/{second}/poster.jpg")

    assert drawn == [200, 200, 200]
    assert (other.status_code, other.mimetype) == (429, "text/html")
    assert int(other.headers["Retry-After"]) >= 1


def test_an_owner_who_shares_no_more_has_a_page_that_says_so(
    session: Session, client: FlaskClient
) -> None:
    suspended = make_distributor(session, make_member(session), standing=Standing.FROZEN)
    code = make_share_code(session, distributor=suspended).code

    page, opened = client.get(f"/s/{code}"), client.get(f"/s/{code}/open")

    assert (page.status_code, page.mimetype) == (410, "text/html")
    assert "This invitation has ended" in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert (opened.status_code, opened.headers["Location"]) == (302, f"/s/{code}")


def test_a_nickname_is_shown_as_text_and_not_while_in_doubt(
    session: Session, client: FlaskClient
) -> None:
    member = make_member(session, nickname="<i>Mei</i>")
    code = make_share_code(session, distributor=make_distributor(session, member)).code
    before = client.get(f"/s/{code}").get_data(as_text=True)
    session.add(DoubtfulNickname(member_id=member.id, found_at=datetime.now(UTC)))
    session.flush()

    after = client.get(f"/s/{code}").get_data(as_text=True)

    assert "&lt;i&gt;Mei&lt;/i&gt;" in before
    assert "Mei" not in after
    assert "A friend invites you" in after


def test_a_product_taken_off_sale_is_not_shown(session: Session, client: FlaskClient) -> None:
    hidden = make_product(session, title="Secret", is_published=False)
    code = make_share_code(session, product_id=hidden.id)

    assert "Secret" not in client.get(f"/s/{code.code}").get_data(as_text=True)


@pytest.mark.parametrize("code", ["x", "a" * 22, "a" * 21 + "%00", "%E6%8B%93", "a" * 2000])
def test_an_unknown_code_gets_a_friendly_page(client: FlaskClient, code: str) -> None:
    response = client.get(f"/s/{code}")

    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "This link does not exist" in response.get_data(as_text=True)


def test_a_revoked_code_gets_a_page_that_says_so(session: Session, client: FlaskClient) -> None:
    code = make_share_code(session, revoked_at=datetime.now(UTC))

    response = client.get(f"/s/{code.code}")

    assert (response.status_code, response.mimetype) == (410, "text/html")
    assert "no longer valid" in response.get_data(as_text=True)


def test_the_button_leads_into_the_mini_program_by_a_link_that_is_kept(
    session: Session, client: FlaskClient, sandbox: SandboxClient, redis: Redis
) -> None:
    code = make_share_code(session, page="pages/offer/offer")

    first = client.get(f"/s/{code.code}/open")
    second = client.get(f"/s/{code.code}/open")

    assert first.status_code == 302
    assert first.headers["Location"].startswith("http")
    assert second.headers["Location"] == first.headers["Location"]
    assert sandbox.calls()["/wxa/generate_urllink"] == 1


def test_while_wechat_is_silent_the_page_says_so(
    session: Session, client: FlaskClient, sandbox: SandboxClient, redis: Redis
) -> None:
    code = make_share_code(session)
    sandbox.fault("/wxa/generate_urllink", "error_before", times=0)

    response = client.get(f"/s/{code.code}/open")

    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert "cannot be reached" in response.get_data(as_text=True)


def test_what_is_no_live_code_leads_back_to_its_page(session: Session, client: FlaskClient) -> None:
    revoked = make_share_code(session, revoked_at=datetime.now(UTC)).code
    unknown = random_text(22)

    for code in (revoked, unknown):
        response = client.get(f"/s/{code}/open")
        assert (response.status_code, response.headers["Location"]) == (302, f"/s/{code}")


def test_the_look_of_the_page_comes_from_here(client: FlaskClient) -> None:
    with client.get("/s/static/page.css") as response:
        assert (response.status_code, response.mimetype) == (200, "text/css")
