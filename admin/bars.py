"""Bars with a line above them, for a few named points; drawn like the chart of the start page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from admin.charts import BOTTOM, GRID, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Bar, Chart, round_up, short
from admin.tables import Shape, Table

WIDEST = 96
"""How wide a bar is at most, so that a single day fills no whole chart."""
LABELS_MAX = 12
"""With more points only every second, third and so on is named."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point: what stands below it, what is told of it, the bar and the line."""

    label: str
    title: str
    bar: int
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart with its legend, and the same as a table for who cannot see it."""

    chart: Chart
    legend: tuple[Any, ...]
    says: Any
    table: Table


def draw(points: Sequence[Point], *, least: int, told: Callable[[int], str] = short) -> Chart:
    """Draw points; bar and line share one scale, whose top is `least` at the least."""
    top = round_up(
        max([one.bar for one in points] + [one.line or 0 for one in points] + [0]), least
    )
    plot = HEIGHT - TOP - BOTTOM
    slot = (WIDTH - LEFT - RIGHT) // max(len(points), 1)
    width = min(max(slot * 56 // 100, 1), WIDEST)
    every = -(-len(points) // LABELS_MAX)
    bars = [
        Bar(
            x=LEFT + index * slot + (slot - width) // 2,
            y=HEIGHT - BOTTOM - plot * max(one.bar, 0) // top,
            width=width,
            height=plot * max(one.bar, 0) // top,
            point_x=LEFT + index * slot + slot // 2,
            point_y=HEIGHT - BOTTOM - plot * max(one.line or 0, 0) // top,
            label=one.label if index % every == 0 else "",
            title=one.title,
            is_today=False,
        )
        for index, one in enumerate(points)
    ]
    has_line = any(one.line is not None for one in points)
    return Chart(
        bars=bars,
        grid=[
            (HEIGHT - BOTTOM - plot * step // GRID, told(top * step // GRID))
            for step in range(GRID + 1)
        ],
        line=" ".join(f"{bar.point_x},{bar.point_y}" for bar in bars) if has_line else "",
        counts=[],
    )


def as_table(rows: Sequence[Any], columns: tuple[str, ...], labels: dict[str, Any]) -> Table:
    """Return what a chart shows as a table."""
    return Table(rows, Shape(columns, labels))
