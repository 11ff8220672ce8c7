"""(d) QR codes and mini-program codes over HTTP.

A QR code is drawn for each request; beside it stands what one process draws without HTTP. A
mini-program code comes from the WeChat sandbox the first time (cold) and from disk after that
(warm); beside the first stands what the sandbox's one process draws without HTTP, beside the second
a bare view with one SELECT.
"""

from typing import Final

from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.load import CONNECTIONS, Ask, Outcome, Plan, put_load
from scripts.benchmarks.people import add_distributors, issue_codes, sign_in
from scripts.benchmarks.table import Row
from scripts.benchmarks.trees import grow

CODES: Final = 400
DRAWINGS: Final = 100

DRAW_QR: Final = """
from app.posters.qr import qr_png
draw = lambda number: qr_png(f"https://shop.example.com/s/{number:022}")
"""
DRAW_WXACODE: Final = """
from scripts.sandbox.qr import draw as picture
draw = lambda number: picture(f"{number:022}", "pages/index/index", 430)
"""
TIMED: Final = f"""
import time
draw(0)
started = time.perf_counter()
for number in range(1, {DRAWINGS} + 1):
    draw(number)
print({DRAWINGS} / (time.perf_counter() - started))
"""


def measure(lab: Lab, *, seconds: float) -> None:
    """Print pictures per second and how long they take."""
    with lab.database("pictures") as bench:
        members = list(range(1, CODES + 1))
        add_distributors(bench, grow(CODES))
        codes, tokens = issue_codes(bench, members), sign_in(bench, members)
        drawn = _alone(lab, bench, "(d) drawing a QR code, one process", DRAW_QR)
        made = _alone(lab, bench, "(d) drawing one in the sandbox, one process", DRAW_WXACODE)
        qr, wxacode = (
            [
                Ask(path=f"/api/v1/share-codes/{code}/{picture}", token=token)
                for code, token in zip(codes, tokens, strict=True)
            ]
            for picture in ("qr.png", "wxacode")
        )
        with bench.sandbox(), bench.web() as web:
            outcome = put_load(Plan(port=web.port, asks=qr, seconds=seconds))
            _add(lab, "QR code", outcome, drawn)
            _add(lab, "wxacode, cold", put_load(Plan(port=web.port, asks=wxacode)), made)
            outcome = put_load(Plan(port=web.port, asks=wxacode, seconds=seconds))
        _add(lab, "wxacode, warm", outcome, _bare(lab, bench, seconds))


def _alone(lab: Lab, bench: Bench, name: str, draw: str) -> float:
    rate = float(bench.run("-c", draw + TIMED))
    lab.add(Row(name=name, value=rate, unit="/s"))
    return rate


def _bare(lab: Lab, bench: Bench, seconds: float) -> float:
    asks = [Ask(path=f"/core/{number}") for number in range(1, CODES + 1)]
    with bench.web("scripts.benchmarks.bare:application") as web:
        rate = put_load(Plan(port=web.port, asks=asks, seconds=seconds)).per_second
    lab.add(Row(name="(d) bare view, one SELECT by Core", value=rate, unit="req/s"))
    return rate


def _add(lab: Lab, name: str, outcome: Outcome, baseline: float) -> None:
    lab.add(Row(name=f"(d) GET {name}", value=outcome.per_second, unit="req/s", baseline=baseline))
    lab.add(
        Row(name=f"(d) GET {name}, p95, {CONNECTIONS} at once", value=outcome.p95_ms, unit="ms")
    )
