"""The pictures of mini-program codes: real QR codes, since nobody but WeChat can make its own."""

import io
from functools import lru_cache
from urllib.parse import urlencode

import qrcode
from PIL import Image

ADDRESS = "https://mp.weixin.qq.com/a/sandbox?"


@lru_cache(maxsize=512)
def draw(scene: str, page: str, width: int) -> bytes:
    """Return a PNG of the given width that a QR reader reads as an address with scene and page."""
    code = qrcode.QRCode(border=2)
    code.add_data(ADDRESS + urlencode({"scene": scene, "page": page}))
    code.make(fit=True)
    modules = code.get_matrix()
    image = Image.new("1", (len(modules), len(modules)))
    image.putdata([not is_dark for row in modules for is_dark in row])
    picture = io.BytesIO()
    image.resize((width, width), Image.Resampling.NEAREST).save(picture, "PNG")
    return picture.getvalue()
