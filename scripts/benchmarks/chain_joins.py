"""(e) Joins per second of chain 2+1, by the engine alone: no database, one core.

The plan is the one of the trade, in which every join buys a package, pays up to three people and
may promote somebody. Teams grow as elsewhere in these benchmarks; what the engine decides is put
on a board in memory, so that the next join sees it. The orders are made beforehand and not timed.

The figure is joins per second of processor time, as for the other engines. Places make no cycles,
so the collector is told after each batch to leave alone what has been there before (`gc.freeze`);
otherwise it would walk through all of a growing brand again and again.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from app.engines import chain
from app.engines.documents import load_rules
from app.engines.events import Sold
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from scripts.benchmarks.lab import Lab
from scripts.benchmarks.table import Row
from scripts.benchmarks.trees import grow

BATCH: Final = 10_000
AIM_PER_SECOND: Final = 20_000
PACKAGE_FEN: Final = 49_900


def measure(lab: Lab, *, sizes: Sequence[int]) -> None:
    """Print joins per second while a brand grows from nobody to each of these sizes."""
    for size in sizes:
        rate = joins_per_second(size)
        lab.add(
            Row(
                name=f"(e) chain 2+1 joins, engine alone, {size:,} members",
                value=rate,
                unit="/s",
                aim=f">= {AIM_PER_SECOND:,}/s",
                met=rate >= AIM_PER_SECOND,
            )
        )


def joins_per_second(size: int) -> float:
    """Let so many people join, each by buying a package, and return how fast that went."""
    rules = load_rules(chain.MODEL.original)
    board: Board[Any] = Board()
    decide, seconds = chain.MODEL.decide, 0.0
    try:
        for events in batches(grow(size)):
            started = time.process_time()
            for event in events:
                board.apply(decide(rules, event, board).places)
            seconds += time.process_time() - started
            gc.freeze()
    finally:
        gc.unfreeze()
    return size / seconds


def batches(recommenders: Sequence[int | None]) -> Iterator[list[Sold]]:
    """Yield the joining orders of everybody, in the order in which they came."""
    for start in range(0, len(recommenders), BATCH):
        yield [
            _join(number, recommender)
            for number, recommender in enumerate(recommenders[start : start + BATCH], start + 1)
        ]


def _join(member_id: int, recommender_id: int | None) -> Sold:
    buyer = Person(member_id, 1, Standing.ACTIVE)
    above = () if recommender_id is None else (Person(recommender_id, 1, Standing.ACTIVE),)
    return Sold(Sale(member_id, buyer, (Line(member_id, 5, PACKAGE_FEN),)), above)
