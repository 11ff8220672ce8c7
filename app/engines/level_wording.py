"""Rises and falls of levels, and warnings of them, in words."""

from collections.abc import Mapping
from typing import Final

from app.engines.contract import StoredFacts
from app.engines.parameters import AMOUNTS, ConditionKind, Mode
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

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

WARNED: Final = N_(
    "Level %(level)s was not earned again in %(period)s: %(share)s of what leads to it are needed."
)
LOST: Final = N_(
    "Level %(from_level)s became level %(to_level)s, for it was not earned again in %(period)s nor"
    " in the %(days)s days after."
)
IN_PERIOD: Final[Mapping[ConditionKind, str]] = {
    ConditionKind.DIRECT_SALES: N_(
        "Settled sales to own customers: %(found)s, where %(at_least)s is needed."
    ),
    ConditionKind.PAYING_CUSTOMERS: N_(
        "Own customers with a settled order: %(found)s, where %(at_least)s are needed."
    ),
    ConditionKind.DIRECT_ORDERS: N_(
        "Settled orders of own customers: %(found)s, where %(at_least)s are needed."
    ),
    ConditionKind.LARGEST_ORDER: N_(
        "Largest settled order of an own customer: %(found)s, where %(at_least)s is needed."
    ),
    ConditionKind.OWN_SPEND: N_("Own settled purchases: %(found)s, where %(at_least)s is needed."),
    ConditionKind.OWN_ORDERS: N_("Own settled orders: %(found)s, where %(at_least)s are needed."),
    ConditionKind.TEAM_SALES: N_(
        "Settled sales of oneself and those one brought: %(found)s, where %(at_least)s is needed."
    ),
    ConditionKind.COMMISSION_MATURED: N_(
        "Commission matured: %(found)s, where %(at_least)s is needed."
    ),
    ConditionKind.RECRUITS: N_("Distributors brought: %(found)s, where %(at_least)s are needed."),
}
SET_BY_HAND: Final = N_("Level %(from_level)s became level %(to_level)s, set by hand: %(reason)s")


def explain_promotion(facts: StoredFacts) -> tuple[Message, ...]:
    """Tell why a distributor rose, from the explanation of a promotion."""
    levels = {"from_level": facts["from_level"], "to_level": facts["to_level"]}
    opening = Message(PROMOTED[Mode(facts["mode"])], levels)
    return (opening, *map(condition_in_words, facts["conditions"]))


def explain_warning(facts: StoredFacts) -> tuple[Message, ...]:
    """Tell why somebody was warned that they will lose their level."""
    named = {
        "level": facts["level"],
        "period": facts["period"],
        "share": percent(facts["share_bp"]),
    }
    return (Message(WARNED, named), *map(period_condition_in_words, facts["conditions"]))


def explain_move(cause: str, facts: StoredFacts) -> tuple[Message, ...]:
    """Tell why a level began: from the cause and the facts of its period; nothing for approval."""
    if cause == "upgrade" and "conditions" in facts:
        return explain_promotion(facts)
    if cause == "downgrade":
        named = {
            "from_level": facts["from_level"],
            "to_level": facts["to_level"],
            "period": facts["period"],
            "days": facts["grace_days"],
        }
        return (Message(LOST, named), *map(period_condition_in_words, facts["conditions"]))
    if cause == "set_by_hand":
        names = ("from_level", "to_level", "reason")
        return (Message(SET_BY_HAND, {name: facts[name] for name in names}),)
    return ()


def condition_in_words(facts: StoredFacts) -> Message:
    """Tell one condition with what was found."""
    kind = ConditionKind(facts["kind"])
    return Message(CONDITION[kind], {"days": facts["window_days"], **_figures(kind, facts)})


def period_condition_in_words(facts: StoredFacts) -> Message:
    """Tell one condition of keeping a level with what was found in the period."""
    kind = ConditionKind(facts["kind"])
    return Message(IN_PERIOD[kind], _figures(kind, facts))


def _figures(kind: ConditionKind, facts: StoredFacts) -> dict[str, object]:
    figures = {"found": facts["found"], "at_least": facts["at_least"]}
    if kind in AMOUNTS:
        return {name: yuan(amount_fen) for name, amount_fen in figures.items()}
    return figures
