"""What fits into a subscribe message: the kinds of values WeChat checks, and cutting ours to them.

A value that breaks a limit makes WeChat refuse the whole message (47003), so everything is cut or
refused beforehand. The kind stands in the name of a template's field: `thing2` holds a thing.
Rules: the document of subscribeMessage.send, "Parameter value limits". Pure.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from app.kernel.clock import SHANGHAI

FIELD: Final = re.compile(r"(?P<kind>[a-z]+(?:_[a-z]+)?)(?P<number>[0-9]{1,2})", re.ASCII)
NOTHING: Final = "-"
"""What stands where there is nothing to say: WeChat refuses an empty value."""
NAME_WIDE_MAX: Final = 10
NAME_NARROW_MAX: Final = 20
SIGNS_OF_NAMES: Final = "·.-'"
MOMENT: Final = "%Y-%m-%d %H:%M"


class ValueKind(StrEnum):
    """What WeChat expects in a field; its own words."""

    THING = "thing"
    NUMBER = "number"
    LETTER = "letter"
    SYMBOL = "symbol"
    CHARACTER_STRING = "character_string"
    TIME = "time"
    DATE = "date"
    AMOUNT = "amount"
    PHONE_NUMBER = "phone_number"
    CAR_NUMBER = "car_number"
    NAME = "name"
    PHRASE = "phrase"


LENGTHS: Final[Mapping[ValueKind, int]] = {
    ValueKind.THING: 20,
    ValueKind.NUMBER: 32,
    ValueKind.LETTER: 32,
    ValueKind.SYMBOL: 5,
    ValueKind.CHARACTER_STRING: 32,
    ValueKind.PHONE_NUMBER: 17,
    ValueKind.CAR_NUMBER: 8,
    ValueKind.PHRASE: 5,
}
"""The most characters of each kind that is simply cut."""

Value = str | int | datetime | date
"""An amount is a whole number of fen; instants are aware."""


class ValueUnfit(ValueError):
    """Nothing of a value can stand in a field of this kind."""


def kind_of(field: str) -> ValueKind | None:
    """Return the kind of a field by its name in WeChat's template, or None where it is none.

    >>> kind_of("character_string3")
    <ValueKind.CHARACTER_STRING: 'character_string'>
    """
    match = FIELD.fullmatch(field)
    try:
        return ValueKind(match["kind"]) if match else None
    except ValueError:
        return None


def fit(kind: ValueKind, value: Value) -> str:
    """Return the text of a value as WeChat takes it in a field of this kind.

    Texts are cut and lose what the kind does not allow; raises `ValueUnfit` where a value has the
    wrong type or nothing is left of it and a dash is not allowed either.

    >>> fit(ValueKind.AMOUNT, 123_450)
    '¥1234.50'
    >>> fit(ValueKind.THING, "a pot of tea for two, and cake")
    'a pot of tea for tw…'
    """
    text = _FITTERS[kind](kind, value)
    if not fits(kind, text):
        raise ValueUnfit(f"{kind.value} cannot hold this value")
    return text


def fits(kind: ValueKind, text: str) -> bool:
    """Tell whether WeChat would take a text in a field of this kind."""
    if not text.strip():
        return False
    if kind is ValueKind.NAME:
        most = NAME_NARROW_MAX if text.isascii() else NAME_WIDE_MAX
        return 1 <= len(text) <= most and all(_is_of_name(one) for one in text)
    if kind in {ValueKind.TIME, ValueKind.DATE}:
        return _is_moment(text)
    return bool(_SHAPES[kind].fullmatch(text))


_SHAPES: Final[Mapping[ValueKind, re.Pattern[str]]] = {
    ValueKind.THING: re.compile(r"[^\x00-\x1f\x7f]{1,20}"),
    ValueKind.NUMBER: re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,8})?", re.ASCII),
    ValueKind.LETTER: re.compile(r"[A-Za-z]{1,32}", re.ASCII),
    ValueKind.SYMBOL: re.compile(r"[!-/:-@\[-`{-~]{1,5}", re.ASCII),
    ValueKind.CHARACTER_STRING: re.compile(r"[!-~]{1,32}", re.ASCII),
    ValueKind.AMOUNT: re.compile(r"[¥￥$€£]?(?=[0-9.]{1,10}元?$)[0-9]+(\.[0-9]{1,2})?元?"),
    ValueKind.PHONE_NUMBER: re.compile(r"[0-9+\-() ]{1,17}", re.ASCII),
    ValueKind.CAR_NUMBER: re.compile(r"[\u4e00-\u9fff]?[0-9A-Z]{1,6}[\u4e00-\u9fff]?"),
    ValueKind.PHRASE: re.compile(r"[\u4e00-\u9fff]{1,5}"),
}


def _is_of_name(one: str) -> bool:
    return one.isalpha() or one in SIGNS_OF_NAMES


def _is_moment(text: str) -> bool:
    try:
        at = datetime.strptime(text, MOMENT).replace(tzinfo=SHANGHAI)
        return text == at.strftime(MOMENT)
    except ValueError:
        pass
    try:
        return text == date.fromisoformat(text).isoformat()
    except ValueError:
        return False


def _text(value: Value) -> str:
    if isinstance(value, datetime | date):
        return _moment(ValueKind.TIME, value)
    spaced = "".join(
        " " if unicodedata.category(one)[0] in "ZC" and one != "\u200d" else one
        for one in str(value)
    )
    return " ".join(spaced.split())


def _cut(kind: ValueKind, value: Value) -> str:
    text, most = _text(value) or NOTHING, LENGTHS[kind]
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _kept(kind: ValueKind, value: Value) -> str:
    """Return the characters the kind allows, as many as it takes."""
    shape = _SHAPES[kind]
    return "".join(one for one in _text(value) if shape.fullmatch(one))[: LENGTHS[kind]].strip()


def _dashed(kind: ValueKind, value: Value) -> str:
    return _kept(kind, value) or NOTHING


def _number(_kind: ValueKind, value: Value) -> str:
    return str(value)


def _plate(_kind: ValueKind, value: Value) -> str:
    return _text(value).upper()


def _amount(_kind: ValueKind, value: Value) -> str:
    if not isinstance(value, int) or value < 0:
        raise ValueUnfit("an amount is a number of fen, not below nothing")
    yuan, fen = divmod(value, 100)
    return f"¥{yuan}.{fen:02d}"


def _moment(_kind: ValueKind, value: Value) -> str:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime(MOMENT)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _name(_kind: ValueKind, value: Value) -> str:
    """Return letters and signs of names; counted as wide as soon as one is not ASCII."""
    kept = "".join(one for one in _text(value) if _is_of_name(one))
    return kept[: NAME_NARROW_MAX if kept.isascii() else NAME_WIDE_MAX] or NOTHING


_FITTERS: Final[Mapping[ValueKind, Callable[[ValueKind, Value], str]]] = {
    ValueKind.THING: _cut,
    ValueKind.NUMBER: _number,
    ValueKind.LETTER: _kept,
    ValueKind.SYMBOL: _dashed,
    ValueKind.CHARACTER_STRING: _dashed,
    ValueKind.TIME: _moment,
    ValueKind.DATE: _moment,
    ValueKind.AMOUNT: _amount,
    ValueKind.PHONE_NUMBER: _kept,
    ValueKind.CAR_NUMBER: _plate,
    ValueKind.NAME: _name,
    ValueKind.PHRASE: _kept,
}
