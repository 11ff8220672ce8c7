"""Why somebody gets, or does not get, commission under TWO_LEVEL, and what its rules say."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from app.engines.contract import Names, StoredFacts
from app.engines.incentives_wording import KINDS as MONTHLY_KINDS
from app.engines.incentives_wording import describe as describe_incentives
from app.engines.incentives_wording import explain as explain_month
from app.engines.incentives_wording import is_monthly
from app.engines.results import Reason
from app.engines.two_level.engine import AwardKind, RatesOf, Role
from app.engines.two_level.rules import TwoLevelRules
from app.engines.wording import (
    AMOUNT_EXACT,
    AMOUNT_ROUNDED,
    BASE,
    CAP_APPLIED,
    CAP_KEPT,
    WHY_NOT,
    is_award,
    name_of,
    rounds,
)
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

KINDS: Final[Mapping[str, str]] = {
    AwardKind.L1: N_("Brought the customer"),
    AwardKind.L2: N_("Brought that distributor"),
    **MONTHLY_KINDS,
}
WHY_SEATED: Final[Mapping[tuple[Role, int], str]] = {
    (Role.OWNER, 1): N_(
        "The buyer belonged to member %(member)s when the order was paid, so the first seat is"
        " theirs."
    ),
    (Role.RECOMMENDER, 2): N_(
        "Member %(member)s brought member %(owner)s, to whom the buyer belonged, into the team, so"
        " the second seat is theirs."
    ),
    (Role.BUYER, 1): N_(
        "The buyer, member %(member)s, is a distributor, and this plan pays on their own purchases,"
        " so the first seat is theirs."
    ),
    (Role.OWNER, 2): N_(
        "The first seat is the buyer's own; the buyer belonged to member %(member)s, so the second"
        " seat is theirs."
    ),
}
WHY_PASSED_ON: Final = N_(
    "Seat %(seat)s passed from %(passed)s, who could not take it, to the next above, member"
    " %(member)s."
)
RATE: Final[Mapping[RatesOf, str]] = {
    RatesOf.PLAN: N_("At level %(level)s the plan pays %(plan_rate)s in seat %(seat)s."),
    RatesOf.PRODUCT: N_(
        "This product has rates of its own: at level %(level)s it pays %(plan_rate)s in seat"
        " %(seat)s."
    ),
}
REFUSED: Final[Mapping[StrEnum, str]] = {
    **WHY_NOT,
    Reason.NO_UPLINE: N_("There is nobody above who could take seat %(seat)s."),
    Reason.ALREADY_SEATED: N_("Member %(member)s holds a seat already; nobody is paid twice."),
    Reason.NO_LEVEL: N_("Member %(member)s had no level when the order was paid."),
    Reason.LEVEL_NOT_IN_PLAN: N_("The plan has no rate for level %(level)s of member %(member)s."),
    Reason.ZERO_RATE: N_("At level %(level)s the plan pays nothing in seat %(seat)s."),
    Reason.CAPPED_OUT: N_(
        "The plan caps all commission on a line at %(cap)s, and that leaves nothing for seat"
        " %(seat)s."
    ),
    Reason.ZERO_AMOUNT: N_("%(rate)s of %(base)s is less than one fen."),
}
PASSED_ON: Final = N_("So seat %(seat)s passed to the next person above.")
ABOUT_THE_SUM: Final = frozenset({Reason.ZERO_RATE, Reason.CAPPED_OUT, Reason.ZERO_AMOUNT})
"""Refusals of someone who may earn: these also tell why the seat was theirs."""


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why this award was given, or was not."""
    if is_monthly(facts):
        yield from explain_month(facts, names)
        return
    yield from _award(facts, names) if is_award(facts) else _refusal(facts, names)


def _award(facts: StoredFacts, names: Names) -> Iterator[Message]:
    told = _parameters(facts, names)
    yield Message(BASE, told)
    yield _why_seated(facts, told)
    yield Message(RATE[RatesOf(facts["rates_of"])], told)
    yield Message(CAP_APPLIED if facts["rate_bp"] < facts["plan_rate_bp"] else CAP_KEPT, told)
    yield Message(AMOUNT_ROUNDED if rounds(facts) else AMOUNT_EXACT, told)


def _why_seated(facts: StoredFacts, told: dict[str, Any]) -> Message:
    if facts.get("passed_over"):
        return Message(WHY_PASSED_ON, told)
    return Message(WHY_SEATED[Role(facts["role"]), facts["seat"]], told)


def _refusal(facts: StoredFacts, names: Names) -> Iterator[Message]:
    told = _parameters(facts, names)
    reason = Reason(facts["reason"])
    if reason in ABOUT_THE_SUM:
        yield _why_seated(facts, told)
        if facts["plan_rate_bp"]:
            yield Message(RATE[RatesOf(facts["rates_of"])], told)
    yield Message(REFUSED[reason], told)
    if facts.get("passed_on"):
        yield Message(PASSED_ON, told)


def _parameters(facts: StoredFacts, names: Names) -> dict[str, Any]:
    """Return what the sentences about a decision can fill in; what the facts lack stays out."""
    told = {"seat": facts["seat"], "level": facts["level"], "base": yuan(facts["base_fen"])}
    for name, key in (("member", "beneficiary_id"), ("owner", "owner_id")):
        if facts[key] is not None:
            told[name] = name_of(facts[key], names)
    for name, key in (("plan_rate", "plan_rate_bp"), ("rate", "rate_bp"), ("cap", "cap_bp")):
        if key in facts:
            told[name] = percent(facts[key])
    if "amount_fen" in facts:
        told["amount"] = yuan(facts["amount_fen"])
        told["withheld"] = yuan(
            (facts["capped_from_fen"] or facts["amount_fen"]) - facts["amount_fen"]
        )
    if passed := facts.get("passed_over"):
        told["passed"] = ", ".join(name_of(member_id, names) for member_id in passed)
    return told


def describe(rules: TwoLevelRules) -> Iterator[Message]:
    """Tell the switches of a plan."""
    yield (
        Message(N_("Distributors earn on their own purchases."))
        if rules.self_purchase
        else Message(N_("Nobody earns on their own purchases."))
    )
    yield (
        Message(N_("The seat of somebody who cannot earn passes to the next above."))
        if rules.compress
        else Message(N_("The seat of somebody who cannot earn stays empty."))
    )
    if rules.product_rates:
        yield Message(
            N_("%(count)s products have rates of their own."), {"count": len(rules.product_rates)}
        )
    yield from describe_incentives(rules.incentives)
