"""The compliance check, rule by rule."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import pytest

from app.engines.bound import PayoutBound
from app.engines.compliance.check import (
    PROFILES,
    Profile,
    check,
    is_blocked,
    to_confirm,
)
from app.engines.compliance.findings import ActsAt, Finding, Rule, Severity
from app.engines.compliance.promises import MONITOR_LEVELS, MONITOR_PERSONS
from app.engines.compliance.rules import RULES
from app.engines.compliance.words import BANNED, banned_in
from app.engines.parameters import Entry
from app.kernel.i18n import CHINESE, Message, translate
from tests.unit.engines.compliance.cases import (
    BLAMELESS,
    BREAKING,
    DEARER,
    PASSING,
    Case,
    dossier,
)

WATCHED = {"C23"}
"""Rules that find nothing in a plan: they act while it runs."""


def said(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(one.rule, one.severity.value, translate(one.message, "en")) for one in findings]


def found(rule: str, changed: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [one for one in said(check(dossier(**changed))) if one[0] == rule]


def test_there_are_the_24_rules_and_the_brands_own_in_order() -> None:
    assert list(RULES) == [f"C{number}" for number in range(1, 25)] + ["S1"]


def test_in_a_blameless_plan_nothing_is_found() -> None:
    assert check(BLAMELESS) == ()
    assert not is_blocked(())


@pytest.mark.parametrize("case", BREAKING, ids=lambda case: f"{case.rule}-{case.severity}")
def test_what_just_breaks_a_rule_is_found_with_its_figures(case: Case) -> None:
    assert found(case.rule, case.changed) == [(case.rule, case.severity, case.text)]


@pytest.mark.parametrize(("rule", "changed"), PASSING)
def test_what_just_keeps_a_rule_is_not_found(rule: str, changed: dict[str, Any]) -> None:
    assert found(rule, changed) == []


def test_every_rule_and_each_of_its_grades_has_a_breaking_case() -> None:
    broken = {(case.rule, case.severity) for case in BREAKING}
    at_publication = {
        (rule.code, grade.value)
        for rule in RULES.values()
        for grade in rule.grades
        if rule.code not in WATCHED
    }

    only_elsewhere = {("C22", "BLOCK"), ("C9", "BLOCK")}
    assert broken == at_publication - only_elsewhere


@pytest.mark.parametrize(
    ("bound", "severity"),
    [(3_000, None), (3_001, "WARN"), (5_000, "WARN"), (5_001, "HIGH"), (10_000, "HIGH")],
)
def test_the_share_paid_out_is_graded_by_its_size(bound: int, severity: str | None) -> None:
    graded = found("C9", {"bound_bp": bound, "cap_bp": 10_000})

    assert [one[1] for one in graded] == [severity] * (severity is not None)


@pytest.mark.parametrize(("monthly", "severity"), [(5_000, "HIGH"), (5_001, "BLOCK")])
def test_what_the_month_brings_on_top_counts_whole(monthly: int, severity: str) -> None:
    graded = found("C9", {"bound_bp": 9_000, "cap_bp": 5_000, "monthly_bp": monthly})

    assert [one[1] for one in graded] == [severity]


@pytest.mark.parametrize("entry", [Entry.BUY_PACKAGE, Entry.FEE, Entry.TOPUP])
def test_promotion_by_recruits_who_buy_in_is_blocked_however_many(entry: Entry) -> None:
    assert found("C7", {"promotion_recruits": 9, "entry": entry}) == [
        ("C7", "BLOCK", "Bringing 9 recruits lifts a member, and recruits have to buy in.")
    ]


def test_own_purchases_as_entry_are_no_buying_in() -> None:
    assert found("C7", {"promotion_recruits": 2, "entry_spend_fen": 5})[0][1] == "HIGH"


def test_two_kinds_of_entry_are_found_both_and_one_kind_once() -> None:
    both = {"entry": Entry.TOPUP, "declared_entry": Entry.FEE, "entry_spend_fen": 5}

    assert [one[1] for one in found("C1", both)] == ["BLOCK", "BLOCK"]
    assert len(found("C1", {"entry": Entry.FEE, "declared_entry": Entry.FEE})) == 1


def test_a_pool_for_a_topup_is_a_dividend_on_a_deposit() -> None:
    assert found("C12", {"entry": Entry.TOPUP, "pool_bp": 1}) == [
        (
            "C12",
            "BLOCK",
            "A top-up entitles to 0.01% of the store's sales: a dividend on a deposit.",
        )
    ]
    assert found("C12", {"entry": Entry.TOPUP}) == []


def test_everything_at_once_is_found_in_the_order_of_the_rules_every_time() -> None:
    everything: dict[str, Any] = {}
    for case in BREAKING:
        everything = {**case.changed, **everything}
    everything["products"] = (replace(DEARER, is_refundable=False, is_medical=True),)

    findings = check(dossier(**everything))

    order = list(RULES)
    places = [order.index(one.rule) for one in findings]
    assert all(before <= after for before, after in pairwise(places))
    assert set(order) - {one.rule for one in findings} == {"C4", "C23"}
    assert check(dossier(**everything)) == findings


@pytest.mark.parametrize("word", list(BANNED))
def test_each_banned_word_is_found_alone(word: str) -> None:
    assert list(banned_in(f"加入我们{word}吧")) == [word]


@pytest.mark.parametrize(
    "text",
    [
        "拉 人 头",
        "拉　人　头",
        "拉\t人\u200b头",
        "拉·人·头",
        "拉-人_头",
        "拉*人~头",
        "拉人頭",
        "拉\ufeff人|头",
        "⽴即拉⼈头",
    ],
)
def test_spaces_widths_fillers_and_other_spellings_hide_no_word(text: str) -> None:
    assert list(banned_in(text)) == ["拉人头"]


@pytest.mark.parametrize("text", ["稳。赚", "稳\n赚", "稳，赚", "赚稳", "下周线上"])
def test_what_a_sentence_or_a_line_keeps_apart_is_no_word(text: str) -> None:
    assert list(banned_in(text)) == []


def test_only_high_can_be_confirmed() -> None:
    findings = check(dossier(paid_depth=2, tax_method=None, checks_professions=False))

    assert {one.rule: one.is_confirmable for one in findings} == {
        "C4": True,
        "C16": False,
        "C17": False,
    }
    assert [one.rule for one in to_confirm(findings)] == ["C4"]
    assert is_blocked(findings)
    assert not is_blocked(to_confirm(findings))


def test_the_strict_profile_blocks_the_second_level_and_has_warnings_confirmed() -> None:
    broken = dossier(paid_depth=2, checks_professions=False, promotion_recruits=2)

    assert [(one.rule, one.severity) for one in check(broken, "cn-strict")] == [
        ("C4", Severity.BLOCK),
        ("C7", Severity.HIGH),
        ("C16", Severity.HIGH),
    ]


@pytest.mark.parametrize("profile", list(PROFILES.values()), ids=lambda one: one.code)
def test_no_profile_is_milder_than_the_rules(profile: Profile) -> None:
    for rule, severity in product(RULES, Severity):
        assert profile.judge(rule, severity).rank >= severity.rank


def test_a_profile_that_tries_to_be_milder_changes_nothing() -> None:
    lax = Profile(
        code="lax",
        title="Lax",
        raised={Severity.BLOCK: Severity.WARN, Severity.HIGH: Severity.WARN},
        rules={"C1": Severity.WARN},
    )

    assert [lax.judge("C1", severity) for severity in Severity] == list(Severity)


def test_a_profile_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError):
        check(BLAMELESS, "us")


def test_findings_carry_the_citation_of_their_rule() -> None:
    [finding] = check(dossier(paid_depth=2))

    assert finding.citation == RULES["C4"].citation
    assert "重庆宝月窖藏酒业" in finding.citation


def test_rules_that_act_elsewhere_say_so() -> None:
    elsewhere = {one.code: one.acts_at for one in RULES.values() if one.acts_at != "PUBLICATION"}

    assert elsewhere == {"C22": ActsAt.WITHDRAWAL, "C23": ActsAt.RUNTIME}
    assert (MONITOR_PERSONS, MONITOR_LEVELS) == (30, 3)


@pytest.mark.parametrize("rule", list(RULES.values()), ids=lambda rule: rule.code)
def test_every_text_of_a_rule_can_be_rendered(rule: Rule) -> None:
    for text in (rule.title, rule.citation, *rule.grades.values()):
        for locale in ("en", CHINESE):
            assert translate(Message(text), locale).strip()


@pytest.mark.parametrize("case", BREAKING, ids=lambda case: f"{case.rule}-{case.severity}")
def test_every_finding_can_be_rendered_in_both_languages(case: Case) -> None:
    for finding in check(dossier(**case.changed)):
        for locale in ("en", CHINESE):
            assert "%(" not in translate(finding.message, locale)


def test_the_bound_is_what_the_plan_enforces_and_not_what_it_would_pay_uncapped() -> None:
    bound = PayoutBound(bound_bp=9_000, cap_bp=3_000, steps=())

    assert bound.total_bp == 3_000
    assert found("C9", {"bound_bp": 9_000, "cap_bp": 3_000}) == []
