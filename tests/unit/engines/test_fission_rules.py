"""Refunds, sentences, worst case and parameters of fission."""

from typing import Any

import pytest

from app.engines.bound import explain_bound
from app.engines.documents import load_rules
from app.engines.events import Joined, Refunded, Sold
from app.engines.faults import PlanRulesInvalid
from app.engines.fission import MODEL
from app.engines.fission.engine import decide
from app.engines.fission.profile import payout_bound, practices
from app.engines.fission.rules import FissionRules, GiftForm, GiftTerms
from app.engines.parameters import Moment
from app.engines.people import NO_INSTANT, Person, Sale, Standing
from app.engines.places import Board
from app.engines.registry import MODELS
from app.engines.results import NOTHING
from app.kernel.i18n import translate
from tests.unit.engines.test_fission import (
    ANNA,
    BONUS,
    DEFAULT,
    SECOND,
    TIERED,
    open_orders,
    place_of,
    refer,
    refund,
    told,
    two_rounds_below,
)


def test_a_refunded_referral_leaves_the_open_round() -> None:
    board = Board[Any]()
    for order_id in (1, 2):
        refer(board, order_id)

    assert refund(board, 1, remaining_fen=1) == NOTHING
    assert open_orders(board) == [1, 2]
    assert refund(board, 1).notes == ()

    assert open_orders(board) == [2]
    assert refund(board, 1) == NOTHING


def test_a_closed_round_stays_closed_and_people_are_told() -> None:
    board = Board[Any]()
    for order_id in (1, 2, 3, 4):
        refer(board, order_id)
    before = place_of(board, 11)

    decisions = refund(board, 2)

    assert place_of(board, 11) == before
    assert decisions.places == ()
    assert decisions.notes == (
        {
            "code": "CLOSED_ROUND_REFUNDED",
            "member_id": 11,
            "buyer_id": 102,
            "order_id": 2,
            "refund_id": 902,
            "round": 1,
        },
    )


def test_other_events_and_empty_orders_change_nothing() -> None:
    board = Board[Any]()

    assert decide(DEFAULT, Joined(ANNA, None, NO_INSTANT), board) == NOTHING
    assert decide(DEFAULT, Sold(Sale(1, ANNA, ()), ()), board) == NOTHING
    assert refund(board, 1) == NOTHING
    nobodys = Refunded(1, 2, 3, None, 0, True, NO_INSTANT)
    assert decide(DEFAULT, nobodys, board) == NOTHING


def test_orders_of_one_instant_stand_by_their_number() -> None:
    board = Board[Any]()
    for order_id in (2, 1):
        refer(board, order_id)

    assert open_orders(board) == [1, 2]


def test_a_second_tier_that_is_switched_on_later_looks_only_at_rounds_that_are_moved() -> None:
    plain, board = FissionRules(per_round=2), Board[Any]()
    for order_id, owner_id in ((1, 11), (2, 11), (3, 101), (4, 101), (5, 102), (6, 102), (7, 11)):
        refer(board, order_id, Person(owner_id, 1, Standing.ACTIVE), rules=plain)
    refer(board, 8, rules=plain)
    late = Person(107, 1, Standing.ACTIVE)
    refer(board, 9, late, rules=TIERED)

    decisions = refer(board, 10, late, rules=TIERED)

    assert [gift.kind.value for gift in decisions.gifts] == ["NEWCOMER", "ROUND"]
    assert [one.is_bonus_settled for one in place_of(board, 11).rounds] == [False, False]


def test_gifts_tell_why_and_what() -> None:
    board = Board[Any]()
    for order_id in (1, 2):
        refer(board, order_id)

    newcomer, closed = refer(board, 3).gifts

    assert told(newcomer) == [
        "This is the first order of member Bo, whom member Anna brought.",
        "The plan gives this coupon for it: 新客体验券, 1 in number.",
    ]
    assert told(closed) == [
        (
            "Member Bo is new customer number 3 of 3 within 30 days, so round 1 of member Anna is"
            " closed."
        ),
        "The plan gives this coupon for it: 护理项目抵用券, 1 in number.",
    ]


def test_the_second_tier_tells_whose_round_it_was() -> None:
    bonus = two_rounds_below(Board[Any](), SECOND).gifts[2]

    assert told(bonus) == [
        (
            "All 2 new customers of round 1 of member Anna have closed a round of their own. This"
            " is given once a round."
        ),
        "The plan gives this service for it: 面部护理, 1 in number.",
    ]


def test_points_are_told_as_points() -> None:
    points = GiftTerms(form=GiftForm.POINTS, item="积分", amount=500)

    gift = refer(Board[Any](), 1, rules=FissionRules(newcomer_gift=points)).gifts[0]

    assert gift.amount == 500
    assert told(gift)[1] == "The plan gives points for it: 积分, 500 in number."


def test_refusals_tell_their_reason() -> None:
    rules, board = FissionRules(per_round=2, max_rounds_per_year=1), Board[Any]()
    again = refer(board, 1, rules=rules, is_first=False)
    opened, _, full = (refer(board, order_id, rules=rules) for order_id in (2, 3, 4))
    known = refer(board, 5, buyer=Person(102), rules=rules)

    assert told(again.refusals[0]) == ["The buyer had ordered before, so this is no new customer."]
    assert told(opened.refusals[0]) == [
        (
            "Round 1 of member Anna has 1 of the 2 new customers that it needs within 30 days. The"
            " gift comes with the last."
        )
    ]
    assert told(full.refusals[0]) == [
        (
            "Member Anna has closed 1 rounds within 365 days, as many as the plan allows, so this"
            " new customer counts for none."
        )
    ]
    assert told(known.refusals[0]) == ["The buyer was counted as a new customer already."]


def test_the_rules_are_told() -> None:
    tiered = FissionRules(strict=False, round_bonus=BONUS, newcomer_gift=None)

    assert [translate(message, "en") for message in MODEL.describe(DEFAULT)] == [
        "A new customer is given with their first order: coupon: 新客体验券, 1 in number.",
        (
            "Every 3 new customers within 30 days close a round, which brings: coupon:"
            " 护理项目抵用券, 1 in number."
        ),
        "Nobody closes more than 4 rounds within 365 days.",
        "Nothing is given for what the people brought bring in turn.",
    ]
    assert [translate(message, "en") for message in MODEL.describe(tiered)][2:] == [
        (
            "Once everyone of a round has closed a round of their own, it also brings: service:"
            " 面部护理, 1 in number."
        )
    ]


def test_the_plan_never_costs_money() -> None:
    bound = payout_bound(DEFAULT)

    assert (bound.bound_bp, bound.monthly_bp, bound.within_cap) == (0, 0, True)
    assert translate(explain_bound(bound)[0], "en") == (
        "The plan gives coupons, points and services, and no money."
    )


def test_the_plan_is_what_it_is_in_the_words_of_the_law() -> None:
    plain, tiered = practices(DEFAULT), practices(FissionRules(strict=False, round_bonus=BONUS))
    early = practices(FissionRules(effective_at=Moment.RECEIVED))

    assert (plain.paid_depth, plain.pays_cash, plain.pays_per_head) == (1, False, False)
    assert (tiered.paid_depth, early.pays_per_head) == (2, True)


def test_defaults_and_the_original_set_are_valid() -> None:
    assert MODELS["THREE_FISSION"] is MODEL
    assert (DEFAULT.per_round, DEFAULT.window_days, DEFAULT.max_rounds_per_year) == (3, 30, 4)
    assert (DEFAULT.strict, DEFAULT.round_bonus) == (True, None)
    assert DEFAULT.effective_at is Moment.AFTER_SALE_CLOSED
    original = load_rules(MODEL.original)
    assert isinstance(original, FissionRules)
    assert original.round_bonus is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("per_round", 1),
        ("per_round", 100),
        ("window_days", 0),
        ("max_rounds_per_year", 0),
        ("max_rounds_per_year", 100),
        ("round_gift", None),
    ],
)
def test_parameters_out_of_range_are_named(field: str, value: object) -> None:
    with pytest.raises(PlanRulesInvalid) as caught:
        load_rules({"model": "THREE_FISSION", field: value})

    assert [fault.path for fault in caught.value.faults] == [field]


def test_a_strict_plan_has_no_second_tier() -> None:
    document = {"model": "THREE_FISSION", "round_bonus": BONUS.model_dump(mode="json")}

    with pytest.raises(PlanRulesInvalid) as caught:
        load_rules(document)

    [fault] = caught.value.faults
    assert (fault.path, fault.code) == ("round_bonus", "bonus_when_strict")
    assert translate(fault.message, "en") == (
        "A strict plan has no second tier: it would reward recruiting."
    )
    assert isinstance(load_rules(document | {"strict": False}), FissionRules)


@pytest.mark.parametrize(
    ("gift", "path", "text"),
    [
        ({"form": "CASH", "item": "x"}, "form", "This must be one of: COUPON, POINTS, SERVICE."),
        ({"form": "POINTS", "item": ""}, "item", "This needs at least 1 characters."),
        ({"form": "POINTS", "item": "x" * 61}, "item", "This may have at most 60 characters."),
        ({"form": "POINTS", "item": "x", "amount": 0}, "amount", "This must be at least 1."),
        ({"form": "POINTS"}, "item", "This is required."),
    ],
)
def test_gifts_that_are_none_are_named(gift: dict[str, Any], path: str, text: str) -> None:
    with pytest.raises(PlanRulesInvalid) as caught:
        load_rules({"model": "THREE_FISSION", "round_gift": gift})

    [fault] = caught.value.faults
    assert (fault.path, translate(fault.message, "en")) == (f"round_gift.{path}", text)
