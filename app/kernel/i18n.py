"""Texts in Chinese and English: English in the code is the key, Chinese stands in the catalogue.

The core never knows who reads. It hands over a `Message`, or an error with `text` and parameters;
a front end renders it for its reader, and the API renders both languages.
"""

import gettext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

TRANSLATIONS: Final = Path(__file__).parents[1] / "translations"
CHINESE: Final = "zh_Hans_CN"
ENGLISH: Final = "en"
LOCALES: Final = (CHINESE, ENGLISH)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Mark a text for the catalogue and return it unchanged."""
    return text


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence before it has a language: the English key and what to fill in.

    A parameter that is itself a `Message` is translated too.
    """

    text: str
    parameters: dict[str, Any] = field(default_factory=dict)


@cache
def _catalogue(locale: str) -> gettext.NullTranslations:
    return gettext.translation("messages", TRANSLATIONS, [locale], fallback=locale == ENGLISH)


def translate(message: Message | str, locale: str) -> str:
    """Render a message in one of `LOCALES`.

    >>> translate(Message("%(count)s left", {"count": 3}), "en")
    '3 left'
    """
    if isinstance(message, str):
        return _catalogue(locale).gettext(message)
    parameters = {
        name: translate(value, locale) if isinstance(value, Message) else value
        for name, value in message.parameters.items()
    }
    text = _catalogue(locale).gettext(message.text)
    return text % parameters if parameters else text


def yuan(amount_fen: int) -> str:
    """Write fen as yuan, exactly.

    >>> yuan(1999), yuan(-5), yuan(1_000_000)
    ('¥19.99', '-¥0.05', '¥10,000.00')
    """
    sign = "-" if amount_fen < 0 else ""
    whole, cents = divmod(abs(amount_fen), 100)
    return f"{sign}¥{whole:,}.{cents:02d}"
