from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session

from app.kernel.ids import random_text
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import nothing_moves
from tests.factories.orders import make_product
from tests.factories.people import make_share_code


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
