"""Several positions a person, coming in again, and refunds."""

from dataclasses import replace
from typing import Any

from app.engines.events import Joined, Refunded
from app.engines.matrix.engine import AwardKind, decide
from app.engines.matrix.ground import MatrixPlace
from app.engines.matrix.rules import MatrixRules
from app.engines.people import NO_INSTANT, Standing
from app.engines.places import Board
from app.engines.results import NOTHING, Decisions
from tests.unit.engines.test_matrix import (
    DEFAULT,
    PRICE_FEN,
    active,
    board_of,
    join,
    paid,
    place_of,
    refused,
)


def test_a_repurchase_takes_no_position_and_pays_nothing() -> None:
    board = board_of(2)

    decisions = join(board, 2, 1, order_id=20)

    assert (decisions.awards, decisions.places) == ((), ())
    assert refused(decisions) == [(1, "SPONSOR", "POSITIONS_HELD")]


def test_an_extra_position_goes_below_the_first_sponsor_and_does_not_count_as_brought() -> None:
    board = board_of(3, rules := MatrixRules(positions_max=2))

    decisions = join(board, 2, 3, 1, rules=rules, order_id=20)

    extra = place_of(board, 2, 2)
    assert (extra.parent, extra.recommender_id, extra.order_id) == ((1, 1), 1, 20)
    assert paid(decisions) == [(1, "SPONSOR", 3_990), (1, "LAYER1", 1_995)]
    assert place_of(board, 1).directs == 2


def test_whom_somebody_brought_counts_for_all_their_positions() -> None:
    rules = MatrixRules(layers_bp=(10,) * 7, completion_layers=0, completion_fen=0)
    places = [MatrixPlace(member_id=1, directs=2), MatrixPlace(member_id=1, number=2)]
    places.append(MatrixPlace(member_id=2, parent=(1, 2), slot=1))
    for member_id in range(3, 8):
        places.append(MatrixPlace(member_id=member_id, parent=(member_id - 1, 1), slot=1))

    decisions = join(Board[Any](places), 8, 7, rules=rules)

    assert paid(decisions)[-1] == (1, "LAYER7", 39)
    assert decisions.awards[-1].explanation["position"] == 2


def test_a_position_that_is_out_is_never_completed_again() -> None:
    rules = MatrixRules(width=2, completion_layers=1)
    places = [
        MatrixPlace(member_id=1, filled=2, is_out=True),
        MatrixPlace(member_id=2, parent=(1, 1), slot=1),
    ]

    decisions = join(Board[Any](places), 3, 1, rules=rules)

    assert paid(decisions) == [(1, "SPONSOR", 3_990)]
    assert refused(decisions) == [(1, "LAYER1", "OUT"), (None, "LAYER2", "NO_UPLINE")]


def test_nobody_earns_on_a_position_of_their_own() -> None:
    rules = MatrixRules(positions_max=2, width=2, completion_layers=0, completion_fen=0)
    board = board_of(3, rules)

    decisions = join(board, 2, 1, rules=rules, order_id=20)

    assert place_of(board, 2, 2).parent == (2, 1)
    assert refused(decisions) == [(2, "LAYER1", "BENEFICIARY_IS_BUYER")]


def test_an_extra_position_of_a_root_has_no_sponsor_even_if_its_buyer_has_an_owner_by_now() -> None:
    board = board_of(2, rules := MatrixRules(positions_max=2))

    decisions = join(board, 1, 2, rules=rules, order_id=20)

    assert place_of(board, 1, 2).parent is None
    assert refused(decisions)[0] == (None, "SPONSOR", "NO_SPONSOR")


REENTRY = MatrixRules(positions_max=2, width=2, completion_layers=1, reentry=True)


def test_who_is_out_comes_in_again_below_their_own_sponsor_at_nobodys_expense() -> None:
    board = board_of(2, REENTRY)
    join(board, 3, 2, rules=REENTRY)

    decisions = join(board, 4, 2, rules=REENTRY)

    again = place_of(board, 2, 2)
    assert (again.parent, again.slot, again.order_id, again.recommender_id) == ((1, 1), 2, None, 1)
    assert paid(decisions) == [
        (2, "SPONSOR", 3_990),
        (2, "LAYER1", 1_995),
        (1, "LAYER2", 1_197),
        (2, "COMPLETE", 39_900),
    ]
    assert place_of(board, 1).is_out
    assert refused(decisions) == [(1, "COMPLETE", "REENTRY")]
    assert place_of(board, 1, 2).parent is None


def test_who_may_not_earn_or_has_enough_positions_does_not_come_in_again() -> None:
    board = board_of(2, REENTRY)
    board.standings[1] = Standing.FROZEN
    join(board, 3, 1, rules=REENTRY)
    assert place_of(board, 1).is_out
    assert board.count(1) == 1

    full = board_of(2, REENTRY)
    join(full, 1, rules=REENTRY, order_id=20)
    join(full, 3, 1, rules=REENTRY)
    assert place_of(full, 1).is_out
    assert full.count(1) == 2


def refund(board: Board[Any], order_id: int, buyer_id: int, remaining_fen: int) -> Decisions:
    event = Refunded(order_id, 900, buyer_id, 1, remaining_fen, True, NO_INSTANT)
    decisions = decide(DEFAULT, event, board)
    board.apply(decisions.places)
    return decisions


def test_a_refund_marks_the_position_and_leaves_the_tree_alone() -> None:
    board = board_of(5)
    before = place_of(board, 3)

    assert refund(board, 3, 3, remaining_fen=PRICE_FEN) == NOTHING
    decisions = refund(board, 3, 3, remaining_fen=PRICE_FEN - 1)

    assert decisions.notes == (
        {
            "code": "POSITION_REFUNDED",
            "member_id": 3,
            "position": 1,
            "order_id": 3,
            "refund_id": 900,
            "remaining_fen": PRICE_FEN - 1,
        },
    )
    assert decisions.places == (replace(before, under_review=True),)
    assert refund(board, 3, 3, remaining_fen=0) == NOTHING


def test_refunds_of_orders_without_a_position_and_other_events_change_nothing() -> None:
    board = board_of(2)

    assert refund(board, 77, 2, remaining_fen=0) == NOTHING
    assert refund(board, 77, 78, remaining_fen=0) == NOTHING
    assert decide(DEFAULT, Joined(active(1), None, NO_INSTANT), board) == NOTHING
    assert join(board, 9, 1, lines=()) == NOTHING


def test_there_is_a_kind_for_every_layer() -> None:
    assert [kind.value for kind in AwardKind][1:13] == [f"LAYER{one}" for one in range(1, 13)]
