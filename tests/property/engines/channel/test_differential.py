"""DIFFERENTIAL, whatever the plan, the sale and the people above."""

import json
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings, target
from hypothesis import strategies as st

from app.engines.differential.engine import DifferentialReason, RatesOf, decide
from app.engines.differential.profile import most_peers, payout_bound
from app.engines.differential.rules import DifferentialRules, PeerBase
from app.engines.documents import dump_rules, load_rules
from app.engines.explaining import explain, explain_facts
from app.engines.people import Line, Person, Sale, Standing
from app.engines.results import Award, Reason, Refusal
from app.engines.reversals import AwardNet, reverse
from app.kernel.i18n import translate
from app.kernel.money import share_of
from tests.property.engines.channel.differential_oracle import captain, paid_by
from tests.property.engines.channel.strategies import differential_plans, uplines
from tests.property.engines.strategies import KEYS, bases, levels, people, sales
from tests.thoroughness import examples

plans = differential_plans()


def rate_of(award: Award) -> int:
    assert award.rate_bp is not None, "this model pays rates by the order"
    return award.rate_bp


@settings(max_examples=examples(400))
@given(plans, sales(), uplines)
def test_a_second_way_of_reckoning_comes_to_the_same(
    rules: DifferentialRules, sale: Sale, chain: list[Person]
) -> None:
    awards = decide(rules, sale, chain).awards

    assert paid_by(rules, sale, chain) == {
        (one.line_id, one.seat): (one.beneficiary_id, one.kind.value, one.amount_fen)
        for one in awards
    }


@settings(max_examples=examples(400))
@given(plans, sales(), uplines)
def test_no_order_pays_more_than_the_bound_or_the_cap(
    rules: DifferentialRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)
    bound = payout_bound(rules)

    whole_fen = sum(line.base_fen for line in sale.lines)
    if whole_fen and bound.enforced_bp:
        target(decisions.total_fen / whole_fen / bound.enforced_bp)
    assert decisions.total_fen <= share_of(whole_fen, bound.enforced_bp)
    for line in sale.lines:
        of_line = [award for award in decisions.awards if award.line_id == line.line_id]
        assert sum(map(rate_of, of_line)) <= rules.payout_cap_bp
    if bound.within_cap:
        assert all(award.capped_from_fen is None for award in decisions.awards)
        assert all(refusal.reason is not Reason.CAPPED_OUT for refusal in decisions.refusals)


@st.composite
def densest(draw: st.DrawFn, rules: DifferentialRules, rates: tuple[int, ...]) -> list[Person]:
    """Any sequence of levels within the depth, so that none of those that pay most is left out."""
    length = rules.max_depth or 9
    ranks = draw(
        st.lists(st.integers(1, len(rates)), min_size=length, max_size=length).map(
            lambda ranks: sorted(ranks, key=lambda rank: rates[rank - 1])
        )
    )
    return [Person(11 + n, rank, Standing.ACTIVE) for n, rank in enumerate(ranks)]


@settings(max_examples=examples(400))
@given(plans, st.data())
def test_chains_built_to_pay_most_stay_within_the_bound(
    rules: DifferentialRules, data: st.DataObject
) -> None:
    chain = data.draw(densest(rules, rules.rates_bp))
    decisions = decide(rules, Sale(7, Person(1), (Line(70, 5, 10**6),)), chain)
    bound = payout_bound(rules)

    target(decisions.total_fen / 10**6)
    assert decisions.total_fen <= share_of(10**6, bound.enforced_bp)


def best_chain(rules: DifferentialRules, rates: tuple[int, ...], peers: int) -> list[Person]:
    """Return people who take the bound: rates from low to high, each with its peers."""
    rungs = sorted({rate for rate in rates if rate})
    if rules.peer_base is PeerBase.INCOME:
        rungs = rungs[-1:]
    generations = rules.peer_generations
    rises = -(-peers // generations) if generations and peers else 1
    ranks: list[int] = []
    for rate in rungs[-rises:]:
        extra = min(generations, peers)
        peers -= extra
        ranks += [rates.index(rate) + 1] * (1 + extra)
    return [Person(11 + n, rank, Standing.ACTIVE) for n, rank in enumerate(ranks)]


@settings(max_examples=examples(300))
@given(plans)
def test_the_bound_of_the_plan_is_reached(rules: DifferentialRules) -> None:
    bound = payout_bound(rules)
    told = max(bound.steps, key=lambda step: step.sum_bp).message.parameters
    product_id = told["product_id"] or 5
    own = rules.product_rates.get(product_id)
    rates = own.rates_bp if own and own.rates_bp else rules.rates_bp
    chain = best_chain(rules, rates, most_peers(rules, rates))

    decisions = decide(rules, Sale(7, Person(1), (Line(70, product_id, 10**8),)), chain)

    if rules.peer_base is PeerBase.ORDER or bound.within_cap:
        assert decisions.total_fen == share_of(10**8, bound.enforced_bp)
    assert rules.max_depth is None or len(chain) <= rules.max_depth


@given(plans, sales(), uplines)
def test_each_award_is_its_rate_of_its_base_rounded_down_and_above_zero(
    rules: DifferentialRules, sale: Sale, chain: list[Person]
) -> None:
    bases_fen = {line.line_id: line.base_fen for line in sale.lines}

    for award in decide(rules, sale, chain).awards:
        assert award.base_fen == bases_fen[award.line_id]
        assert award.amount_fen == award.base_fen * rate_of(award) // 10_000 > 0
        assert award.capped_from_fen is None or award.capped_from_fen > award.amount_fen


@given(plans, sales(), uplines)
def test_everybody_within_reach_is_told_of_once_a_line_and_nobody_beyond(
    rules: DifferentialRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)
    near = chain[: rules.max_depth]

    every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
    who: list[int | None] = [one.member_id for one in near] if near else [None]
    assert sorted((one.line_id, one.seat, one.beneficiary_id) for one in every) == sorted(
        (line.line_id, seat, member_id)
        for line in sale.lines
        for seat, member_id in enumerate(who, start=1)
    )


@given(plans, sales(), uplines)
def test_only_active_strangers_to_the_buyer_earn_and_nobody_twice_a_line(
    rules: DifferentialRules, sale: Sale, chain: list[Person]
) -> None:
    may = {
        one.member_id
        for one in chain
        if one.standing is Standing.ACTIVE and not one.household & sale.buyer.household
    } - {sale.buyer.member_id}
    awards = decide(rules, sale, chain).awards

    assert {award.beneficiary_id for award in awards} <= may
    paid = [(award.line_id, award.beneficiary_id) for award in awards]
    assert len(paid) == len(set(paid))


@given(plans, sales(), uplines, st.integers(0, 9), people)
def test_somebody_who_cannot_earn_changes_nothing_but_the_distance(
    rules: DifferentialRules, sale: Sale, chain: list[Person], at: int, person: Person
) -> None:
    anywhere = rules.model_copy(update={"max_depth": None})
    out = replace(person, member_id=77, standing=Standing.FROZEN)
    longer = [*chain[:at], out, *chain[at:]]

    def paid(chain: list[Person]) -> list[tuple[int, int, int]]:
        awards = decide(anywhere, sale, chain).awards
        return [(one.line_id, one.beneficiary_id, one.amount_fen) for one in awards]

    assert paid(longer) == paid(chain)


@given(plans, sales(), uplines, uplines)
def test_people_further_up_take_nothing_from_those_nearer(
    rules: DifferentialRules, sale: Sale, chain: list[Person], further: list[Person]
) -> None:
    near = decide(rules, sale, chain).awards
    all_of_them = decide(rules, sale, chain + further).awards

    assert near == tuple(one for one in all_of_them if one.seat <= len(chain))


@given(plans, sales(), uplines, st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_partial_refunds_reverse_exactly_what_one_refund_of_their_sum_does(
    rules: DifferentialRules, sale: Sale, chain: list[Person], cuts: list[int]
) -> None:
    awards = decide(rules, sale, chain).awards
    nets = {
        number: AwardNet(number, one.line_id, one.base_fen, one.rate_bp, one.amount_fen)
        for number, one in enumerate(awards)
    }
    given_fen, taken_fen = sum(one.amount_fen for one in awards), 0

    for cut in [*sorted(cuts), 4]:
        refunded = {line.line_id: line.base_fen * cut // 4 for line in sale.lines}
        for change in reverse(nets.values(), refunded):
            taken_fen += change.delta_fen
            nets[change.award_id] = replace(nets[change.award_id], net_fen=change.new_fen)
        rest = tuple(
            replace(line, base_fen=line.base_fen - refunded[line.line_id]) for line in sale.lines
        )
        afresh = decide(rules, replace(sale, lines=rest), chain)
        assert given_fen - taken_fen == afresh.total_fen

    assert taken_fen == given_fen


@given(plans, sales(), uplines)
def test_every_decision_can_be_stored_and_told_in_words_without_private_keys(
    rules: DifferentialRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)

    every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
    for one in every:
        stored = json.dumps(one.explanation)
        assert explain_facts(json.loads(stored)) == explain(one)
        assert all(translate(message, "en") for message in explain(one))
        assert not any(key in stored for key in KEYS)


@given(plans)
def test_a_plan_survives_the_trip_through_json(rules: DifferentialRules) -> None:
    assert load_rules(json.dumps(dump_rules(rules))) == rules


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=5),
    st.lists(st.integers(0, 50), min_size=5, max_size=5),
)
def test_the_captain_form_comes_to_the_same(rises: list[int], orders: list[int]) -> None:
    """By the month: own share of own sales, and what the next one leaves of the others'."""
    names = [f"m{number}" for number in range(len(rises))]
    rates = tuple(100 * sum(rises[: number + 1]) for number in range(len(rises)))
    rules = DifferentialRules(
        levels=levels(len(rates)),
        rates_bp=rates,
        max_depth=None,
        payout_cap_bp=10_000,
    )
    people = [Person(number + 1, number + 1, Standing.ACTIVE) for number in range(len(rates))]
    earned = dict.fromkeys(names, 0)
    for seller, count in zip(range(len(rates)), orders, strict=False):
        sale = Sale(7, Person(99), (Line(70, 5, count * 10_000),))
        for award in decide(rules, sale, people[seller:]).awards:
            earned[names[award.beneficiary_id - 1]] += award.amount_fen

    shares = {name: Fraction(rate, 10_000) for name, rate in zip(names, rates, strict=True)}
    sales_fen = {name: count * 10_000 for name, count in zip(names, orders, strict=False)}
    for number, name in enumerate(names):
        team = list(reversed(names[: number + 1]))
        assert earned[name] == captain(shares, sales_fen, team)


@given(bases, uplines)
def test_reasons_of_the_walk_name_who_stands_in_the_way(base_fen: int, chain: list[Person]) -> None:
    decisions = decide(
        DifferentialRules(max_depth=None), Sale(7, Person(98), (Line(70, 5, base_fen),)), chain
    )

    for one in decisions.refusals:
        if one.reason in set(DifferentialReason):
            assert one.explanation["reached_by_id"] in {person.member_id for person in chain}
            assert one.explanation["rates_of"] == RatesOf.PLAN
