"""Charts as SVG, drawn here: nothing to load, nothing for a content policy to allow."""

from dataclasses import dataclass
from typing import Final

from app.kernel.i18n import yuan

WIDTH: Final = 720
HEIGHT: Final = 236
LEFT: Final = 70
RIGHT: Final = 34
TOP: Final = 12
BOTTOM: Final = 26
GRID: Final = 4
STEPS: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day as it is drawn; all in units of the picture."""

    x: int
    y: int
    width: int
    height: int
    point_x: int
    point_y: int
    label: str
    title: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template draws."""

    bars: list[Bar]
    grid: list[tuple[int, str]]
    """Heights of the lines across, each with its amount."""
    line: str
    counts: list[tuple[int, str]]
    """Heights of the right-hand scale, each with its number of orders."""


def round_up(value: int, least: int) -> int:
    """Return the next number of the form 1, 2 or 5 times a power of ten, times four at least.

    >>> round_up(0, 4), round_up(37, 4), round_up(123_456, 10_000)
    (4, 40, 200000)
    """
    size = 1
    while True:
        for step in STEPS:
            top = step * size * GRID
            if top >= value and top >= least:
                return top
        size *= 10


def short(fen: int) -> str:
    """Write an amount for an axis, in whole yuan.

    >>> short(2_000_000)
    '¥20,000'
    """
    return yuan(fen).partition(".")[0]
