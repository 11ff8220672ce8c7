"""Why somebody gets, or does not get, commission under DIFFERENTIAL, and what its rules say."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from app.engines.contract import Names, StoredFacts
from app.engines.differential.engine import AwardKind, DifferentialReason, RatesOf
from app.engines.differential.rules import DifferentialRules, PeerBase
from app.engines.incentives_wording import KINDS as MONTHLY_KINDS
from app.engines.incentives_wording import describe as describe_incentives
from app.engines.incentives_wording import explain as explain_month
from app.engines.incentives_wording import is_monthly
from app.engines.results import Reason
from app.engines.wording import (
    AMOUNT_EXACT,
    AMOUNT_ROUNDED,
    BASE,
    CAP_APPLIED,
    CAP_KEPT,
    WHY_NOT,
    common,
    is_award,
    rounds,
)
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

KINDS: Final[Mapping[str, str]] = {
    AwardKind.DIFFERENTIAL: N_("Difference of rates"),
    AwardKind.PEER: N_("Peer reward"),
    **MONTHLY_KINDS,
}
PLACE: Final = N_("Member %(member)s stands %(seat)s steps above the buyer.")
PLACE_OF_OWNER: Final = N_(
    "The buyer belonged to member %(member)s when the order was paid, the first step above."
)
RATE: Final[Mapping[RatesOf, str]] = {
    RatesOf.PLAN: N_("At level %(level)s the plan's rate is %(own)s."),
    RatesOf.PRODUCT: N_(
        "This product has rates of its own: at level %(level)s its rate is %(own)s."
    ),
}
FIRST: Final = N_("Nobody below earns on it, so the whole rate is theirs.")
DIFFERENCE: Final = N_(
    "Below them member %(reached_by)s has %(reached)s, so the difference of %(plan_rate)s is"
    " theirs."
)
PEER: Final[Mapping[PeerBase, str]] = {
    PeerBase.ORDER: N_(
        "That equals the rate of member %(reached_by)s below, so as peer number %(peer)s they get"
        " the peer reward of %(plan_rate)s."
    ),
    PeerBase.INCOME: N_(
        "That equals the rate of member %(reached_by)s below, so as peer number %(peer)s they get"
        " %(peer_share)s of what that one gets for the difference, %(income)s: %(plan_rate)s of"
        " what was paid."
    ),
}
REFUSED: Final[Mapping[StrEnum, str]] = {
    **WHY_NOT,
    Reason.ALREADY_SEATED: N_("Member %(member)s stands nearer the buyer already."),
    Reason.NO_LEVEL: N_("Member %(member)s had no level when the order was paid."),
    Reason.LEVEL_NOT_IN_PLAN: N_("The plan has no rate for level %(level)s of member %(member)s."),
    Reason.ZERO_RATE: N_("At level %(level)s the plan's rate is zero."),
    Reason.CAPPED_OUT: N_(
        "The plan caps all commission on a line at %(cap)s, and those nearer the buyer leave"
        " nothing of that."
    ),
    Reason.ZERO_AMOUNT: N_("%(rate)s of %(base)s is less than one fen."),
    DifferentialReason.LOWER_RATE: N_(
        "Below them member %(reached_by)s has %(reached)s, which is more, so there is no difference"
        " to pay."
    ),
    DifferentialReason.EQUAL_RATE: N_(
        "Below them member %(reached_by)s has as much, and the plan pays no peer reward for that,"
        " or not to so many."
    ),
    DifferentialReason.NO_INCOME: N_(
        "That equals the rate of member %(reached_by)s below; %(peer_share)s of what that one gets"
        " is nothing."
    ),
}
REASONS: Final[Mapping[str, StrEnum]] = {reason.value: reason for reason in REFUSED}


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why this award was given, or was not."""
    if is_monthly(facts):
        yield from explain_month(facts, names)
        return
    told = _parameters(facts, names)
    if is_award(facts):
        yield Message(BASE, told)
        yield from _claim(facts, told)
        yield Message(CAP_APPLIED if facts["rate_bp"] < facts["plan_rate_bp"] else CAP_KEPT, told)
        yield Message(AMOUNT_ROUNDED if rounds(facts) else AMOUNT_EXACT, told)
        return
    reason = REASONS[facts["reason"]]
    if "plan_rate_bp" in facts:
        yield from _claim(facts, told)
    elif facts.get("own_bp"):
        yield from _place(facts, told)
    yield Message(REFUSED[reason], told)


def _place(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    yield Message(PLACE_OF_OWNER if facts["seat"] == 1 else PLACE, told)
    yield Message(RATE[RatesOf(facts["rates_of"])], told)


def _claim(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    yield from _place(facts, told)
    if facts["kind"] == AwardKind.PEER:
        yield Message(PEER[PeerBase(facts["peer_base"])], told)
    else:
        yield Message(DIFFERENCE if facts["reached_bp"] else FIRST, told)


def _parameters(facts: StoredFacts, names: Names) -> dict[str, Any]:
    told = common(facts, names)
    if "amount_fen" in facts:
        uncapped_fen = facts["capped_from_fen"] or facts["amount_fen"]
        told["withheld"] = yuan(uncapped_fen - facts["amount_fen"])
    if "peer_base" in facts:
        told |= {"peer": facts["peer"], "peer_share": percent(facts["peer_bp"])}
    return told


DESCRIBED_PEER: Final[Mapping[PeerBase, str]] = {
    PeerBase.ORDER: N_(
        "Each time a rate is reached, the first %(count)s above with the same rate get %(peer)s of"
        " what was paid."
    ),
    PeerBase.INCOME: N_(
        "Each time a rate is reached, the first %(count)s above with the same rate get %(peer)s of"
        " what the one who reached it gets."
    ),
}


def describe(rules: DifferentialRules) -> Iterator[Message]:
    """Tell the switches of a plan."""
    yield Message(
        N_("Whoever stands above a seller earns what their rate is higher: %(rates)s by level."),
        {"rates": ", ".join(map(percent, rules.rates_bp))},
    )
    if rules.peer_bp and rules.peer_generations:
        told = {"count": rules.peer_generations, "peer": percent(rules.peer_bp)}
        yield Message(DESCRIBED_PEER[rules.peer_base], told)
    else:
        yield Message(N_("Equal rates bring no peer reward."))
    yield (
        Message(N_("Nobody more than %(depth)s steps above the buyer earns."), {"depth": depth})
        if (depth := rules.max_depth)
        else Message(N_("Everybody above the buyer can earn, however far."))
    )
    if rules.product_rates:
        yield Message(
            N_("%(count)s products have rates of their own."), {"count": len(rules.product_rates)}
        )
    yield from describe_incentives(rules.incentives)
