"""Charts as SVG, drawn here: nothing to load, nothing for a content policy to allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
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
class Day:
    """What one business day brought."""

    day: date
    orders: int
    paid_fen: int


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


def chart(days: Sequence[Day]) -> Chart:
    """Draw revenue as bars and the number of orders as a line above the same days."""
    top_fen = round_up(max(day.paid_fen for day in days), 10_000)
    top_orders = round_up(max(day.orders for day in days), GRID)
    plot = HEIGHT - TOP - BOTTOM
    slot = (WIDTH - LEFT - RIGHT) // len(days)
    bars = []
    for index, day in enumerate(days):
        height = plot * day.paid_fen // top_fen
        x = LEFT + index * slot
        bars.append(
            Bar(
                x=x + slot * 22 // 100,
                y=HEIGHT - BOTTOM - height,
                width=slot * 56 // 100,
                height=height,
                point_x=x + slot // 2,
                point_y=HEIGHT - BOTTOM - plot * day.orders // top_orders,
                label=f"{day.day.month}/{day.day.day}",
                title=f"{day.day.isoformat()} · {yuan(day.paid_fen)} · {day.orders}",
                is_today=index == len(days) - 1,
            )
        )
    heights = [HEIGHT - BOTTOM - plot * step // GRID for step in range(GRID + 1)]
    return Chart(
        bars=bars,
        grid=[(y, short(top_fen * step // GRID)) for step, y in enumerate(heights)],
        line=" ".join(f"{bar.point_x},{bar.point_y}" for bar in bars),
        counts=[(y, str(top_orders * step // GRID)) for step, y in enumerate(heights)],
    )


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
