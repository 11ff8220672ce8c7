from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.engines.events import Refunded, Sold
from app.engines.explaining import explain
from app.engines.fission.engine import FissionPlace, decide
from app.engines.fission.rules import FissionRules, GiftForm, GiftTerms
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.results import Decisions, Gift, Refusal
from app.kernel.i18n import translate

START = datetime(2026, 3, 1, tzinfo=UTC)
DEFAULT = FissionRules()
BONUS = GiftTerms(form=GiftForm.SERVICE, item="面部护理", amount=1)
TIERED = FissionRules(per_round=2, strict=False, round_bonus=BONUS)
ANNA = Person(11, 1, Standing.ACTIVE)
COUPLE = frozenset({"phone:1"})


def refer(
    board: Board[Any],
    order_id: int,
    owner: Person | None = ANNA,
    buyer: Person | None = None,
    *lines: Line,
    rules: FissionRules = DEFAULT,
    day: float = 0,
    is_first: bool = True,
    above: tuple[Person, ...] = (),
) -> Decisions:
    """Sell to somebody new and apply what is decided."""
    sale = Sale(
        order_id,
        buyer or Person(100 + order_id),
        lines or (Line(order_id, 5, 9_900),),
        at=START + timedelta(days=day),
        is_first=is_first,
    )
    decisions = decide(rules, Sold(sale, (owner, *above) if owner else ()), board)
    board.apply(decisions.places)
    return decisions


def refund(board: Board[Any], order_id: int, remaining_fen: int = 0) -> Decisions:
    at = START + timedelta(days=9)
    event = Refunded(order_id, 900 + order_id, 100 + order_id, 11, remaining_fen, True, at)
    decisions = decide(DEFAULT, event, board)
    board.apply(decisions.places)
    return decisions


def place_of(board: Board[Any], member_id: int) -> FissionPlace:
    place = board.get(member_id)
    assert isinstance(place, FissionPlace)
    return place


def gifts(decisions: Decisions) -> list[tuple[int, str]]:
    return [(gift.beneficiary_id, gift.kind.value) for gift in decisions.gifts]


def reasons(decisions: Decisions) -> list[tuple[int | None, str, int, str]]:
    for one in decisions.refusals:
        assert one.explanation["reason"] == one.reason.value
    return [
        (one.beneficiary_id, one.kind.value, one.seat, one.reason.value)
        for one in decisions.refusals
    ]


def told(one: Gift | Refusal) -> list[str]:
    return [translate(message, "en") for message in explain(one, names={11: "Anna", 103: "Bo"})]


def open_orders(board: Board[Any]) -> list[int]:
    return [one.order_id for one in place_of(board, 11).open_referrals]


def test_the_third_new_customer_closes_the_round() -> None:
    board = Board[Any]()

    decisions = [refer(board, order_id) for order_id in (1, 2, 3)]

    assert [gifts(one) for one in decisions] == [
        [(101, "NEWCOMER")],
        [(102, "NEWCOMER")],
        [(103, "NEWCOMER"), (11, "ROUND")],
    ]
    assert reasons(decisions[0]) == [(11, "ROUND", 1, "ROUND_OPEN")]
    assert decisions[2].gifts[0].explanation["seat"] == 0
    gift = decisions[2].gifts[1]
    assert (gift.item, gift.amount, gift.line_id) == ("护理项目抵用券", 1, 3)
    assert {key: gift.explanation[key] for key in ("seat", "round", "count", "form")} == {
        "seat": 1,
        "round": 1,
        "count": 3,
        "form": "COUPON",
    }
    [one] = place_of(board, 11).rounds
    assert (one.number, [referral.order_id for referral in one.referrals]) == (1, [1, 2, 3])
    assert open_orders(board) == []


@pytest.mark.parametrize(("day", "closes"), [(30, True), (30.001, False)])
def test_a_round_is_closed_within_the_window_to_the_instant(day: float, closes: bool) -> None:
    board = Board[Any]()
    for order_id in (1, 2):
        refer(board, order_id)

    decisions = refer(board, 3, day=day)

    assert ((11, "ROUND") in gifts(decisions)) == closes
    assert open_orders(board) == ([] if closes else [3])


def test_only_what_is_too_old_lapses() -> None:
    board = Board[Any]()
    for order_id, day in ((1, 0), (2, 20), (3, 40)):
        refer(board, order_id, day=day)

    assert open_orders(board) == [2, 3]
    assert (11, "ROUND") in gifts(refer(board, 4, day=50))


def test_an_order_that_counts_late_stands_where_it_was_paid() -> None:
    board = Board[Any]()
    refer(board, 1, day=31)
    late = refer(board, 2, day=10)

    assert open_orders(board) == [2, 1]
    assert late.refusals[0].explanation["count"] == 2
    refer(board, 3, day=0)
    assert open_orders(board) == [2, 1]


def test_a_year_holds_no_more_rounds_than_the_plan_allows() -> None:
    rules = FissionRules(per_round=2, max_rounds_per_year=1)
    board = Board[Any]()
    for order_id in (1, 2):
        refer(board, order_id, rules=rules)

    full = refer(board, 3, rules=rules, day=364.999)
    again = [refer(board, order_id, rules=rules, day=365) for order_id in (4, 5)]

    assert reasons(full) == [(11, "ROUND", 1, "YEAR_FULL")]
    assert gifts(full) == [(103, "NEWCOMER")]
    assert gifts(again[1])[1:] == [(11, "ROUND")]
    assert [one.number for one in place_of(board, 11).rounds] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"owner": None}, "NO_OWNER"),
        ({"is_first": False}, "NOT_FIRST"),
        ({"buyer": ANNA}, "BENEFICIARY_IS_BUYER"),
        (
            {"owner": replace(ANNA, household=COUPLE), "buyer": Person(9, household=COUPLE)},
            "HOUSEHOLD",
        ),
    ],
)
def test_what_is_no_new_customer_brings_nobody_anything(
    changes: dict[str, Any], reason: str
) -> None:
    decisions = refer(Board[Any](), 1, **changes)

    owner_id = None if reason == "NO_OWNER" else 11
    assert reasons(decisions) == [(owner_id, "ROUND", 1, reason)]
    assert (decisions.gifts, decisions.places, decisions.awards) == ((), (), ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [(Line(1, 5, 0), "ZERO_BASE"), (Line(1, 5, 9_900, distributable=False), "NOT_DISTRIBUTABLE")],
)
def test_an_order_without_a_line_that_counts_is_no_referral(line: Line, reason: str) -> None:
    decisions = refer(Board[Any](), 1, ANNA, None, line)

    assert reasons(decisions) == [(11, "ROUND", 1, reason)]
    assert (decisions.gifts, decisions.places) == ((), ())


def test_the_first_line_that_counts_stands_for_the_order() -> None:
    decisions = refer(Board[Any](), 1, ANNA, None, Line(1, 5, 0), Line(2, 6, 100), Line(3, 5, 9))

    assert [gift.line_id for gift in decisions.gifts] == [2]
    assert [one.line_id for one in decisions.refusals] == [2]
    none = refer(Board[Any](), 1, ANNA, None, Line(1, 5, 0), Line(2, 5, 0))
    assert [one.line_id for one in none.refusals] == [1]


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing.FROZEN, "FROZEN"),
        (Standing.QUIT, "QUIT"),
        (Standing.NONE, "NOT_DISTRIBUTOR"),
    ],
)
def test_newcomers_are_welcome_whoever_brought_them_but_count_for_nobody(
    standing: Standing, reason: str
) -> None:
    board = Board[Any]()

    decisions = refer(board, 1, replace(ANNA, standing=standing))

    assert (gifts(decisions), reasons(decisions)) == (
        [(101, "NEWCOMER")],
        [(11, "ROUND", 1, reason)],
    )
    assert board.get(11) is None
    assert place_of(board, 101).referrer_id == 11


def test_a_newcomer_counts_once() -> None:
    board, bo = Board[Any](), Person(103)
    refer(board, 1, buyer=bo)

    decisions = refer(board, 2, Person(12, 1, Standing.ACTIVE), bo)

    assert reasons(decisions) == [(12, "ROUND", 1, "ALREADY_REFERRED")]
    assert decisions.gifts == ()
    assert place_of(board, 103).referrer_id == 11


def test_without_a_gift_for_newcomers_only_rounds_bring_something() -> None:
    rules = FissionRules(per_round=2, newcomer_gift=None)
    board = Board[Any]()

    assert [gifts(refer(board, order_id, rules=rules)) for order_id in (1, 2)] == [
        [],
        [(11, "ROUND")],
    ]


def test_a_place_keeps_who_recommended_its_holder() -> None:
    board = Board[Any]()
    refer(board, 1, above=(Person(12),))
    refer(board, 2, Person(101, 1, Standing.ACTIVE), above=(ANNA,))

    found = [place_of(board, member_id) for member_id in (11, 101, 102)]
    assert [(one.recommender_id, one.referrer_id, one.order_id) for one in found] == [
        (12, None, None),
        (11, 11, 1),
        (101, 101, 2),
    ]


def test_who_is_brought_later_keeps_their_recommender_and_their_rounds() -> None:
    board = Board[Any]()
    refer(board, 1, above=(Person(12),))

    refer(board, 2, Person(13, 1, Standing.ACTIVE), ANNA)

    place = place_of(board, 11)
    assert (place.recommender_id, place.referrer_id, place.order_id) == (12, 13, None)
    assert open_orders(board) == [1]


def two_rounds_below(board: Board[Any], last_owner: Person, **changes: Any) -> Decisions:
    """Anna brings 101 and 102; each then brings two of their own, the last decided last."""
    for order_id in (1, 2):
        refer(board, order_id, rules=TIERED)
    first = Person(101, 1, Standing.ACTIVE)
    for order_id, owner in ((3, first), (4, first), (5, last_owner)):
        refer(board, order_id, owner, rules=TIERED)
    return refer(board, 6, last_owner, rules=TIERED, **changes)


SECOND = Person(102, 1, Standing.ACTIVE)


def test_the_second_tier_comes_once_all_of_a_round_have_closed_one() -> None:
    board = Board[Any]()

    decisions = two_rounds_below(board, SECOND)

    assert gifts(decisions) == [(106, "NEWCOMER"), (102, "ROUND"), (11, "TIER2")]
    assert decisions.gifts[2].explanation["seat"] == 2
    assert decisions.gifts[2].item == "面部护理"
    assert place_of(board, 11).rounds[0].is_bonus_settled
    for order_id in (7, 8):
        again = refer(board, order_id, SECOND, rules=TIERED)
    assert gifts(again) == [(108, "NEWCOMER"), (102, "ROUND")]


def test_the_second_tier_also_comes_with_the_round_whose_people_were_faster() -> None:
    board = Board[Any]()
    for order_id, owner_id in ((1, 101), (2, 101), (3, 102), (4, 102)):
        owner = Person(owner_id, 1, Standing.ACTIVE)
        refer(board, order_id, owner, Person(200 + order_id), rules=TIERED)
    refer(board, 5, buyer=Person(101), rules=TIERED)

    decisions = refer(board, 6, buyer=Person(102), rules=TIERED)

    assert gifts(decisions) == [(102, "NEWCOMER"), (11, "ROUND"), (11, "TIER2")]


@pytest.mark.parametrize(
    ("standings", "changes", "reason"),
    [
        ({11: Standing.FROZEN}, {}, "FROZEN"),
        ({}, {"above": (replace(ANNA, standing=Standing.QUIT),)}, "QUIT"),
        ({}, {"buyer": ANNA}, "BENEFICIARY_IS_BUYER"),
        (
            {},
            {"above": (replace(ANNA, household=COUPLE),), "buyer": Person(9, household=COUPLE)},
            "HOUSEHOLD",
        ),
    ],
)
def test_the_second_tier_is_lost_on_who_may_not_earn(
    standings: dict[int, Standing], changes: dict[str, Any], reason: str
) -> None:
    board = Board[Any](standings=standings)

    decisions = two_rounds_below(board, SECOND, **changes)

    assert [kind for _, kind in gifts(decisions)] == ["NEWCOMER", "ROUND"]
    assert reasons(decisions) == [(11, "TIER2", 2, reason)]
    assert place_of(board, 11).rounds[0].is_bonus_settled
