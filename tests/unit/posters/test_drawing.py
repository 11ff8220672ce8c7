import io
from typing import Any

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from app.kernel.pictures import PictureTooManyPixels, PictureUnreadable, encoded
from app.posters.drawing import Facts, Ground, draw, shown_name
from app.posters.errors import PosterInvalid
from app.posters.layout import checked
from app.posters.qr import qr_image
from app.posters.services import redraw_background
from app.posters.states import PosterLanguage
from tests.factories.posters import LAYOUT, background
from tests.thoroughness import examples

LINK = "https://example.com/s/mC0vBqQ2Zt8rY1nKx7LsWd"
PICTURE = redraw_background(background())
GROUND = Ground(PICTURE.sha256, lambda: PICTURE.content)
ZH = PosterLanguage.ZH


def drawn(facts: Facts, layout: Any = LAYOUT) -> Image.Image:
    checked_layout = checked(layout, height=PICTURE.height)
    code = qr_image(LINK, checked_layout.code.side * 750 // 1000)
    return Image.open(io.BytesIO(draw(checked_layout, GROUND, facts, code)))


@pytest.mark.parametrize("language", list(PosterLanguage))
def test_the_code_on_a_poster_can_be_read(language: PosterLanguage) -> None:
    poster = drawn(Facts(language=language, nickname="小美", product="面部护理", price_fen=19_900))

    assert (poster.format, poster.size) == ("JPEG", (750, 1334))
    assert [one.text for one in zxingcpp.read_barcodes(poster)] == [LINK]
    assert dict(poster.getexif()) == {}


@settings(max_examples=examples(25))
@given(st.text(max_size=220), st.text(max_size=90), st.none() | st.integers(1, 10**8))
def test_any_name_product_and_price_stay_in_their_boxes(
    name: str, product: str, price_fen: int | None
) -> None:
    plain = drawn(Facts(language=ZH))
    poster = drawn(Facts(language=ZH, nickname=name, product=product, price_fen=price_fen))

    changed = ImageChops.difference(plain.convert("L"), poster.convert("L"))
    changed = changed.point(lambda value: 255 if value > 40 else 0)
    layout = checked(LAYOUT, height=PICTURE.height)
    for box in (layout.nickname, layout.product, layout.price, layout.avatar):
        assert box is not None
        left, top, right, bottom = box.edges(PICTURE.height)
        changed.paste(0, (left - 8, top - 8, right + 8, bottom + 8))
    assert changed.getbbox() is None
    assert [one.text for one in zxingcpp.read_barcodes(poster)] == [LINK]


def test_a_picture_of_the_person_stands_in_a_circle() -> None:
    red = encoded(Image.new("RGB", (320, 320), (220, 0, 0))).content

    poster = drawn(Facts(language=ZH, avatar=red)).convert("RGB")

    layout = checked(LAYOUT, height=PICTURE.height)
    assert layout.avatar is not None
    left, top, right, bottom = layout.avatar.edges(PICTURE.height)
    middle = poster.getpixel(((left + right) // 2, (top + bottom) // 2))
    corner = poster.getpixel((left + 1, top + 1))
    assert isinstance(middle, tuple)
    assert isinstance(corner, tuple)
    assert middle[0] > 200 > 60 > middle[1]
    assert corner[1] > 180


@pytest.mark.parametrize(
    ("nickname", "language", "shown"),
    [
        ("小美👩", ZH, "小美"),
        ("👩", PosterLanguage.EN, "A friend"),
        ("\u202e", PosterLanguage.EN, "A friend"),
        ("字" * 200, ZH, "字" * 60),
    ],
)
def test_who_has_no_name_that_can_be_drawn_is_a_friend(
    nickname: str, language: PosterLanguage, shown: str
) -> None:
    assert shown_name(Facts(language=language, nickname=nickname)) == shown


@pytest.mark.parametrize(
    ("size", "flaw"), [((599, 1000), "small"), ((1200, 500), "shape"), ((700, 1500), "shape")]
)
def test_a_background_has_the_shape_of_a_poster(size: tuple[int, int], flaw: str) -> None:
    with pytest.raises(PosterInvalid) as caught:
        redraw_background(background(size))

    assert (caught.value.field, caught.value.flaw) == ("picture", flaw)


def test_a_large_background_is_made_small() -> None:
    picture = redraw_background(background((1500, 2668)))

    assert (picture.width, picture.height) == (750, 1334)


@pytest.mark.parametrize(
    ("handed_in", "refusal"),
    [
        (b"<svg/>", PictureUnreadable),
        (background()[:200], PictureUnreadable),
        (b"", PictureUnreadable),
    ],
    ids=["svg", "cut", "empty"],
)
def test_a_background_that_is_no_picture_is_refused(
    handed_in: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        redraw_background(handed_in)


def test_a_background_of_fifty_megapixels_is_refused() -> None:
    large = io.BytesIO()
    Image.new("1", (5_000, 10_000)).save(large, "PNG")

    with pytest.raises(PictureTooManyPixels):
        redraw_background(large.getvalue())
