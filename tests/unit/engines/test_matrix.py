from dataclasses import replace
from typing import Any

import pytest

from app.engines.events import Sold
from app.engines.matrix.engine import decide
from app.engines.matrix.ground import MatrixPlace
from app.engines.matrix.rules import MatrixRules, Placement
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.results import Decisions

DEFAULT = MatrixRules()
PRICE_FEN = 39_900
COUPLE = frozenset({"phone:1"})


def active(member_id: int, **changes: Any) -> Person:
    return replace(Person(member_id, 1, Standing.ACTIVE), **changes)


def join(
    board: Board[Any],
    member_id: int,
    *above: Person | int,
    rules: MatrixRules = DEFAULT,
    order_id: int | None = None,
    lines: tuple[Line, ...] | None = None,
    household: frozenset[str] = frozenset(),
) -> Decisions:
    """Sell the package to somebody and apply what is decided."""
    number = order_id or member_id
    chain = tuple(active(one) if isinstance(one, int) else one for one in above)
    package = (Line(number, 5, PRICE_FEN),)
    buyer = Person(member_id, household=household)
    sale = Sale(number, buyer, package if lines is None else lines)
    decisions = decide(rules, Sold(sale, chain), board)
    board.apply(decisions.places)
    return decisions


def board_of(count: int, rules: MatrixRules = DEFAULT) -> Board[Any]:
    """Member 1 is the root and brings all others, so that they fill the tree from the top."""
    board = Board[Any]()
    for member_id in range(1, count + 1):
        join(board, member_id, *([1] if member_id > 1 else []), rules=rules)
    return board


def place_of(board: Board[Any], member_id: int, number: int = 1) -> MatrixPlace:
    place = board.get(member_id, number)
    assert isinstance(place, MatrixPlace)
    return place


def paid(decisions: Decisions) -> list[tuple[int, str, int]]:
    return [(one.beneficiary_id, one.kind.value, one.amount_fen) for one in decisions.awards]


def refused(decisions: Decisions) -> list[tuple[int | None, str, str]]:
    for one in decisions.refusals:
        assert one.explanation["reason"] == one.reason.value
        assert one.explanation["seat"] == one.seat
    return [(one.beneficiary_id, one.kind.value, one.reason.value) for one in decisions.refusals]


def test_the_first_to_come_is_a_root_and_pays_nobody() -> None:
    board = Board[Any]()

    decisions = join(board, 1)

    assert (decisions.awards, place_of(board, 1).parent) == ((), None)
    assert refused(decisions) == [
        (None, "SPONSOR", "NO_OWNER"),
        (None, "LAYER1", "NO_UPLINE"),
        (None, "LAYER2", "NO_UPLINE"),
    ]


def test_a_sponsor_without_a_position_brings_a_new_root_and_is_not_paid() -> None:
    board = board_of(2)

    decisions = join(board, 3, 9)

    assert place_of(board, 3).parent is None
    assert place_of(board, 3).recommender_id == 9
    assert refused(decisions)[0] == (9, "SPONSOR", "NO_PLACE")


def test_a_sponsor_without_a_position_is_paid_where_the_plan_says_so() -> None:
    rules = MatrixRules(sponsor_needs_place=False)

    assert paid(join(Board[Any](), 3, 9, rules=rules)) == [(9, "SPONSOR", 3_990)]


def test_the_fifth_falls_below_the_first_on_the_left() -> None:
    board = board_of(4)

    decisions = join(board, 5, 1)

    place = place_of(board, 5)
    assert (place.parent, place.slot, place.recommender_id, place.order_id) == ((2, 1), 1, 1, 5)
    assert paid(decisions) == [
        (1, "SPONSOR", 3_990),
        (2, "LAYER1", 1_995),
        (1, "LAYER2", 1_197),
    ]
    assert [one.seat for one in decisions.awards] == [1, 1, 2]
    assert (place_of(board, 1).open_depth, place_of(board, 1).filled) == (1, 4)
    assert place_of(board, 1).directs == 4


def test_the_queue_fills_from_the_top_whoever_brings_them() -> None:
    rules = MatrixRules(placement=Placement.GLOBAL)
    board = board_of(4, rules)

    join(board, 5, 4, rules=rules)
    join(board, 6, 77, rules=rules)

    assert place_of(board, 5).parent == (2, 1)
    assert place_of(board, 6).parent == (2, 1)


def test_below_their_own_sponsor_otherwise() -> None:
    board = board_of(4)

    join(board, 5, 4)

    assert place_of(board, 5).parent == (4, 1)


@pytest.mark.parametrize(
    ("sponsor", "reason"),
    [
        (active(2, standing=Standing.FROZEN), "FROZEN"),
        (active(2, standing=Standing.QUIT), "QUIT"),
        (active(2, standing=Standing.NONE), "NOT_DISTRIBUTOR"),
        (active(2, household=COUPLE), "HOUSEHOLD"),
    ],
)
def test_a_sponsor_who_may_not_earn_still_holds_the_newcomers_place(
    sponsor: Person, reason: str
) -> None:
    board = board_of(2)

    decisions = join(board, 3, sponsor, household=COUPLE)

    assert place_of(board, 3).parent == (2, 1)
    assert refused(decisions) == [(2, "SPONSOR", reason), (2, "LAYER1", reason)]
    assert paid(decisions) == [(1, "LAYER2", 1_197)]


def test_a_layer_counts_as_it_stands_now_and_nobody_moves_up() -> None:
    board = board_of(4)
    board.standings[2] = Standing.FROZEN

    decisions = join(board, 5, 1)

    assert refused(decisions) == [(2, "LAYER1", "FROZEN")]
    assert paid(decisions) == [(1, "SPONSOR", 3_990), (1, "LAYER2", 1_197)]


def test_who_owns_the_buyer_by_being_the_buyer_comes_in_as_a_root() -> None:
    board = board_of(2)

    decisions = join(board, 3, 3)

    assert place_of(board, 3).recommender_id is None
    assert refused(decisions)[0] == (3, "SPONSOR", "BENEFICIARY_IS_BUYER")


def test_the_thirteenth_position_completes_the_root_and_lets_it_out() -> None:
    board = board_of(12)
    assert not place_of(board, 1).is_out

    decisions = join(board, 13, 4)

    assert paid(decisions)[-1] == (1, "COMPLETE", 39_900)
    award = decisions.awards[-1]
    assert (award.seat, award.rate_bp, award.base_fen) == (2, None, PRICE_FEN)
    assert place_of(board, 1).is_out
    after = join(board, 14, 1)
    assert refused(after) == []
    assert paid(after) == [(1, "SPONSOR", 3_990), (5, "LAYER1", 1_995), (2, "LAYER2", 1_197)]


def test_a_position_that_is_out_gets_no_layers_but_keeps_its_sponsor_reward() -> None:
    rules = MatrixRules(width=2, completion_layers=1)
    board = board_of(3, rules)

    decisions = join(board, 4, 1, rules=rules)

    assert refused(decisions) == [(1, "LAYER2", "OUT")]
    assert paid(decisions) == [(1, "SPONSOR", 3_990), (2, "LAYER1", 1_995)]


def test_a_frozen_holder_is_out_without_the_bonus() -> None:
    board = board_of(12)
    board.standings[1] = Standing.FROZEN

    decisions = join(board, 13, 4)

    assert (1, "COMPLETE", "FROZEN") in refused(decisions)
    assert place_of(board, 1).is_out


def test_without_a_bonus_a_complete_position_is_out_all_the_same() -> None:
    rules = MatrixRules(completion_fen=0)
    board = board_of(12, rules)

    decisions = join(board, 13, 4, rules=rules)

    assert refused(decisions) == [(1, "COMPLETE", "ZERO_RATE")]
    assert place_of(board, 1).is_out


def test_the_cap_lets_the_bonus_give_way_first() -> None:
    rules = MatrixRules(payout_cap_bp=2_000)
    board = board_of(12, rules)

    award = join(board, 13, 4, rules=rules).awards[-1]

    assert (award.amount_fen, award.capped_from_fen) == (798, 39_900)


@pytest.mark.parametrize(
    ("cap_bp", "kinds", "reasons"),
    [
        (1_000, ["SPONSOR"], ["CAPPED_OUT", "CAPPED_OUT"]),
        (1_001, ["SPONSOR", "LAYER1"], ["CAPPED_OUT"]),
        (1_500, ["SPONSOR", "LAYER1"], ["CAPPED_OUT"]),
    ],
)
def test_the_cap_is_taken_by_who_comes_first(
    cap_bp: int, kinds: list[str], reasons: list[str]
) -> None:
    rules = MatrixRules(payout_cap_bp=cap_bp)

    decisions = join(board_of(4, rules), 5, 1, rules=rules)

    assert [kind for _, kind, _ in paid(decisions)] == kinds
    assert [reason for _, _, reason in refused(decisions)] == reasons
    assert decisions.total_fen <= PRICE_FEN * cap_bp // 10_000


def test_rates_of_nothing_and_sums_below_a_fen_are_refused() -> None:
    rules = MatrixRules(
        sponsor_bp=0, layers_bp=(1, 1), entry_price_fen=1, completion_fen=0, width=2
    )
    board = board_of(3, rules)

    decisions = join(board, 4, 1, rules=rules, lines=(Line(4, 5, 9_999),))

    assert refused(decisions) == [
        (1, "SPONSOR", "ZERO_RATE"),
        (2, "LAYER1", "ZERO_AMOUNT"),
        (1, "LAYER2", "ZERO_AMOUNT"),
    ]


@pytest.mark.parametrize(("directs", "pays"), [(0, False), (1, False), (2, True)])
def test_layers_deeper_than_six_pay_those_who_brought_enough(directs: int, pays: bool) -> None:
    """Each brings the next, so that everyone stands right below whoever brought them."""
    rules = MatrixRules(layers_bp=(10,) * 8, completion_layers=0, completion_fen=0)
    board = Board[Any]()
    join(board, 1, rules=rules)
    for member_id in range(2, 9):
        join(board, member_id, member_id - 1, rules=rules)
    board.apply([replace(place_of(board, 2), directs=directs)])
    board.apply([replace(place_of(board, 1), directs=directs)])

    decisions = join(board, 9, 8, rules=rules)

    deep = [(2, "LAYER7", "TOO_FEW_DIRECTS"), (1, "LAYER8", "TOO_FEW_DIRECTS")]
    assert refused(decisions) == ([] if pays else deep)
    assert len(decisions.awards) == (9 if pays else 7)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Line(9, 5, PRICE_FEN - 1), "BELOW_ENTRY"),
        (Line(9, 5, 2 * PRICE_FEN - 1, quantity=2), "BELOW_ENTRY"),
        (Line(9, 6, PRICE_FEN), "PRODUCT_EXCLUDED"),
        (Line(9, 5, PRICE_FEN, distributable=False), "NOT_DISTRIBUTABLE"),
        (Line(9, 5, 0), "ZERO_BASE"),
    ],
)
def test_what_is_no_package_takes_no_position_and_pays_nothing(line: Line, reason: str) -> None:
    rules = MatrixRules(entry_product_ids=(5, 7))
    board = board_of(1, rules)

    decisions = join(board, 9, 1, rules=rules, lines=(line,))

    assert (decisions.awards, decisions.places) == ((), ())
    assert refused(decisions) == [(1, "SPONSOR", reason)]


def test_one_order_takes_one_position_by_its_first_package() -> None:
    lines = (Line(1, 5, 9), Line(2, 5, 3 * PRICE_FEN, quantity=3), Line(3, 5, PRICE_FEN))
    board = board_of(1, rules := MatrixRules(positions_max=5))

    decisions = join(board, 9, 1, rules=rules, lines=lines)

    assert board.count(9) == 1
    assert paid(decisions) == [(1, "SPONSOR", 11_970), (1, "LAYER1", 5_985)]
    assert [(one.line_id, one.reason.value) for one in decisions.refusals[:2]] == [
        (1, "BELOW_ENTRY"),
        (3, "ONE_POSITION"),
    ]
