"""Channel distribution, DIFFERENTIAL."""

from typing import Any

from app.engines.contract import Family, Model
from app.engines.differential import engine, profile, sentences
from app.engines.differential.rules import DifferentialRules
from app.engines.events import Event, Sold
from app.engines.incentives import close_month
from app.engines.months import MonthBooks, MonthClose, MonthScope
from app.engines.places import Places
from app.engines.results import NOTHING, Decisions
from app.kernel.i18n import N_


def _decide(rules: DifferentialRules, event: Event, _places: Places[Any]) -> Decisions:
    return engine.decide(rules, event.sale, event.chain) if isinstance(event, Sold) else NOTHING


def _close(rules: DifferentialRules, books: MonthBooks) -> MonthClose:
    return close_month(rules.model, rules.incentives, books)


MODEL = Model(
    code="CHANNEL_DIFFERENTIAL",
    family=Family.CHANNEL,
    title=N_("Channel distribution, difference of rates"),
    rules=DifferentialRules,
    decide=_decide,
    reacts_to=frozenset({Sold}),
    bound=profile.payout_bound,
    practices=profile.practices,
    describe=sentences.describe,
    explain=sentences.explain,
    kinds=sentences.KINDS,
    original={"model": "CHANNEL_DIFFERENTIAL", "max_depth": None},
    close_month=_close,
    month_scope=MonthScope.PLAN,
    pays_monthly=lambda rules: rules.incentives is not None,
)
