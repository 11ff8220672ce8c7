"""(o) Posters: drawn the first time, and sent again from disk.

Beside the first stands the aim of 30 ms, beside the second that of 5 ms. Both are medians of what a
request does, from the row of the share code to the JPEG.
"""

import json
from typing import Final

from scripts.benchmarks.lab import Lab
from scripts.benchmarks.people import add_distributors, issue_codes
from scripts.benchmarks.table import Row
from scripts.benchmarks.trees import grow

CODES: Final = 105
AIM_FIRST_MS: Final = 30.0
AIM_AGAIN_MS: Final = 5.0


def measure(lab: Lab) -> None:
    """Print how long a poster takes the first time and the next."""
    with lab.database("posters") as bench:
        add_distributors(bench, grow(CODES))
        codes = issue_codes(bench, list(range(1, CODES + 1)))
        printed = bench.run("-m", "scripts.benchmarks.poster_runs", given=" ".join(codes))
    found = json.loads(printed.splitlines()[-1])  # what was logged comes before
    lab.add(_row("a poster, drawn the first time", found["first"], AIM_FIRST_MS))
    lab.add(_row("a poster, drawn before", found["again"], AIM_AGAIN_MS))


def _row(name: str, found_ms: float, aim_ms: float) -> Row:
    aim = f"<= {aim_ms:g} ms"
    return Row(name=f"(o) {name}", value=found_ms, unit="ms", aim=aim, met=found_ms <= aim_ms)
