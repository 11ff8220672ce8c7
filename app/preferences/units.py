"""Kinds of values a setting can have, and how each is written for people. Pure."""

from enum import StrEnum
from typing import Any, Final, TypeAlias

from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

Value: TypeAlias = int | bool
"""Every setting that staff change is a whole number or a switch."""


class Unit(StrEnum):
    """What the number of a setting counts."""

    SPAN = "span"
    """Seconds."""
    MONEY = "money"
    """Fen, 1/100 yuan."""
    RATE = "rate"
    """Basis points, 1/100 percent."""
    COUNT = "count"
    SWITCH = "switch"


SPANS: Final[tuple[tuple[int, str, str], ...]] = (
    (86_400, N_("1 day"), N_("%(count)s days")),
    (3_600, N_("1 hour"), N_("%(count)s hours")),
    (60, N_("1 minute"), N_("%(count)s minutes")),
    (1, N_("1 second"), N_("%(count)s seconds")),
)
"""Seconds of each measure of time, what one and what several of it are called; longest first."""

ON: Final = N_("Yes")
OFF: Final = N_("No")


def measure_of(seconds: int) -> int:
    """Return the seconds of the longest measure that a span is whole in.

    >>> measure_of(172_800), measure_of(5_400), measure_of(0)
    (86400, 60, 1)
    """
    if not seconds:
        return 1
    return next(size for size, _one, _many in SPANS if seconds % size == 0)


def worded(unit: Unit, value: Value) -> Message | str:
    """Return a value as people read it, before it has a language.

    >>> worded(Unit.MONEY, 20_000), worded(Unit.RATE, 4_350), worded(Unit.COUNT, 5)
    ('¥200.00', '43.5%', '5')
    >>> worded(Unit.SPAN, 86_400).text, worded(Unit.SPAN, 900).parameters
    ('1 day', {'count': 15})
    """
    match unit:
        case Unit.SWITCH:
            return Message(ON if value else OFF)
        case Unit.MONEY:
            return yuan(int(value))
        case Unit.RATE:
            return percent(int(value))
        case Unit.SPAN:
            return _span(int(value))
        case Unit.COUNT:
            return str(int(value))


def _span(seconds: int) -> Message:
    size = measure_of(seconds)
    one, many = next((one, many) for found, one, many in SPANS if found == size)
    count = seconds // size
    return Message(one) if count == 1 else Message(many, {"count": count})


def is_kind_of(unit: Unit, value: Any) -> bool:
    """Tell whether a value is of the right type: a switch is no number, nor the other way round.

    >>> is_kind_of(Unit.COUNT, 5), is_kind_of(Unit.COUNT, True), is_kind_of(Unit.SWITCH, 1)
    (True, False, False)
    """
    if unit is Unit.SWITCH:
        return isinstance(value, bool)
    return isinstance(value, int) and not isinstance(value, bool)
