"""Explanations for people: the stored facts of a decision as a few sentences without a language.

Facts are codes and numbers (`engine.results.Facts`), fixed when the decision was made; sentences
are `Message`s that a front end translates. So an explanation reads well today, in both languages,
and still tells what counted at the time. Members appear as `#12`, or by the name that the caller
is entitled to show.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from app.distribution.engine.bound import BoundStep, PayoutBound
from app.distribution.engine.channel import RatesOf, Role
from app.distribution.engine.results import Award, Outcome, Reason, Refusal
from app.distribution.engine.reversals import Reversal
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import BASIS_POINTS, percent
from app.plans.rules import ConditionKind, Mode

StoredFacts: TypeAlias = Mapping[str, Any]
Names: TypeAlias = Mapping[int, str]
NO_NAMES: Final[Names] = MappingProxyType({})

BASE: Final = N_(
    "%(base)s was paid for this line, without shipping, coupons and points; commission is paid on"
    " that."
)
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
CAP_KEPT: Final = N_(
    "The plan caps all commission on a line at %(cap)s; that takes nothing away here."
)
CAP_APPLIED: Final = N_(
    "The plan caps all commission on a line at %(cap)s, the first seat coming first. So %(rate)s"
    " is paid, and %(withheld)s is withheld."
)
AMOUNT_EXACT: Final = N_("%(rate)s of %(base)s is %(amount)s.")
AMOUNT_ROUNDED: Final = N_(
    "%(rate)s of %(base)s, rounded down to whole fen, is %(amount)s; the fraction stays with the"
    " brand."
)
REVERSED: Final = N_(
    "%(refunded)s of the %(base)s has been refunded. %(rate)s of the remaining %(remaining)s is"
    " %(new)s, so %(delta)s was taken back."
)
REVERSED_WHOLE: Final = N_("The whole %(base)s has been refunded, so %(delta)s was taken back.")
LEFT: Final = N_("%(left)s is left of this commission.")

REFUSED: Final[Mapping[Reason, str]] = {
    Reason.NOT_DISTRIBUTABLE: N_("This product pays no commission."),
    Reason.PRODUCT_EXCLUDED: N_("The plan leaves this product out."),
    Reason.ZERO_BASE: N_("Nothing was paid for this line, so there is nothing to share."),
    Reason.NO_OWNER: N_("The buyer belonged to nobody when the order was paid."),
    Reason.NO_UPLINE: N_("There is nobody above who could take seat %(seat)s."),
    Reason.BENEFICIARY_IS_BUYER: N_(
        "Member %(member)s is the buyer, and nobody earns on their own purchase."
    ),
    Reason.HOUSEHOLD: N_(
        "Member %(member)s shares a phone, a device or a payment account with the buyer. That"
        " counts as their own purchase."
    ),
    Reason.ALREADY_SEATED: N_("Member %(member)s holds a seat already; nobody is paid twice."),
    Reason.NOT_DISTRIBUTOR: N_(
        "Member %(member)s was not an approved distributor when the order was paid."
    ),
    Reason.FROZEN: N_("Member %(member)s was frozen when the order was paid."),
    Reason.QUIT: N_("Member %(member)s had left before the order was paid."),
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

BOUND_OF: Final[Mapping[RatesOf, str]] = {
    RatesOf.PLAN: N_(
        "At most the plan pays %(first)s to level %(first_level)s in the first seat and %(second)s"
        " to level %(second_level)s in the second: %(sum)s together."
    ),
    RatesOf.PRODUCT: N_(
        "For product %(product_id)s it pays at most %(first)s to level %(first_level)s in the first"
        " seat and %(second)s to level %(second_level)s in the second: %(sum)s together."
    ),
}
BOUND_KEPT: Final = N_(
    "An order mixes products and is rounded down, so none pays more than %(bound)s. The cap of"
    " %(cap)s never has to withhold anything."
)
BOUND_CAPPED: Final = N_(
    "An order mixes products and is rounded down, so the rates allow %(bound)s at most. The cap"
    " withholds whatever goes beyond %(cap)s."
)

PROMOTED: Final[Mapping[Mode, str]] = {
    Mode.ALL: N_("Level %(from_level)s became level %(to_level)s, for all conditions were met."),
    Mode.ANY: N_("Level %(from_level)s became level %(to_level)s, for one condition is enough."),
}
CONDITION: Final[Mapping[ConditionKind, str]] = {
    ConditionKind.DIRECT_SALES: N_(
        "Settled sales to own customers within %(days)s days: %(found)s, where %(at_least)s is"
        " needed."
    ),
    ConditionKind.PAYING_CUSTOMERS: N_(
        "Own customers with a settled order within %(days)s days: %(found)s, where %(at_least)s"
        " are needed."
    ),
}


def explain(
    decision: Award | Refusal | Reversal, *, names: Names = NO_NAMES
) -> tuple[Message, ...]:
    """Tell why somebody gets, does not get, or gives back this amount."""
    return explain_facts(decision.explanation, names=names)


def explain_facts(
    facts: StoredFacts, *, reversals: Sequence[StoredFacts] = (), names: Names = NO_NAMES
) -> tuple[Message, ...]:
    """Tell the same from facts as they were stored, with what happened to an award since.

    `reversals` are the facts of the award's reversals, the oldest first.
    """
    match Outcome(facts["outcome"]):
        case Outcome.AWARD:
            return (*_award(facts, names), *_history(reversals))
        case Outcome.REFUSAL:
            return tuple(_refusal(facts, names))
        case Outcome.REVERSAL:
            return (_reversal(facts),)


def explain_bound(bound: PayoutBound) -> tuple[Message, ...]:
    """Tell how the worst case of a plan comes about."""
    closing = BOUND_KEPT if bound.within_cap else BOUND_CAPPED
    figures = {"bound": percent(bound.bound_bp), "cap": percent(bound.cap_bp)}
    return (*map(_bound_step, bound.steps), Message(closing, figures))


def explain_promotion(facts: StoredFacts) -> tuple[Message, ...]:
    """Tell why a distributor rose, from the explanation of a promotion."""
    levels = {"from_level": facts["from_level"], "to_level": facts["to_level"]}
    opening = Message(PROMOTED[Mode(facts["mode"])], levels)
    return (opening, *map(_condition, facts["conditions"]))


def _award(facts: StoredFacts, names: Names) -> Iterator[Message]:
    told = _parameters(facts, names)
    rounds = facts["base_fen"] * facts["rate_bp"] % BASIS_POINTS != 0
    yield Message(BASE, told)
    yield _why_seated(facts, told)
    yield Message(RATE[RatesOf(facts["rates_of"])], told)
    yield Message(CAP_APPLIED if facts["rate_bp"] < facts["plan_rate_bp"] else CAP_KEPT, told)
    yield Message(AMOUNT_ROUNDED if rounds else AMOUNT_EXACT, told)


def _why_seated(facts: StoredFacts, told: dict[str, Any]) -> Message:
    if facts.get("passed_over"):
        return Message(WHY_PASSED_ON, told)
    return Message(WHY_SEATED[Role(facts["role"]), facts["seat"]], told)


def _history(reversals: Sequence[StoredFacts]) -> Iterator[Message]:
    yield from map(_reversal, reversals)
    if reversals:
        yield Message(LEFT, {"left": yuan(reversals[-1]["new_fen"])})


def _reversal(facts: StoredFacts) -> Message:
    told = {
        "base": yuan(facts["base_fen"]),
        "refunded": yuan(facts["refunded_fen"]),
        "remaining": yuan(facts["remaining_fen"]),
        "rate": percent(facts["rate_bp"]),
        "new": yuan(facts["new_fen"]),
        "delta": yuan(facts["delta_fen"]),
    }
    return Message(REVERSED if facts["remaining_fen"] else REVERSED_WHOLE, told)


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
            told[name] = _name(facts[key], names)
    for name, key in (("plan_rate", "plan_rate_bp"), ("rate", "rate_bp"), ("cap", "cap_bp")):
        if key in facts:
            told[name] = percent(facts[key])
    if "amount_fen" in facts:
        told["amount"] = yuan(facts["amount_fen"])
        told["withheld"] = yuan(
            (facts["capped_from_fen"] or facts["amount_fen"]) - facts["amount_fen"]
        )
    if passed := facts.get("passed_over"):
        told["passed"] = ", ".join(_name(member_id, names) for member_id in passed)
    return told


def _name(member_id: int, names: Names) -> str:
    return names.get(member_id, f"#{member_id}")


def _bound_step(step: BoundStep) -> Message:
    whose = RatesOf.PLAN if step.product_id is None else RatesOf.PRODUCT
    return Message(
        BOUND_OF[whose],
        {
            "product_id": step.product_id,
            "first": percent(step.first_bp),
            "first_level": step.first_level,
            "second": percent(step.second_bp),
            "second_level": step.second_level,
            "sum": percent(step.sum_bp),
        },
    )


def _condition(facts: StoredFacts) -> Message:
    kind = ConditionKind(facts["kind"])
    figures = {"found": facts["found"], "at_least": facts["at_least"]}
    if kind is ConditionKind.DIRECT_SALES:
        figures = {name: yuan(amount_fen) for name, amount_fen in figures.items()}
    return Message(CONDITION[kind], {"days": facts["window_days"], **figures})
