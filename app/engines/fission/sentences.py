"""Why somebody is given, or is not given, something under three-three fission."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from app.engines.contract import Names, StoredFacts
from app.engines.fission.engine import FissionReason, GiftKind
from app.engines.fission.rules import FissionRules, GiftForm, GiftTerms
from app.engines.results import Reason
from app.engines.wording import WHY_NOT, common, is_award
from app.kernel.i18n import N_, Message

KINDS: Final[Mapping[str, str]] = {
    GiftKind.NEWCOMER: N_("Welcome gift"),
    GiftKind.ROUND: N_("Round of new customers closed"),
    GiftKind.TIER2: N_("Everyone of a round closed one of their own"),
}
WHY_GIVEN: Final[Mapping[GiftKind, str]] = {
    GiftKind.NEWCOMER: N_(
        "This is the first order of member %(member)s, whom member %(owner)s brought."
    ),
    GiftKind.ROUND: N_(
        "Member %(buyer)s is new customer number %(count)s of %(needed)s within %(window_days)s"
        " days, so round %(round)s of member %(member)s is closed."
    ),
    GiftKind.TIER2: N_(
        "All %(needed)s new customers of round %(round)s of member %(member)s have closed a round"
        " of their own. This is given once a round."
    ),
}
GIVEN: Final[Mapping[GiftForm, str]] = {
    GiftForm.COUPON: N_("The plan gives this coupon for it: %(item)s, %(amount)s in number."),
    GiftForm.POINTS: N_("The plan gives points for it: %(item)s, %(amount)s in number."),
    GiftForm.SERVICE: N_("The plan gives this service for it: %(item)s, %(amount)s in number."),
}
REFUSED: Final[Mapping[StrEnum, str]] = {
    **WHY_NOT,
    FissionReason.NOT_FIRST: N_("The buyer had ordered before, so this is no new customer."),
    FissionReason.ALREADY_REFERRED: N_("The buyer was counted as a new customer already."),
    FissionReason.ROUND_OPEN: N_(
        "Round %(round)s of member %(member)s has %(count)s of the %(needed)s new customers that it"
        " needs within %(window_days)s days. The gift comes with the last."
    ),
    FissionReason.YEAR_FULL: N_(
        "Member %(member)s has closed %(rounds_max)s rounds within 365 days, as many as the plan"
        " allows, so this new customer counts for none."
    ),
}
IN_WORDS: Final[Mapping[GiftForm, str]] = {
    GiftForm.COUPON: N_("coupon: %(item)s, %(amount)s in number"),
    GiftForm.POINTS: N_("points: %(item)s, %(amount)s in number"),
    GiftForm.SERVICE: N_("service: %(item)s, %(amount)s in number"),
}


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why this gift was given, or was not."""
    told = common(facts, names)
    if is_award(facts):
        yield Message(WHY_GIVEN[GiftKind(facts["kind"])], told)
        yield Message(GIVEN[GiftForm(facts["form"])], told)
    else:
        yield Message(REFUSED[_reason(facts["reason"])], told)


def _reason(code: str) -> StrEnum:
    return Reason(code) if code in Reason.__members__ else FissionReason(code)


def describe(rules: FissionRules) -> Iterator[Message]:
    """Tell the rules of a plan."""
    figures: dict[str, Any] = {
        "per_round": rules.per_round,
        "days": rules.window_days,
        "rounds_max": rules.max_rounds_per_year,
    }
    if rules.newcomer_gift is not None:
        yield Message(
            N_("A new customer is given with their first order: %(gift)s."),
            {"gift": _in_words(rules.newcomer_gift)},
        )
    yield Message(
        N_(
            "Every %(per_round)s new customers within %(days)s days close a round, which brings:"
            " %(gift)s."
        ),
        {"gift": _in_words(rules.round_gift), **figures},
    )
    yield Message(N_("Nobody closes more than %(rounds_max)s rounds within 365 days."), figures)
    if rules.round_bonus is None:
        yield Message(N_("Nothing is given for what the people brought bring in turn."))
    else:
        yield Message(
            N_(
                "Once everyone of a round has closed a round of their own, it also brings:"
                " %(gift)s."
            ),
            {"gift": _in_words(rules.round_bonus)},
        )


def _in_words(terms: GiftTerms) -> Message:
    return Message(IN_WORDS[terms.form], {"item": terms.item, "amount": terms.amount})
