"""Words that no text about a plan may hold, however they are spaced or written."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

BANNED: Final[Mapping[str, tuple[str, ...]]] = {
    "躺赚": ("躺赚", "躺賺"),
    "裂变暴富": ("裂变暴富", "裂變暴富"),
    "稳赚": ("稳赚", "穩賺"),
    "下线": ("下线", "下線"),
    "拉人头": ("拉人头", "拉人頭"),
    "保本": ("保本",),
    "股权": ("股权", "股權"),
}
"""Each word with its spellings."""

FILLERS: Final = re.compile(r"[^\S\n]|[·•・_*~|\-]")
"""What is put between letters to slip through; ends of sentences and lines keep words apart."""


def normalised(text: str) -> str:
    """Return a text without width, spaces, invisible characters and fillers between letters.

    >>> normalised("躺 赚，Ａ·Ｂ\u200b稳-赚")
    '躺赚,ab稳赚'
    """
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(one for one in plain if unicodedata.category(one) != "Cf")
    return FILLERS.sub("", visible).casefold()


def banned_in(text: str) -> Iterator[str]:
    """Yield the banned words in a text, each once, in the order of the list.

    >>> list(banned_in("朋友圈 稳 赚，发展下線"))
    ['稳赚', '下线']
    """
    plain = normalised(text)
    for word, spellings in BANNED.items():
        if any(spelling in plain for spelling in spellings):
            yield word
