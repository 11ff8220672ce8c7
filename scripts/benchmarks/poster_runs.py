"""Draw posters of share codes inside the application, the first time and again.

Writes the median milliseconds of each to stdout as JSON: everything that a request does but HTTP,
from the code's row to the JPEG.
"""

import json
import statistics
import sys
import time
from typing import Final

from app.access import settings
from app.attribution import queries as attribution
from app.demo.posters import load_posters
from app.factory import create_app
from app.kernel.db import begin_reading, db
from app.posters import rendering
from app.posters.rendering import Wish
from app.settings import Settings

WARM_UP: Final = 5
"""Posters drawn before: a process decodes a background and opens the font once."""


def _draw(text: str) -> float:
    """Return how long one poster took, in milliseconds."""
    begin_reading()
    started = time.perf_counter()
    code = attribution.code_by_text(db.session(), text)
    assert code is not None, "the bench issued it"
    wanted = rendering.plan(db.session(), code, Wish())
    rendering.render(wanted, settings())
    taken = time.perf_counter() - started
    db.session.remove()
    return taken * 1_000


def main(codes: list[str]) -> None:
    """Draw the posters of codes, and then the same ones again."""
    with create_app(Settings.from_env()).app_context():
        list(load_posters())
        first = [_draw(text) for text in codes][WARM_UP:]
        again = [_draw(text) for text in codes][WARM_UP:]
    print(json.dumps({"first": statistics.median(first), "again": statistics.median(again)}))


if __name__ == "__main__":
    main(sys.stdin.read().split())
