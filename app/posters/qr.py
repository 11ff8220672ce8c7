"""QR codes of share links, and mini-program codes as WeChat draws them.

A link's QR is drawn anew each time: it takes a few milliseconds. A mini-program code costs a call
to WeChat, which allows only so many, so its image is kept on this machine's disk; losing it costs
one more call.
"""

import io
from pathlib import Path
from typing import Final

import qrcode
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M

from app.kernel.keeping import Shelf
from app.settings import Settings
from app.wechat.access import mini_program

KEPT_PER_FOLDER_MAX: Final = 64
"""With 256 folders about 16,000 images, or 700 MB at most."""
MASK: Final = 2
"""One pattern for all posters: trying all eight takes longer than the rest of a poster, and matters
for print that is damaged, not for a picture on a screen."""
BORDER: Final = 4
"""The light modules around a code that readers need (ISO/IEC 18004)."""


def link_of(code: str, settings: Settings) -> str:
    """Return the public address of a share code, which is what its QR says."""
    return f"{settings.public_base_url.rstrip('/')}/s/{code}"


def qr_png(text: str) -> bytes:
    """Draw a QR code that survives a crumpled poster (15 % may be lost)."""
    code = _code(text, box_size=10)
    picture = io.BytesIO()
    code.make_image().save(picture, format="PNG")
    return picture.getvalue()


def qr_image(text: str, side: int) -> Image.Image:
    """Draw a QR code with its border as a grey image of `side` pixels, modules of whole pixels."""
    rows = _code(text, mask=MASK).get_matrix()
    count = len(rows)
    modules = Image.frombytes(
        "L", (count, count), bytes(0 if is_dark else 255 for row in rows for is_dark in row)
    )
    drawn = count * max(1, side // count)
    canvas = Image.new("L", (max(side, drawn), max(side, drawn)), 255)
    edge = (canvas.width - drawn) // 2
    canvas.paste(modules.resize((drawn, drawn), Image.Resampling.NEAREST), (edge, edge))
    return canvas


def _code(text: str, *, box_size: int = 1, mask: int | None = None) -> qrcode.QRCode:
    code = qrcode.QRCode(
        error_correction=ERROR_CORRECT_M, box_size=box_size, border=BORDER, mask_pattern=mask
    )
    code.add_data(text)
    code.make(fit=True)
    return code


def wxacode(code: str, page: str, settings: Settings) -> bytes:
    """Return the mini-program code that opens `page` with a share code, from disk or from WeChat.

    Raises what `MiniProgram.wxacode` raises. Call it outside any transaction.
    """
    shelf = Shelf(Path(settings.state_dir) / "wxacodes", KEPT_PER_FOLDER_MAX)
    place = shelf.place_of(settings.wechat_app_id, settings.wechat_env_version, page, code)
    image = shelf.read(place)
    if image is None:
        image = mini_program().wxacode(scene=code, page=page)
        shelf.keep(place, image)
    return image


def media_type(image: bytes) -> str:
    """Tell what kind of image WeChat sent; it sends JPEG, or PNG where it is transparent."""
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"
