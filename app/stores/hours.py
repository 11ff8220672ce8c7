"""When a store is open: spans of the shop's clock for each weekday. Pure.

A span may run past midnight: one that closes earlier than it opens, or at 24:00, ends on the next
day. Instants are aware; the shop's clock is Shanghai's.
"""

import re
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.kernel.clock import SHANGHAI

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPANS_MAX: Final = 3
DAY_MINUTES: Final = 24 * 60
WEEK_MINUTES: Final = 7 * DAY_MINUTES
OPENS: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
CLOSES: Final = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*[-–~]\s*([0-9]{1,2}):([0-9]{2})", re.ASCII)


class HoursUnclear(ValueError):
    """A text does not say when a store is open."""


class Span(BaseModel):
    """From when until when; `closes` not after `opens` means on the next day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: Annotated[str, Field(pattern=OPENS)]
    closes: Annotated[str, Field(pattern=CLOSES)]

    @property
    def begins(self) -> int:
        """Return the minute of the day at which it begins."""
        return _minute(self.opens)

    @property
    def ends(self) -> int:
        """Return the minute at which it ends, counted from the same midnight as its beginning."""
        closes = _minute(self.closes)
        return closes if closes > self.begins else closes + DAY_MINUTES


Spans = Annotated[tuple[Span, ...], Field(max_length=SPANS_MAX)]


class OpeningHours(BaseModel):
    """The spans of each weekday; a day without any is a day off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    monday: Spans = ()
    tuesday: Spans = ()
    wednesday: Spans = ()
    thursday: Spans = ()
    friday: Spans = ()
    saturday: Spans = ()
    sunday: Spans = ()

    @model_validator(mode="after")
    def _spans_follow_each_other(self) -> Self:
        """Refuse spans that overlap, also over midnight and from Sunday into Monday."""
        spans = sorted(self._minutes())
        if spans:
            first = spans[0]
            spans.append((first[0] + WEEK_MINUTES, first[1] + WEEK_MINUTES))
        for (_, ends), (begins, _) in pairwise(spans):
            if begins < ends:
                raise ValueError("two spans overlap")
        return self

    def of(self, weekday: int) -> tuple[Span, ...]:
        """Return the spans that begin on a weekday; 0 is Monday."""
        found: tuple[Span, ...] = getattr(self, WEEKDAYS[weekday])
        return found

    def is_open_at(self, instant: datetime) -> bool:
        """Tell whether an instant lies in one of the spans, those from the day before included."""
        local = instant.astimezone(SHANGHAI)
        minute = local.weekday() * DAY_MINUTES + local.hour * 60 + local.minute
        return any(
            begins <= at < ends
            for begins, ends in self._minutes()
            for at in (minute, minute + WEEK_MINUTES)
        )

    def document(self) -> dict[str, Any]:
        """Return what the database keeps."""
        return self.model_dump(mode="json")

    def _minutes(self) -> list[tuple[int, int]]:
        """Return every span in minutes of the week."""
        return [
            (day * DAY_MINUTES + span.begins, day * DAY_MINUTES + span.ends)
            for day in range(7)
            for span in self.of(day)
        ]


def read_hours(document: dict[str, Any] | None) -> OpeningHours | None:
    """Return what the database keeps of a store's hours; None where nobody has said them."""
    return None if document is None else OpeningHours.model_validate(document)


def parse_day(text: str) -> tuple[Span, ...]:
    """Read what a person types for a day; raise `HoursUnclear`.

    >>> [str(span.opens) for span in parse_day("9:00-12:00, 13:00-21:30")]
    ['09:00', '13:00']
    >>> parse_day("")
    ()
    """
    parts = [part for part in re.split(r"[,，;；、]", text) if part.strip()]
    if len(parts) > SPANS_MAX:
        raise HoursUnclear(text)
    return tuple(_parse_span(part.strip()) for part in parts)


def write_day(spans: tuple[Span, ...]) -> str:
    """Write the spans of a day as a person would.

    >>> write_day(parse_day("9:00-12:00,13:00–2:00"))
    '09:00-12:00, 13:00-02:00'
    """
    return ", ".join(f"{span.opens}-{span.closes}" for span in spans)


def parse_week(days: dict[str, str]) -> OpeningHours:
    """Read a text for each weekday by its English name; raise `HoursUnclear`.

    The error's text is the name of the day that is unclear, or empty where days overlap.
    """
    spans = {}
    for name, text in days.items():
        try:
            spans[name] = parse_day(text)
        except HoursUnclear as error:
            raise HoursUnclear(name) from error
    try:
        return OpeningHours.model_validate(spans)
    except ValidationError as error:
        raise HoursUnclear("") from error


def _parse_span(text: str) -> Span:
    found = _SPAN.fullmatch(text.replace("：", ":"))
    if found is None:
        raise HoursUnclear(text)
    hour, minute, last_hour, last_minute = found.groups()
    try:
        return Span(opens=f"{hour:0>2}:{minute}", closes=f"{last_hour:0>2}:{last_minute}")
    except ValidationError as error:
        raise HoursUnclear(text) from error


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
