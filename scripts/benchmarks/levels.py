"""(l) The monthly evaluation of levels, the review and the count of teams, in growing brands.

Each distributor has on average two settled orders of the last half year, drawn so that few sell
much and many little, every twentieth stands on level 2, and there is an award for every other one.
Timed is what the scheduler runs, once, in a
process of its own: no objects, one statement for each hundred thousand distributors.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.people import add_distributors
from scripts.benchmarks.table import Row
from scripts.benchmarks.trees import grow

ORDERS_EACH: Final = 2
AIM_SECONDS: Final = 60.0
AIMED: Final = frozenset(
    {
        "evaluate everybody, first time",
        "evaluate everybody, again",
        "evaluate by every figure",
        "review a month",
    }
)
Taken = Mapping[str, Sequence[float]]


def measure(lab: Lab, *, sizes: Sequence[int]) -> None:
    """Print the seconds of each run in each size, beside those of the size before."""
    before: Taken = {}
    ordered = sorted(set(sizes))
    for size in ordered:
        with lab.database(f"levels_{size}") as bench:
            prepare(bench, size)
            printed = bench.run("-m", "scripts.benchmarks.level_runs")
        taken: Taken = json.loads(printed.splitlines()[-1])  # what was logged comes before
        for row in rows(size, taken, before, is_last=size == ordered[-1]):
            lab.add(row)
        before = taken


def rows(size: int, taken: Taken, before: Taken, *, is_last: bool) -> list[Row]:
    """Return the lines of one size; only the biggest is held against the aim."""
    return [
        Row(
            name=f"(l) {size:,} distributors: {name} ({int(moved):,})",
            value=seconds,
            unit="s",
            baseline=before[name][0] if name in before else None,
            aim=f"<= {AIM_SECONDS:g} s" if is_last and name in AIMED else "",
            met=seconds <= AIM_SECONDS if is_last and name in AIMED else None,
        )
        for name, (seconds, moved) in taken.items()
    ]


def prepare(bench: Bench, size: int) -> None:
    """Write distributors, their settled orders and awards."""
    add_distributors(bench, grow(size))
    with bench.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("INSERT INTO stores (name) VALUES ('bench')")
        connection.execute("SELECT setseed(0.5)")
        connection.execute(ORDERS, {"orders": ORDERS_EACH * size, "size": size})
        connection.execute(AWARDS, {"size": size})
        connection.execute("UPDATE distributors SET level = 2 WHERE member_id % 20 = 0")
        connection.execute("VACUUM ANALYZE orders, awards, distributors")


ORDERS: Final = """
    INSERT INTO orders (number, member_id, store_id, state, fulfilment, goods_fen, payable_fen,
        paid_fen, refunded_fen, owner_id, created_at, pay_by_at, paid_at, settled_at)
    SELECT 'B' || n, 1 + floor(random() * %(size)s), 1, 'settled', 'service', fen, fen, fen,
        CASE WHEN n %% 20 = 0 THEN fen ELSE 0 END,
        1 + floor(%(size)s * power(random(), 1.5)), at, at, at, at
    FROM (SELECT n, 10000 + (random() * 60000)::bigint AS fen,
        now() - random() * interval '180 days' AS at
        FROM generate_series(1, %(orders)s) AS n) AS drawn
"""
"""Owners are drawn unevenly: those who came first sell most."""

AWARDS: Final = """
    INSERT INTO awards (order_id, order_line_id, plan_version_id, beneficiary_id, kind, seat,
        base_fen, rate_bp, amount_fen, state, explanation, created_at, matures_at, matured_at)
    SELECT n, n, 1, 1 + floor(%(size)s * power(random(), 1.5)), 'L1', 1, 10000, 1000, 1000,
        'matured', '{}', now() - interval '20 days', now(), now() - random() * interval '20 days'
    FROM generate_series(1, %(size)s / 2) AS n
"""
