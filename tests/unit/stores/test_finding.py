"""Distances over the earth."""

from app.stores.finding import Spot, metres_between


def test_a_minute_of_latitude_is_a_sea_mile() -> None:
    assert metres_between(Spot(31_000_000, 121_000_000), Spot(31_016_667, 121_000_000)) == 1853


def test_the_way_is_the_same_both_ways_and_none_to_oneself() -> None:
    here, there = Spot(31_229_000, 121_454_000), Spot(30_247_000, 120_210_000)

    assert metres_between(here, there) == metres_between(there, here)
    assert metres_between(here, here) == 0


def test_the_other_side_of_the_earth_is_half_its_girth_away() -> None:
    assert metres_between(Spot(0, 0), Spot(0, 180_000_000)) == 20_015_087


def test_the_way_over_the_date_line_is_the_short_one() -> None:
    assert metres_between(Spot(0, 179_500_000), Spot(0, -179_500_000)) == 111_195
