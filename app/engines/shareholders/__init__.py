"""Sharing shareholders (共享股东): customers of a store who bring others and share in a pool."""

from typing import Any, Final

from app.engines.contract import Family, Model
from app.engines.events import Refunded, Settled, Sold
from app.engines.months import MonthScope
from app.engines.shareholders import engine, pool, profile, sentences, telling
from app.engines.shareholders.holdings import HoldingPlace
from app.engines.shareholders.rules import ShareholderRules
from app.kernel.i18n import N_

AS_PRACTISED: Final[dict[str, Any]] = {
    "model": "SHARING_SHAREHOLDERS",
    "entry_mode": "TOPUP",
    "shareholder_levels": [
        {
            "code": "DIVIDEND",
            "weight": 1,
            "entry_fen": 3_000_000,
            "commission_bp": 1_000,
            "guest_cards": 5,
        }
    ],
    "rebate_bp": 800,
    "pool_bp": 1_000,
    "cap_total_fen": 3_000_000,
    "excess": "REDISTRIBUTED",
    "settle_seconds": 0,
    "conduct": {"entry": "TOPUP", "promises_return": True, "topup_max_fen": 3_000_000},
}
"""The "dividend shareholder" of the trade: a top-up of 30 000 yuan, paid back from pools."""

MODEL = Model(
    code="SHARING_SHAREHOLDERS",
    family=Family.SHAREHOLDERS,
    title=N_("Sharing shareholders"),
    rules=ShareholderRules,
    decide=engine.decide,
    reacts_to=frozenset({Sold, Settled, Refunded}),
    bound=profile.payout_bound,
    practices=profile.practices,
    describe=sentences.describe,
    explain=sentences.explain,
    kinds=sentences.KINDS,
    original=AS_PRACTISED,
    place=HoldingPlace,
    close_month=pool.close_month,
    month_scope=MonthScope.STORE,
    explain_close=sentences.explain_close,
    tell=telling.tell,
)
