"""The end of a month: what some models pay on a month's settled sales, and nothing else of it.

A closed month is never opened again. What refunds take back of earlier months is part of the month
in which they reach the customer, so a month can be below zero; then the shortfall is carried.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.engines.people import Standing
from app.engines.results import Facts


class MonthScope(StrEnum):
    """What is closed together: each store by itself, or the whole plan."""

    STORE = "STORE"
    PLAN = "PLAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Earner:
    """Somebody who may earn by the month, with their figures of that month.

    `level` is the level at the end of the month; for a shareholder that of their holding.
    `sales_fen`: net settled sales to own customers in the month, less refunds of earlier months;
    may be below zero. `last_sale_at`: when the last of these orders was settled.
    `own_settled_at`: their own last settled purchase, at any time. `received_fen`: what this plan
    has paid them by the month before, over all months. `until_at`: when their holding ends.
    `promoted_at`: when they reached their level; `promoter_id`: who had recommended them.
    """

    member_id: int
    recommender_id: int | None = None
    level: int | None = None
    standing: Standing = Standing.ACTIVE
    sales_fen: int = 0
    last_sale_at: datetime | None = None
    own_settled_at: datetime | None = None
    received_fen: int = 0
    until_at: datetime | None = None
    promoted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBooks:
    """The settled figures of one month. `month` is its first day, as `2026-10`.

    `net_fen`: what was settled in the month within the plan's scope, less what refunds booked in
    the month took back of earlier months. `carried_fen` and `deficit_fen` come from the close
    before: an undistributed remainder, and what was missing to zero. `ends_at` is the first instant
    after the month.
    """

    plan_id: int
    month: str
    ends_at: datetime
    net_fen: int
    people: tuple[Earner, ...]
    store_id: int | None = None
    carried_fen: int = 0
    deficit_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthAward:
    """So much to one person for a month: a share of `base_fen`; fixed where `rate_bp` is None."""

    beneficiary_id: int
    kind: StrEnum
    base_fen: int
    rate_bp: int | None
    amount_fen: int
    explanation: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRefusal:
    """Nothing to one person for a month, and why."""

    beneficiary_id: int
    kind: StrEnum
    reason: StrEnum
    explanation: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthClose:
    """What a month brings, and what it hands on to the next.

    `pool_fen` is what was to be shared, where there is a pool. `facts` tell how it came about.
    """

    awards: tuple[MonthAward, ...]
    refusals: tuple[MonthRefusal, ...]
    pool_fen: int
    carried_fen: int
    deficit_fen: int
    facts: Facts

    @property
    def total_fen(self) -> int:
        """What the month costs."""
        return sum(award.amount_fen for award in self.awards)
