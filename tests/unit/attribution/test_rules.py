"""Every combination of facts against a second, independent reading of the rules."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from app.attribution.rules import (
    REASON_TEXTS,
    SELF_REPORTED,
    STRENGTH,
    BindingRule,
    BindingState,
    Decision,
    Facts,
    Held,
    Owner,
    OwnerKind,
    Terms,
    TouchOutcome,
    TouchReason,
    TouchSource,
    decide_touch,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RULE = BindingRule(30 * 86_400, 180 * 86_400, existing_customers_bindable=False)
ANN = Owner(OwnerKind.DISTRIBUTOR, 1)
BEN = Owner(OwnerKind.DISTRIBUTOR, 2)
SHOP = Owner(OwnerKind.STORE, 1)
FACTS = Facts(now=NOON, owner=ANN, source=TouchSource.LINK, rule=RULE)


def held(
    owner: Owner,
    *,
    state: BindingState = BindingState.SOFT,
    source: TouchSource = TouchSource.LINK,
    days_left: int = 10,
) -> Held:
    return Held(owner, state, source, NOON + days_left * DAY, RULE)


def decide(**changes: Any) -> Decision:
    return decide_touch(replace(FACTS, **changes))


def test_a_new_customer_is_bound_for_the_soft_period() -> None:
    assert decide() == Decision(
        TouchOutcome.BOUND,
        TouchReason.NEW_CUSTOMER,
        Terms(TouchSource.LINK, NOON + 30 * DAY),
    )


def test_whoever_paid_without_a_recommendation_is_not_won() -> None:
    assert decide(has_paid=True) == Decision(TouchOutcome.REFUSED, TouchReason.EXISTING_CUSTOMER)


def test_a_setting_opens_existing_customers() -> None:
    opened = replace(RULE, existing_customers_bindable=True)

    decision = decide(has_paid=True, rule=opened)

    assert (decision.outcome, decision.reason) == (
        TouchOutcome.BOUND,
        TouchReason.EXISTING_ALLOWED,
    )


@pytest.mark.parametrize("has_paid", [True, False])
def test_after_a_binding_lapsed_the_next_touch_binds(has_paid: bool) -> None:
    decision = decide(was_bound=True, has_paid=has_paid)

    assert (decision.outcome, decision.reason) == (TouchOutcome.BOUND, TouchReason.LAPSED)


def test_the_same_owner_renews_from_now() -> None:
    assert decide(held=held(ANN), was_bound=True) == Decision(
        TouchOutcome.RENEWED,
        TouchReason.SAME_OWNER,
        Terms(TouchSource.LINK, NOON + 30 * DAY),
    )


def test_renewing_never_shortens() -> None:
    decision = decide(held=held(ANN, days_left=45), was_bound=True)

    assert decision == Decision(TouchOutcome.KEPT, TouchReason.SAME_OWNER)


def test_renewing_follows_the_rule_the_binding_was_made_under() -> None:
    shorter = replace(RULE, binding_soft_seconds=86_400)

    decision = decide(held=held(ANN), was_bound=True, rule=shorter)

    assert decision.terms == Terms(TouchSource.LINK, NOON + 30 * DAY)


def test_the_same_owner_makes_a_binding_stronger_but_not_weaker() -> None:
    stronger = decide(held=held(ANN), was_bound=True, source=TouchSource.STAFF_SCAN)
    weaker = decide(
        held=held(ANN, source=TouchSource.GUEST_CARD), was_bound=True, source=TouchSource.SEARCH
    )

    assert stronger.terms == Terms(TouchSource.STAFF_SCAN, NOON + 30 * DAY)
    assert weaker.terms == Terms(TouchSource.GUEST_CARD, NOON + 30 * DAY)


def test_the_same_owner_leaves_a_lock_as_it_is() -> None:
    locked = held(ANN, state=BindingState.LOCKED)

    assert decide(held=locked, was_bound=True, source=TouchSource.STAFF_SCAN) == Decision(
        TouchOutcome.KEPT, TouchReason.SAME_OWNER
    )


@pytest.mark.parametrize(
    ("holding", "coming", "wins"),
    [
        (TouchSource.SEARCH, TouchSource.LINK, True),
        (TouchSource.LINK, TouchSource.POSTER, False),
        (TouchSource.POSTER, TouchSource.LINK, False),
        (TouchSource.POSTER, TouchSource.GUEST_CARD, True),
        (TouchSource.GUEST_CARD, TouchSource.GUEST_CARD, False),
        (TouchSource.GUEST_CARD, TouchSource.STAFF_SCAN, True),
        (TouchSource.STAFF_SCAN, TouchSource.STAFF_SCAN, False),
        (TouchSource.STAFF_SCAN, TouchSource.GUEST_CARD, False),
    ],
)
def test_only_a_strictly_stronger_source_takes_a_soft_customer_over(
    holding: TouchSource, coming: TouchSource, wins: bool
) -> None:
    decision = decide(held=held(BEN, source=holding), was_bound=True, source=coming)

    if wins:
        assert (decision.outcome, decision.reason) == (
            TouchOutcome.BOUND,
            TouchReason.STRONGER_SOURCE,
        )
        assert decision.terms == Terms(coming, NOON + 30 * DAY)
    else:
        assert decision == Decision(TouchOutcome.REFUSED, TouchReason.HELD_BY_OTHER)


@pytest.mark.parametrize("source", TouchSource)
def test_nobody_takes_a_locked_customer_over(source: TouchSource) -> None:
    locked = held(BEN, state=BindingState.LOCKED, source=TouchSource.SEARCH)

    assert decide(held=locked, was_bound=True, source=source) == Decision(
        TouchOutcome.REFUSED, TouchReason.LOCKED_BY_OTHER
    )


def test_a_store_and_a_distributor_of_one_number_are_two_owners() -> None:
    assert decide(held=held(SHOP), was_bound=True).reason is TouchReason.HELD_BY_OTHER


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ("is_self", TouchReason.SELF),
        ("is_household", TouchReason.HOUSEHOLD),
        ("is_mutual", TouchReason.MUTUAL),
    ],
)
@pytest.mark.parametrize("holder", [None, ANN, BEN])
def test_who_stands_too_near_is_refused_whoever_holds_the_customer(
    fact: str, reason: TouchReason, holder: Owner | None
) -> None:
    now_held = held(holder) if holder else None

    assert decide(**{fact: True}, held=now_held) == Decision(TouchOutcome.REFUSED, reason)


def test_an_owner_who_is_not_active_neither_wins_nor_renews() -> None:
    for holder in (None, held(ANN), held(BEN)):
        assert decide(owner_is_active=False, held=holder) == Decision(
            TouchOutcome.REFUSED, TouchReason.OWNER_NOT_ACTIVE
        )


def test_every_reason_has_a_text() -> None:
    assert set(REASON_TEXTS) == set(TouchReason)
    assert set(STRENGTH) == set(TouchSource)


def test_a_client_may_not_claim_what_takes_customers_from_others() -> None:
    most = max(STRENGTH[source] for source in SELF_REPORTED)

    assert all(STRENGTH[one] > most for one in set(TouchSource) - SELF_REPORTED)


@dataclass(frozen=True)
class Ranked:
    """The rules once more, as a list: the first line that applies decides."""

    facts: Facts

    def lines(self) -> list[tuple[bool, str, str]]:
        facts, now_held = self.facts, self.facts.held
        mine = now_held is not None and now_held.owner == facts.owner
        locked = now_held is not None and now_held.state is BindingState.LOCKED
        order = [
            (TouchSource.STAFF_SCAN,),
            (TouchSource.GUEST_CARD,),
            (TouchSource.POSTER, TouchSource.LINK),
            (TouchSource.SEARCH,),
        ]
        rank = {source: place for place, group in enumerate(order) for source in group}
        stronger = now_held is None or rank[facts.source] < rank[now_held.source]
        longer = now_held is None or now_held.valid_until_at < NOON + 30 * DAY
        open_to_all = facts.rule.existing_customers_bindable
        return [
            (facts.is_self, "refused", "self"),
            (not facts.owner_is_active, "refused", "owner_not_active"),
            (facts.is_household, "refused", "household"),
            (facts.is_mutual, "refused", "mutual"),
            (mine and locked, "kept", "same_owner"),
            (mine and not (longer or stronger), "kept", "same_owner"),
            (mine, "renewed", "same_owner"),
            (locked, "refused", "locked_by_other"),
            (now_held is not None and not stronger, "refused", "held_by_other"),
            (now_held is not None, "bound", "stronger_source"),
            (facts.was_bound, "bound", "lapsed"),
            (not facts.has_paid, "bound", "new_customer"),
            (open_to_all, "bound", "existing_allowed"),
            (True, "refused", "existing_customer"),
        ]

    def answer(self) -> tuple[str, str]:
        return next((outcome, reason) for applies, outcome, reason in self.lines() if applies)


def every_combination() -> list[Facts]:
    holders: list[Held | None] = [None]
    for owner, state, source, days_left in product(
        (ANN, BEN, SHOP), BindingState, TouchSource, (10, 45)
    ):
        holders.append(held(owner, state=state, source=source, days_left=days_left))
    flags = list(product((False, True), repeat=7))
    combinations = []
    for holder, source, owner, flag in product(holders, TouchSource, (ANN, SHOP), flags):
        was_bound, has_paid, active, is_self, household, mutual, bindable = flag
        combinations.append(
            Facts(
                now=NOON,
                owner=owner,
                source=source,
                rule=replace(RULE, existing_customers_bindable=bindable),
                held=holder,
                was_bound=was_bound or holder is not None,
                has_paid=has_paid,
                owner_is_active=active,
                is_self=is_self,
                is_household=household,
                is_mutual=mutual,
            )
        )
    return combinations


def test_every_combination_of_facts_is_decided_as_the_list_of_rules_says() -> None:
    combinations = every_combination()

    differing = [
        facts
        for facts in combinations
        if (lambda found: (found.outcome.value, found.reason.value))(decide_touch(facts))
        != Ranked(facts).answer()
    ]

    assert len(combinations) == 61 * 5 * 2 * 128
    assert differing == []


def test_terms_come_with_a_change_and_never_without() -> None:
    for facts in every_combination():
        decision = decide_touch(facts)
        changes = decision.outcome in {TouchOutcome.BOUND, TouchOutcome.RENEWED}
        assert (decision.terms is not None) == changes
        if decision.terms is not None:
            assert decision.terms.valid_until_at > NOON
