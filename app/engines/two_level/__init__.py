"""Channel distribution, TWO_LEVEL."""

from typing import Any

from app.engines.contract import Family, Model
from app.engines.events import Event, Sold
from app.engines.incentives import close_month
from app.engines.months import MonthBooks, MonthClose, MonthScope
from app.engines.places import Places
from app.engines.results import NOTHING, Decisions
from app.engines.two_level import engine, profile, sentences
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import N_


def _decide(rules: TwoLevelRules, event: Event, _places: Places[Any]) -> Decisions:
    return engine.decide(rules, event.sale, event.chain) if isinstance(event, Sold) else NOTHING


def _close(rules: TwoLevelRules, books: MonthBooks) -> MonthClose:
    return close_month(rules.model, rules.incentives, books)


MODEL = Model(
    code="CHANNEL_TWO_LEVEL",
    family=Family.CHANNEL,
    title=N_("Channel distribution, two levels"),
    rules=TwoLevelRules,
    decide=_decide,
    reacts_to=frozenset({Sold}),
    bound=profile.payout_bound,
    practices=profile.practices,
    describe=sentences.describe,
    explain=sentences.explain,
    kinds=sentences.KINDS,
    original={
        "model": "CHANNEL_TWO_LEVEL",
        "rates_first_bp": [1_200, 1_200, 1_200],
        "rates_second_bp": [1_600, 1_600, 1_600],
        "self_purchase": True,
        "conduct": {"entry": "BUY_PACKAGE"},
    },
    close_month=_close,
    month_scope=MonthScope.PLAN,
    pays_monthly=lambda rules: rules.incentives is not None,
)
