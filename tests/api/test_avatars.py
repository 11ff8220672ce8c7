"""Members' own pictures: what is taken, what is refused, and what is left of it."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from app.members.avatar_models import DoubtfulNickname, MemberAvatar
from app.members.avatars import SIDE
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.people import make_member

PLACE = b"GPS-31.2304-121.4737"


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 300), **more: Any) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", size, (200, 30, size[0] % 256)).save(drawn, kind, **more)
    return drawn.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a great many pixels."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    parts = chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(b"\0" * 64)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def upload(phone: Phone, content: bytes, name: str = "me.png", **fields: str) -> TestResponse:
    data = {"picture": FileStorage(io.BytesIO(content), name), **fields}
    boundary, body = encode_multipart(data)
    kind = f"multipart/form-data; boundary={boundary}"
    return phone.post("/me/avatar", data=body, content_type=kind)


def test_a_picture_is_kept_as_a_small_square_and_shown_again(phone: Phone) -> None:
    before = phone.get("/me/avatar")
    changed = upload(phone, picture())
    shown = phone.get("/me/avatar")

    assert_problem(before, 404, "avatar_missing")
    assert changed.status_code == 200
    assert changed.get_json()["avatar"]
    image = Image.open(io.BytesIO(shown.data))
    assert (image.format, image.size) == ("JPEG", (SIDE, SIDE))
    assert shown.headers["Cache-Control"] == "private, max-age=60"


def test_another_picture_takes_the_place_of_the_first(session: Session, phone: Phone) -> None:
    first = upload(phone, picture()).get_json()["avatar"]
    second = upload(phone, picture("WEBP", (90, 500), quality=1)).get_json()["avatar"]

    assert first != second
    assert session.scalar(sa.select(sa.func.count()).select_from(MemberAvatar)) == 1
    assert phone.get("/me").get_json()["avatar"] == second


def test_a_picture_is_taken_away_and_that_twice(session: Session, phone: Phone) -> None:
    upload(phone, picture())

    assert phone.delete("/me/avatar").status_code == 204
    assert phone.delete("/me/avatar").status_code == 204
    assert phone.get("/me").get_json()["avatar"] is None


def test_nothing_but_the_pixels_is_left(session: Session, phone: Phone) -> None:
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    exif[0x0112] = 6
    handed_in = picture("JPEG", (400, 200), exif=exif) + b"<script>alert(1)</script>PK\x03\x04"

    assert upload(phone, handed_in).status_code == 200

    kept = session.scalars(sa.select(MemberAvatar.content)).one()
    assert PLACE in handed_in
    assert PLACE not in kept
    assert b"<script>" not in kept
    assert dict(Image.open(io.BytesIO(kept)).getexif()) == {}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bomb(10_000, 5_000), "picture_too_many_pixels"),
        (bomb(60_000, 60_000), "picture_too_many_pixels"),
        (b"\0" * (2 * 1024 * 1024 + 1), "picture_too_large"),
        (b"\0" * (3 * 1024 * 1024), "picture_too_large"),
        (b"", "picture_unreadable"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "picture_unreadable"),
        (b"<!doctype html><script>x()</script>", "picture_unreadable"),
        (b"GIF89a" + b"\0" * 40, "picture_unreadable"),
        (picture()[:90], "picture_unreadable"),
        (picture("JPEG")[:400], "picture_unreadable"),
        (picture("BMP", (20, 20)), "picture_unreadable"),
        (b"%PDF-1.7", "picture_unreadable"),
    ],
    ids=[
        "50-megapixels",
        "3600-megapixels",
        "a-byte-too-much",
        "a-megabyte-too-much",
        "empty",
        "svg",
        "html",
        "gif",
        "cut-png",
        "cut-jpeg",
        "bmp",
        "pdf",
    ],
)
def test_what_is_no_harmless_picture_is_refused_whatever_it_is_called(
    session: Session, phone: Phone, content: bytes, code: str
) -> None:
    with nothing_moves(session):
        response = upload(phone, content, "me.png")

    assert_problem(response, 422, code)


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "C:\\x\\y.png", "\u202egnp.exe", "a" * 3000]
)
def test_what_a_file_is_called_counts_for_nothing(phone: Phone, name: str) -> None:
    assert upload(phone, picture(), name).status_code == 200


def test_a_form_holds_one_picture_and_nothing_else(session: Session, phone: Phone) -> None:
    twice = MultiDict(
        [("picture", (io.BytesIO(picture()), "a")), ("picture", (io.BytesIO(picture()), "b"))]
    )
    with nothing_moves(session):
        more = upload(phone, picture(), member_id="1")
        two = phone.post("/me/avatar", data=twice, content_type="multipart/form-data")
        none = phone.post("/me/avatar", data={}, content_type="multipart/form-data")
        address = upload(phone, picture(), url="http://169.254.169.254/latest")
        as_json = phone.post("/me/avatar", {"picture": "http://169.254.169.254/"})

    assert_problem(more, 422, "invalid_request", "/member_id")
    assert_problem(two, 422, "invalid_request", "/picture")
    assert_problem(none, 422, "invalid_request", "/picture")
    assert_problem(address, 422, "invalid_request", "/url")
    assert_problem(as_json, 415, "form_required")


@pytest.fixture
def known(session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone]) -> Phone:
    """The phone of somebody whom WeChat knows."""
    return phone_of(make_member(session, openid=sandbox.user(), nickname="Mei"))


def test_a_nickname_that_must_not_be_shown_is_refused(session: Session, known: Phone) -> None:
    with nothing_moves(session):
        response = known.patch("/me", {"nickname": "赌博小王子"})

    assert_problem(response, 422, "content_refused")


def test_a_doubtful_nickname_is_kept_until_another_one_is_taken(
    session: Session, known: Phone
) -> None:
    doubtful = sa.select(DoubtfulNickname.member_id)

    changed = known.patch("/me", {"nickname": "加微信领券"})
    found = session.scalars(doubtful).all()
    known.patch("/me", {"nickname": "小美"})

    assert changed.get_json()["nickname"] == "加微信领券"
    assert found == [known.member_id]
    assert session.scalars(doubtful).all() == []
