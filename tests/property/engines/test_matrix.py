"""Whatever the plan and the history: what always holds of the matrix."""

import json
from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.distribution.encoding import place_from_row, place_to_row
from app.engines.documents import dump_rules, load_rules
from app.engines.events import Refunded, Sold
from app.engines.explaining import explain, explain_facts
from app.engines.matrix.engine import decide
from app.engines.matrix.ground import MatrixPlace
from app.engines.matrix.profile import payout_bound
from app.engines.matrix.rules import MatrixRules, Placement
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board, Spot
from app.engines.results import Award, Decisions, Refusal
from app.kernel.i18n import translate
from app.kernel.money import share_of
from tests.property.engines.matrix_histories import (
    random_refund,
    random_rules,
    random_sold,
    with_bonus,
)
from tests.property.engines.matrix_oracle import NaiveMatrix, Node
from tests.thoroughness import examples

seeds = st.integers(0, 2**32 - 1)
EVENTS = 45


class Story:
    """One random plan and history, decided by the engine on a board."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rules = with_bonus(random_rules(self.random), self.random)
        self.board = Board[Any]()
        self.sold: list[Sold] = []

    def next(self, number: int) -> Sold | Refunded:
        if self.random.random() < 0.1:
            member_id = self.random.randint(1, 25)
            self.board.standings[member_id] = self.random.choice(tuple(Standing))
        if self.sold and self.random.random() < 0.1:
            return random_refund(self.random, self.random.choice(self.sold), number)
        self.sold.append(random_sold(self.random, number, self.board.standings))
        return self.sold[-1]

    def decide(self, event: Sold | Refunded) -> Decisions:
        decisions = decide(self.rules, event, self.board)
        self.board.apply(decisions.places)
        return decisions


def node_at(nodes: list[Node], spot: Spot) -> Node:
    [found] = [node for node in nodes if (node.member_id, node.number) == spot]
    return found


def check_against(place: MatrixPlace, node: Node, rules: MatrixRules) -> None:
    """Compare what a position keeps with what a walk through the tree finds."""
    parent = None if node.parent is None else (node.parent.member_id, node.parent.number)
    slot = None if node.parent is None else node.parent.children.index(node) + 1
    below = [node.level(depth) for depth in range(1, rules.completion_layers + 1)]
    distance = next(
        depth
        for depth in range(99)
        if any(len(one.children) < rules.width for one in node.level(depth))
    )
    assert (place.parent, place.slot) == (parent, slot)
    assert place.recommender_id == node.sponsor_id
    assert place.order_id == node.order_id
    assert place.filled == sum(map(len, below))
    assert place.open_depth == distance
    assert (place.is_out, place.under_review) == (node.is_out, node.is_marked)


@settings(max_examples=examples(1_000))
@given(seeds)
def test_a_plain_tree_comes_to_the_same_positions_and_awards(seed: int) -> None:
    story = Story(seed)
    naive = NaiveMatrix(story.rules)
    naive.standings = story.board.standings

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        if isinstance(event, Refunded):
            assert bool(decisions.notes) == naive.refund(event)
            assert decisions.awards == ()
            continue
        assert naive.buy(event) == [
            (one.line_id, one.kind.value, one.seat, one.beneficiary_id, one.amount_fen)
            for one in decisions.awards
        ]

    places = {place.spot: place for place in story.board.all()}
    assert list(places) == [(node.member_id, node.number) for node in naive.nodes]
    for spot, place in places.items():
        check_against(place, node_at(naive.nodes, spot), story.rules)
        if place.number == 1:
            assert place.directs == naive.directs(place.member_id)


@settings(max_examples=examples(300))
@given(seeds)
def test_nobody_is_lost_and_no_position_has_more_below_than_the_width(seed: int) -> None:
    story = Story(seed)

    before: dict[Spot, MatrixPlace] = {}
    for number in range(1, EVENTS):
        changed = story.decide(story.next(number)).places
        assert all(before.get(place.spot) != place for place in changed)
        now = {place.spot: place for place in story.board.all()}
        for spot, place in before.items():
            kept = (now[spot].parent, now[spot].slot, now[spot].recommender_id, now[spot].order_id)
            assert kept == (place.parent, place.slot, place.recommender_id, place.order_id)
            assert now[spot].is_out >= place.is_out
            assert now[spot].filled >= place.filled
        before = now

    slots = Counter((place.parent, place.slot) for place in before.values() if place.parent)
    assert all(count == 1 for count in slots.values())
    assert all(1 <= slot <= story.rules.width for _, slot in slots if slot is not None)
    numbers = Counter(spot[0] for spot in before)
    assert all(count <= story.rules.positions_max for count in numbers.values())
    if story.rules.placement is Placement.GLOBAL and before:
        assert sum(place.parent is None for place in before.values()) == 1


@settings(max_examples=examples(400))
@given(seeds)
def test_no_order_pays_more_than_the_bound_nor_than_the_cap(seed: int) -> None:
    story = Story(seed)
    bound = payout_bound(story.rules)

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        if isinstance(event, Refunded):
            continue
        for line in event.sale.lines:
            paid_fen = sum(
                one.amount_fen for one in decisions.awards if one.line_id == line.line_id
            )
            assert paid_fen <= share_of(line.base_fen, bound.enforced_bp)
        if bound.within_cap:
            assert all(one.capped_from_fen is None for one in decisions.awards)


@settings(max_examples=examples(300))
@given(seeds)
def test_the_bound_is_reached_where_a_position_is_completed(seed: int) -> None:
    random = Random(seed)
    rules = with_bonus(random_rules(random), random).model_copy(
        update={
            "positions_max": 1,
            "reentry": False,
            "width": 2,
            "completion_layers": 2,
            "entry_product_ids": (),
            "layers_bp": (random.randint(0, 999), random.randint(0, 999)),
        }
    )
    rules = MatrixRules.model_validate(rules.model_dump())
    board, fen = Board[Any](), rules.entry_price_fen
    for member_id in range(1, 8):
        chain = (Person(1, 1, Standing.ACTIVE),) if member_id > 1 else ()
        sale = Sale(member_id, Person(member_id), (Line(member_id, 5, fen),))
        decisions = decide(rules, Sold(sale, chain), board)
        board.apply(decisions.places)

    lost = 3 + -(-fen // 10_000)  # a fen for each rate, and the bonus rounded up to a basis point
    assert decisions.total_fen >= share_of(fen, payout_bound(rules).enforced_bp) - lost


@settings(max_examples=examples(200))
@given(seeds)
def test_everything_can_be_stored_and_told_in_words(seed: int) -> None:
    story = Story(seed)
    assert load_rules(json.dumps(dump_rules(story.rules))) == story.rules

    for number in range(1, EVENTS):
        decisions = story.decide(story.next(number))
        every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
        for one in every:
            stored = json.loads(json.dumps(one.explanation))
            assert explain_facts(stored) == explain(one)
            assert all(translate(message, "en") for message in explain(one))
            assert "phone" not in json.dumps(stored)
        for place in decisions.places:
            row = SimpleNamespace(**json.loads(json.dumps(place_to_row(1, place))))
            assert place_from_row(MatrixPlace, row) == place


@settings(max_examples=examples(200))
@given(seeds)
def test_every_reward_of_a_join_is_decided_once(seed: int) -> None:
    story = Story(seed)

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        if isinstance(event, Refunded):
            continue
        every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
        keys = Counter((one.line_id, one.kind, one.beneficiary_id) for one in decisions.awards)
        assert all(count == 1 for count in keys.values())
        sponsor = Counter(one.line_id for one in every if one.kind == "SPONSOR")
        assert sponsor == Counter(line.line_id for line in event.sale.lines)
        layers = [one.seat for one in every if one.kind.startswith("LAYER")]
        entered = any(place.order_id == event.sale.order_id for place in decisions.places)
        assert sorted(layers) == list(range(1, len(story.rules.layers_bp) * entered + 1))
        assert all(one.explanation["kind"] == one.kind.value for one in every)
