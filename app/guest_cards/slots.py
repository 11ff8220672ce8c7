"""Times that can be booked, out of a store's opening hours. Pure.

A slot begins at the beginning of a span of opening or a whole number of slots later, and lies in
the span whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.kernel.clock import business_day, day_begins_at
from app.stores.hours import OpeningHours

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A time from one instant until another."""

    from_at: datetime
    until_at: datetime


def slots_of(hours: OpeningHours, day: date, minutes: int) -> Iterator[Slot]:
    """Yield the slots of the spans that begin on a day, in order.

    >>> from app.stores.hours import parse_week
    >>> nine_to_eleven = parse_week({"monday": "9:00-11:00"})
    >>> [f"{one.from_at:%H:%M}" for one in slots_of(nine_to_eleven, date(2026, 3, 2), 45)]
    ['01:00', '01:45']
    """
    midnight = day_begins_at(day)
    for span in sorted(hours.of(day.weekday()), key=lambda one: one.begins):
        begins = span.begins
        while begins + minutes <= span.ends:
            from_at = midnight + timedelta(minutes=begins)
            yield Slot(from_at, from_at + timedelta(minutes=minutes))
            begins += minutes


def slot_at(hours: OpeningHours, from_at: datetime, minutes: int) -> Slot | None:
    """Return the slot that begins at an instant, None where none does.

    The span it lies in may have begun on the day before.
    """
    today = business_day(from_at)
    for day in (today - DAY, today):
        for slot in slots_of(hours, day, minutes):
            if slot.from_at == from_at:
                return slot
    return None
