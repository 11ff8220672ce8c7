"""Explanations for people: the stored facts of a decision as a few sentences without a language.

Facts are codes and numbers (`results.Facts`), fixed when the decision was made; sentences are
`Message`s that a front end translates. So an explanation reads well today, in both languages,
and still tells what counted at the time. Members appear as `#12`, or by the name that the caller
is entitled to show. Each model words its own facts.
"""

from collections.abc import Sequence

from app.engines.contract import Names, StoredFacts
from app.engines.registry import MODELS
from app.engines.results import Award, Gift, Outcome, Refusal
from app.engines.reversals import Reversal
from app.engines.wording import NO_NAMES, history, reversal
from app.kernel.i18n import Message


def explain(
    decision: Award | Refusal | Reversal | Gift, *, names: Names = NO_NAMES
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
        case Outcome.REVERSAL:
            return (reversal(facts),)
        case Outcome.AWARD | Outcome.REFUSAL:
            told = MODELS[facts["model"]].explain(facts, names)
            return (*told, *history(reversals))
