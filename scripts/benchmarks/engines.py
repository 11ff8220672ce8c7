"""(e) The engines alone, in memory, on one core.

Orders of one line with two people above their buyer, decided one by one, explanations included.
The figure is awards per second of processor time, so that other work on the machine matters less;
the best of several turns.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from app.engines import differential, team_ladder, two_level
from app.engines.contract import Model
from app.engines.events import Sold
from app.engines.months import Earner, MonthBooks
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board, Place
from scripts.benchmarks.lab import Lab
from scripts.benchmarks.table import Row

ORDERS: Final = 20_000
PEOPLE: Final = 100_000
TURNS: Final = 5
LEAST: Final = 100_000
"""Awards a second below which replay and simulation would wait for the engine."""

ABOVE: Final = (
    Person(11, 1, Standing.ACTIVE, frozenset({"phone:11"})),
    Person(12, 2, Standing.ACTIVE, frozenset({"phone:12"})),
)


def measure(lab: Lab) -> None:
    """Print decisions per second of each engine that pays along the upline."""
    speed = _per_second(lambda: decide_orders(two_level.MODEL))
    lab.add(
        Row(
            name="(e) TWO_LEVEL, one core",
            value=speed,
            unit="awards/s",
            aim=f">= {LEAST:,}",
            met=speed >= LEAST,
        )
    )
    speed = _per_second(lambda: decide_orders(differential.MODEL))
    lab.add(Row(name="(e) DIFFERENTIAL, one core", value=speed, unit="awards/s"))
    speed = _per_second(close_a_month)
    lab.add(Row(name="(e) TEAM_LADDER, one core", value=speed, unit="people/s"))


def decide_orders(model: Model, orders: int = ORDERS) -> int:
    """Decide so many orders by the default plan of a model; return how many awards that made."""
    rules, board = model.rules(model=model.code), Board[Place]()
    buyer = Person(1, household=frozenset({"phone:1"}))
    awards = 0
    for number in range(orders):
        sale = Sale(number, buyer, (Line(number, product_id=5, base_fen=25_999),))
        awards += len(model.decide(rules, Sold(sale, ABOVE), board).awards)
    return awards


def close_a_month(people: int = PEOPLE) -> int:
    """Close a month of so many people, each brought by the tenth part of their number."""
    assert team_ladder.MODEL.close_month is not None
    team = tuple(
        Earner(
            member_id=number, recommender_id=number // 10 or None, sales_fen=number * 7_919 % 10**6
        )
        for number in range(1, people + 1)
    )
    books = MonthBooks(
        plan_id=1,
        month="2026-10",
        ends_at=datetime(2026, 11, 1, tzinfo=UTC),
        net_fen=sum(one.sales_fen for one in team),
        people=team,
    )
    close = team_ladder.MODEL.close_month(
        team_ladder.MODEL.rules(model="CHANNEL_TEAM_LADDER"), books
    )
    return len(close.awards) + len(close.refusals)


def _per_second(work: Callable[[], int]) -> float:
    best = 0.0
    for _ in range(TURNS):
        started = time.process_time()
        done = work()
        best = max(best, done / (time.process_time() - started))
    return best
