import io

import pytest
import zxingcpp
from PIL import Image

from app.posters.qr import media_type, qr_image, qr_png

LINK = "https://example.com/s/mC0vBqQ2Zt8rY1nKx7LsWd"


def test_a_reader_finds_the_link_in_the_qr() -> None:
    picture = Image.open(io.BytesIO(qr_png(LINK)))

    found = zxingcpp.read_barcodes(picture)

    assert [code.text for code in found] == [LINK]
    assert picture.format == "PNG"


@pytest.mark.parametrize("side", [165, 220, 300])
def test_a_code_of_any_size_can_be_read(side: int) -> None:
    drawn = qr_image(LINK, side)

    assert drawn.size == (side, side)
    assert [code.text for code in zxingcpp.read_barcodes(drawn)] == [LINK]


def test_a_code_with_more_modules_than_pixels_grows_instead_of_getting_lost() -> None:
    drawn = qr_image(LINK, 20)

    assert drawn.width == drawn.height > 20


def test_the_kind_of_an_image_is_told_by_its_first_bytes() -> None:
    assert media_type(qr_png(LINK)) == "image/png"
    assert media_type(b"\xff\xd8\xff\xe0") == "image/jpeg"
