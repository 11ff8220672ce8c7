"""(c) The first page and the counts of "my team" in brands of growing size.

Asked are those with the biggest teams and others by the size of their team, the queries alone and
over HTTP on one connection. The baseline of a size is the same figure in the smallest brand. All
brands exist at once and are read in turns, so that whatever else the machine does falls on all; a
figure is the median of the turns.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.load import Ask, Plan, put_load
from scripts.benchmarks.people import add_distributors, sign_in
from scripts.benchmarks.table import Row, percentile
from scripts.benchmarks.trees import callers, grow

BIGGEST: Final = 100
DRAWN: Final = 100
TURNS: Final = 5
WARM_UP: Final = 50
AIM_MS: Final = 15.0
AIM_RATIO: Final = 2.0
TEAM: Final = "/api/v1/distributor/team"
PATHS: Final = {
    "tier 1": f"{TEAM}?tier=1",
    "tier 2": f"{TEAM}?tier=2",
    "counts": f"{TEAM}/counts",
}


@dataclass
class Brand:
    """A brand of one size, whom to ask about in it, and what that took so far."""

    size: int
    bench: Bench
    asked: list[int]
    tokens: list[str]
    port: int
    p95_ms: dict[str, list[float]] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        """Return the median of the turns' 95th percentiles by what was read."""
        return {name: median(turns) for name, turns in self.p95_ms.items()}

    def take_turn(self) -> None:
        """Read everything once."""
        printed = self.bench.run(
            "-m", "scripts.benchmarks.team_reads", given=json.dumps(self.asked)
        )
        for name, taken in json.loads(printed).items():
            self._keep(f"{name}, query", percentile(taken, 0.95))
        for name, path in PATHS.items():
            asks = [Ask(path=path, token=token) for token in self.tokens]
            put_load(Plan(port=self.port, asks=asks[-WARM_UP:], connections=1))
            outcome = put_load(Plan(port=self.port, asks=asks, connections=1))
            self._keep(f"{name}, HTTP", outcome.p95_ms)

    def _keep(self, name: str, p95_ms: float) -> None:
        self.p95_ms.setdefault(name, []).append(p95_ms)


def measure(lab: Lab, *, sizes: Sequence[int]) -> None:
    """Print the 95th percentile of each read in each size."""
    with ExitStack() as stack:
        brands = [_found(lab, size, stack) for size in sorted(set(sizes))]
        for _ in range(TURNS):
            for brand in brands:
                brand.take_turn()
    smallest = brands[0].figures
    for brand in brands:
        for row in rows(brand.size, brand.figures, smallest, is_last=brand is brands[-1]):
            lab.add(row)


def _found(lab: Lab, size: int, stack: ExitStack) -> Brand:
    """Make a brand and serve it."""
    bench = stack.enter_context(lab.database(f"team_{size}"))
    recommenders = grow(size)
    add_distributors(bench, recommenders)
    asked = callers(recommenders, biggest=BIGGEST, drawn=DRAWN)
    tokens = sign_in(bench, asked)
    return Brand(size, bench, asked, tokens, stack.enter_context(bench.web()).port)


def rows(
    size: int, figures: Mapping[str, float], smallest: Mapping[str, float], *, is_last: bool
) -> list[Row]:
    """Return the lines of one size; only the biggest is held against the aims."""
    return [
        Row(
            name=f"(c) my team, {size:,} members: {name}, p95",
            value=value,
            unit="ms",
            baseline=smallest[name],
            aim=f"<= {AIM_MS:g} ms, <= {AIM_RATIO:g} x" if is_last else "",
            met=value <= AIM_MS and value <= AIM_RATIO * smallest[name] if is_last else None,
        )
        for name, value in figures.items()
    ]
