"""Sentences, worst case and parameters of the matrix."""

from typing import Any

import pytest

from app.engines.bound import explain_bound
from app.engines.documents import dump_rules, load_rules
from app.engines.explaining import explain
from app.engines.faults import PlanRulesInvalid
from app.engines.matrix import MODEL
from app.engines.matrix.profile import payout_bound, practices
from app.engines.matrix.rules import MatrixRules, Placement
from app.engines.parameters import Entry, Moment
from app.engines.people import Line
from app.engines.places import Board
from app.engines.registry import MODELS
from app.engines.results import Award, Refusal
from app.kernel.i18n import translate
from tests.unit.engines.test_matrix import DEFAULT, PRICE_FEN, board_of, join

NAMES = {1: "Rui", 2: "Anna", 5: "Dan"}


def told(one: Award | Refusal) -> list[str]:
    return [translate(message, "en") for message in explain(one, names=NAMES)]


def told_in_short(one: Award | Refusal) -> str:
    [sentence] = told(one)
    return sentence


def test_awards_tell_base_reason_rate_cap_and_rounding() -> None:
    sponsor, layer, _ = join(board_of(4), 5, 1).awards
    base = (
        "¥399.00 was paid for this line, without shipping, coupons and points; commission is paid"
        " on that."
    )
    kept = "The plan caps all commission on a line at 120%; that takes nothing away here."

    assert told(sponsor) == [
        base,
        "Member Rui brought the buyer, member Dan, into the matrix.",
        "The plan pays 10% for this.",
        kept,
        "10% of ¥399.00 is ¥39.90.",
    ]
    assert told(layer) == [
        base,
        "The buyer's new position lies 1 layers below position 1 of member Anna.",
        "The plan pays 5% for this.",
        kept,
        "5% of ¥399.00 is ¥19.95.",
    ]


def test_a_completion_tells_the_filled_layers_and_the_fixed_amount() -> None:
    award = join(board_of(12), 13, 4).awards[-1]

    assert told(award)[1:] == [
        (
            "The new position is number 12 and the last in the 2 layers below position 1 of member"
            " Rui. That position is complete and out of the matrix."
        ),
        "The plan pays a fixed ¥399.00 for this.",
    ]


def test_a_capped_completion_and_a_capped_layer_tell_what_the_cap_left() -> None:
    less, least = MatrixRules(payout_cap_bp=2_000), MatrixRules(payout_cap_bp=1_200)
    bonus = join(board_of(12, less), 13, 4, rules=less).awards[-1]
    layer = join(board_of(4, least), 5, 1, rules=least).awards[-1]

    assert told(bonus)[-1] == (
        "The plan pays a fixed ¥399.00 for this; its cap of 20% on a line leaves ¥7.98 of that."
    )
    assert told(layer)[3:] == [
        (
            "The plan caps all commission on a line at 12%, the first seat coming first. So 2% is"
            " paid, and ¥11.97 is withheld."
        ),
        "2% of ¥399.00 is ¥7.98.",
    ]


def test_refusals_tell_their_reason() -> None:
    none, layer, _ = join(Board[Any](), 1).refusals
    [repeated] = join(board_of(2), 2, 1, order_id=20).refusals
    [cheap] = join(board_of(1), 2, 1, lines=(Line(9, 5, 100, quantity=2),)).refusals
    placeless = join(board_of(1), 2, 9).refusals[0]

    assert told_in_short(none) == "The buyer belonged to nobody when the order was paid."
    assert told_in_short(layer) == "There is no position 1 layers above the new one."
    assert told_in_short(repeated) == (
        "The buyer has as many positions as the plan allows, 1. A repurchase pays nothing here."
    )
    assert told_in_short(cheap) == (
        "¥1.00 was paid for 2 in number, and a position takes ¥399.00 for each."
    )
    assert told_in_short(placeless) == (
        "Member #9 has no position in the matrix, and this plan pays those who have one."
    )


def test_refusals_within_the_tree_tell_their_reason() -> None:
    small = MatrixRules(width=2, completion_layers=1, positions_max=2, reentry=True)
    board = board_of(3, small)
    [out] = join(board, 4, 1, rules=small).refusals
    twice = join(board, 9, 2, rules=small, lines=(Line(8, 5, PRICE_FEN), Line(9, 5, PRICE_FEN)))
    deep = MatrixRules(layers_bp=(1,) * 7, completion_layers=0, completion_fen=0, width=2)
    chain = Board[Any]()
    for member_id in range(1, 9):
        directs = join(chain, member_id, *([member_id - 1] if member_id > 1 else []), rules=deep)

    assert told_in_short(out) == (
        "Position 1 of member Rui is complete and out, so its layers pay nothing any more."
    )
    assert told_in_short(twice.refusals[0]) == (
        "Another line of this order has taken the position."
    )
    assert (
        told_in_short(directs.refusals[0]) == "Layer 7 pays only those who have brought 2 others."
    )


def test_refusals_about_the_sum_tell_what_for() -> None:
    rules = MatrixRules(payout_cap_bp=1_000, sponsor_bp=0, layers_bp=(1_000, 10))
    zero, capped = join(board_of(4, rules), 5, 1, rules=rules).refusals

    assert told(zero) == [
        "Member Rui brought the buyer, member Dan, into the matrix.",
        "The plan pays nothing for this.",
    ]
    assert told(capped) == [
        "The buyer's new position lies 2 layers below position 1 of member Rui.",
        ("The plan caps all commission on a line at 10%, and that leaves nothing for this."),
    ]


def test_a_root_and_a_reentry_tell_why_there_is_nothing() -> None:
    twice = MatrixRules(positions_max=2)
    rules = MatrixRules(positions_max=2, width=2, completion_layers=1, reentry=True)
    board = board_of(2, rules)
    join(board, 3, 2, rules=rules)

    rootless = join(board_of(2, twice), 1, 2, rules=twice, order_id=20).refusals[0]
    [again] = join(board, 4, 2, rules=rules).refusals

    assert told_in_short(rootless) == (
        "The buyer came into the matrix without anybody who brought them, and that never changes."
    )
    assert told(again) == [
        (
            "The new position is number 2 and the last in the 1 layers below position 1 of member"
            " Rui. That position is complete and out of the matrix."
        ),
        (
            "Somebody who came in again completed this position. No order stands behind that, so"
            " there is no bonus."
        ),
    ]


def test_the_rules_are_told() -> None:
    assert [translate(message, "en") for message in MODEL.describe(DEFAULT)] == [
        (
            "A package for ¥399.00 takes a position; nobody holds more than 1, and each has 3 below"
            " it."
        ),
        "New positions fill those of whoever brought them, from the top, left to right.",
        "Whoever brings somebody is paid 10%.",
        "For that they need a position of their own.",
        "One layer above the new position: 5%.",
        "2 layers above the new position: 3%.",
        (
            "A position with all 12 positions in the 2 layers below it is paid ¥399.00 once, and is"
            " out."
        ),
    ]


def test_options_are_told_where_they_are_taken() -> None:
    rules = MatrixRules(
        entry_product_ids=(5, 6),
        placement=Placement.GLOBAL,
        sponsor_needs_place=False,
        layers_bp=(1,) * 7,
        positions_max=2,
        reentry=True,
    )
    endless = MatrixRules(completion_layers=0, completion_fen=0)
    free = MatrixRules(layers_bp=(1,) * 7, deep_layer_directs=0)
    lines = [translate(message, "en") for message in MODEL.describe(rules)]

    assert "Only 2 products are packages." in lines
    assert "All positions form one queue, filled from the top, left to right." in lines
    assert "For that they need a position of their own." not in lines
    assert "Deeper layers than 6 pay those who have brought 2 others." in lines
    assert lines[-1] == "Whoever is out is placed again, which pays nobody."
    assert translate(list(MODEL.describe(endless))[-1], "en") == "No position is ever complete."
    assert not any("Deeper" in translate(one, "en") for one in MODEL.describe(free))


def test_the_worst_case_is_a_join_that_completes_a_position() -> None:
    bound = payout_bound(DEFAULT)

    assert [step.sum_bp for step in bound.steps] == [1_800, 11_800]
    assert (bound.bound_bp, bound.cap_bp, bound.within_cap) == (11_800, 12_000, True)
    assert [translate(message, "en") for message in explain_bound(bound)[:2]] == [
        "A join pays its sponsor 10% and 2 layers above 8% altogether: 18%.",
        (
            "A join that completes a position also pays ¥399.00, which is up to 100% of a package"
            " for ¥399.00: 118%. One join completes one position at most, for only the lowest of"
            " its layers can be filled last."
        ),
    ]


def test_a_bonus_that_is_no_whole_share_counts_as_the_next_basis_point() -> None:
    assert payout_bound(MatrixRules(completion_fen=1)).bound_bp == 1_801
    assert payout_bound(MatrixRules(completion_fen=0)).bound_bp == 1_800


def test_the_plan_is_what_it_is_in_the_words_of_the_law() -> None:
    found = practices(DEFAULT)
    queue = practices(MatrixRules(placement=Placement.GLOBAL, completion_fen=0))
    sponsor = practices(MatrixRules(completion_fen=0, layers_bp=(1, 0)))
    nothing = practices(MatrixRules(completion_fen=0, layers_bp=(), sponsor_bp=0))
    complete = practices(MatrixRules(completion_layers=4))

    assert (found.entry, found.entry_spend_fen, found.paid_depth) == (Entry.BUY_PACKAGE, 39_900, 2)
    assert (found.pays_per_head, found.fixed_share_bp) == (True, 10_000)
    assert (found.has_spillover, found.has_queue) == (True, False)
    assert (queue.has_queue, queue.pays_per_head, queue.fixed_share_bp) == (True, False, 0)
    assert (sponsor.paid_depth, nothing.paid_depth, complete.paid_depth) == (1, 0, 4)


def test_defaults_and_the_original_set_are_the_same_but_for_what_they_declare() -> None:
    original = load_rules(MODEL.original)

    assert MODELS["THREE_MATRIX"] is MODEL
    assert DEFAULT.effective_at is Moment.AFTER_SALE_CLOSED
    assert original.conduct.entry is Entry.BUY_PACKAGE
    assert original.model_copy(update={"conduct": DEFAULT.conduct}) == DEFAULT
    assert load_rules(dump_rules(original)) == original


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"width": 1}, "width", "greater_than_equal"),
        ({"width": 10}, "width", "less_than_equal"),
        ({"layers_bp": [1] * 13}, "layers_bp", "too_long"),
        ({"payout_cap_bp": 20_001}, "payout_cap_bp", "less_than_equal"),
        ({"entry_price_fen": 0}, "entry_price_fen", "greater_than_equal"),
        ({"deep_layer_directs": 100}, "deep_layer_directs", "less_than_equal"),
        ({"completion_layers": 7}, "completion_layers", "less_than_equal"),
        ({"completion_layers": 0}, "completion_fen", "completion_unneeded"),
        ({"completion_fen": 39_901}, "completion_fen", "completion_above_price"),
        (
            {"completion_layers": 0, "completion_fen": 0, "reentry": True, "positions_max": 2},
            "reentry",
            "completion_unneeded",
        ),
        ({"reentry": True}, "reentry", "reentry_positions"),
        ({"placement": "RANDOM"}, "placement", "enum"),
        ({"entry_product_ids": [0]}, "entry_product_ids.0", "greater_than_equal"),
    ],
)
def test_parameters_that_make_no_plan_are_named(
    changes: dict[str, Any], path: str, code: str
) -> None:
    with pytest.raises(PlanRulesInvalid) as caught:
        load_rules({"model": "THREE_MATRIX"} | changes)

    [fault] = caught.value.faults
    assert (fault.path, fault.code) == (path, code)
    assert translate(fault.message, "en") != "This cannot be understood."
