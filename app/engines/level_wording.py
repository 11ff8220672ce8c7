"""Rises and falls of levels in words."""

from collections.abc import Mapping
from typing import Final

from app.engines.contract import StoredFacts
from app.engines.parameters import AMOUNTS, ConditionKind, Mode
from app.kernel.i18n import N_, Message, yuan

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
    ConditionKind.DIRECT_ORDERS: N_(
        "Settled orders of own customers within %(days)s days: %(found)s, where %(at_least)s are"
        " needed."
    ),
    ConditionKind.LARGEST_ORDER: N_(
        "Largest settled order of an own customer within %(days)s days: %(found)s, where"
        " %(at_least)s is needed."
    ),
    ConditionKind.OWN_SPEND: N_(
        "Own settled purchases within %(days)s days: %(found)s, where %(at_least)s is needed."
    ),
    ConditionKind.OWN_ORDERS: N_(
        "Own settled orders within %(days)s days: %(found)s, where %(at_least)s are needed."
    ),
    ConditionKind.TEAM_SALES: N_(
        "Settled sales of oneself and those one brought within %(days)s days: %(found)s, where"
        " %(at_least)s is needed."
    ),
    ConditionKind.COMMISSION_MATURED: N_(
        "Commission matured within %(days)s days: %(found)s, where %(at_least)s is needed."
    ),
    ConditionKind.RECRUITS: N_(
        "Distributors brought within %(days)s days: %(found)s, where %(at_least)s are needed."
    ),
}


def explain_promotion(facts: StoredFacts) -> tuple[Message, ...]:
    """Tell why a distributor rose, from the explanation of a promotion."""
    levels = {"from_level": facts["from_level"], "to_level": facts["to_level"]}
    opening = Message(PROMOTED[Mode(facts["mode"])], levels)
    return (opening, *map(condition_in_words, facts["conditions"]))


def condition_in_words(facts: StoredFacts) -> Message:
    """Tell one condition with what was found."""
    kind = ConditionKind(facts["kind"])
    figures = {"found": facts["found"], "at_least": facts["at_least"]}
    if kind in AMOUNTS:
        figures = {name: yuan(amount_fen) for name, amount_fen in figures.items()}
    return Message(CONDITION[kind], {"days": facts["window_days"], **figures})
