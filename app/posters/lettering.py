"""Text on pictures: which characters can be drawn, where lines break, what is left out.

The font has every Chinese character and no emoji: what it lacks is left out rather than drawn as a
box. Text is cut between what a reader takes for one character, so that no accent is left alone.
"""

import unicodedata
from functools import lru_cache
from typing import Final

from cvttf_NotoSansCJK_Regular import get_TTF_path
from PIL import Image, ImageDraw, ImageFont, features

ELLIPSIS: Final = "…"
MARKS_MAX: Final = 2
"""Accents on one letter; more only serve to scribble over the neighbours."""
SHRINK_MIN: Final = 70
"""A line that is too long is drawn at this percentage of its size before it is cut."""
LINE_PERCENT: Final = 128
BOLD_SHARE: Final = 28
"""A bold stroke is the size divided by this; the font has one weight."""
MISSING: Final = "\U0010fffd"
_LAYOUT: Final = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
_LANGUAGE: Final = "zh-Hans" if _LAYOUT is ImageFont.Layout.RAQM else None
_PROBE: Final = 24


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font of a size in pixels, opened once in a process."""
    return ImageFont.truetype(get_TTF_path(), size, layout_engine=_LAYOUT)


@lru_cache(maxsize=8192)
def _is_drawn(character: str) -> bool:
    """Tell whether the font has a character: what it lacks looks like what nobody has."""
    if character == " ":
        return True
    basic = ImageFont.truetype(get_TTF_path(), _PROBE, layout_engine=ImageFont.Layout.BASIC)
    return bytes(basic.getmask(character)) != bytes(basic.getmask(MISSING))


def drawable(text: str) -> str:
    """Return what of a text can be drawn, on one line, without space around it."""
    kept: list[str] = []
    marks = 0
    for one in unicodedata.normalize("NFC", text):
        category = unicodedata.category(one)
        if category[0] == "Z" or one in "\t\n":
            one = " "
        is_mark = category[0] == "M"
        marks = marks + 1 if is_mark else 0
        if category[0] == "C" or not _is_drawn(one) or marks > MARKS_MAX:
            continue
        if is_mark and not (kept and kept[-1] != " "):
            continue
        kept.append(one)
    return " ".join("".join(kept).split())


def clusters(text: str) -> list[str]:
    r"""Cut a text into what a reader takes for one character.

    >>> len(clusters("ae\u0301"))
    2
    """
    found: list[str] = []
    for one in text:
        if found and unicodedata.category(one)[0] == "M":
            found[-1] += one
        else:
            found.append(one)
    return found


def width_of(text: str, size: int) -> int:
    """Return how wide a text is drawn, in pixels."""
    return round(font(size).getlength(text, language=_LANGUAGE))


def lines_of(text: str, *, size: int, width: int, lines_max: int) -> list[str]:
    """Break a text into lines; what does not fit on the last one ends in an ellipsis."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        rest = clusters(paragraph)
        while rest:
            if len(lines) == lines_max:
                lines[-1] = _shortened(clusters(lines[-1]), size, width)
                return lines
            broken = _break(rest, _fitting(rest, size, width))
            lines.append("".join(rest[:broken]).strip())
            rest = clusters("".join(rest[broken:]).lstrip())
    return lines


def _fitting(parts: list[str], size: int, width: int) -> int:
    """Return how many characters fit on a line, one at least."""
    if width_of("".join(parts), size) <= width:
        return len(parts)
    low, high = 1, len(parts)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of("".join(parts[:middle]), size) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _break(parts: list[str], taken: int) -> int:
    """Return where a line ends: between words of Latin letters, anywhere in Chinese."""
    if taken >= len(parts) or not (_is_latin(parts[taken - 1]) and _is_latin(parts[taken])):
        return taken
    for place in range(taken, 0, -1):
        if not _is_latin(parts[place - 1]):
            return place
    return taken


def _is_latin(part: str) -> bool:
    return part[0].isalnum() and ord(part[0]) < 0x2E80  # noqa: PLR2004 - where Chinese begins


def shortened(text: str, *, size: int, width: int) -> str:
    """Return a text on one line, cut so that it fits with an ellipsis after it."""
    if width_of(text, size) <= width:
        return text
    return _shortened(clusters(text), size, width)


def _shortened(parts: list[str], size: int, width: int) -> str:
    room = max(0, width - width_of(ELLIPSIS, size))
    return "".join(parts[: _fitting(parts, size, room)]).rstrip() + ELLIPSIS


def fitted_size(text: str, *, size: int, width: int) -> int:
    """Return a size at which a single line fits, no smaller than it may get."""
    drawn = width_of(text, size)
    if drawn <= width or not drawn:
        return size
    return max(size * SHRINK_MIN // 100, size * width // drawn)


def mask_of(
    text: str, *, area: tuple[int, int], size: int, lines_max: int, align: str, is_bold: bool
) -> Image.Image:
    """Draw a text into an area of so many pixels; nothing of it can leave the area."""
    width, height = area
    if lines_max == 1:
        size = fitted_size(text, size=size, width=width)
    lines_max = max(1, min(lines_max, height * 100 // (size * LINE_PERCENT) or 1))
    mask = Image.new("L", area, 0)
    draw = ImageDraw.Draw(mask)
    step = size * LINE_PERCENT // 100
    lines = lines_of(text, size=size, width=width, lines_max=lines_max)
    top = max(0, (height - step * len(lines)) // 2) if lines_max == 1 else 0
    for number, line in enumerate(lines):
        left = {"left": 0, "center": (width - width_of(line, size)) // 2}.get(
            align, width - width_of(line, size)
        )
        baseline = top + step * number + size
        draw.text(
            (max(0, left), baseline),
            line,
            font=font(size),
            fill=255,
            anchor="ls",
            language=_LANGUAGE,
            stroke_width=max(1, size // BOLD_SHARE) / 2 if is_bold else 0,
        )
    return mask
