"""Ladder and incentives, whatever the team and the month."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from app.engines import two_level
from app.engines.documents import dump_rules, load_rules
from app.engines.explaining import explain_facts
from app.engines.incentives import Incentives
from app.engines.ladders import Ladder
from app.engines.months import Earner, MonthAward, MonthClose, MonthRefusal
from app.engines.people import Standing
from app.engines.registry import MODELS
from app.engines.reversals import AwardNet, reverse
from app.engines.team_ladder.rules import TeamLadderRules
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import translate
from tests.property.engines.channel import months_oracle
from tests.property.engines.channel.strategies import books, earners, incentives, ladders
from tests.thoroughness import examples

SCALE = 10_000


def close(rules: Any, people: tuple[Earner, ...]) -> MonthClose:
    close_month = MODELS[rules.model].close_month
    assert close_month is not None
    return close_month(rules, books(people))


def by_member(close: MonthClose, kind: str) -> dict[int, int]:
    return {one.beneficiary_id: one.amount_fen for one in close.awards if one.kind.value == kind}


def sold(people: tuple[Earner, ...]) -> int:
    """Return the sales of those whose month is above zero."""
    return sum(max(one.sales_fen, 0) for one in people)


@settings(max_examples=examples(300))
@given(ladders(), earners())
def test_a_second_way_to_the_ladder_comes_to_the_same(
    ladder: Ladder, people: tuple[Earner, ...]
) -> None:
    paid = by_member(close(TeamLadderRules(ladder=ladder), people), "TEAM_LADDER")

    able = {one.member_id for one in people if one.standing is Standing.ACTIVE}
    expected = months_oracle.ladder_bonuses(ladder, people)
    assert paid == {who: fen for who, fen in expected.items() if fen and who in able}


@given(ladders(st.none()), earners(losses=False))
def test_to_any_depth_bonuses_add_up_to_the_gross_of_the_teams_at_the_top(
    ladder: Ladder, people: tuple[Earner, ...]
) -> None:
    everybody = tuple(replace(one, standing=Standing.ACTIVE) for one in people)
    ids = {one.member_id for one in people}
    team = {one.member_id: one.sales_fen for one in people}
    for one in reversed(everybody):
        if one.recommender_id in ids and one.recommender_id is not None:
            team[one.recommender_id] += team[one.member_id]

    total_fen = close(TeamLadderRules(ladder=ladder), everybody).total_fen

    roots = [one.member_id for one in people if one.recommender_id not in ids]
    assert total_fen == sum(team[who] * ladder.rate_for(team[who]) // 10_000 for who in roots)


@settings(max_examples=examples(300))
@given(ladders(), earners())
def test_no_month_pays_more_by_the_ladder_than_its_highest_rate(
    ladder: Ladder, people: tuple[Earner, ...]
) -> None:
    everybody = tuple(replace(one, standing=Standing.ACTIVE) for one in people)
    rules = TeamLadderRules(ladder=ladder)
    bound = MODELS[rules.model].bound(rules)

    total_fen = close(rules, everybody).total_fen

    if sold(people):
        target(total_fen / sold(people) / bound.monthly_bp)
    assert bound.bound_bp == 0
    assert total_fen * 10_000 <= sold(people) * bound.monthly_bp


@given(ladders(), earners())
def test_a_single_seller_above_the_last_step_takes_the_bound(
    ladder: Ladder, people: tuple[Earner, ...]
) -> None:
    seller = Earner(member_id=50, sales_fen=3_000 * SCALE)
    rules = TeamLadderRules(ladder=ladder)
    bound = MODELS[rules.model].bound(rules)
    nobody_else_sells = tuple(replace(one, sales_fen=0) for one in people)

    total_fen = close(rules, (*nobody_else_sells, seller)).total_fen

    assert total_fen == 3_000 * bound.monthly_bp


@settings(max_examples=examples(300))
@given(incentives(), earners())
def test_no_month_pays_more_incentives_than_the_bound(
    given: Incentives, people: tuple[Earner, ...]
) -> None:
    rules = TwoLevelRules(incentives=given)
    bound = two_level.MODEL.bound(rules)

    total_fen = close(rules, people).total_fen

    if sold(people):
        target(total_fen / sold(people) / bound.monthly_bp)
    assert total_fen * 10_000 <= sold(people) * bound.monthly_bp


@settings(max_examples=examples(300))
@given(incentives(), earners())
def test_a_second_way_to_prizes_and_shares_comes_to_the_same(
    given: Incentives, people: tuple[Earner, ...]
) -> None:
    month = close(TwoLevelRules(incentives=given), people)

    prizes = months_oracle.prizes(given.ranking, people) if given.ranking else {}
    assert by_member(month, "RANKING") == prizes
    shares = {
        (one.kind.value, one.beneficiary_id, one.explanation["promoted_id"]): one.amount_fen
        for one in month.awards
        if "promoted_id" in one.explanation
    }
    assert shares == months_oracle.shares(people, given.cultivation, given.recommendation)


@given(incentives(), earners())
def test_each_award_of_a_month_is_its_rate_of_its_base_or_fixed_and_above_zero(
    given: Incentives, people: tuple[Earner, ...]
) -> None:
    for award in close(TwoLevelRules(incentives=given), people).awards:
        assert award.amount_fen > 0
        if award.rate_bp is not None:
            assert award.amount_fen == award.base_fen * award.rate_bp // 10_000
        assert award.amount_fen <= award.base_fen


@given(incentives(), earners())
def test_only_active_people_are_paid_and_nobody_is_told_of_twice_for_the_same(
    given: Incentives, people: tuple[Earner, ...]
) -> None:
    month = close(TwoLevelRules(incentives=given), people)

    every: list[MonthAward | MonthRefusal] = [*month.awards, *month.refusals]
    counted = Counter(
        (one.kind, one.beneficiary_id, one.explanation.get("promoted_id")) for one in every
    )
    assert set(counted.values()) <= {1}
    active = {one.member_id for one in people if one.standing is Standing.ACTIVE}
    assert {one.beneficiary_id for one in month.awards} <= active


@given(incentives(), earners())
def test_whoever_has_sales_is_told_of_by_ladder_and_ranking(
    given: Incentives, people: tuple[Earner, ...]
) -> None:
    month = close(TwoLevelRules(incentives=given), people)

    every: list[MonthAward | MonthRefusal] = [*month.awards, *month.refusals]
    for kind, is_set in (("TEAM_LADDER", given.ladder), ("RANKING", given.ranking)):
        told = {one.beneficiary_id for one in every if one.kind.value == kind}
        sellers = {one.member_id for one in people if one.sales_fen}
        assert told >= sellers if is_set else not told


@given(incentives(), earners(), st.randoms(use_true_random=False))
def test_the_order_of_people_does_not_matter(
    given: Incentives, people: tuple[Earner, ...], random: Any
) -> None:
    shuffled = list(people)
    random.shuffle(shuffled)

    rules = TwoLevelRules(incentives=given)
    assert close(rules, tuple(shuffled)) == close(rules, people)


@given(incentives(), earners())
def test_every_decision_of_a_month_can_be_stored_and_told(
    given: Incentives, people: tuple[Earner, ...]
) -> None:
    month = close(TwoLevelRules(incentives=given), people)

    every: list[MonthAward | MonthRefusal] = [*month.awards, *month.refusals]
    for one in every:
        told = explain_facts(json.loads(json.dumps(one.explanation)))
        assert told
        assert all(translate(message, "en") for message in told)


@given(incentives(), earners(), st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_slices_reverse_awards_of_a_month_exactly(
    given: Incentives, people: tuple[Earner, ...], cuts: list[int]
) -> None:
    awards = close(TwoLevelRules(incentives=given), people).awards
    nets = {
        n: AwardNet(n, n, one.base_fen, one.rate_bp, one.amount_fen, one.amount_fen)
        for n, one in enumerate(awards)
    }
    taken_fen = 0

    for cut in [*sorted(cuts), 4]:
        refunded = {n: one.base_fen * cut // 4 for n, one in enumerate(awards)}
        for change in reverse(nets.values(), refunded):
            taken_fen += change.delta_fen
            nets[change.award_id] = replace(nets[change.award_id], net_fen=change.new_fen)

    assert taken_fen == sum(one.amount_fen for one in awards)


@given(incentives())
def test_incentives_survive_the_trip_through_json(given: Incentives) -> None:
    for rules in (
        TwoLevelRules(incentives=given),
        TeamLadderRules(ladder=given.ladder or Ladder()),
    ):
        assert load_rules(json.dumps(dump_rules(rules))) == rules


@pytest.mark.parametrize("model", ["CHANNEL_TWO_LEVEL", "CHANNEL_DIFFERENTIAL"])
@given(people=earners())
def test_without_incentives_a_month_brings_nothing(model: str, people: tuple[Earner, ...]) -> None:
    month = close(load_rules({"model": model}), people)

    assert (month.awards, month.refusals, month.total_fen) == ((), (), 0)
