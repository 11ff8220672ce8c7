import json

import pytest

from app.engines.differential import MODEL
from app.engines.differential.engine import AwardKind, DifferentialReason, decide
from app.engines.differential.rules import DifferentialProduct, DifferentialRules, PeerBase
from app.engines.events import Settled, Sold
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board, Place
from app.engines.results import NOTHING, Decisions, Reason

BUYER = Person(1)
LINE = Line(70, product_id=5, base_fen=10_000)
SALE = Sale(7, BUYER, (LINE,))
FAR = DifferentialRules(max_depth=None)


def above(*levels: int | None) -> list[Person]:
    return [Person(11 + n, level, Standing.ACTIVE) for n, level in enumerate(levels)]


def paid(decisions: Decisions) -> list[tuple[int, int, int, str]]:
    return [(a.seat, a.beneficiary_id, a.amount_fen, a.kind.value[0]) for a in decisions.awards]


def refused(decisions: Decisions) -> list[tuple[int, int | None, str]]:
    return [(r.seat, r.beneficiary_id, r.reason.value) for r in decisions.refusals]


def test_each_one_above_earns_what_their_rate_is_higher() -> None:
    decisions = decide(FAR, SALE, above(1, 2, 3, 4))

    assert paid(decisions) == [
        (1, 11, 500, "D"),
        (2, 12, 300, "D"),
        (3, 13, 400, "D"),
        (4, 14, 300, "D"),
    ]
    assert refused(decisions) == []


def test_the_default_pays_nobody_beyond_two_steps() -> None:
    decisions = decide(DifferentialRules(), SALE, above(1, 2, 3))

    assert paid(decisions) == [(1, 11, 500, "D"), (2, 12, 300, "D")]
    assert refused(decisions) == []


def test_a_depth_of_one_pays_the_owner_alone() -> None:
    rules = DifferentialRules(max_depth=1)

    assert paid(decide(rules, SALE, above(1, 4))) == [(1, 11, 500, "D")]


def test_a_lower_rate_is_passed_over_and_the_next_is_measured_from_the_highest() -> None:
    decisions = decide(FAR, SALE, above(3, 1, 4))

    assert paid(decisions) == [(1, 11, 1_200, "D"), (3, 13, 300, "D")]
    assert refused(decisions) == [(2, 12, "LOWER_RATE")]


def test_an_equal_rate_gets_the_peer_reward_once() -> None:
    decisions = decide(FAR, SALE, above(2, 2, 2))

    assert paid(decisions) == [(1, 11, 800, "D"), (2, 12, 100, "P")]
    assert refused(decisions) == [(3, 13, "EQUAL_RATE")]
    assert [award.kind for award in decisions.awards] == [AwardKind.DIFFERENTIAL, AwardKind.PEER]
    assert decisions.refusals[0].kind is AwardKind.PEER


def test_a_peer_further_up_counts_though_somebody_lower_stands_between() -> None:
    decisions = decide(FAR, SALE, above(2, 1, 2))

    assert paid(decisions) == [(1, 11, 800, "D"), (3, 13, 100, "P")]


def test_peers_are_counted_anew_each_time_the_rate_rises() -> None:
    rules = DifferentialRules(max_depth=None, peer_generations=2)

    decisions = decide(rules, SALE, above(1, 1, 1, 1, 2, 2, 2, 2))

    assert [seat for seat, _, _, kind in paid(decisions) if kind == "P"] == [2, 3, 6, 7]
    assert [seat for seat, _, _ in refused(decisions)] == [4, 8]
    peers = [one.explanation["peer"] for one in decisions.awards if one.kind is AwardKind.PEER]
    assert peers == [1, 2, 1, 2]


@pytest.mark.parametrize(
    "rules",
    [
        DifferentialRules(max_depth=None, peer_bp=0),
        DifferentialRules(max_depth=None, peer_generations=0),
    ],
)
def test_without_a_peer_reward_equal_rates_bring_nothing(rules: DifferentialRules) -> None:
    decisions = decide(rules, SALE, above(2, 2))

    assert paid(decisions) == [(1, 11, 800, "D")]
    assert refused(decisions) == [(2, 12, "EQUAL_RATE")]


def test_a_peer_of_an_income_gets_a_share_of_what_the_one_below_got() -> None:
    rules = DifferentialRules(
        max_depth=None, peer_base=PeerBase.INCOME, peer_bp=1_000, peer_generations=2
    )

    decisions = decide(rules, SALE, above(1, 3, 3, 3))

    assert paid(decisions) == [
        (1, 11, 500, "D"),
        (2, 12, 700, "D"),
        (3, 13, 70, "P"),
        (4, 14, 70, "P"),
    ]


def test_a_share_of_an_income_is_rounded_down_to_whole_basis_points() -> None:
    rules = DifferentialRules(rates_bp=(333, 0, 0, 0), peer_base=PeerBase.INCOME, peer_bp=100)
    sale = Sale(7, BUYER, (Line(70, 5, 1_000_000),))

    decisions = decide(rules, sale, above(1, 1))

    assert paid(decisions) == [(1, 11, 33_300, "D"), (2, 12, 300, "P")]
    assert decisions.awards[1].rate_bp == 3


def test_a_share_of_an_income_too_small_for_a_basis_point_is_refused() -> None:
    rules = DifferentialRules(rates_bp=(99, 0, 0, 0), peer_base=PeerBase.INCOME, peer_bp=100)

    decisions = decide(rules, SALE, above(1, 1))

    assert paid(decisions) == [(1, 11, 99, "D")]
    assert refused(decisions) == [(2, 12, "NO_INCOME")]
    assert decisions.refusals[0].kind is AwardKind.PEER


def test_a_peer_of_somebody_whom_the_cap_left_less_shares_that() -> None:
    rules = DifferentialRules(peer_base=PeerBase.INCOME, peer_bp=1_000, payout_cap_bp=1_000)
    cut = DifferentialRules(peer_base=PeerBase.INCOME, peer_bp=1_000, payout_cap_bp=1_600)

    at_the_cap = decide(rules, SALE, above(4, 4))

    assert paid(at_the_cap) == [(1, 11, 1_000, "D")]
    assert refused(at_the_cap) == [(2, 12, "CAPPED_OUT")]
    assert at_the_cap.refusals[0].explanation["income_bp"] == 1_000
    assert paid(decide(cut, SALE, above(4, 4))) == [(1, 11, 1_500, "D"), (2, 12, 100, "P")]


def test_there_is_nothing_to_share_with_somebody_whom_the_cap_left_nothing() -> None:
    rules = DifferentialRules(
        max_depth=None, peer_base=PeerBase.INCOME, peer_bp=1_000, payout_cap_bp=500
    )

    decisions = decide(rules, SALE, above(1, 2, 2))

    assert paid(decisions) == [(1, 11, 500, "D")]
    assert refused(decisions) == [(2, 12, "CAPPED_OUT"), (3, 13, "NO_INCOME")]


def test_the_cap_cuts_those_further_up_and_says_so() -> None:
    rules = DifferentialRules(max_depth=None, payout_cap_bp=900)

    decisions = decide(rules, SALE, above(1, 3, 3, 4))

    assert paid(decisions) == [(1, 11, 500, "D"), (2, 12, 400, "D")]
    assert [award.capped_from_fen for award in decisions.awards] == [None, 700]
    assert refused(decisions) == [(3, 13, "CAPPED_OUT"), (4, 14, "CAPPED_OUT")]


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing.FROZEN, Reason.FROZEN),
        (Standing.QUIT, Reason.QUIT),
        (Standing.NONE, Reason.NOT_DISTRIBUTOR),
    ],
)
def test_whoever_cannot_earn_does_not_raise_the_rate_reached(
    standing: Standing, reason: Reason
) -> None:
    decisions = decide(FAR, SALE, [Person(11, 3, standing), Person(12, 3, Standing.ACTIVE)])

    assert paid(decisions) == [(2, 12, 1_200, "D")]
    assert refused(decisions) == [(1, 11, reason.value)]


def test_whoever_cannot_earn_is_no_peer_and_uses_up_no_generation() -> None:
    chain = [
        Person(11, 2, Standing.ACTIVE),
        Person(12, 2, Standing.FROZEN),
        Person(13, 2, Standing.ACTIVE),
    ]

    assert paid(decide(FAR, SALE, chain)) == [(1, 11, 800, "D"), (3, 13, 100, "P")]


def test_whoever_cannot_earn_counts_as_a_step_all_the_same() -> None:
    chain = [Person(11, 1, Standing.FROZEN), *above(0, 2, 3)[1:]]

    assert paid(decide(DifferentialRules(), SALE, chain)) == [(2, 12, 800, "D")]


@pytest.mark.parametrize("level", [None, 0, 5])
def test_whoever_has_no_level_of_the_plan_earns_nothing(level: int | None) -> None:
    decisions = decide(FAR, SALE, above(level))

    reason = Reason.NO_LEVEL if level is None else Reason.LEVEL_NOT_IN_PLAN
    assert refused(decisions) == [(1, 11, reason.value)]
    assert paid(decisions) == []


def test_the_buyer_their_household_and_who_stood_nearer_earn_nothing() -> None:
    buyer = Person(1, 1, Standing.ACTIVE, frozenset({"phone:7"}))
    kin = Person(12, 3, Standing.ACTIVE, frozenset({"phone:7"}))
    own = Person(1, 4, Standing.ACTIVE)
    first = Person(11, 1, Standing.ACTIVE)

    decisions = decide(FAR, Sale(7, buyer, (LINE,)), [first, kin, own, first])

    assert paid(decisions) == [(1, 11, 500, "D")]
    assert refused(decisions) == [
        (2, 12, "HOUSEHOLD"),
        (3, 1, "BENEFICIARY_IS_BUYER"),
        (4, 11, "ALREADY_SEATED"),
    ]


def test_kinship_is_told_before_anything_else() -> None:
    buyer = Person(1, household=frozenset({"phone:7"}))
    kin = Person(11, None, Standing.FROZEN, frozenset({"phone:7"}))
    frozen_twice = Person(12, 1, Standing.FROZEN)

    decisions = decide(FAR, Sale(7, buyer, (LINE,)), [kin, kin, frozen_twice, frozen_twice])

    assert refused(decisions) == [
        (1, 11, "HOUSEHOLD"),
        (2, 11, "HOUSEHOLD"),
        (3, 12, "FROZEN"),
        (4, 12, "ALREADY_SEATED"),
    ]


def test_a_rate_of_zero_is_told_as_such() -> None:
    rules = DifferentialRules(rates_bp=(0, 0, 100, 100))

    decisions = decide(rules, SALE, above(1, 2))

    assert refused(decisions) == [(1, 11, "ZERO_RATE"), (2, 12, "ZERO_RATE")]
    assert paid(decisions) == []


def test_a_zero_rate_above_somebody_is_zero_and_not_lower() -> None:
    rules = DifferentialRules(rates_bp=(100, 0, 100, 100))

    assert refused(decide(rules, SALE, above(1, 2))) == [(2, 12, "ZERO_RATE")]


def test_the_dearest_rate_need_not_be_that_of_the_highest_level() -> None:
    rules = DifferentialRules(rates_bp=(900, 100, 200, 300))

    decisions = decide(rules, SALE, above(1, 4))

    assert paid(decisions) == [(1, 11, 900, "D")]
    assert refused(decisions) == [(2, 12, "LOWER_RATE")]


def test_a_product_walks_by_rates_of_its_own() -> None:
    own = DifferentialProduct(rates_bp=(100, 100, 200, 50))
    rules = DifferentialRules(max_depth=None, product_rates={6: own})
    sale = Sale(7, BUYER, (LINE, Line(71, 6, 10_000)))

    decisions = decide(rules, sale, above(1, 2, 4))

    assert paid(decisions) == [
        (1, 11, 500, "D"),
        (2, 12, 300, "D"),
        (3, 13, 700, "D"),
        (1, 11, 100, "D"),
        (2, 12, 100, "P"),
    ]
    assert [award.explanation["rates_of"] for award in decisions.awards][2:4] == ["PLAN", "PRODUCT"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Line(70, 5, 10_000, distributable=False), Reason.NOT_DISTRIBUTABLE),
        (Line(70, 6, 10_000, distributable=False), Reason.NOT_DISTRIBUTABLE),
        (Line(70, 6, 10_000), Reason.PRODUCT_EXCLUDED),
        (Line(70, 6, 0), Reason.PRODUCT_EXCLUDED),
        (Line(70, 5, 0), Reason.ZERO_BASE),
    ],
)
def test_a_line_that_pays_nothing_refuses_everybody(line: Line, reason: Reason) -> None:
    rules = DifferentialRules(product_rates={6: DifferentialProduct(excluded=True)})
    chain = [Person(11, 1, Standing.FROZEN), *above(0, 2)[1:]]

    with_chain = decide(rules, Sale(7, BUYER, (line,)), chain)
    alone = decide(rules, Sale(7, BUYER, (line,)), [])

    assert refused(with_chain) == [(1, 11, reason.value), (2, 12, reason.value)]
    assert refused(alone) == [(1, None, reason.value)]
    assert paid(with_chain) == []


def test_a_buyer_of_nobody_brings_nothing() -> None:
    decisions = decide(FAR, SALE, [])

    assert paid(decisions) == []
    assert refused(decisions) == [(1, None, "NO_OWNER")]


def test_less_than_a_fen_is_told_as_such() -> None:
    decisions = decide(FAR, Sale(7, BUYER, (Line(70, 5, 19),)), above(1, 2))

    assert paid(decisions) == []
    assert refused(decisions) == [(1, 11, "ZERO_AMOUNT"), (2, 12, "ZERO_AMOUNT")]


def test_an_award_carries_every_fact_that_decided_it() -> None:
    decisions = decide(DifferentialRules(max_depth=None, payout_cap_bp=1_000), SALE, above(2, 3))

    assert json.loads(json.dumps(decisions.awards[1].explanation)) == {
        "schema": 1,
        "model": "CHANNEL_DIFFERENTIAL",
        "outcome": "AWARD",
        "order_id": 7,
        "buyer_id": 1,
        "owner_id": 11,
        "line_id": 70,
        "product_id": 5,
        "base_fen": 10_000,
        "seat": 2,
        "kind": "DIFFERENTIAL",
        "beneficiary_id": 12,
        "level": 3,
        "rates_of": "PLAN",
        "own_bp": 1_200,
        "reached_bp": 800,
        "reached_by_id": 11,
        "plan_rate_bp": 400,
        "rate_bp": 200,
        "cap_bp": 1_000,
        "amount_fen": 200,
        "capped_from_fen": 400,
    }


def test_a_peer_reward_carries_what_it_is_a_share_of() -> None:
    [_, peer] = decide(DifferentialRules(), SALE, above(2, 2)).awards

    facts = peer.explanation
    assert (facts["peer"], facts["peer_bp"], facts["peer_base"], facts["income_bp"]) == (
        1,
        100,
        "ORDER",
        800,
    )
    assert (facts["reached_bp"], facts["reached_by_id"]) == (800, 11)


def test_a_refusal_carries_who_stood_in_the_way() -> None:
    [refusal] = decide(DifferentialRules(), SALE, above(3, 1)).refusals

    assert refusal.reason is DifferentialReason.LOWER_RATE
    assert refusal.explanation["outcome"] == "REFUSAL"
    assert refusal.explanation["reason"] == "LOWER_RATE"
    assert refusal.explanation["reached_by_id"] == 11
    assert refusal.explanation["own_bp"] == 500


def test_the_model_decides_sales_and_nothing_else() -> None:
    rules, board = DifferentialRules(), Board[Place]()
    chain = tuple(above(1, 2))

    assert MODEL.reacts_to == {Sold}
    assert MODEL.decide(rules, Sold(SALE, chain), board) == decide(rules, SALE, chain)
    assert MODEL.decide(rules, Settled(SALE, chain), board) == NOTHING
