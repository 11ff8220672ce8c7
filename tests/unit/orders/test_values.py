"""Waiting times and seats."""

from datetime import UTC, datetime, timedelta

from app.orders.values import Seat, ask_again_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def wait(tries: int, *, number: str = "R1", most: int = 120) -> timedelta:
    return ask_again_at(number, tries, base_seconds=60, most_seconds=most, now=NOON) - NOON


def test_waits_double_up_to_the_longest_and_are_spread_by_a_fifth_at_most() -> None:
    waits = [wait(tries, most=400) for tries in range(5)]

    for expected, actual in zip([60, 120, 240, 400, 400], waits, strict=True):
        assert timedelta(seconds=expected) <= actual < timedelta(seconds=expected * 1.2)


def test_a_crowd_does_not_come_back_together_and_each_comes_back_at_its_own_time() -> None:
    waits = {wait(1, number=f"R{number}") for number in range(50)}

    assert len(waits) > 40
    assert wait(1, number="R7") == wait(1, number="R7")


def test_a_longest_wait_below_the_base_is_no_wait_of_zero() -> None:
    assert wait(3, most=1) >= timedelta(seconds=60)


def test_a_seat_comes_back_from_json_as_it_went() -> None:
    seat = Seat(member_id=7, level=2, standing="active", is_household=True)

    assert Seat.from_json(seat.to_json()) == seat
