"""Figures: one measured value beside its baseline and its aim, and the table they make."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

NAME_WIDTH: Final = 58
VERDICTS: Final = {True: "ok", False: "MISSED", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: what was measured, and the baseline and aim beside it."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    aim: str = ""
    met: bool | None = None
    """None where the issue sets no aim."""

    @property
    def ratio(self) -> float | None:
        """Return the value as a multiple of its baseline."""
        return self.value / self.baseline if self.baseline else None

    def to_json(self) -> dict[str, Any]:
        """Return the row with its ratio, for programs."""
        return asdict(self) | {"ratio": self.ratio}


def heading() -> str:
    """Return the line above the figures, underlined."""
    titles = f"{'measured':>12} {'unit':<8} {'baseline':>12} {'ratio':>8}"
    line = f"{'':<{NAME_WIDTH}} {titles}  {'aim':<18} "
    return f"{line}\n{'-' * len(line)}"


def render(row: Row) -> str:
    """Write one figure as a line of the table."""
    baseline = "" if row.baseline is None else f"{row.baseline:,.2f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    figures = f"{row.value:>12,.2f} {row.unit:<8} {baseline:>12} {ratio:>8}"
    return f"{row.name:<{NAME_WIDTH}} {figures}  {row.aim:<18} {VERDICTS[row.met]}".rstrip()


def missed(rows: Iterable[Row]) -> list[Row]:
    """Return the figures that fall short of their aim."""
    return [row for row in rows if row.met is False]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that the given share of all values does not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
