"""The worked case of sharing shareholders, copied by value."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.engines.events import Sold
from app.engines.months import Earner, MonthBooks, MonthClose
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.reversals import AwardNet, reverse
from app.engines.shareholders.engine import decide
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.engines.shareholders.pool import close_month
from app.engines.shareholders.rules import ShareholderRules

GOLDEN: dict[str, Any] = json.loads(
    Path(__file__).with_name("sharing_shareholders.json").read_text()
)
RULES = ShareholderRules()
CODES = [level.code for level in RULES.shareholder_levels]
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
STORE_ID = 3


def closed() -> MonthClose:
    """Close October with the holders of the case, numbered from 1 through the levels."""
    levels = [
        CODES.index(code) + 1 for code, heads in GOLDEN["holders"].items() for _ in range(heads)
    ]
    people = tuple(
        Earner(member_id=number, level=level, own_settled_at=datetime(2026, 10, 5, tzinfo=UTC))
        for number, level in enumerate(levels, start=1)
    )
    books = MonthBooks(
        plan_id=1,
        month="2026-10",
        ends_at=NOVEMBER,
        net_fen=GOLDEN["net_settled_fen"],
        people=people,
        store_id=STORE_ID,
    )
    return close_month(RULES, books)


def test_the_weights_and_the_pool_of_the_case_are_the_defaults() -> None:
    assert RULES.pool_bp == GOLDEN["pool_bp"]
    assert {one.code: one.weight for one in RULES.shareholder_levels} == GOLDEN["weights"]


def test_the_pool_of_the_case_is_shared_to_the_fen() -> None:
    close = closed()

    each = [GOLDEN["each"][code] for code, heads in GOLDEN["holders"].items() for _ in range(heads)]
    assert close.pool_fen == GOLDEN["pool_fen"]
    assert [award.amount_fen for award in close.awards] == each
    assert (close.carried_fen, close.deficit_fen) == (GOLDEN["carried_fen"], 0)
    assert close.refusals == ()


def test_the_commission_of_the_case_is_paid_and_taken_back_to_the_fen() -> None:
    case = GOLDEN["bound_customer"]
    gold = CODES.index("GOLD") + 1
    assert RULES.shareholder_levels[gold - 1].commission_bp == case["gold_bp"]
    holding = HoldingPlace(member_id=11, number=STORE_ID, level=gold, state=HoldingState.ACTIVE)
    line = Line(70, product_id=5, base_fen=case["order_fen"])
    sale = Sale(7, Person(1), (line,), store_id=STORE_ID)

    [award] = decide(RULES, Sold(sale, (Person(11, 1, Standing.ACTIVE),)), Board([holding])).awards

    assert award.amount_fen == case["award_fen"]
    net = AwardNet(1, 70, award.base_fen, award.rate_bp, award.amount_fen)
    [change] = reverse([net], {70: case["refund_fen"]})
    assert (change.new_fen, change.delta_fen) == (case["award_after_fen"], case["reverse_fen"])
