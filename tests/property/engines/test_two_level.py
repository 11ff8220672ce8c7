"""Whatever the plan, the sale and the people above: what always holds of decisions."""

import json
from collections import Counter
from dataclasses import replace
from itertools import groupby
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.engines.explaining import explain, explain_facts
from app.engines.people import Line, Person, Sale, Standing
from app.engines.results import Award, Reason, Refusal
from app.engines.two_level.engine import AwardKind, decide
from app.engines.two_level.profile import payout_bound
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import translate
from app.kernel.money import share_of
from tests.property.engines.oracle import paid_by
from tests.property.engines.strategies import KEYS, bases, chains, people, plans, sales


def rate_of(award: Award) -> int:
    assert award.rate_bp is not None, "this model pays rates only"
    return award.rate_bp


@given(plans(), sales(), chains)
def test_a_second_way_of_reckoning_comes_to_the_same(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    awards = decide(rules, sale, chain).awards

    assert paid_by(rules, sale, chain) == {
        (award.line_id, award.seat): (award.beneficiary_id, award.amount_fen) for award in awards
    }


@given(plans(), sales(), chains)
def test_awards_stay_within_the_cap_on_each_line_and_on_the_order(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)

    whole_fen = sum(line.base_fen for line in sale.lines)
    assert decisions.total_fen <= share_of(whole_fen, rules.payout_cap_bp)
    for line in sale.lines:
        of_line = [award for award in decisions.awards if award.line_id == line.line_id]
        assert sum(rate_of(award) for award in of_line) <= rules.payout_cap_bp
        assert sum(award.amount_fen for award in of_line) <= share_of(
            line.base_fen, rules.payout_cap_bp
        )


@given(plans(), sales(), chains)
def test_awards_stay_within_the_bound_of_the_plan(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)
    bound = payout_bound(rules)

    whole_fen = sum(line.base_fen for line in sale.lines)
    assert decisions.total_fen <= share_of(whole_fen, bound.enforced_bp)
    if bound.within_cap:
        assert all(award.capped_from_fen is None for award in decisions.awards)
        assert all(refusal.reason is not Reason.CAPPED_OUT for refusal in decisions.refusals)


@given(plans())
def test_the_bound_of_the_plan_is_reached(rules: TwoLevelRules) -> None:
    bound = payout_bound(rules)
    dearest = max(bound.steps, key=lambda step: step.sum_bp)
    told = dearest.message.parameters
    line = Line(70, product_id=told["product_id"] or 5, base_fen=1_000_000)
    chain = [
        Person(11, told["first_level"], Standing.ACTIVE),
        Person(12, told["second_level"], Standing.ACTIVE),
    ]

    decisions = decide(rules, Sale(7, Person(1), (line,)), chain)

    assert decisions.total_fen == share_of(1_000_000, bound.enforced_bp)


@given(plans(), sales(), chains)
def test_each_award_is_its_rate_of_its_base_rounded_down_and_above_zero(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    bases_fen = {line.line_id: line.base_fen for line in sale.lines}

    for award in decide(rules, sale, chain).awards:
        assert award.base_fen == bases_fen[award.line_id]
        assert award.amount_fen == award.base_fen * rate_of(award) // 10_000 > 0
        assert award.capped_from_fen is None or award.capped_from_fen > award.amount_fen


@given(plans(), sales(), chains)
def test_each_seat_of_each_line_is_decided_and_only_compression_tells_more_than_once(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)
    every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]

    final = Counter(
        (one.line_id, one.seat) for one in every if not one.explanation.get("passed_on", False)
    )
    assert final == Counter((line.line_id, seat) for line in sale.lines for seat in (1, 2))
    if not rules.compress:
        assert len(every) == len(final)
    assert all(one.kind is {1: AwardKind.L1, 2: AwardKind.L2}[one.seat] for one in every)
    told = [(one.line_id, one.seat, one.beneficiary_id) for one in decisions.refusals]
    if len({person.member_id for person in [sale.buyer, *chain[:2]]}) == len(chain[:2]) + 1:
        assert len(set(told)) == len(told)


@given(plans(), sales(), chains)
def test_nobody_earns_on_their_own_purchase_or_their_households(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    kin = {one.member_id for one in chain if one.household & sale.buyer.household}
    strangers = {one.member_id for one in chain if not one.household & sale.buyer.household}
    paid = {award.beneficiary_id for award in decide(rules, sale, chain).awards}

    assert not paid & (kin - strangers - {sale.buyer.member_id})
    if not rules.self_purchase:
        assert sale.buyer.member_id not in paid


@given(plans(), sales(), chains)
def test_only_active_people_within_two_steps_earn_and_nobody_twice(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    may = {one.member_id for one in [sale.buyer, *chain[:2]] if one.standing is Standing.ACTIVE}
    awards = decide(rules, sale, chain).awards

    assert {award.beneficiary_id for award in awards} <= may
    for _, of_line in groupby(awards, key=lambda award: award.line_id):
        ids = [award.beneficiary_id for award in of_line]
        assert len(ids) == len(set(ids)) <= 2


@given(plans(), sales(), chains, st.lists(people, max_size=3))
def test_people_further_up_change_nothing(
    rules: TwoLevelRules, sale: Sale, chain: list[Person], further: list[Person]
) -> None:
    near = [*chain, Person(98), Person(99)][:2]

    assert decide(rules, sale, near) == decide(rules, sale, near + further)


@given(plans(), sales(), chains, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter_and_each_is_decided_by_itself(
    rules: TwoLevelRules, sale: Sale, chain: list[Person], random: Random
) -> None:
    shuffled = list(sale.lines)
    random.shuffle(shuffled)
    together = decide(rules, sale, chain)
    mixed = decide(rules, replace(sale, lines=tuple(shuffled)), chain)
    single = [decide(rules, replace(sale, lines=(line,)), chain) for line in sale.lines]

    def key(one: Award | Refusal) -> tuple[int, int]:
        return one.line_id, one.seat

    assert sorted(mixed.awards, key=key) == sorted(together.awards, key=key)
    assert sorted(mixed.refusals, key=key) == sorted(together.refusals, key=key)
    assert tuple(award for one in single for award in one.awards) == together.awards
    assert tuple(refusal for one in single for refusal in one.refusals) == together.refusals
    assert together.total_fen == sum(one.total_fen for one in single)


@given(plans(), sales(), chains)
def test_the_same_input_gives_the_same_decisions(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    assert decide(rules, sale, chain) == decide(rules, sale, tuple(chain))


@given(plans(), people, chains, bases, bases)
def test_a_dearer_line_never_brings_anyone_less(
    rules: TwoLevelRules, buyer: Person, chain: list[Person], one_fen: int, other_fen: int
) -> None:
    less, more = (
        decide(rules, Sale(7, buyer, (Line(70, 5, base_fen),)), chain)
        for base_fen in sorted((one_fen, other_fen))
    )

    after = {award.seat: award.amount_fen for award in more.awards}
    assert all(award.amount_fen <= after.get(award.seat, 0) for award in less.awards)


@given(plans(), sales(), chains)
def test_every_decision_can_be_stored_and_told_in_words_without_private_keys(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)

    every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
    for one in every:
        stored = json.dumps(one.explanation)
        told = [translate(message, "en") for message in explain_facts(json.loads(stored))]
        assert explain_facts(json.loads(stored)) == explain(one)
        assert all(told)
        assert not any(key in stored for key in KEYS)
