"""QR codes of share links, and mini-program codes as WeChat draws them.

A link's QR is drawn anew each time: it takes a few milliseconds. A mini-program code costs a call
to WeChat, which allows only so many, so its image is kept on this machine's disk; losing it costs
one more call.
"""

import hashlib
import io
import tempfile
from pathlib import Path
from typing import Final

import qrcode
from qrcode.constants import ERROR_CORRECT_M

from app.settings import Settings
from app.wechat.access import mini_program

KEPT_PER_FOLDER_MAX: Final = 64
"""With 256 folders about 16,000 images, or 700 MB at most."""


def link_of(code: str, settings: Settings) -> str:
    """Return the public address of a share code, which is what its QR says."""
    return f"{settings.public_base_url.rstrip('/')}/s/{code}"


def qr_png(text: str) -> bytes:
    """Draw a QR code that survives a crumpled poster (15 % may be lost)."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=10, border=4)
    code.add_data(text)
    code.make(fit=True)
    picture = io.BytesIO()
    code.make_image().save(picture, format="PNG")
    return picture.getvalue()


def wxacode(code: str, page: str, settings: Settings) -> bytes:
    """Return the mini-program code that opens `page` with a share code, from disk or from WeChat.

    Raises what `MiniProgram.wxacode` raises. Call it outside any transaction.
    """
    place = _place(code, page, settings)
    try:
        return place.read_bytes()
    except FileNotFoundError:
        image = mini_program().wxacode(scene=code, page=page)
    _keep(place, image)
    return image


def media_type(image: bytes) -> str:
    """Tell what kind of image WeChat sent; it sends JPEG, or PNG where it is transparent."""
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"


def _place(code: str, page: str, settings: Settings) -> Path:
    parts = (settings.wechat_app_id, settings.wechat_env_version, page, code)
    name = hashlib.sha256("\x00".join(parts).encode()).hexdigest()
    return Path(settings.state_dir) / "wxacodes" / name[:2] / name


def _keep(place: Path, image: bytes) -> None:
    """Put an image in its place in one step, so that nobody reads half of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _make_room(place.parent)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".new-", delete=False) as file:
        file.write(image)
    Path(file.name).replace(place)


def _make_room(folder: Path) -> None:
    kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for oldest in kept[: max(0, len(kept) - KEPT_PER_FOLDER_MAX + 1)]:
        oldest.unlink(missing_ok=True)
