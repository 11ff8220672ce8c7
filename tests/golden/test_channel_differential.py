"""Worked cases of DIFFERENTIAL, reckoned by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.engines.differential.engine import decide
from app.engines.differential.rules import DifferentialRules
from app.engines.people import Line, Person, Sale, Standing
from app.engines.results import Decisions
from app.engines.reversals import AwardNet, reverse

GOLDEN = json.loads(Path(__file__).with_name("channel_differential.json").read_text())
CASES: dict[str, Any] = {case["name"]: case for case in GOLDEN["cases"]}


def decided(case: dict[str, Any]) -> Decisions:
    chain = [Person(n, level, Standing.ACTIVE) for n, level in enumerate(case["levels"], start=1)]
    rules = DifferentialRules(
        rates_bp=tuple(GOLDEN["rates_bp"]), peer_bp=GOLDEN["peer_bp"], max_depth=case["max_depth"]
    )
    return decide(rules, Sale(7, Person(99), (Line(70, 5, case["base_fen"]),)), chain)


def test_the_rates_of_the_cases_are_the_defaults() -> None:
    rules = DifferentialRules()

    assert list(rules.rates_bp) == GOLDEN["rates_bp"]
    assert (rules.peer_bp, rules.peer_generations) == (GOLDEN["peer_bp"], 1)
    assert rules.max_depth == 2


@pytest.mark.parametrize("name", CASES)
def test_a_worked_sale_brings_what_it_should(name: str) -> None:
    decisions = decided(CASES[name])

    awards = [[one.beneficiary_id, one.kind.value, one.amount_fen] for one in decisions.awards]
    refused = [[one.beneficiary_id, one.reason.value] for one in decisions.refusals]
    assert (awards, refused) == (CASES[name]["awards"], CASES[name]["refused"])
    assert all(one.seat == one.beneficiary_id for one in decisions.awards)


@pytest.mark.parametrize("name", CASES)
def test_a_worked_refund_takes_back_what_it_should(name: str) -> None:
    case = CASES[name]
    nets = [
        AwardNet(one.beneficiary_id, 70, one.base_fen, one.rate_bp, one.amount_fen)
        for one in decided(case).awards
    ]

    changes = {one.award_id: one for one in reverse(nets, {70: case["refund_fen"]})}

    after = [
        [net.award_id, changes[net.award_id].new_fen if net.award_id in changes else net.net_fen]
        for net in nets
    ]
    assert after == case["after"]
    assert [[one.award_id, one.delta_fen] for one in changes.values()] == case["reversals"]
