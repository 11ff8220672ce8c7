"""What `scripts/bench` can be told."""

import argparse
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PARTS: Final = {
    "a": "signed-in GET against a bare Flask view with one SELECT",
    "b": "paid order to awards and ledger against pgbench's TPC-B",
    "c": 'first page and counts of "my team" in brands of growing size',
    "d": "QR codes and mini-program codes",
    "e": "the engines alone, in memory",
    "f": "a flash sale of a thousand pieces under 64 clients",
    "i": "start pages of the back office, and making the figures they show",
    "k": "claims of one hot coupon, and a million coupons that expire",
    "l": "levels and teams of everybody, as each month evaluates them",
    "m": "memory of each process",
    "o": "posters, drawn the first time and again",
    "p": "a million lots of points that run out, with spends beside",
    "r": "orders decided again and compared with the books",
    "s": "simulations of a plan on invented growth",
    "t": "lists of the back office in a brand of millions",
    "x": "a list taken out as a file, and the memory it takes",
}
SIZES: Final = (10_000, 100_000, 1_000_000)

EPILOG: Final = """\
Starts its own durable PostgreSQL, Valkey and WeChat sandbox in a temporary directory (BENCH_DIR
chooses where) and removes everything at the end. A ratio is the figure as a multiple of its
baseline, taken in the same run. Exit status 1: an aim was missed.
"""


def parser() -> argparse.ArgumentParser:
    """Return the arguments with their defaults."""
    listed = "\n".join(f"  {letter}  {what}" for letter, what in PARTS.items())
    made = argparse.ArgumentParser(
        prog="scripts/bench",
        description=f"Measure on this machine, beside baselines of its own:\n{listed}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "--only",
        type=_list_of(_part),
        default=list(PARTS),
        metavar="LETTERS",
        help="which of them, such as a,c (all)",
    )
    made.add_argument(
        "--members",
        type=_list_of(_count),
        default=list(SIZES),
        metavar="SIZES",
        help=f"(c), (e), (i), (l), (r)-(x): sizes of brands ({','.join(map(str, SIZES))})",
    )
    made.add_argument(
        "--orders",
        type=_count,
        default=4_000,
        metavar="N",
        help="(b), (m): orders to settle in each turn (4000)",
    )
    made.add_argument(
        "--seconds",
        type=_seconds,
        default=3.0,
        metavar="N",
        help="(a), (b), (d), (k), (m): how long each load lasts (3)",
    )
    made.add_argument("--json", action="store_true", help="print one JSON document instead")
    return made


def _list_of(read: Callable[[str], T]) -> Callable[[str], list[T]]:
    def read_list(text: str) -> list[T]:
        return [read(one.strip()) for one in text.split(",")]

    return read_list


def _part(text: str) -> str:
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(PARTS)}")
    return text


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
