"""Drawing a poster: a background, a layout and the facts of one person become a JPEG.

Pure: no database and no network. A background is decoded once in a process.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageColor, ImageDraw, ImageOps

from app.kernel.i18n import CHINESE, ENGLISH, N_, translate, yuan
from app.kernel.pictures import encoded
from app.posters.layout import NAME, WHOLE, WIDTH, AvatarBox, CodeBox, Layout, SaidBox, TextBox
from app.posters.lettering import clusters, drawable, font, mask_of, shortened, width_of
from app.posters.states import PosterLanguage

BACKGROUNDS_KEPT: Final = 24
"""Decoded ones take up to 3.4 MB each."""
QUALITY: Final = 85
SIZE_MIN: Final = 8
FRIEND: Final = N_("A friend")
NAME_LENGTH_MAX: Final = 60
"""Characters of a nickname that are looked at; its box cuts it earlier."""
AVATAR_GROUND: Final = (203, 150, 158)
AVATAR_LETTER_SHARE: Final = 46
RING_SHARE: Final = 24
_SMOOTH: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one poster says beyond its template."""

    language: PosterLanguage
    nickname: str = ""
    product: str = ""
    price_fen: int | None = None
    avatar: bytes | None = None
    """A picture as `kernel.pictures` drew it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A background as it is stored, told apart by its digest; read only where it must be."""

    sha256: str
    load: Callable[[], bytes]


def draw(layout: Layout, ground: Ground, facts: Facts, code: Image.Image) -> bytes:
    """Return a poster as JPEG. `code` is what people scan, with its light border."""
    canvas = _decoded(ground).copy()
    for name, box in layout.boxes():
        if isinstance(box, CodeBox):
            _paste_code(canvas, box, code)
        elif isinstance(box, AvatarBox):
            _paste_avatar(canvas, box, facts)
        elif isinstance(box, TextBox):
            _write(canvas, box, _words(name, box, facts))
    return encoded(canvas, QUALITY).content


def shown_name(facts: Facts) -> str:
    """Return a nickname as it can be drawn; somebody without one is a friend."""
    name = drawable(facts.nickname[: 4 * NAME_LENGTH_MAX])
    name = "".join(clusters(name)[:NAME_LENGTH_MAX])
    return name or translate(FRIEND, CHINESE if facts.language is PosterLanguage.ZH else ENGLISH)


def _words(name: str, box: TextBox, facts: Facts) -> str:
    if isinstance(box, SaidBox):
        lines = [drawable(line) for line in box.said(facts.language).splitlines()]
        return "\n".join(_named(line, box, facts) if NAME in line else line for line in lines)
    if name == "price":
        return yuan(facts.price_fen) if facts.price_fen is not None else ""
    return drawable(facts.product)


def _named(line: str, box: SaidBox, facts: Facts) -> str:
    """Fill the name in, shortened so that the words around it keep their place on the line."""
    room = box.width * WIDTH // WHOLE - width_of(line.replace(NAME, ""), letters(box))
    name = shown_name(facts)
    return line.replace(NAME, shortened(name, size=letters(box), width=room))


def letters(box: TextBox) -> int:
    """Return the size of a box's letters in pixels."""
    return max(SIZE_MIN, box.size * WIDTH // WHOLE)


def _write(canvas: Image.Image, box: TextBox, text: str) -> None:
    if not text:
        return
    left, top, right, bottom = box.edges(canvas.height)
    mask = mask_of(
        text,
        area=(right - left, bottom - top),
        size=letters(box),
        lines_max=box.lines,
        align=box.align,
        is_bold=box.is_bold,
    )
    canvas.paste(ImageColor.getrgb(box.colour), (left, top), mask)


def _paste_code(canvas: Image.Image, box: CodeBox, code: Image.Image) -> None:
    left, top, right, bottom = box.edges(canvas.height)
    side = (right - left, bottom - top)
    if code.size != side:
        code = code.resize(side, Image.Resampling.LANCZOS)
    canvas.paste(code.convert("RGB"), (left, top))


def _paste_avatar(canvas: Image.Image, box: AvatarBox, facts: Facts) -> None:
    left, top, right, bottom = box.edges(canvas.height)
    side = min(right - left, bottom - top)
    ring = max(2, side // RING_SHARE)
    canvas.paste(ImageColor.getrgb(box.ring), (left, top), _disc(side))
    inner = side - 2 * ring
    picture = _avatar(facts, inner)
    canvas.paste(picture, (left + ring, top + ring), _disc(inner))


def _avatar(facts: Facts, side: int) -> Image.Image:
    """Return a picture of the person, or their initial on a quiet ground."""
    if facts.avatar is not None:
        with Image.open(BytesIO(facts.avatar), formats=("JPEG",)) as image:
            image.draft("RGB", (side, side))
            return ImageOps.fit(image.convert("RGB"), (side, side))
    canvas = Image.new("RGB", (side, side), AVATAR_GROUND)
    letter = clusters(shown_name(facts))[0].upper()
    size = max(SIZE_MIN, side * AVATAR_LETTER_SHARE // 100)
    ImageDraw.Draw(canvas).text(
        (side // 2, side // 2), letter, font=font(size), fill="white", anchor="mm"
    )
    return canvas


@lru_cache(maxsize=64)
def _disc(side: int) -> Image.Image:
    """Return a round mask with smooth edges."""
    large = Image.new("L", (side * _SMOOTH, side * _SMOOTH), 0)
    ImageDraw.Draw(large).ellipse((0, 0, side * _SMOOTH - 1, side * _SMOOTH - 1), fill=255)
    return large.resize((side, side), Image.Resampling.LANCZOS)


_backgrounds: Final[dict[str, Image.Image]] = {}
"""Decoded backgrounds by digest, the one unused for longest first."""


def _decoded(ground: Ground) -> Image.Image:
    """Return a background decoded; whoever draws on it works on a copy."""
    found = _backgrounds.pop(ground.sha256, None)
    if found is None:
        with Image.open(BytesIO(ground.load()), formats=("JPEG",)) as image:
            found = image.convert("RGB")
        for oldest in list(_backgrounds)[: max(0, len(_backgrounds) - BACKGROUNDS_KEPT + 1)]:
            _backgrounds.pop(oldest, None)
    _backgrounds[ground.sha256] = found
    return found
