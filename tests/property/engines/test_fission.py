"""Whatever the plan and the history: what always holds of fission."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.distribution.encoding import place_from_row, place_to_row
from app.engines.documents import dump_rules, load_rules
from app.engines.events import Refunded, Sold
from app.engines.explaining import explain, explain_facts
from app.engines.fission.engine import FissionPlace, decide
from app.engines.fission.profile import payout_bound
from app.engines.fission.rules import FissionRules, GiftForm, GiftTerms
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.results import Decisions, Gift, Refusal
from app.kernel.i18n import translate
from tests.property.engines.fission_oracle import NaiveFission
from tests.thoroughness import examples

seeds = st.integers(0, 2**32 - 1)
START = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = 60
PEOPLE = 40


def random_gift(random: Random) -> GiftTerms:
    return GiftTerms(form=random.choice(tuple(GiftForm)), item="礼", amount=random.randint(1, 9))


def random_rules(random: Random) -> FissionRules:
    strict = random.random() < 0.3
    return FissionRules(
        per_round=random.choice((2, 2, 3)),
        window_days=random.choice((3, 10, 30, 900)),
        max_rounds_per_year=random.choice((1, 2, 4, 99)),
        newcomer_gift=random.choice((None, random_gift(random))),
        round_gift=random_gift(random),
        strict=strict,
        round_bonus=None if strict else random_gift(random),
    )


class Story:
    """One random plan and history, decided by the engine on a board."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rules = random_rules(self.random)
        self.board = Board[Any]()
        self.sold: list[Sold] = []
        self.at = START
        self.step_hours = self.random.choice((1, 12, 100, 1_000))

    def person(self, member_id: int) -> Person:
        kin = self.random.random() < 0.1
        household = frozenset({f"phone:{self.random.randint(1, 6)}"} if kin else ())
        standing = self.board.standings.get(member_id, Standing.ACTIVE)
        return Person(member_id, 1, standing, household)

    def next(self, number: int) -> Sold | Refunded:
        random = self.random
        if random.random() < 0.08:
            standing = random.choice(tuple(Standing))
            self.board.standings[random.randint(1, 6)] = standing
        if self.sold and random.random() < 0.1:
            return self.refund(random.choice(self.sold), number)
        self.at += timedelta(hours=random.randint(0, self.step_hours))
        # Orders do not always count in the order in which they were paid.
        at = self.at - timedelta(hours=random.choice((0, 0, 0, 24, 200)))
        newest = min(number, PEOPLE) if random.random() < 0.7 else random.randint(1, PEOPLE)
        above = [random.randint(1, 5) if random.random() < 0.8 else random.randint(1, PEOPLE)]
        above += random.sample(range(1, 9), random.choice((0, 1)))
        lines = tuple(
            Line(number * 10 + nth, 5, random.choice((9_900, 9_900, 0)), random.random() < 0.9)
            for nth in range(random.choice((1, 1, 2)))
        )
        chain = tuple(self.person(one) for one in dict.fromkeys(above))
        self.sold.append(
            Sold(
                Sale(number, self.person(newest), lines, at=at, is_first=random.random() < 0.9),
                chain if random.random() < 0.95 else (),
            )
        )
        return self.sold[-1]

    def refund(self, sold: Sold, refund_id: int) -> Refunded:
        return Refunded(
            order_id=sold.sale.order_id,
            refund_id=refund_id,
            buyer_id=sold.sale.buyer.member_id,
            owner_id=sold.chain[0].member_id if sold.chain else None,
            remaining_fen=self.random.choice((0, 0, 1)),
            is_settled=True,
            at=self.at,
        )

    def decide(self, event: Sold | Refunded) -> Decisions:
        decisions = decide(self.rules, event, self.board)
        self.board.apply(decisions.places)
        return decisions


@settings(max_examples=examples(1_500))
@given(seeds)
def test_a_ledger_looked_through_anew_comes_to_the_same_gifts_and_rounds(seed: int) -> None:
    story = Story(seed)
    naive = NaiveFission(story.rules, story.board.standings)

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        if isinstance(event, Refunded):
            told = [note["round"] for note in decisions.notes]
            assert told == [one for one in [naive.refund(event)] if one]
            continue
        assert sorted(naive.sell(event), key=str) == sorted(
            [
                (one.kind.value, one.beneficiary_id, one.explanation.get("round"))
                for one in decisions.gifts
            ],
            key=str,
        )

    for place in story.board.all():
        member_id = place.member_id
        waiting = [entry.order_id for entry in naive.waiting(member_id)]
        assert [one.order_id for one in place.open_referrals] == waiting
        assert [one.closed_at for one in place.rounds] == [
            at.isoformat() for at in naive.rounds_of(member_id)
        ]
        assert place.referrer_id == naive.known.get(member_id)
        for one in place.rounds:
            assert one.is_bonus_settled == ((member_id, one.number) in naive.bonuses)


@settings(max_examples=examples(400))
@given(seeds)
def test_each_new_customer_stands_in_one_round_and_rounds_are_full_and_within_the_window(
    seed: int,
) -> None:
    story = Story(seed)
    for number in range(1, EVENTS):
        story.decide(story.next(number))

    window = timedelta(days=story.rules.window_days)
    counted: Counter[int] = Counter()
    for place in story.board.all():
        counted.update(one.buyer_id for one in place.open_referrals)
        assert len(place.open_referrals) < story.rules.per_round
        assert [one.number for one in place.rounds] == list(range(1, len(place.rounds) + 1))
        for one in place.rounds:
            counted.update(referral.buyer_id for referral in one.referrals)
            times = [datetime.fromisoformat(referral.paid_at) for referral in one.referrals]
            assert len(times) == story.rules.per_round
            assert max(times) - min(times) <= window
            assert one.closed_at == max(times).isoformat()
    assert all(count == 1 for count in counted.values())


@settings(max_examples=examples(400))
@given(seeds)
def test_no_order_ever_brings_money_and_nobody_a_gift_for_their_own_order_but_the_newcomer(
    seed: int,
) -> None:
    story = Story(seed)
    assert payout_bound(story.rules).total_bp == 0

    for number in range(1, EVENTS):
        event = story.next(number)
        decisions = story.decide(event)
        assert decisions.total_fen == 0
        assert decisions.awards == ()
        if isinstance(event, Refunded):
            assert decisions.gifts == ()
            continue
        keys = Counter((one.kind, one.beneficiary_id) for one in decisions.gifts)
        assert all(count == 1 for count in keys.values())
        buyer = event.sale.buyer
        kin = {one.member_id for one in event.chain if one.household & buyer.household}
        for gift in decisions.gifts:
            own = gift.beneficiary_id == buyer.member_id
            assert own == (gift.kind == "NEWCOMER")
            assert gift.beneficiary_id not in kin - {buyer.member_id}
            assert gift.kind != "TIER2" or not story.rules.strict


@settings(max_examples=examples(300))
@given(seeds)
def test_everything_can_be_stored_and_told_in_words(seed: int) -> None:
    story = Story(seed)
    assert load_rules(json.dumps(dump_rules(story.rules))) == story.rules

    for number in range(1, EVENTS):
        decisions = story.decide(story.next(number))
        every: list[Gift | Refusal] = [*decisions.gifts, *decisions.refusals]
        for one in every:
            stored = json.loads(json.dumps(one.explanation))
            assert explain_facts(stored) == explain(one)
            assert all(translate(message, "en") for message in explain(one))
            assert "phone" not in json.dumps(stored)
            assert stored["kind"] == one.kind.value
        for place in decisions.places:
            row = SimpleNamespace(**json.loads(json.dumps(place_to_row(1, place))))
            assert place_from_row(FissionPlace, row) == place
