"""(s) Trying TWO_LEVEL on invented growth, in brands of growing size, each in a fresh process.

The time is processor time of the whole process, Python's own start and the reckoning of the result
included, so that other work on the machine matters less; the memory is the most that it ever held.
Five orders a customer within a year, one in twenty customers a distributor. Own orders are read
from PostgreSQL as they would be in the shop; their figure is what the clock says, since two
processes share that work.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from app.distribution.simulation.growth import Brand
from app.distribution.simulation.lane import Entry
from app.distribution.simulation.parameters import Growth, read_growth
from app.distribution.simulation.results import result_of, to_bytes
from app.distribution.simulation.runner import run
from app.engines.documents import load_rules
from scripts.benchmarks.lab import CHECKOUT, Lab
from scripts.benchmarks.settlement import fill, prepare
from scripts.benchmarks.table import Row

MODEL: Final = "CHANNEL_TWO_LEVEL"
ORDERS_A_CUSTOMER: Final = 5
ORDERS_BP: Final = 7_700
"""A month, so that customers won evenly over a year make five orders each."""
AIMED_AT: Final = 1_000_000
AIM_SECONDS: Final = 60
AIM_MB: Final = 1_000
OWN_ORDERS: Final = 50_000

ON_OWN_ORDERS: Final = """
import time
from app.distribution.simulation import history
from app.distribution.simulation.parameters import read_history
from app.distribution.simulation.runner import run
from app.distribution.simulation.services import entry_of
from app.kernel.db import atomic, database_now
from app.plans.models import PlanVersion
from wsgi import application
with application.app_context():
    until_at = database_now()
    with atomic() as session:
        entry = entry_of(session.query(PlanVersion).one())
    window = history.window_of(read_history({"months": 1}), now=until_at)
    began = time.perf_counter()
    [lane] = run(history.happenings(window), [entry], levels_rise=False, until_at=until_at)
    print(lane.tally.orders, time.perf_counter() - began)
"""
BYTES_A_UNIT: Final = 1 if sys.platform == "darwin" else 1_024


def measure(lab: Lab, *, sizes: Sequence[int]) -> None:
    """Print seconds and memory of a simulation for each number of orders."""
    with lab.database("simulation") as bench:
        prepare(bench)
        fill(bench, orders=OWN_ORDERS)
        with bench.connect() as connection:
            connection.execute("VACUUM ANALYZE")
        orders, seconds = bench.run("-c", ON_OWN_ORDERS).split()
        lab.add(
            Row(
                name=f"(s) simulation of {int(orders):,} own orders, by the clock",
                value=int(orders) / float(seconds),
                unit="orders/s",
            )
        )
    for size in sorted(set(sizes)):
        found = simulate_apart(size)
        is_aimed_at = size >= AIMED_AT
        orders = f"{found['orders']:,} orders"
        lab.add(
            Row(
                name=f"(s) simulation of {orders}",
                value=found["seconds"],
                unit="s",
                aim=f"<= {AIM_SECONDS} s" if is_aimed_at else "",
                met=found["seconds"] <= AIM_SECONDS if is_aimed_at else None,
            )
        )
        lab.add(
            Row(
                name=f"(s) memory for {orders}",
                value=found["peak_mb"],
                unit="MB",
                aim=f"< {AIM_MB} MB" if is_aimed_at else "",
                met=found["peak_mb"] < AIM_MB if is_aimed_at else None,
            )
        )


def simulate_apart(orders: int) -> dict[str, Any]:
    """Simulate so many orders in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.simulation", str(orders)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the simulation failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def brand(orders: int) -> Growth:
    """Return the growth that makes about so many orders in a year."""
    return read_growth(
        {
            "members": max(orders // ORDERS_A_CUSTOMER, 1),
            "months": 12,
            "orders_bp": ORDERS_BP,
            "seed": 1,
        }
    )


def main(orders: int) -> None:
    """Simulate here, and print what it took."""
    growth = brand(orders)
    entry = Entry(rules=load_rules({"model": MODEL}))
    lanes = run(Brand(growth).happenings(), [entry], levels_rise=True)
    result = to_bytes(result_of(lanes, kind="growth", parameters=growth.model_dump(mode="json")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_A_UNIT
    told = {
        "orders": growth.orders,
        "seconds": time.process_time(),
        "peak_mb": peak / 1_000_000,
        "bytes": len(result),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]))
