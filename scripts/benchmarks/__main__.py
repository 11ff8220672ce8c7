"""`python -m scripts.benchmarks`, started by `scripts/bench`."""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from scripts.benchmarks import (
    big_files,
    chain_joins,
    coupons,
    dashboards,
    engines,
    flash_sales,
    levels,
    lists,
    memory,
    pictures,
    points,
    posters,
    replaying,
    settlement,
    signed_in,
    simulation,
    teams,
)
from scripts.benchmarks.arguments import parser
from scripts.benchmarks.brand import Size
from scripts.benchmarks.lab import Lab, open_lab
from scripts.benchmarks.table import Row, heading, missed, render
from scripts.local.problems import Problem

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def measure(lab: Lab, options: argparse.Namespace) -> None:
    """Measure what was asked for, in the order of the letters."""
    parts: dict[str, Callable[[], None]] = {
        "a": lambda: signed_in.measure(lab, seconds=options.seconds),
        "b": lambda: settlement.measure(lab, orders=options.orders, seconds=options.seconds),
        "c": lambda: teams.measure(lab, sizes=options.members),
        "d": lambda: pictures.measure(lab, seconds=options.seconds),
        "e": lambda: _measure_engines(lab, options.members),
        "f": lambda: flash_sales.measure(lab),
        "i": lambda: dashboards.measure(lab, size=_brand_of(max(options.members))),
        "k": lambda: coupons.measure(lab, seconds=options.seconds),
        "l": lambda: levels.measure(lab, sizes=options.members),
        "m": lambda: memory.measure(lab, orders=options.orders, seconds=options.seconds),
        "o": lambda: posters.measure(lab),
        "p": lambda: points.measure(lab),
        "r": lambda: replaying.measure(lab, sizes=options.members),
        "s": lambda: simulation.measure(lab, sizes=options.members),
        "t": lambda: lists.measure(lab, size=_brand_of(max(options.members))),
        "x": lambda: big_files.measure(lab, members=max(options.members)),
    }
    for letter, part in parts.items():
        if letter in options.only:
            part()


def _brand_of(members: int) -> Size:
    """Return a brand with five orders and ten rows of the ledger for each member."""
    return Size(members=members, orders=5 * members, ledger_rows=10 * members)


def _measure_engines(lab: Lab, sizes: Sequence[int]) -> None:
    engines.measure(lab)
    chain_joins.measure(lab, sizes=sizes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the status says whether every aim was met."""
    options = parser().parse_args(arguments)
    for number in STOP_SIGNALS:
        signal.signal(number, _stop)
    began = time.monotonic()
    if not options.json:
        print(f"{_machine()}\n\n{heading()}", flush=True)
    try:
        with open_lab(_quiet if options.json else _show) as lab:
            measure(lab, options)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    short = missed(lab.rows)
    if options.json:
        document = {
            "machine": _machine(),
            "ok": not short,
            "rows": [row.to_json() for row in lab.rows],
        }
        print(json.dumps(document, indent=1))
    else:
        verdict = f"{len(short)} aims missed" if short else "every aim met"
        print(f"\n{verdict}; {time.monotonic() - began:.0f} s")
    return 1 if short else 0


def _machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load"
        f" {os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}"
    )


def _show(row: Row) -> None:
    print(render(row), flush=True)


def _quiet(_row: Row) -> None:
    """Everything comes at the end."""


def _stop(received: int, _frame: object) -> NoReturn:
    """End in order, so that servers are stopped and files removed; impatience changes nothing."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    print("Stopping", file=sys.stderr)
    sys.exit(128 + received)


if __name__ == "__main__":
    sys.exit(main())
