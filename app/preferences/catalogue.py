"""The settings that staff may change, and what must hold between them. Pure.

Everything else stays with the environment: addresses, secrets, and what a process reads only when
it starts. `transfer_name_required_fen` is one of the latter, because WeChat's client keeps it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.preferences.guards import GUARDS
from app.preferences.guest_cards import GUEST_CARDS
from app.preferences.membership import MEMBERSHIP
from app.preferences.newcomers import NEWCOMERS
from app.preferences.points import POINTS
from app.preferences.specs import Spec
from app.preferences.suspicions import SUSPICIONS
from app.preferences.trade import TRADE
from app.preferences.units import Value
from app.preferences.writing import WRITING

SPECS: Final[tuple[Spec, ...]] = (
    *TRADE,
    *NEWCOMERS,
    *GUEST_CARDS,
    *POINTS,
    *MEMBERSHIP,
    *WRITING,
    *SUSPICIONS,
    *GUARDS,
)
BY_NAME: Final[Mapping[str, Spec]] = {one.name: one for one in SPECS}


@dataclass(frozen=True, slots=True)
class Order:
    """Two settings of which the first, so many times over, may not be above the second."""

    low: str
    high: str
    times: int = 1


ORDERS: Final[tuple[Order, ...]] = (
    Order("binding_soft_seconds", "binding_lock_seconds"),
    Order("payout_min_fen", "payout_max_fen"),
    Order("payout_second_approval_fen", "payout_max_fen"),
    Order("transfer_min_fen", "payout_min_fen"),
    Order("transfer_min_fen", "transfer_max_fen", times=2),
    Order("transfer_max_fen", "transfer_member_day_fen"),
    Order("transfer_member_day_fen", "transfer_merchant_day_fen"),
    Order("risk_binds_hour", "risk_binds_day"),
    Order("staff_idle_seconds", "staff_session_seconds"),
)
"""What must hold between settings: otherwise nothing could be paid, or nobody would look twice.

With half the largest transfer as the least one, every amount from the least payout on can be
divided into transfers.
"""


def broken(values: Mapping[str, Value], about: str) -> Iterator[Order]:
    """Yield the rules about one setting that some values break."""
    for rule in ORDERS:
        if about in {rule.low, rule.high} and values[rule.low] * rule.times > values[rule.high]:
            yield rule
