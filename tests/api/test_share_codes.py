import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image
from redis import Redis
from sqlalchemy.orm import Session

from app.attribution.models import Channel, ShareCode
from app.members.models import Standing
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.orders import make_product
from tests.factories.people import make_channel, make_distributor, make_share_code, make_store

WISH = {"channel": {"name": "闺蜜群", "kind": "group"}, "page": "pages/index/index"}


def read(image: bytes) -> list[str]:
    """Return what a reader of codes finds in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(image)))]


def test_a_code_is_issued_once_for_a_channel_and_a_page(
    session: Session, seller: Phone, settings: Settings
) -> None:
    first = seller.post("/share-codes", WISH)
    with nothing_moves(session):
        again = seller.post("/share-codes", WISH)

    shown = first.get_json()
    assert (first.status_code, again.get_json()) == (201, shown)
    assert len(shown["code"]) == 22
    assert shown["link"] == f"{settings.public_base_url}/s/{shown['code']}"
    assert (shown["channel"]["name"], shown["channel"]["kind"]) == ("闺蜜群", "group")
    assert (shown["page"], shown["revoked_at"]) == ("pages/index/index", None)


def test_a_code_may_stand_for_a_product_in_a_channel_by_id(session: Session, seller: Phone) -> None:
    channel = make_channel(session, owner_id=seller.member_id)
    product = make_product(session)

    shown = seller.post(
        "/share-codes", {"channel_id": channel.id, "product_id": product.id}
    ).get_json()

    assert (shown["channel"]["id"], shown["product_id"]) == (channel.id, product.id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"page": "/pages/index"}, "/page"),
        ({"page": "pages/index?x=1"}, "/page"),
        ({"page": "a" * 129}, "/page"),
        ({"channel": {"name": ""}}, "/channel/name"),
        ({"channel": {"name": "x" * 41}}, "/channel/name"),
        ({"channel": {"name": "x", "kind": "radio"}}, "/channel/kind"),
        ({"channel": {"name": "x", "owner_id": 1}}, "/channel/owner_id"),
        ({"channel_id": 1}, ""),
        ({"channel": None}, ""),
        ({"product_id": 0}, "/product_id"),
    ],
)
def test_a_code_for_nothing_is_refused(
    session: Session, seller: Phone, change: dict[str, object], field: str
) -> None:
    with nothing_moves(session):
        response = seller.post("/share-codes", WISH | change)

    assert_problem(response, 422, "invalid_request", field)


def test_somebody_elses_channel_and_an_unknown_product_are_not_found(
    session: Session, seller: Phone
) -> None:
    foreign = make_channel(session, owner_id=make_distributor(session).member_id)

    with nothing_moves(session):
        by_channel = seller.post("/share-codes", {"channel_id": foreign.id})
        by_product = seller.post("/share-codes", WISH | {"product_id": 2**63 - 1})

    assert_problem(by_channel, 404, "channel_not_found")
    assert_problem(by_product, 404, "product_not_found")


@pytest.mark.parametrize("standing", [Standing.APPLIED, Standing.FROZEN, Standing.QUIT])
def test_only_an_active_distributor_shares(
    session: Session, phone_of: Callable[..., Phone], standing: Standing
) -> None:
    phone = phone_of(make_distributor(session, standing=standing))

    with nothing_moves(session):
        response = phone.post("/share-codes", WISH)

    assert_problem(response, 403, "not_a_distributor")


def test_a_member_who_is_no_distributor_does_not_share(session: Session, phone: Phone) -> None:
    with nothing_moves(session):
        response = phone.post("/share-codes", WISH)

    assert_problem(response, 403, "not_a_distributor")


def test_codes_are_listed_newest_first_with_revoked_ones(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    owner = make_distributor(session)
    codes = [make_share_code(session, distributor=owner, page=f"p/{n}") for n in range(3)]
    codes[1].revoked_at = datetime.now(UTC)
    make_share_code(session)
    phone = phone_of(owner)

    first = phone.get("/share-codes?limit=2").get_json()
    second = phone.get(f"/share-codes?limit=2&cursor={first['next_cursor']}").get_json()

    pages = [[item["page"] for item in page["items"]] for page in (first, second)]
    assert pages == [["p/2", "p/1"], ["p/0"]]
    assert first["items"][1]["revoked_at"] is not None


def test_a_revoked_code_stays_revoked(session: Session, seller: Phone) -> None:
    code = seller.post("/share-codes", WISH).get_json()["code"]

    assert seller.delete(f"/share-codes/{code}").status_code == 204
    with nothing_moves(session):
        assert seller.delete(f"/share-codes/{code}").status_code == 204

    assert seller.post("/share-codes", WISH).get_json()["code"] != code


def test_a_regenerated_code_stands_for_the_same(session: Session, seller: Phone) -> None:
    old = seller.post("/share-codes", WISH).get_json()

    response = seller.post(f"/share-codes/{old['code']}/regenerate")

    new = response.get_json()
    assert response.status_code == 201
    assert new["code"] != old["code"]
    assert (new["channel"], new["page"]) == (old["channel"], old["page"])
    live = sa.select(ShareCode.code).where(ShareCode.revoked_at.is_(None))
    session.expire_all()
    assert session.scalars(live).all() == [new["code"]]
    with nothing_moves(session):
        again = seller.post(f"/share-codes/{old['code']}/regenerate")
    assert_problem(again, 409, "share_code_revoked")


def test_the_qr_says_the_public_link(seller: Phone) -> None:
    shown = seller.post("/share-codes", WISH).get_json()

    response = seller.get(f"/share-codes/{shown['code']}/qr.png")

    assert (response.status_code, response.mimetype) == (200, "image/png")
    assert "private" in response.headers["Cache-Control"]
    assert read(response.data) == [shown["link"]]


def test_the_wxacode_is_asked_for_once_and_kept(
    seller: Phone, sandbox: SandboxClient, redis: Redis
) -> None:
    code = seller.post("/share-codes", WISH).get_json()["code"]

    first = seller.get(f"/share-codes/{code}/wxacode")
    second = seller.get(f"/share-codes/{code}/wxacode")

    assert first.status_code == 200
    assert first.mimetype in {"image/png", "image/jpeg"}
    assert second.data == first.data
    assert sandbox.calls()["/wxa/getwxacodeunlimit"] == 1
    assert any(code in text for text in read(first.data))


def test_a_wxacode_that_wechat_does_not_draw_is_asked_for_again_next_time(
    session: Session, seller: Phone, sandbox: SandboxClient, redis: Redis
) -> None:
    code = seller.post("/share-codes", WISH).get_json()["code"]
    sandbox.fault("/wxa/getwxacodeunlimit", "error_before", times=1)

    with nothing_moves(session):
        response = seller.get(f"/share-codes/{code}/wxacode")

    assert_problem(response, 503, "wechat_unavailable")
    assert seller.get(f"/share-codes/{code}/wxacode").status_code == 200


def test_nobody_prints_a_code_that_was_revoked(seller: Phone) -> None:
    code = seller.post("/share-codes", WISH).get_json()["code"]
    seller.delete(f"/share-codes/{code}")

    for picture in ("qr.png", "wxacode"):
        response = seller.get(f"/share-codes/{code}/{picture}")
        assert_problem(response, 409, "share_code_revoked")


def test_a_stores_code_belongs_to_no_distributor(session: Session, seller: Phone) -> None:
    store = make_store(session)
    code = make_share_code(session, store=store, channel=make_channel(session, store_id=store.id))

    assert_problem(seller.get(f"/share-codes/{code.code}/qr.png"), 404, "share_code_unknown")
    assert session.scalars(sa.select(Channel.owner_id)).all() == [None]
