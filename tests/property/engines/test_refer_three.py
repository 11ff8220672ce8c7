"""Whatever the plan and the history: what always holds of refer three, return one."""

import json
from collections import defaultdict
from random import Random
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.distribution.encoding import place_from_row, place_to_row
from app.engines.documents import dump_rules, load_rules
from app.engines.events import Refunded, Sold
from app.engines.explaining import explain, explain_facts
from app.engines.people import NO_INSTANT, Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.refer_three import ReferThreePlace, ReferThreeRules, decide, payout_bound
from app.engines.results import Award, Decisions, Refusal
from app.kernel.i18n import translate
from app.kernel.money import share_of
from tests.property.engines.refer_three_oracle import NaiveReturns
from tests.thoroughness import examples

seeds = st.integers(0, 2**32 - 1)
EVENTS = 60
PEOPLE = 14


class Story:
    """One random plan and history, decided by the engine on a board."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        turns = self.random.choice((1, 2, 3, 3, 5))
        rates_bp = tuple(self.random.randint(0, 10_000 // turns) for _ in range(turns))
        self.rules = ReferThreeRules(
            rates_bp=self.random.choice((rates_bp, (2_000, 3_000, 5_000))),
            max_cycles=self.random.choice((1, 1, 2, 5)),
            payout_cap_bp=self.random.choice((10_000, 5_000, self.random.randint(1, 4_000))),
        )
        self.board = Board[Any]()
        self.sold: list[Sold] = []

    def person(self, member_id: int) -> Person:
        kin = self.random.random() < 0.1
        household = frozenset({f"phone:{self.random.randint(1, 6)}"} if kin else ())
        odd = self.random.choice(tuple(Standing))
        standing = odd if self.random.random() < 0.1 else Standing.ACTIVE
        return Person(member_id, 1, standing, household)

    def next(self, number: int) -> Sold | Refunded:
        random = self.random
        if self.sold and random.random() < 0.15:
            sold = random.choice(self.sold)
            return Refunded(
                order_id=sold.sale.order_id,
                refund_id=number,
                buyer_id=sold.sale.buyer.member_id,
                owner_id=sold.chain[0].member_id if sold.chain else None,
                remaining_fen=random.choice((0, 0, 1)),
                is_settled=True,
                at=NO_INSTANT,
            )
        lines = tuple(
            Line(
                number * 10 + nth,
                product_id=random.choice((5, 5, 6)),
                base_fen=random.choice((9_900, 9_900, 20_001, 3, 0)),
                distributable=random.random() < 0.95,
                quantity=random.choice((1, 1, 1, 2, 3)),
            )
            for nth in range(random.choice((1, 1, 2)))
        )
        owners = [random.choice((1, 1, 2, 3, random.randint(1, PEOPLE)))]
        chain = tuple(self.person(one) for one in owners) if random.random() < 0.9 else ()
        buyer = self.person(random.randint(1, PEOPLE))
        self.sold.append(Sold(Sale(number, buyer, lines), chain))
        return self.sold[-1]

    def decide(self, event: Sold | Refunded) -> Decisions:
        decisions = decide(self.rules, event, self.board)
        self.board.apply(decisions.places)
        return decisions


@settings(max_examples=examples(1_500))
@given(seeds)
def test_a_table_of_turns_comes_to_the_same_awards(seed: int) -> None:
    story = Story(seed)
    naive = NaiveReturns(story.rules)

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        if isinstance(event, Refunded):
            assert bool(decisions.notes) == naive.refund(event)
            assert decisions.awards == ()
            continue
        assert naive.sell(event) == [
            (one.line_id, one.beneficiary_id, one.base_fen, one.amount_fen)
            for one in decisions.awards
        ]


@settings(max_examples=examples(400))
@given(seeds)
def test_no_line_pays_more_than_the_bound_nor_than_the_cap(seed: int) -> None:
    story = Story(seed)
    bound = payout_bound(story.rules)

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        if isinstance(event, Refunded):
            continue
        bases_fen = {line.line_id: line.base_fen for line in event.sale.lines}
        for one in decisions.awards:
            assert one.rate_bp is not None
            assert one.base_fen <= bases_fen[one.line_id]
            assert one.amount_fen == share_of(one.base_fen, one.rate_bp)
            assert one.amount_fen <= share_of(bases_fen[one.line_id], bound.enforced_bp)
            assert one.capped_from_fen is None or not bound.within_cap
            assert one.beneficiary_id != event.sale.buyer.member_id
        every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
        assert sorted(one.line_id for one in every) == sorted(bases_fen)


@settings(max_examples=examples(400))
@given(seeds)
def test_no_unit_brings_back_more_than_its_rates_after_refunds_have_taken_awards_back(
    seed: int,
) -> None:
    story = Story(seed)
    standing: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        if isinstance(event, Refunded):
            for paid in standing.values():
                if not event.remaining_fen:
                    paid.pop(event.order_id, None)
            continue
        for one in decisions.awards:
            product_id = one.explanation["product_id"]
            assert isinstance(product_id, int)
            paid = standing[one.beneficiary_id, product_id]
            paid[event.sale.order_id] = paid.get(event.sale.order_id, 0) + one.amount_fen

    for (member_id, product_id), paid in standing.items():
        place = story.board.get(member_id)
        assert place is not None
        units = [unit for unit in place.units if unit.product_id == product_id]
        most_fen = sum(share_of(unit.unit_fen, sum(story.rules.rates_bp)) for unit in units)
        assert sum(paid.values()) <= most_fen
        for unit in units:
            turns = [turn.turn for turn in unit.turns]
            assert len(set(turns)) == len(turns)
            assert set(turns) <= set(range(1, len(story.rules.rates_bp) + 1))


@settings(max_examples=examples(300))
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
            assert place_from_row(ReferThreePlace, row) == place
