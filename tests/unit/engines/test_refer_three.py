from dataclasses import replace
from typing import Any

import pytest

from app.engines.documents import load_rules
from app.engines.events import Joined, Refunded, Sold
from app.engines.explaining import explain
from app.engines.faults import PlanRulesInvalid
from app.engines.parameters import Entry, Moment
from app.engines.people import NO_INSTANT, Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.refer_three import (
    MODEL,
    ReferThreePlace,
    ReferThreeRules,
    decide,
    payout_bound,
    practices,
)
from app.engines.registry import MODELS
from app.engines.results import NOTHING, Award, Decisions, Refusal
from app.kernel.i18n import translate

DEFAULT = ReferThreeRules()
ANNA = Person(11, 1, Standing.ACTIVE)
COUPLE = frozenset({"phone:1"})


def board_with(own: Line | None, rules: ReferThreeRules = DEFAULT) -> Board[Any]:
    """Anna has bought, in order 1; nobody else has."""
    board = Board[Any]()
    if own is not None:
        board.apply(decide(rules, Sold(Sale(1, ANNA, (own,)), ()), board).places)
    return board


def sell(
    board: Board[Any],
    order_id: int,
    *lines: Line,
    rules: ReferThreeRules = DEFAULT,
    owner: Person | None = ANNA,
    buyer: Person | None = None,
) -> Decisions:
    """Sell to somebody new and apply what is decided."""
    sale = Sale(order_id, buyer or Person(100 + order_id), lines or (Line(order_id, 5, 9_900),))
    decisions = decide(rules, Sold(sale, (owner,) if owner else ()), board)
    board.apply(decisions.places)
    return decisions


def refund(board: Board[Any], order_id: int, buyer_id: int, remaining_fen: int = 0) -> Decisions:
    event = Refunded(order_id, 900 + order_id, buyer_id, 11, remaining_fen, True, NO_INSTANT)
    decisions = decide(DEFAULT, event, board)
    board.apply(decisions.places)
    return decisions


def place_of(board: Board[Any], member_id: int) -> ReferThreePlace:
    place = board.get(member_id)
    assert isinstance(place, ReferThreePlace)
    return place


def reason_of(decisions: Decisions) -> str:
    assert decisions.awards == ()
    [refusal] = decisions.refusals
    assert refusal.explanation["reason"] == refusal.reason.value
    return refusal.reason.value


def told(decisions: Decisions) -> list[str]:
    decided: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
    return [
        translate(message, "en") for message in explain(decided[0], names={11: "Anna", 102: "Bo"})
    ]


def test_three_referrals_return_a_fifth_three_tenths_and_a_half_and_the_fourth_nothing() -> None:
    board = board_with(Line(1, 5, 9_999))

    paid = [sell(board, order_id, Line(order_id, 5, 30_000)) for order_id in (2, 3, 4)]

    assert [one.awards[0].amount_fen for one in paid] == [1_999, 2_999, 4_999]
    assert [one.awards[0].base_fen for one in paid] == [9_999, 9_999, 9_999]
    assert {(one.awards[0].beneficiary_id, one.awards[0].seat) for one in paid} == {(11, 1)}
    assert reason_of(sell(board, 5)) == "CYCLES_DONE"


def test_the_smaller_of_the_two_sums_counts() -> None:
    board = board_with(Line(1, 5, 9_900))

    assert sell(board, 2, Line(2, 5, 5_001)).awards[0].base_fen == 5_001
    assert sell(board, 3, Line(3, 5, 9_901)).awards[0].base_fen == 9_900


def test_each_unit_opens_a_cycle_at_the_price_of_one_unit() -> None:
    rules = ReferThreeRules(rates_bp=(5_000,), max_cycles=2)
    board = board_with(Line(1, 5, 20_001, quantity=3), rules)

    paid = [sell(board, order_id, Line(order_id, 5, 30_000), rules=rules) for order_id in (2, 3)]

    assert [one.awards[0].base_fen for one in paid] == [6_667, 6_667]
    assert [one.awards[0].explanation["cycle"] for one in paid] == [1, 2]
    assert reason_of(sell(board, 4, rules=rules)) == "CYCLES_DONE"
    assert len(place_of(board, 11).units) == 2


def test_only_the_owner_gets_something_back_and_nobody_above_them() -> None:
    board = board_with(Line(1, 5, 9_900))
    sale = Sale(2, Person(102), (Line(2, 5, 9_900),))

    decisions = decide(DEFAULT, Sold(sale, (Person(12, 1, Standing.ACTIVE), ANNA)), board)

    assert reason_of(decisions) == "NO_OWN_ORDER"
    assert decisions.refusals[0].beneficiary_id == 12


def test_products_are_counted_apart() -> None:
    board = board_with(Line(1, 5, 9_900))

    assert reason_of(sell(board, 2, Line(2, 6, 9_900))) == "NO_OWN_ORDER"
    assert sell(board, 3).awards[0].explanation["turn"] == 1


def test_one_person_counts_once_however_often_they_buy() -> None:
    board, bo = board_with(Line(1, 5, 9_900)), Person(102)

    twice = sell(board, 2, Line(2, 5, 9_900), Line(3, 5, 9_900), buyer=bo)

    assert (len(twice.awards), twice.refusals[0].reason) == (1, "ALREADY_COUNTED")
    assert reason_of(sell(board, 3, buyer=bo)) == "ALREADY_COUNTED"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"owner": None}, "NO_OWNER"),
        ({"owner": replace(ANNA, standing=Standing.FROZEN)}, "FROZEN"),
        ({"owner": replace(ANNA, standing=Standing.QUIT)}, "QUIT"),
        ({"owner": replace(ANNA, standing=Standing.NONE)}, "NOT_DISTRIBUTOR"),
        ({"owner": Person(12, 1, Standing.ACTIVE)}, "NO_OWN_ORDER"),
        ({"buyer": ANNA}, "BENEFICIARY_IS_BUYER"),
        (
            {"owner": replace(ANNA, household=COUPLE), "buyer": Person(9, household=COUPLE)},
            "HOUSEHOLD",
        ),
    ],
)
def test_whoever_may_not_earn_takes_no_turn(changes: dict[str, Any], reason: str) -> None:
    board = board_with(Line(1, 5, 9_900))
    before = place_of(board, 11).units[0]

    assert reason_of(sell(board, 2, **changes)) == reason
    assert place_of(board, 11).units[0] == before
    assert sell(board, 3).awards[0].explanation["turn"] == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [(Line(2, 5, 0), "ZERO_BASE"), (Line(2, 5, 9_900, distributable=False), "NOT_DISTRIBUTABLE")],
)
def test_lines_that_pay_nothing_take_no_turn_and_open_no_cycle(line: Line, reason: str) -> None:
    board = board_with(Line(1, 5, 9_900))

    assert reason_of(sell(board, 2, line)) == reason
    assert board.get(102) is None
    assert place_of(board, 11).units[0].turns == ()


def test_what_comes_to_nothing_is_refused_and_says_why() -> None:
    zero, capped = ReferThreeRules(rates_bp=(0,)), ReferThreeRules(payout_cap_bp=1)

    assert reason_of(sell(board_with(Line(1, 5, 9_900)), 2, rules=zero)) == "ZERO_RATE"
    assert reason_of(sell(board_with(Line(1, 5, 99)), 2, rules=capped)) == "CAPPED_OUT"
    assert reason_of(sell(board_with(Line(1, 5, 4)), 2)) == "ZERO_AMOUNT"


def test_the_cap_lowers_a_turn_and_says_so() -> None:
    rules = ReferThreeRules(payout_cap_bp=1_500)
    decisions = sell(board_with(Line(1, 5, 10_000)), 2, Line(2, 5, 10_000), rules=rules)

    [award] = decisions.awards
    assert (award.rate_bp, award.amount_fen, award.capped_from_fen) == (1_500, 1_500, 2_000)
    assert told(decisions)[3:] == [
        (
            "The plan caps all commission on a line at 15%, the first seat coming first. So 15% is"
            " paid, and ¥5.00 is withheld."
        ),
        "15% of ¥100.00 is ¥15.00.",
    ]


def test_a_refunded_referral_frees_its_turn_for_the_next() -> None:
    board = board_with(Line(1, 5, 9_900))
    for order_id in (2, 3):
        sell(board, order_id)

    assert refund(board, 2, 102, remaining_fen=1) == NOTHING
    assert refund(board, 2, 102).notes == ()

    assert [sell(board, one).awards[0].explanation["turn"] for one in (4, 5)] == [1, 3]


def test_an_own_order_that_is_refunded_returns_no_more_and_people_are_told() -> None:
    board = board_with(Line(1, 5, 9_900))
    sell(board, 2)
    refunded = Refunded(1, 901, 11, None, 0, True, NO_INSTANT)

    decisions = decide(DEFAULT, refunded, board)
    board.apply(decisions.places)

    assert decisions.notes == (
        {"code": "OWN_ORDER_REFUNDED", "member_id": 11, "order_id": 1, "refund_id": 901},
    )
    assert reason_of(sell(board, 3)) == "NO_OWN_ORDER"
    assert decide(DEFAULT, refunded, board) == NOTHING


def test_an_own_order_that_nobody_had_begun_to_return_needs_no_note() -> None:
    board = board_with(Line(1, 5, 9_900))

    assert decide(DEFAULT, Refunded(1, 901, 11, None, 0, True, NO_INSTANT), board).notes == ()


def test_other_events_and_empty_orders_change_nothing() -> None:
    board = board_with(None)

    assert decide(DEFAULT, Joined(ANNA, None, NO_INSTANT), board) == NOTHING
    assert decide(DEFAULT, Sold(Sale(1, ANNA, ()), ()), board) == NOTHING
    assert decide(DEFAULT, Refunded(1, 2, 3, 4, 0, True, NO_INSTANT), board) == NOTHING


def test_a_place_keeps_who_brought_its_holder_but_never_the_holder() -> None:
    board = board_with(Line(1, 5, 9_900))
    sell(board, 2)
    sell(board, 3, owner=Person(103), buyer=Person(103))

    places = [place_of(board, member_id) for member_id in (11, 102, 103)]
    assert [(one.recommender_id, one.order_id) for one in places] == [(None, 1), (11, 2), (None, 3)]


def test_an_award_tells_the_turn_the_smaller_sum_and_the_rate() -> None:
    assert told(sell(board_with(Line(1, 5, 9_999)), 2, Line(2, 5, 12_000))) == [
        (
            "Member Anna brought the buyer, member Bo, and has bought the same product: this is"
            " referral 1 of 3 in cycle 1."
        ),
        (
            "¥120.00 was paid for this line, and ¥99.99 for the unit that comes back; the smaller,"
            " ¥99.99, counts."
        ),
        "Referral 1 of a cycle returns 20%.",
        "The plan caps all commission on a line at 50%; that takes nothing away here.",
        ("20% of ¥99.99, rounded down to whole fen, is ¥19.99; the fraction stays with the brand."),
    ]


def test_refusals_tell_their_reason() -> None:
    board = board_with(Line(1, 5, 9_900), rules := ReferThreeRules(rates_bp=(1,)))

    assert told(sell(board_with(None), 2)) == [
        "Member Anna has not bought this product, so there is nothing to return."
    ]
    assert (
        told(sell(board, 2, Line(2, 5, 3), rules=rules))[-1]
        == "0.01% of ¥0.03 is less than one fen."
    )
    assert told(sell(board, 2, rules=rules)) == [
        "Member Bo counts for member Anna and this product already; different people are wanted."
    ]
    assert told(sell(board, 3, rules=rules)) == [
        (
            "Member Anna has no turn left for this product: each unit bought comes back once, at"
            " most 1 of them."
        )
    ]


def test_the_rules_are_told() -> None:
    assert [translate(message, "en") for message in MODEL.describe(DEFAULT)] == [
        (
            "Whoever has bought a product gets a share back as 3 different people whom they brought"
            " buy the same."
        ),
        "Referral 1 returns 20% of the smaller of the two sums.",
        "Referral 2 returns 30% of the smaller of the two sums.",
        "Referral 3 returns 50% of the smaller of the two sums.",
        "Each unit bought opens a cycle, 1 at most for one product.",
    ]


def test_the_worst_case_is_the_dearest_turn() -> None:
    bound = payout_bound(ReferThreeRules(rates_bp=(700, 4_000, 30), payout_cap_bp=3_999))

    assert (bound.bound_bp, bound.enforced_bp, bound.within_cap) == (4_000, 3_999, False)
    assert translate(bound.steps[0].message, "en") == (
        "Each line returns one turn at most, and the dearest returns 40%."
    )


def test_the_plan_is_what_it_is_in_the_words_of_the_law() -> None:
    found = practices(DEFAULT)

    assert (found.entry, found.paid_depth, found.pays_cash) == (Entry.BUY_PACKAGE, 1, True)
    assert (found.entry_spend_fen, found.pays_per_head) == (1, False)


def test_defaults_and_the_original_set_are_valid() -> None:
    assert MODELS["REFER_THREE_RETURN_ONE"] is MODEL
    assert (DEFAULT.rates_bp, DEFAULT.max_cycles) == ((2_000, 3_000, 5_000), 1)
    assert DEFAULT.effective_at is Moment.AFTER_SALE_CLOSED
    assert load_rules(MODEL.original).effective_at is Moment.PAID


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rates_bp", []),
        ("rates_bp", [1] * 13),
        ("max_cycles", 0),
        ("max_cycles", 100),
        ("payout_cap_bp", 10_001),
        ("payout_cap_bp", 0),
    ],
)
def test_parameters_out_of_range_are_named(field: str, value: object) -> None:
    with pytest.raises(PlanRulesInvalid) as caught:
        load_rules({"model": "REFER_THREE_RETURN_ONE", field: value})

    assert [fault.path for fault in caught.value.faults] == [field]
