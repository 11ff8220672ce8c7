"""The worked cases of channel distribution, copied by value."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.engines.people import Line, Person, Sale, Standing
from app.engines.reversals import AwardNet, reverse
from app.engines.two_level.engine import decide
from app.engines.two_level.rules import TwoLevelRules

GOLDEN = json.loads(Path(__file__).with_name("channel_two_level.json").read_text())
CASES: dict[str, Any] = {case["name"]: case for case in GOLDEN["cases"]}
RULES = TwoLevelRules(
    rates_first_bp=tuple(GOLDEN["rates_bp"]["first"]),
    rates_second_bp=tuple(GOLDEN["rates_bp"]["second"]),
)
LINE_ID = 70


def member_id(name: str) -> int:
    return ord(name)


def awards_of(case: dict[str, Any]) -> dict[tuple[str, str], AwardNet]:
    """Decide a case; return its awards by name of the member and kind, in the order of seats."""
    buyer, *chain = (
        Person(member_id(one["member"]), one["level"], Standing.ACTIVE) for one in case["chain"]
    )
    sale = Sale(7, buyer, (Line(LINE_ID, product_id=5, base_fen=case["base_fen"]),))
    awards = decide(RULES.model_copy(update={"self_purchase": case["self_purchase"]}), sale, chain)
    return {
        (chr(one.beneficiary_id), one.kind.value): AwardNet(
            one.seat, one.line_id, one.base_fen, one.rate_bp, one.amount_fen
        )
        for one in awards.awards
    }


def test_the_rates_of_the_cases_are_the_defaults() -> None:
    assert TwoLevelRules() == RULES


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "awards" in case])
def test_a_worked_sale_brings_what_it_should(name: str) -> None:
    awards = awards_of(CASES[name])

    assert [[*key, net.net_fen] for key, net in awards.items()] == CASES[name]["awards"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "refund_fen" in case])
def test_a_worked_refund_takes_back_what_it_should(name: str) -> None:
    [sold] = [case for case in CASES.values() if "awards" in case]
    case = CASES[name]
    assert sold["base_fen"] == case["base_fen"]
    awards = awards_of(sold)

    changes = {one.award_id: one for one in reverse(awards.values(), {LINE_ID: case["refund_fen"]})}

    after = [[*key, changes[net.award_id].new_fen] for key, net in awards.items()]
    taken = [[key[0], changes[net.award_id].delta_fen] for key, net in awards.items()]
    assert (after, taken) == (case["awards_after"], case["reversals"])
