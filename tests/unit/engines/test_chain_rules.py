"""Which chain 2+1 plans there can be, and what is wrong with the others, by field."""

from typing import Any

import pytest

from app.engines import chain
from app.engines.bound import explain_bound
from app.engines.chain.description import describe
from app.engines.chain.profile import payout_bound, practices
from app.engines.chain.rules import ChainRules, LeaveTo, PromotionBy
from app.engines.documents import load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.parameters import Entry
from app.engines.practices import Practices
from app.kernel.i18n import translate

MODEL = {"model": "CHAIN_2_1"}
PACKAGE = {"conduct": {"entry": "BUY_PACKAGE"}, "entry_price_fen": 49_900}
HEADS = {"promotion_by": "RECRUITS", "promotion_effective": "PAID", "promote_count": 2}
TEN_PERCENT, A_HUNDRED = {"rate_bp": 1_000}, {"fixed_fen": 10_000}


def load(**given: Any) -> ChainRules:
    rules = load_rules(MODEL | given)
    assert isinstance(rules, ChainRules)
    return rules


def original(**given: Any) -> ChainRules:
    rules = load_rules({**chain.MODEL.original, **given})
    assert isinstance(rules, ChainRules)
    return rules


def faults(**given: Any) -> dict[str, str]:
    with pytest.raises(PlanRulesInvalid) as refused:
        load(**given)
    return {fault.path: fault.code for fault in refused.value.faults}


def read(rules: ChainRules) -> list[str]:
    return [translate(message, "en") for message in describe(rules)]


def test_the_defaults_pay_two_people_rates_of_real_orders_and_nobody_for_heads() -> None:
    rules = load()

    assert (rules.conduct.entry, rules.max_depth, rules.peer_bp) == (Entry.FREE, 2, 0)
    assert (rules.direct.agent.rate_bp, rules.direct.boss.rate_bp) == (1_000, 1_000)
    assert (rules.team.agent.rate_bp, rules.team.boss.rate_bp) == (500, 500)
    assert (rules.promotion_by, rules.promote_sales_fen) == (PromotionBy.OWN_SALES, 500_000)
    assert practices(rules) == Practices(entry=Entry.FREE, paid_depth=2)


def test_the_plan_of_the_trade_can_be_loaded_and_says_what_it_does() -> None:
    assert practices(original()) == Practices(
        entry=Entry.BUY_PACKAGE,
        paid_depth=None,
        pays_per_head=True,
        fixed_share_bp=4_009,
        has_unlimited_team_pay=True,
        pays_after_leaving=True,
        promotion_recruits=2,
    )


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ({"conduct": {"entry": "FEE"}}, "conduct.entry", "chain_entry"),
        ({"conduct": {"entry": "TOPUP"}}, "conduct.entry", "chain_entry"),
        ({"conduct": {"entry": "BUY_PACKAGE"}}, "entry_price_fen", "missing"),
        ({"entry_price_fen": 0}, "entry_price_fen", "greater_than_equal"),
        ({"entry_product_ids": [5]}, "entry_product_ids", "package_price_needed"),
        ({**PACKAGE, "entry_product_ids": [0]}, "entry_product_ids.0", "greater_than_equal"),
        (
            {"direct": {"agent": A_HUNDRED, "boss": TEN_PERCENT}},
            "direct.agent.fixed_fen",
            "package_price_needed",
        ),
        (
            {"team": {"agent": TEN_PERCENT, "boss": A_HUNDRED}},
            "team.boss.fixed_fen",
            "package_price_needed",
        ),
        ({"direct": {"agent": {}, "boss": TEN_PERCENT}}, "direct.agent", "rate_or_fixed"),
        (
            {**PACKAGE, "team": {"agent": TEN_PERCENT | A_HUNDRED, "boss": TEN_PERCENT}},
            "team.agent",
            "rate_or_fixed",
        ),
        ({"direct": {"agent": TEN_PERCENT}}, "direct.boss", "missing"),
        (
            {**PACKAGE, "team": {"agent": {"fixed_fen": 0}, "boss": TEN_PERCENT}},
            "team.agent.fixed_fen",
            "greater_than_equal",
        ),
        ({"max_depth": 0}, "max_depth", "greater_than_equal"),
        ({"max_depth": 100}, "max_depth", "less_than_equal"),
        ({"peer_bp": 10_001}, "peer_bp", "less_than_equal"),
        ({"peer_base": "MOST"}, "peer_base", "enum"),
        ({"promotion_effective": "PAID"}, "promotion_effective", "promotion_settled"),
        ({"promotion_effective": "RECEIVED"}, "promotion_effective", "literal_error"),
        (
            {"promotion_by": "RECRUITS", "promote_count": 2},
            "promotion_effective",
            "promotion_unsettled",
        ),
        ({**HEADS, "promote_count": None}, "promote_count", "missing"),
        ({**HEADS, "promote_count": 0}, "promote_count", "greater_than_equal"),
        ({"promote_sales_fen": None}, "promote_sales_fen", "missing"),
        ({"leave_scope": "FIRST_N"}, "leave_count", "missing"),
        ({"leave_count": 1}, "leave_count", "none_required"),
        ({"leave_scope": "SOME"}, "leave_scope", "enum"),
        ({"root_keeps_children": False}, "root_keeps_children", "root_leaves_to"),
        ({"repurchase": "TWO_LEVEL"}, "repurchase_second_bp", "repurchase_rates"),
        ({"repurchase_first_bp": 1}, "repurchase_second_bp", "repurchase_rates"),
        ({"repurchase_second_bp": 1}, "repurchase_second_bp", "repurchase_rates"),
        ({"support_fund_bp": 2_000}, "support_fund_bp", "extra_forbidden"),
    ],
)
def test_a_wrong_or_contradictory_parameter_is_named(
    given: dict[str, Any], path: str, code: str
) -> None:
    assert faults(**given) == {path: code}


def test_a_field_that_is_wrong_itself_does_not_make_others_wrong() -> None:
    wrong = {"entry_price_fen": "dear", "promotion_by": "LUCK", "leave_scope": 5, "leave_to": 5}
    given = {
        "conduct": 5,
        "entry_product_ids": [5],
        "direct": {"agent": A_HUNDRED, "boss": A_HUNDRED},
        "promote_sales_fen": None,
        "leave_count": 1,
        "root_keeps_children": False,
        "repurchase": 5,
        "repurchase_second_bp": 1,
    }

    assert faults(**wrong, **given).keys() == {*wrong, "conduct", "repurchase"}


@pytest.mark.parametrize(
    "given",
    [
        {**PACKAGE, **HEADS, "promotion_effective": "AFTER_SALE_CLOSED"},
        {**HEADS},
        {"entry_price_fen": 100, "team": {"agent": A_HUNDRED, "boss": A_HUNDRED}},
        {"leave_scope": "FIRST_N", "leave_count": 2},
        {"leave_to": "PLATFORM", "root_keeps_children": False},
        {"repurchase": "TWO_LEVEL", "repurchase_second_bp": 1},
        {"repurchase": "TWO_LEVEL", "repurchase_first_bp": 1},
        {"max_depth": None},
    ],
)
def test_what_goes_together_is_accepted(given: dict[str, Any]) -> None:
    load(**given)


def test_the_worst_case_of_the_trade_is_told_step_by_step() -> None:
    bound = payout_bound(original())

    assert (bound.bound_bp, bound.cap_bp, bound.within_cap) == (6_415, 10_000, True)
    assert [translate(message, "en") for message in explain_bound(bound)][:3] == [
        (
            "Fixed sums count as the share they are of a package of ¥499.00, the cheapest there is,"
            " rounded up."
        ),
        (
            "Where an agent brings the buyer, the direct reward takes 20.05% of a line at most, the"
            " team reward 40.09% and the peer reward 4.01%: 64.15% together."
        ),
        (
            "Where a boss brings the buyer, the direct reward takes 20.05% of a line at most, the"
            " team reward 40.09% and the peer reward 4.01%: 64.15% together."
        ),
    ]


def test_a_share_of_all_the_boss_earns_counts_more_where_the_boss_brings_the_buyer() -> None:
    sums = [step.sum_bp for step in payout_bound(original(peer_base="ALL")).steps]

    assert sums == [0, 6_415, 2_005 + 4_009 + 602]


def test_what_is_too_far_is_no_part_of_the_worst_case() -> None:
    def sums(max_depth: int) -> list[int]:
        rules = load(
            max_depth=max_depth,
            peer_bp=1_000,
            repurchase="TWO_LEVEL",
            repurchase_first_bp=70,
            repurchase_second_bp=30,
        )
        return [step.sum_bp for step in payout_bound(rules).steps]

    assert sums(1) == [1_000, 1_500, 70]
    assert sums(2) == [1_500, 1_550, 100]
    assert sums(3) == [1_550, 1_550, 100]


@pytest.mark.parametrize(
    ("given", "depth"),
    [
        ({"team": {"agent": {"rate_bp": 0}, "boss": TEN_PERCENT}}, 1),
        ({"team": {"agent": TEN_PERCENT, "boss": {"rate_bp": 0}}}, 2),
        ({"max_depth": 1}, 1),
        ({"max_depth": 5}, 5),
        ({"max_depth": None}, None),
        ({"team": {"agent": {"rate_bp": 0}, "boss": TEN_PERCENT}, "peer_bp": 1}, 2),
        ({"team": {"agent": {"rate_bp": 0}, "boss": {"rate_bp": 0}}, "peer_bp": 1}, 1),
        (
            {
                "team": {"agent": {"rate_bp": 0}, "boss": {"rate_bp": 0}},
                "peer_bp": 1,
                "peer_base": "ALL",
                "max_depth": None,
            },
            None,
        ),
    ],
)
def test_the_depth_is_that_of_the_farthest_who_can_be_paid(
    given: dict[str, Any], depth: int | None
) -> None:
    assert practices(load(**given)).paid_depth == depth


def test_a_second_seat_on_repurchases_makes_the_depth_two() -> None:
    none = {"agent": {"rate_bp": 0}, "boss": {"rate_bp": 0}}
    again = {"repurchase": "TWO_LEVEL", "repurchase_second_bp": 1, "team": none}

    assert practices(load(**again)).paid_depth == 2
    assert practices(load(**again, max_depth=1)).paid_depth == 1


def test_fixed_sums_without_a_purchase_to_enter_are_no_pay_per_head() -> None:
    said = practices(load(entry_price_fen=100_000, direct={"agent": A_HUNDRED, "boss": A_HUNDRED}))

    assert (said.pays_per_head, said.fixed_share_bp) == (False, 1_000)


def test_rates_are_no_pay_per_head_even_where_a_package_has_to_be_bought() -> None:
    said = practices(load(**PACKAGE))

    assert (said.entry, said.pays_per_head, said.fixed_share_bp) == (Entry.BUY_PACKAGE, False, 0)


def test_the_worst_case_of_a_repurchase_is_told() -> None:
    rules = load(repurchase="TWO_LEVEL", repurchase_first_bp=900, repurchase_second_bp=350)

    assert translate(payout_bound(rules).steps[-1].message, "en") == (
        "Where somebody buys again, the two above get 9% and 3.5%: 12.5% together."
    )


def test_pay_to_the_old_line_needs_a_peer_reward_within_reach() -> None:
    assert practices(load(peer_bp=1)).pays_after_leaving
    assert not practices(load(peer_bp=1, max_depth=1)).pays_after_leaving
    assert not practices(load(peer_bp=0)).pays_after_leaving


def test_team_pay_without_an_end_is_called_so_only_where_it_pays() -> None:
    no_team = {"agent": {"rate_bp": 0}, "boss": TEN_PERCENT}

    assert practices(load(max_depth=None)).has_unlimited_team_pay
    assert not practices(load(max_depth=9)).has_unlimited_team_pay
    assert not practices(load(max_depth=None, team=no_team)).has_unlimited_team_pay


def test_levels_that_count_recruits_are_told_as_well() -> None:
    recruits = {"kind": "RECRUITS", "at_least_count": 3, "window_days": 30}
    levels = {"upgrades": [{"level": 2, "conditions": [recruits]}]}

    assert practices(load(levels=levels)).promotion_recruits == 3
    assert practices(load(levels=levels, **HEADS)).promotion_recruits == 2
    assert practices(load(promote_count=2)).promotion_recruits is None


def test_the_rules_of_the_defaults_are_told_in_sentences() -> None:
    assert read(load()) == [
        "Whoever is approved becomes an agent under who recommended them.",
        "Whoever brought the buyer gets 10% as an agent, 10% as a boss.",
        (
            "The boss of the team gets 5% where an agent brought the buyer, 5% where they did so"
            " themself."
        ),
        "Nobody further than 2 steps above the buyer is paid.",
        "Nothing is paid when somebody who has a place buys again.",
        "Settled sales of ¥5,000.00 to own customers make a boss of an agent.",
        "A new boss leaves the team alone; all who stood below stay behind.",
        "They go to the boss of the old team.",
        "Who was the top of a team already keeps everybody.",
    ]


def test_the_rules_of_the_trade_are_told_in_sentences() -> None:
    rules = original(
        root_role="BOSS",
        repurchase="TWO_LEVEL",
        repurchase_first_bp=800,
        leave_scope="FIRST_N",
        leave_count=2,
        leave_to=LeaveTo.PLATFORM,
        root_keeps_children=False,
        count_left_behind=True,
    )

    assert read(rules) == [
        "Whoever buys a package of at least ¥499.00 becomes an agent.",
        "Whoever joins without a recommender joins as a boss.",
        "Whoever brought the buyer gets ¥100.00 as an agent, ¥100.00 as a boss.",
        (
            "The boss of the team gets ¥200.00 where an agent brought the buyer, ¥200.00 where they"
            " did so themself."
        ),
        "A boss whose team somebody left as a boss gets 10% of that person's team rewards.",
        "It does not matter how far above the buyer a boss stands.",
        "When somebody who has a place buys again, the two above get 8% and 0%.",
        "2 recruits make a boss of an agent, as soon as they join.",
        "People left behind to somebody count as theirs.",
        "A new boss leaves the team, and the first 2 who stood below stay behind.",
        "They go to nobody: each becomes the top of a team.",
    ]


def test_recruits_that_have_to_settle_are_told_so() -> None:
    told = read(original(promotion_effective="AFTER_SALE_CLOSED", leave_to="PARENT"))

    assert "2 recruits whose orders are settled make a boss of an agent." in told
    assert "They go to whoever stood directly above the promoted." in told
