"""(a) A signed-in GET against a bare Flask view with one SELECT, on the same servers.

Both run at once; the load alternates between them, so that whatever else the machine does falls on
both. The figure is the median of the rounds.
"""

from statistics import median
from typing import Final

from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.load import Ask, Outcome, Plan, put_load
from scripts.benchmarks.people import add_distributors, sign_in
from scripts.benchmarks.table import Row
from scripts.benchmarks.trees import grow

MEMBERS: Final = 10_000
CALLERS: Final = 500
ROUNDS: Final = 7
AIM: Final = 0.5


def measure(lab: Lab, *, seconds: float) -> None:
    """Print requests per second of the product beside the bare view's."""
    with lab.database("signed_in") as bench:
        add_distributors(bench, grow(MEMBERS))
        callers = list(range(1, MEMBERS + 1, MEMBERS // CALLERS))
        rounds = _rounds(bench, callers, seconds)
    core, orm, product = ([one.per_second for one in outcomes] for outcomes in rounds.values())
    bare = median(core)
    lab.add(Row(name="(a) bare view, one SELECT by Core", value=bare, unit="req/s"))
    lab.add(Row(name="(a) bare view, one SELECT by the ORM", value=median(orm), unit="req/s"))
    rate = median(product)
    lab.add(
        Row(
            name="(a) GET /api/v1/me, signed in",
            value=rate,
            unit="req/s",
            baseline=bare,
            aim=f">= {AIM} of bare",
            met=rate / bare >= AIM,
        )
    )
    slowest = median(one.p95_ms for one in rounds["product"])
    lab.add(Row(name="(a) GET /api/v1/me, p95", value=slowest, unit="ms"))


def _rounds(bench: Bench, callers: list[int], seconds: float) -> dict[str, list[Outcome]]:
    tokens = sign_in(bench, callers)
    with bench.web("scripts.benchmarks.bare:application") as bare, bench.web() as web:
        plans = {
            "core": Plan(
                port=bare.port, asks=[Ask(path=f"/core/{n}") for n in callers], seconds=seconds
            ),
            "orm": Plan(
                port=bare.port, asks=[Ask(path=f"/orm/{n}") for n in callers], seconds=seconds
            ),
            "product": Plan(
                port=web.port,
                asks=[Ask(path="/api/v1/me", token=token) for token in tokens],
                seconds=seconds,
            ),
        }
        outcomes: dict[str, list[Outcome]] = {name: [] for name in plans}
        for _ in range(ROUNDS):
            for name, plan in plans.items():
                outcomes[name].append(put_load(plan))
    return outcomes
