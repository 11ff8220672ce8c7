"""Opening hours: what people type, what it means, and when a door is open."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.stores.hours import (
    WEEKDAYS,
    HoursUnclear,
    OpeningHours,
    parse_day,
    parse_week,
    read_hours,
    write_day,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


def week(**days: str) -> OpeningHours:
    return parse_week({day: days.get(day, "") for day in WEEKDAYS})


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant by the shop's clock; 2 March 2026 is a Monday."""
    return datetime(2026, 3, 2 + day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10:00-22:00", "10:00-22:00"),
        (" 9:00 – 12:00 ， 13:00~21:30 ", "09:00-12:00, 13:00-21:30"),
        ("18：00-2：00", "18:00-02:00"),
        ("00:00-24:00", "00:00-24:00"),
        ("", ""),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, written: str) -> None:
    assert write_day(parse_day(text)) == written


@pytest.mark.parametrize(
    "text",
    ["ten to ten", "10:00", "25:00-26:00", "10:60-11:00", "10-22", "1:00-2:00," * 4, "24:00-25:00"],
)
def test_what_is_no_span_is_unclear(text: str) -> None:
    with pytest.raises(HoursUnclear):
        parse_day(text)


def test_the_day_that_is_unclear_is_named() -> None:
    with pytest.raises(HoursUnclear, match="tuesday"):
        week(monday="10:00-22:00", tuesday="noon")


@pytest.mark.parametrize(
    "days",
    [
        {"monday": "10:00-14:00, 13:00-18:00"},
        {"monday": "18:00-02:00", "tuesday": "01:00-05:00"},
        {"sunday": "20:00-03:00", "monday": "02:00-08:00"},
        {"friday": "00:00-24:00, 23:00-23:30"},
        {"monday": "10:00-10:00", "tuesday": "09:00-12:00"},
    ],
)
def test_spans_that_overlap_are_refused_also_over_midnight(days: dict[str, str]) -> None:
    with pytest.raises(HoursUnclear, match=r"^$"):
        week(**days)


def test_a_day_that_ends_as_the_next_begins_is_no_overlap() -> None:
    hours = week(**dict.fromkeys(WEEKDAYS, "00:00-24:00"))

    assert all(hours.is_open_at(at(day, hour)) for day in range(7) for hour in range(24))


@pytest.mark.parametrize(
    ("instant", "is_open"),
    [
        (at(4, 17, 59), False),
        (at(4, 18), True),
        (at(4, 23, 59), True),
        (at(5, 1, 59), True),
        (at(5, 2), False),
        (at(6, 22), True),
        (at(7, 0, 30), True),
        (at(7, 1), False),
        (at(1, 12), False),
        (datetime(2026, 3, 6, 10, tzinfo=UTC), True),
    ],
)
def test_a_span_past_midnight_belongs_to_the_day_it_began_on(
    instant: datetime, is_open: bool
) -> None:
    hours = week(friday="18:00-02:00", sunday="20:00-01:00")

    assert hours.is_open_at(instant) is is_open


def test_a_document_is_read_back_and_nonsense_in_it_is_refused() -> None:
    hours = week(monday="10:00-22:00")

    assert read_hours(hours.document()) == hours
    assert read_hours(None) is None
    with pytest.raises(ValidationError):
        read_hours({"monday": [{"opens": "99:00", "closes": "10:00"}]})
    with pytest.raises(ValidationError):
        read_hours({"someday": []})
