"""The worked case of three-three fission, copied by value."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.engines.events import Sold
from app.engines.fission.engine import decide
from app.engines.fission.rules import FissionRules, GiftForm, GiftTerms
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board

GOLDEN = json.loads(Path(__file__).with_name("three_three_fission.json").read_text())
RULES = FissionRules(
    strict=False, round_bonus=GiftTerms(form=GiftForm.SERVICE, item="护理一次", amount=1)
)
START = datetime(2026, 3, 1, tzinfo=UTC)
NAMES: list[str] = sorted({event[key] for event in GOLDEN["events"] for key in ("buyer", "by")})


def member_id(name: str) -> int:
    return NAMES.index(name) + 1


def name_of(number: int) -> str:
    return NAMES[number - 1]


def test_every_referral_brings_the_gifts_that_were_worked_out() -> None:
    board = Board[Any]()

    for order_id, event in enumerate(GOLDEN["events"], start=1):
        sale = Sale(
            order_id,
            Person(member_id(event["buyer"])),
            (Line(order_id, product_id=5, base_fen=9_900),),
            at=START + timedelta(days=event["day"], minutes=order_id),
            is_first=event["is_first"],
        )
        owner = Person(member_id(event["by"]), 1, Standing.ACTIVE)
        decisions = decide(RULES, Sold(sale, (owner,)), board)
        board.apply(decisions.places)

        gifts = [
            [name_of(gift.beneficiary_id), gift.kind.value, gift.explanation.get("round")]
            for gift in decisions.gifts
        ]
        assert gifts == event["gifts"]
        assert decisions.awards == ()

    for name, open_after in GOLDEN["open_after"].items():
        place = board.get(member_id(name))
        assert place is not None
        assert [name_of(one.buyer_id) for one in place.open_referrals] == open_after
