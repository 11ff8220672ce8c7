"""(x) A list of a million rows taken out as a file: how long it takes, and what the web holds.

The file is read as it comes and thrown away; the web's processes are watched meanwhile.
"""

import time
from dataclasses import dataclass
from typing import Final

import requests

from scripts.benchmarks import brand
from scripts.benchmarks.brand import Size
from scripts.benchmarks.desks import Person, appoint, sign_in
from scripts.benchmarks.lab import Lab
from scripts.benchmarks.memory import Watch
from scripts.benchmarks.table import Row
from scripts.local.ports import HOST

AIM_MB: Final = 150
PIECE_BYTES: Final = 65_536
TIMEOUT_SECONDS: Final = 120
KINDS: Final = ("csv", "xlsx")


@dataclass(frozen=True, slots=True)
class Taken:
    """One file: how large it was, and how long its beginning and the whole took."""

    size_bytes: int
    first_seconds: float
    seconds: float


def measure(lab: Lab, *, members: int) -> None:
    """Print time and memory of taking out every member as CSV and as XLSX."""
    size = Size(members=members, orders=members // 10, ledger_rows=members // 10)
    person = Person("owner")
    with lab.database("big_files") as bench:
        brand.build(bench, size)
        appoint(bench, person)
        for kind in KINDS:
            with bench.web() as web:
                cookie = sign_in(web.port, person)
                watch = Watch({"web": web.process})
                watch.start()
                taken = _take(f"http://{HOST}:{web.port}/admin/members/export/{kind}/", cookie)
                watch.stop()
            _report(lab, f"(x) {members:,} members as {kind}", taken, watch.peaks_mb["web"])


def _take(url: str, cookie: str) -> Taken:
    """Read a file to its end and forget it."""
    started = time.perf_counter()
    first, size = 0.0, 0
    with requests.Session() as http:
        http.trust_env = False
        headers = {"Cookie": cookie, "Accept-Encoding": "identity"}
        with http.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
            answer.raise_for_status()
            for piece in answer.iter_content(PIECE_BYTES):
                first = first or time.perf_counter() - started
                size += len(piece)
    return Taken(size, first, time.perf_counter() - started)


def _report(lab: Lab, name: str, taken: Taken, peak_mb: float) -> None:
    lab.add(Row(name=f"{name}: to the first byte", value=taken.first_seconds, unit="s"))
    lab.add(Row(name=f"{name}: whole", value=taken.seconds, unit="s"))
    lab.add(Row(name=f"{name}: size", value=taken.size_bytes / 1_000_000, unit="MB"))
    lab.add(
        Row(
            name=f"{name}: memory of the web",
            value=peak_mb,
            unit="MB",
            aim=f"< {AIM_MB} MB",
            met=peak_mb < AIM_MB,
        )
    )
