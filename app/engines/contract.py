"""What a plan model has to bring to be entered in `registry`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from app.engines.bound import PayoutBound
from app.engines.events import Event
from app.engines.months import MonthBooks, MonthClose, MonthScope
from app.engines.parameters import PlanParameters
from app.engines.places import Place, Places
from app.engines.practices import Practices
from app.engines.results import Decisions
from app.kernel.i18n import N_, Message

StoredFacts: TypeAlias = Mapping[str, Any]
Names: TypeAlias = Mapping[int, str]


def _always(_rules: Any) -> bool:
    return True


class Family(StrEnum):
    """The families of models, as the trade knows them."""

    CHANNEL = "CHANNEL"
    SHAREHOLDERS = "SHAREHOLDERS"
    THREE_THREE = "THREE_THREE"
    CHAIN = "CHAIN"
    OTHER = "OTHER"


FAMILY_NAMES: Final[Mapping[Family, str]] = {
    Family.CHANNEL: N_("Channel distribution"),
    Family.SHAREHOLDERS: N_("Sharing shareholders"),
    Family.THREE_THREE: N_("Three-three"),
    Family.CHAIN: N_("Chain 2+1"),
    Family.OTHER: N_("Other"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One plan model.

    `decide` is pure: the same rules, event and places give the same decisions. It is called for
    the events in `reacts_to` alone, one after another for models that keep places (`place`), in
    any order for the others, and at most once for each. `original` is the parameter set as the
    trade practises it: it can be simulated, and the compliance check says what is wrong with it.
    `explain` tells of facts that `decide` and `close_month` wrote; `kinds` names what it pays;
    `describe` tells the rules in sentences. Models that pay by the month bring `close_month`, which
    is given the settled figures of one month, and `month_scope`: one close a store, or one in all;
    `pays_monthly` tells for models where that depends on the rules.
    `explain_close` tells how a closed month came about, from the facts of its close, where there is
    more to tell than sums. `tell` says to somebody what their place means (rules, place); models
    with places bring it.
    """

    code: str
    family: Family
    title: str
    rules: type[PlanParameters]
    decide: Callable[[Any, Event, Places[Any]], Decisions]
    reacts_to: frozenset[type[Any]]
    bound: Callable[[Any], PayoutBound]
    practices: Callable[[Any], Practices]
    describe: Callable[[Any], Iterable[Message]]
    explain: Callable[[StoredFacts, Names], Iterable[Message]]
    kinds: Mapping[str, str]
    original: Mapping[str, Any]
    place: type[Place] | None = None
    close_month: Callable[[Any, MonthBooks], MonthClose] | None = None
    month_scope: MonthScope | None = None
    explain_close: Callable[[StoredFacts], Iterable[Message]] | None = None
    pays_monthly: Callable[[Any], bool] = _always
    tell: Callable[[Any, Any], Iterable[Message]] | None = None
