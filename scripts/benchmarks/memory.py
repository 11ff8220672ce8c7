"""(m) The memory of each kind of process at work.

Everything that `scripts/run` starts runs at once: orders are settled by the job workers that relay
and scheduler ring for, members read their data, and the sandbox draws mini-program codes. The
figure is the largest resident size that any process of a kind reached, its children included.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import psutil

from scripts.benchmarks.lab import Bench, Lab, Process
from scripts.benchmarks.load import Ask, Plan, put_load
from scripts.benchmarks.people import issue_codes, sign_in
from scripts.benchmarks.settlement import fill, prepare
from scripts.benchmarks.table import Row

AIM_MB: Final = 200
CALLERS: Final = 200
LOOK_SECONDS: Final = 0.1
SETTLED_SECONDS: Final = 300


class Watch(threading.Thread):
    """Looks at the memory of processes and their children until it is told to stop."""

    def __init__(self, processes: Mapping[str, Process]) -> None:
        super().__init__(daemon=True)
        self.peaks_mb = dict.fromkeys(processes, 0.0)
        self._roots = {name: psutil.Process(one.pid) for name, one in processes.items()}
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        while not self._stop_asked.wait(LOOK_SECONDS):
            for name, root in self._roots.items():
                self.peaks_mb[name] = max(self.peaks_mb[name], largest_mb(root))

    def stop(self) -> None:
        """Look no more."""
        self._stop_asked.set()
        self.join()


def largest_mb(root: psutil.Process) -> float:
    """Return the resident size of the largest of a process and its children, in megabytes."""
    sizes = [0]
    with suppress(psutil.NoSuchProcess):
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                sizes.append(process.memory_info().rss)
    return max(sizes) / 1_000_000


def measure(lab: Lab, *, orders: int, seconds: float) -> None:
    """Print the memory of each kind of process."""
    with lab.database("memory") as bench:
        prepare(bench)
        with everything(bench) as (port, processes):
            watch = Watch(processes)
            watch.start()
            _work(bench, port, orders=orders, seconds=seconds)
            watch.stop()
    for name, peak in watch.peaks_mb.items():
        lab.add(
            Row(
                name=f"(m) memory of a process: {name}",
                value=peak,
                unit="MB",
                aim=f"< {AIM_MB} MB",
                met=peak < AIM_MB,
            )
        )


@contextmanager
def everything(bench: Bench) -> Iterator[tuple[int, dict[str, Process]]]:
    """Run all processes of the product; give the web's port and the processes by name."""
    with bench.sandbox() as sandbox, bench.web() as web:
        background = {
            "job worker": bench.python("-m", "flask", "worker"),
            "relay": bench.python("-m", "flask", "relay"),
            "scheduler": bench.python("-m", "flask", "scheduler"),
        }
        yield web.port, {"web": web.process, **background, "WeChat sandbox": sandbox.process}


def _work(bench: Bench, port: int, *, orders: int, seconds: float) -> None:
    callers = list(range(1, CALLERS + 1))
    tokens, codes = sign_in(bench, callers), issue_codes(bench, callers)
    fill(bench, orders=orders)
    paths = ("me", "distributor", "distributor/team", "products", "orders", "distributor/awards")
    asks = [Ask(path=f"/api/v1/{path}", token=token) for path in paths for token in tokens]
    pictures = [
        Ask(path=f"/api/v1/share-codes/{code}/{kind}", token=token)
        for kind in ("wxacode", "qr.png")
        for code, token in zip(codes, tokens, strict=True)
    ]
    put_load(Plan(port=port, asks=pictures))
    put_load(Plan(port=port, asks=asks, seconds=seconds))
    deadline = time.monotonic() + SETTLED_SECONDS
    with bench.connect() as connection:
        while connection.execute("SELECT 1 FROM tasks LIMIT 1").fetchone():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the job workers did not finish:\n{bench.last_words}")
            time.sleep(LOOK_SECONDS)
