"""What single orders pay under chain 2+1, and what they do not, and why."""

from typing import Any

import pytest

from app.engines.chain.paying import ChainReason
from app.engines.people import Line, Standing
from app.engines.results import Decisions
from tests.unit.engines.chain_world import (
    AGAIN,
    AGENT,
    BOSS,
    BUYER,
    FAR,
    KIN,
    LONE_AGENT,
    MEMBER,
    ORIGIN,
    PACKAGE,
    REVOKED,
    ZERO,
    frozen,
    load,
    original,
    sell,
)


def paid(decisions: Decisions) -> list[tuple[str, int, int, int]]:
    return [
        (one.kind.value, one.seat, one.beneficiary_id, one.amount_fen) for one in decisions.awards
    ]


def refused(decisions: Decisions) -> list[tuple[str, int, int | None, str]]:
    return [
        (one.kind.value, one.seat, one.beneficiary_id, one.reason.value)
        for one in decisions.refusals
    ]


def test_an_agent_gets_the_direct_reward_and_the_boss_above_that_of_the_team() -> None:
    assert paid(sell()) == [("DIRECT", 1, AGENT, 2_599), ("TEAM", 2, BOSS, 1_299)]


def test_a_boss_who_brings_the_buyer_gets_both() -> None:
    assert paid(sell(above=(BOSS,))) == [("DIRECT", 1, BOSS, 2_599), ("TEAM", 1, BOSS, 1_299)]


def test_rewards_are_by_the_role_of_who_brought_the_buyer() -> None:
    rates = {"agent": {"rate_bp": 100}, "boss": {"rate_bp": 200}}
    more = {"agent": {"rate_bp": 300}, "boss": {"rate_bp": 400}}
    rules = load(direct=rates, team=more)
    line = Line(70, 5, 10_000)

    assert [one[3] for one in paid(sell(rules, lines=(line,)))] == [100, 300]
    assert [one[3] for one in paid(sell(rules, lines=(line,), above=(BOSS,)))] == [200, 400]


def test_the_boss_whose_team_the_boss_left_gets_a_share_of_the_team_reward() -> None:
    assert paid(sell(original(), lines=(PACKAGE,))) == [
        ("DIRECT", 1, AGENT, 10_000),
        ("TEAM", 2, BOSS, 20_000),
        ("PEER", 3, ORIGIN, 2_000),
    ]


def test_a_share_of_all_rewards_takes_in_the_direct_one_of_that_boss_only() -> None:
    rules = original(peer_base="ALL")

    assert paid(sell(rules, lines=(PACKAGE,), above=(BOSS,)))[2] == ("PEER", 2, ORIGIN, 3_000)
    assert paid(sell(rules, lines=(PACKAGE,)))[2] == ("PEER", 3, ORIGIN, 2_000)


def test_an_award_holds_what_a_refund_and_an_explanation_need() -> None:
    direct, team = sell(load(payout_cap_bp=1_200)).awards

    assert (direct.line_id, direct.base_fen, direct.rate_bp) == (70, 25_999, 1_000)
    assert (team.rate_bp, team.amount_fen, team.capped_from_fen) == (200, 519, 1_299)
    assert team.explanation == {
        "schema": 1,
        "model": "CHAIN_2_1",
        "order_id": 7,
        "buyer_id": BUYER,
        "owner_id": AGENT,
        "line_id": 70,
        "product_id": 5,
        "base_fen": 25_999,
        "seat": 2,
        "kind": "TEAM",
        "beneficiary_id": BOSS,
        "role": "BOSS",
        "owner_role": "AGENT",
        "boss_id": None,
        "plan_rate_bp": 500,
        "rate_bp": 200,
        "cap_bp": 1_200,
        "outcome": "AWARD",
        "amount_fen": 519,
        "capped_from_fen": 1_299,
    }


def test_a_fixed_award_has_no_rate_so_that_refunds_reduce_it_in_proportion() -> None:
    direct, team = sell(original(payout_cap_bp=4_000), lines=(PACKAGE,)).awards

    assert (direct.rate_bp, direct.amount_fen, direct.capped_from_fen) == (None, 10_000, None)
    assert (team.rate_bp, team.amount_fen, team.capped_from_fen) == (None, 9_955, 20_000)


def test_fixed_sums_are_paid_once_for_the_first_package_and_rates_on_every_line() -> None:
    rules = original(team={"agent": {"rate_bp": 500}, "boss": {"rate_bp": 500}}, peer_bp=0)
    lines = (Line(70, 5, 49_899), Line(71, 5, 49_900), Line(72, 5, 90_000))

    decisions = sell(rules, lines=lines)

    amounts = [(one.line_id, one.kind.value, one.amount_fen) for one in decisions.awards]
    assert amounts == [
        (70, "TEAM", 2_494),
        (71, "DIRECT", 10_000),
        (71, "TEAM", 2_495),
        (72, "TEAM", 4_500),
    ]
    assert [(one.line_id, one.reason) for one in decisions.refusals] == [
        (70, ChainReason.NOT_A_PACKAGE),
        (72, ChainReason.NOT_A_PACKAGE),
    ]


def test_a_package_is_of_a_named_product_where_products_are_named() -> None:
    rules = original(entry_product_ids=[6], peer_bp=0)

    assert not sell(rules, lines=(PACKAGE,)).awards
    assert sell(rules, lines=(Line(70, 6, 49_900),)).total_fen == 30_000


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        (sell(above=()), [("DIRECT", 1, None, "NO_OWNER"), ("TEAM", 2, None, "NO_OWNER")]),
        (sell(above=(5,)), [("DIRECT", 1, 5, "NO_PLACE"), ("TEAM", 2, None, "NO_PLACE")]),
        (sell(places=LONE_AGENT), [("TEAM", 2, None, "NO_BOSS")]),
        (sell(people=frozen(AGENT)), [("DIRECT", 1, AGENT, "FROZEN")]),
        (sell(standings={BOSS: Standing.QUIT}), [("TEAM", 2, BOSS, "QUIT")]),
        (sell(standings={BOSS: Standing.NONE}), [("TEAM", 2, BOSS, "NOT_DISTRIBUTOR")]),
        (sell(above=(AGENT, BOSS), people=frozen(BOSS)), [("TEAM", 2, BOSS, "FROZEN")]),
        (sell(people=KIN), [("DIRECT", 1, AGENT, "HOUSEHOLD")]),
        (
            sell(above=(AGENT, BOSS), people=KIN),
            [("DIRECT", 1, AGENT, "HOUSEHOLD"), ("TEAM", 2, BOSS, "HOUSEHOLD")],
        ),
        (sell(places=REVOKED), [("DIRECT", 1, AGENT, "REVOKED")]),
        (
            sell(above=(BUYER,)),
            [("DIRECT", 1, BUYER, "BENEFICIARY_IS_BUYER"), ("TEAM", 2, None, "NO_PLACE")],
        ),
        (sell(places=FAR, above=(4,)), [("TEAM", 3, BOSS, "TOO_FAR")]),
        (sell(load(max_depth=1)), [("TEAM", 2, BOSS, "TOO_FAR")]),
        (sell(load(team=ZERO)), [("TEAM", 2, BOSS, "ZERO_RATE")]),
        (sell(load(payout_cap_bp=1_000)), [("TEAM", 2, BOSS, "CAPPED_OUT")]),
        (sell(lines=(Line(70, 5, 10),)), [("TEAM", 2, BOSS, "ZERO_AMOUNT")]),
        (
            sell(lines=(Line(70, 5, 0),)),
            [("DIRECT", 1, AGENT, "ZERO_BASE"), ("TEAM", 2, BOSS, "ZERO_BASE")],
        ),
        (
            sell(lines=(Line(70, 5, 9, distributable=False),)),
            [("DIRECT", 1, AGENT, "NOT_DISTRIBUTABLE"), ("TEAM", 2, BOSS, "NOT_DISTRIBUTABLE")],
        ),
        (
            sell(load(peer_bp=1_000), above=(BOSS,), standings={ORIGIN: Standing.FROZEN}),
            [("PEER", 2, ORIGIN, "FROZEN")],
        ),
        (sell(load(peer_bp=1_000)), [("PEER", 3, ORIGIN, "TOO_FAR")]),
        (sell(load(peer_bp=1_000), above=(ORIGIN,)), [("PEER", 3, None, "NO_ORIGIN")]),
        (
            sell(load(peer_bp=1_000), places=LONE_AGENT),
            [("TEAM", 2, None, "NO_BOSS"), ("PEER", 3, None, "NO_TEAM_REWARD")],
        ),
        (
            sell(load(peer_bp=1_000), standings={BOSS: Standing.FROZEN}),
            [("TEAM", 2, BOSS, "FROZEN"), ("PEER", 3, ORIGIN, "NO_TEAM_REWARD")],
        ),
        (
            sell(load(peer_bp=10, max_depth=3), lines=(Line(70, 5, 200),)),
            [("PEER", 3, ORIGIN, "ZERO_AMOUNT")],
        ),
    ],
)
def test_nothing_is_paid_for_a_reason(
    decisions: Decisions, expected: list[tuple[str, int, int | None, str]]
) -> None:
    assert refused(decisions) == expected
    others = {kind for kind, _, _, _ in expected}
    assert not others & {one.kind.value for one in decisions.awards}


def test_a_line_that_pays_nobody_says_so_to_the_old_boss_too() -> None:
    decisions = sell(load(peer_bp=1_000), lines=(Line(70, 5, 0),), above=(BOSS,))

    assert {one[0]: one[3] for one in refused(decisions)} == {
        "DIRECT": "ZERO_BASE",
        "TEAM": "ZERO_BASE",
        "PEER": "ZERO_BASE",
    }


def test_standing_is_that_at_payment_for_whoever_is_in_the_upline() -> None:
    decisions = sell(above=(AGENT, BOSS), standings={BOSS: Standing.FROZEN, AGENT: Standing.QUIT})

    assert len(decisions.awards) == 2


def test_a_frozen_boss_is_not_replaced_by_the_one_above() -> None:
    decisions = sell(original(), lines=(PACKAGE,), standings={BOSS: Standing.FROZEN})

    assert paid(decisions) == [("DIRECT", 1, AGENT, 10_000)]
    assert {one.beneficiary_id for one in decisions.refusals} == {BOSS, ORIGIN}


def test_somebody_who_has_a_place_buys_again_and_nobody_is_paid_or_moved() -> None:
    decisions = sell(original(), lines=(PACKAGE,), places=MEMBER)

    assert refused(decisions) == [("REPURCHASE1", 1, AGENT, "REPURCHASE")]
    assert (decisions.awards, decisions.places) == ((), ())


def test_repurchases_can_pay_the_two_above() -> None:
    decisions = sell(AGAIN, places=MEMBER, above=(AGENT, BOSS, ORIGIN))

    assert paid(decisions) == [("REPURCHASE1", 1, AGENT, 2_339), ("REPURCHASE2", 2, BOSS, 909)]
    assert not decisions.refusals


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"above": ()},
            [("REPURCHASE1", 1, None, "NO_OWNER"), ("REPURCHASE2", 2, None, "NO_OWNER")],
        ),
        ({}, [("REPURCHASE2", 2, None, "NO_UPLINE")]),
        ({"above": (AGENT, AGENT)}, [("REPURCHASE2", 2, AGENT, "ALREADY_SEATED")]),
        ({"above": (AGENT, 5)}, [("REPURCHASE2", 2, 5, "NO_PLACE")]),
        (
            {"above": (AGENT, BOSS), "people": frozen(AGENT)},
            [("REPURCHASE1", 1, AGENT, "FROZEN")],
        ),
        (
            {"above": (AGENT, AGENT), "people": frozen(AGENT)},
            [("REPURCHASE1", 1, AGENT, "FROZEN"), ("REPURCHASE2", 2, AGENT, "FROZEN")],
        ),
    ],
)
def test_nothing_is_paid_on_a_repurchase_for_a_reason(
    given: dict[str, Any], expected: list[tuple[str, int, int | None, str]]
) -> None:
    assert refused(sell(AGAIN, places=MEMBER, **given)) == expected


def test_a_line_that_pays_nobody_says_so_on_a_repurchase_too() -> None:
    decisions = sell(places=MEMBER, lines=(Line(70, 5, 0),))

    assert refused(decisions) == [("REPURCHASE1", 1, AGENT, "ZERO_BASE")]
