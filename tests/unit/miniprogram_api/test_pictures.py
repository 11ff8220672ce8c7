import io
from pathlib import Path

import zxingcpp
from PIL import Image

from miniprogram_api.pictures import KEPT_PER_FOLDER_MAX, _keep, media_type, qr_png

LINK = "https://example.com/s/mC0vBqQ2Zt8rY1nKx7LsWd"


def test_a_reader_finds_the_link_in_the_qr() -> None:
    picture = Image.open(io.BytesIO(qr_png(LINK)))

    found = zxingcpp.read_barcodes(picture)

    assert [code.text for code in found] == [LINK]
    assert picture.format == "PNG"


def test_the_kind_of_an_image_is_told_by_its_first_bytes() -> None:
    assert media_type(qr_png(LINK)) == "image/png"
    assert media_type(b"\xff\xd8\xff\xe0") == "image/jpeg"


def test_a_folder_of_kept_images_does_not_grow_without_end(tmp_path: Path) -> None:
    for number in range(KEPT_PER_FOLDER_MAX + 5):
        _keep(tmp_path / "ab" / f"{number:03}", b"image")

    kept = sorted(path.name for path in (tmp_path / "ab").iterdir())
    assert len(kept) == KEPT_PER_FOLDER_MAX
    assert kept[-1] == f"{KEPT_PER_FOLDER_MAX + 4:03}"
