"""Posters of share codes as a distributor's phone asks for them."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image
from sqlalchemy.orm import Session

from app.attribution.models import ShareCode
from app.kernel.audit import SYSTEM
from app.members.avatar_models import DoubtfulNickname
from app.members.models import Distributor
from app.posters import services
from app.posters.states import PosterKind
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.orders import make_product
from tests.factories.people import (
    make_distributor,
    make_member,
    make_share_code,
    make_store,
)
from tests.factories.posters import NOON, make_template

WXACODE = "/wxa/getwxacodeunlimit"


@pytest.fixture(autouse=True)
def _own_shelf(tmp_path: Path, settings_of: Callable[..., None]) -> None:
    """Posters and codes of one test are kept apart from those of others."""
    settings_of(state_dir=str(tmp_path))


@pytest.fixture
def code(session: Session) -> ShareCode:
    member = make_member(session, nickname="小美")
    return make_share_code(session, distributor=make_distributor(session, member))


@pytest.fixture
def mine(session: Session, code: ShareCode, phone_of: Callable[..., Phone]) -> Phone:
    """The phone of whoever the code belongs to."""
    return phone_of(session.get_one(Distributor, code.distributor_id))


def scanned(picture: bytes) -> list[str]:
    return [one.text for one in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))]


def test_a_poster_can_be_scanned_and_leads_to_the_public_page(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    template = make_template(session)
    listed = mine.get(f"/share-codes/{code.code}/posters").get_json()

    drawn = mine.get(f"/share-codes/{code.code}/posters/{template.id}")

    assert [one["id"] for one in listed["items"]] == [template.id]
    assert drawn.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(drawn.data)).size == (750, 1334)
    assert scanned(drawn.data) == [listed["link"]]


def test_the_link_says_what_a_chat_shows_of_it(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    make_template(session)

    listed = mine.get(f"/share-codes/{code.code}/posters").get_json()

    assert listed["title"] == {"zh": "好友的礼物", "en": "A gift"}
    assert listed["text"] == {"zh": "点开看看", "en": "点开看看"}
    assert listed["picture"] == f"{listed['link']}/poster.jpg"


def test_without_a_template_there_is_a_link_and_no_picture(mine: Phone, code: ShareCode) -> None:
    listed = mine.get(f"/share-codes/{code.code}/posters").get_json()

    assert (listed["picture"], listed["items"]) == (None, [])
    assert listed["link"].endswith(code.code)


def test_a_poster_that_did_not_change_is_not_sent_again(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    path = f"/share-codes/{code.code}/posters/{make_template(session).id}"
    first = mine.get(path)

    again = mine.get(path, headers={"If-None-Match": first.headers["ETag"]})
    mine.patch("/me", {"nickname": "大美"})
    renamed = mine.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert renamed.status_code == 200
    assert renamed.headers["ETag"] != first.headers["ETag"]


def test_both_languages_differ_and_others_are_refused(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    path = f"/share-codes/{code.code}/posters/{make_template(session).id}"

    assert mine.get(f"{path}?language=zh").data != mine.get(f"{path}?language=en").data
    assert_problem(mine.get(f"{path}?language=fr"), 422, "invalid_request", "language")


@pytest.mark.usefixtures("redis")  # without the token of a sandbox that was reset since
def test_a_code_of_wechat_is_drawn_where_it_is_wanted(
    session: Session, mine: Phone, code: ShareCode, sandbox: SandboxClient
) -> None:
    path = f"/share-codes/{code.code}/posters/{make_template(session).id}?style=mini_program"

    first, second = mine.get(path), mine.get(path)

    assert f"scene={code.code}" in scanned(first.data)[0]
    assert second.data == first.data
    assert sandbox.calls()[WXACODE] == 1


def test_while_wechat_is_silent_the_poster_carries_the_link_until_it_speaks(
    session: Session, mine: Phone, code: ShareCode, sandbox: SandboxClient
) -> None:
    path = f"/share-codes/{code.code}/posters/{make_template(session).id}?style=mini_program"
    sandbox.fault(WXACODE, "error_before", times=0)

    silent = mine.get(path)
    sandbox.clear_faults()
    spoken = mine.get(path)

    assert silent.status_code == 200
    assert scanned(silent.data)[0].endswith(f"/s/{code.code}")
    assert f"scene={code.code}" in scanned(spoken.data)[0]


def test_only_templates_that_fit_the_code_are_offered(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    elsewhere = make_template(session, store_ids=[make_store(session).id])
    of_product = make_template(session, kind=PosterKind.PRODUCT)
    of_page = make_template(session, kind=PosterKind.GUEST_CARD, page="pages/card/card")
    draft = make_template(session, is_published=False)
    retired = make_template(session)
    services.retire(session, retired.id, within=None, actor=SYSTEM, now=NOON)
    path = f"/share-codes/{code.code}/posters"

    assert mine.get(path).get_json()["items"] == []
    for row in (elsewhere, of_product, of_page, draft, retired):
        assert_problem(mine.get(f"{path}/{row.id}"), 404, "poster_not_found")


def test_the_most_fitting_template_comes_first(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    store = make_store(session)
    owner = make_distributor(session, make_member(session), store_id=store.id)
    product = make_product(session, title="面部护理", price_fen=19_900)
    code = make_share_code(
        session, distributor=owner, product_id=product.id, page="pages/card/card"
    )
    of_store = make_template(session, store_ids=[store.id])
    of_page = make_template(session, kind=PosterKind.GUEST_CARD, page="pages/card/card")
    of_product = make_template(session, kind=PosterKind.PRODUCT)
    of_brand = make_template(session)

    items = phone_of(owner).get(f"/share-codes/{code.code}/posters").get_json()["items"]

    assert [one["id"] for one in items] == [of_product.id, of_page.id, of_brand.id, of_store.id]


def test_a_product_taken_off_sale_is_on_no_new_poster(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    product = make_product(session, title="Secret", is_published=False)
    code.product_id = product.id
    make_template(session, kind=PosterKind.PRODUCT)
    session.flush()

    listed = mine.get(f"/share-codes/{code.code}/posters").get_json()

    assert listed["items"] == []
    assert listed["title"]["en"] != "Secret"


def test_a_nickname_in_doubt_is_on_no_poster(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    path = f"/share-codes/{code.code}/posters/{make_template(session).id}"
    before = mine.get(path).headers["ETag"]
    session.add(DoubtfulNickname(member_id=mine.member_id, found_at=NOON))
    session.flush()

    doubted = mine.get(path).headers["ETag"]
    session.execute(sa.delete(DoubtfulNickname))

    assert doubted != before
    assert mine.get(path).headers["ETag"] == before


def test_nobody_draws_posters_of_another_ones_code(
    session: Session, seller: Phone, code: ShareCode
) -> None:
    template = make_template(session)

    with nothing_moves(session):
        listed = seller.get(f"/share-codes/{code.code}/posters")
        drawn = seller.get(f"/share-codes/{code.code}/posters/{template.id}")

    assert_problem(listed, 404, "share_code_unknown")
    assert_problem(drawn, 404, "share_code_unknown")


def test_nobody_prints_a_code_that_was_revoked(
    session: Session, mine: Phone, code: ShareCode
) -> None:
    template = make_template(session)
    mine.delete(f"/share-codes/{code.code}")

    assert_problem(
        mine.get(f"/share-codes/{code.code}/posters/{template.id}"), 409, "share_code_revoked"
    )
