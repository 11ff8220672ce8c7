"""Reading one cell: from what somebody typed to a value, or a sentence that says what is wrong.

People type full-width digits, thousands separators and dates in three orders of punctuation, and
spreadsheets shorten long numbers. What can be understood in one way only is understood; everything
else is refused, never guessed. Pure.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from app.kernel.i18n import N_, Message

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
CELL_LENGTH_MAX: Final = 2_000
MOBILE: Final = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})", re.ASCII)
"""A mobile number of mainland China, with or without the country's code."""
SHORTENED: Final = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+", re.ASCII | re.IGNORECASE)
"""What a spreadsheet makes of a long number: 1.38E+10."""
DAY: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?)?",
    re.ASCII,
)
"""A day as Excel and people in China write it, with or without a time of day."""
YUAN: Final = re.compile(r"[¥￥]?([0-9]{1,7})(?:\.([0-9]{1,2})0*)?元?", re.ASCII)
GROUPED: Final = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", re.ASCII)
DATE_MIN: Final = date(1900, 1, 1)
YES: Final = frozenset({"yes", "y", "true", "1", "是", "有", "√"})
NO: Final = frozenset({"no", "n", "false", "0", "否", "无", "×"})
BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Parse: TypeAlias = Callable[[str], Any]
"""From the text of a cell, which is not empty, to its value. Raises `CellWrong`."""


@dataclass(eq=False)
class CellWrong(Exception):
    """A cell cannot be read; `code` is stable, `message` is for people."""

    code: str
    message: Message


def wrong(code: str, text: str, **parameters: Any) -> CellWrong:
    """Return what to raise for a cell that cannot be read."""
    return CellWrong(code, Message(text, parameters))


def tidy(text: str) -> str:
    """Return a text without space around it, and full-width letters and digits as plain ones.

    >>> tidy("　１３８ "), tidy("５Ａ")
    ('138', '5A')
    """
    return unicodedata.normalize("NFKC", text).strip()


def text_of(length_max: int) -> Parse:
    """Return a reader of names and titles; they stay as typed but for the space around them."""

    def parse(text: str) -> str:
        found = text.strip()
        if any(unicodedata.category(one) in {"Cc", "Cs"} or one in BIDI_CONTROLS for one in found):
            raise wrong("control_characters", N_("This holds characters that cannot be shown."))
        if len(found) > length_max:
            raise wrong("too_long", N_("This is longer than %(most)s characters."), most=length_max)
        return found

    return parse


def phone(text: str) -> str:
    """Read a mobile number as +86 and eleven digits.

    >>> phone("138 0000-1111"), phone("008613800001111")
    ('+8613800001111', '+8613800001111')
    """
    plain = re.sub(r"[\s\-()]", "", tidy(text))
    if SHORTENED.fullmatch(plain):
        raise wrong(
            "number_shortened",
            N_(
                "A spreadsheet has shortened this number. Format the column as text and enter the "
                "whole number again."
            ),
        )
    found = MOBILE.fullmatch(plain)
    if found is None:
        raise wrong("phone_wrong", N_("This is not a mobile number of eleven digits."))
    return f"+86{found[1]}"


def instant(text: str) -> datetime:
    """Read a day, or a day and a time by the shops' clock, as an instant in UTC.

    >>> instant("2025-03-01 08:30").isoformat(), instant("2025年3月1日").isoformat()
    ('2025-03-01T00:30:00+00:00', '2025-02-28T16:00:00+00:00')
    """
    found = DAY.fullmatch(tidy(text))
    if found is None:
        raise wrong("date_wrong", N_("This is not a date such as 2025-03-31."))
    try:
        year, month, on, hour, minute, second = (int(one or 0) for one in found.groups())
        read = datetime(year, month, on, hour, minute, second, tzinfo=SHANGHAI)
    except ValueError:
        raise wrong("no_such_date", N_("There is no such date.")) from None
    if read.date() < DATE_MIN:
        raise wrong("date_too_early", N_("This date lies before 1900."))
    return read.astimezone(UTC)


def day(text: str) -> date:
    """Read a day of the calendar.

    >>> day("1990/5/1")
    datetime.date(1990, 5, 1)
    """
    return instant(text).astimezone(SHANGHAI).date()


def yuan(text: str) -> int:
    """Read an amount in yuan as fen, exactly; there is no part of a fen.

    >>> yuan("¥1,288.50"), yuan("99"), yuan("0.1元")
    (128850, 9900, 10)
    """
    found = YUAN.fullmatch(GROUPED.sub("", tidy(text)))
    if found is None:
        raise wrong("amount_wrong", N_("This is not an amount in yuan such as 128.00."))
    fen = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if fen == 0:
        raise wrong("amount_zero", N_("The amount must be more than nothing."))
    return fen


def whole(least: int, most: int) -> Parse:
    """Return a reader of whole numbers between two, both included."""

    def parse(text: str) -> int:
        plain = GROUPED.sub("", tidy(text))
        digits = plain.removesuffix(".0").removesuffix(".00")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))
        if not is_number or not least <= int(digits) <= most:
            raise wrong(
                "number_wrong",
                N_("This is not a whole number from %(least)s to %(most)s."),
                least=least,
                most=most,
            )
        return int(digits)

    return parse


def yes_no(text: str) -> bool:
    """Read yes or no, in Chinese or English."""
    plain = tidy(text).casefold()
    if plain in YES:
        return True
    if plain in NO:
        return False
    raise wrong("not_yes_or_no", N_("This is neither yes nor no."))


def choice(words: Mapping[str, Any]) -> Parse:
    """Return a reader of one of a few words, in either language; `words` go to values."""
    known = {tidy(word).casefold(): value for word, value in words.items()}

    def parse(text: str) -> Any:
        try:
            return known[tidy(text).casefold()]
        except KeyError:
            raise wrong(
                "not_allowed", N_("This is none of: %(words)s."), words=", ".join(words)
            ) from None

    return parse
