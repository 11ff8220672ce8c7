"""The parameters of sharing shareholders (共享股东), and what was decided against.

Not equity: a customer of one store who is rewarded for bringing others and shares in a monthly pool
of its settled sales. The trade's variants are parameters here, but for these:

- The pool's base is the store's net settled sales alone. Bases after cost or from profit need books
  of cost that this system does not keep, a flat share for cost is the same as a lower `pool_bp`,
  and a share of profit is what makes a reward read like a dividend on shares.
- The rebate on own consumption is paid with each order and not by the quarter: the sum is the same,
  and a refund takes back its own part of it.
- Entry by so many new customers besides own consumption is left out: nobody should earn by the
  number of people they bring (禁止传销条例 art. 7).
- A coupon handed over with a level is the guest-card quota of that level.
"""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.engines.parameters import (
    FEN_MAX,
    LEVELS_MAX,
    PRODUCT_RATES_MAX,
    Days,
    Parameters,
    PlanParameters,
    ProductId,
    RateBp,
    RatesBp,
)

WEIGHT_MAX: Final = 10_000
GUEST_CARDS_MAX: Final = 10_000
SEATS_MAX: Final = 200
TERM_MONTHS_MAX: Final = 120

PositiveFen: TypeAlias = Annotated[int, Field(ge=1, le=FEN_MAX)]


class EntryMode(StrEnum):
    """What makes a customer a shareholder of a store.

    CONSUMPTION: their settled purchases there together. REVIEW: the store decides. TOPUP: one
    purchase of the whole amount, the top-up, as the trade practises it; the compliance check
    blocks it.
    """

    CONSUMPTION = "CONSUMPTION"
    REVIEW = "REVIEW"
    TOPUP = "TOPUP"


class Split(StrEnum):
    """How the pool is shared.

    BY_WEIGHT: each holder by the weight of their level. BY_LEVEL: each level has a part of the pool
    by its weight, shared equally among its holders; the part of a level without any stays with the
    store.
    """

    BY_WEIGHT = "BY_WEIGHT"
    BY_LEVEL = "BY_LEVEL"


class Excess(StrEnum):
    """Who gets what goes beyond somebody's lifetime cap: the store, or the other holders."""

    KEPT = "KEPT"
    REDISTRIBUTED = "REDISTRIBUTED"


class ShareholderLevel(Parameters):
    """One level: what it takes, what it weighs in the pool, what it brings.

    `entry_fen` are settled own purchases at the store; `commission_bp` is paid on the orders of
    bound customers; `guest_cards` may be given away each month, what is unused lapses.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=20)]
    weight: Annotated[int, Field(ge=1, le=WEIGHT_MAX)]
    entry_fen: PositiveFen
    commission_bp: RateBp
    guest_cards: Annotated[int, Field(ge=0, le=GUEST_CARDS_MAX)] = 0


class ProductCommission(Parameters):
    """What one product pays instead: nothing to anybody, or a commission of its own by level."""

    excluded: bool = False
    commissions_bp: RatesBp | None = None

    @model_validator(mode="after")
    def _excluded_or_rated(self) -> Self:
        if self.excluded == (self.commissions_bp is not None):
            raise PydanticCustomError("excluded_or_rated", "either excluded or with rates")
        return self


DEFAULT_LEVELS: Final = (
    ShareholderLevel(code="SILVER", weight=1, entry_fen=100_000, commission_bp=500, guest_cards=5),
    ShareholderLevel(code="GOLD", weight=2, entry_fen=300_000, commission_bp=800, guest_cards=10),
    ShareholderLevel(
        code="DIAMOND", weight=5, entry_fen=500_000, commission_bp=1_000, guest_cards=20
    ),
)


class ShareholderRules(PlanParameters):
    """Sharing shareholders of a store: commission on the customers they brought, and a pool.

    `shareholder_levels` are those of a holding, the lowest first; the plan's `levels` are those of
    distributors and pay nothing here. Each month `pool_bp` of the store's net settled sales is
    shared among the holders who are in force and have a settled purchase of their own within
    `active_days`. `cap_total_fen` is the most that one holder ever gets from pools. A holding
    lasts `term_months`; a store has at most `seats_per_store`, far below the 200 people at whom
    raising money from the public begins. `rebate_bp` of what holders buy there comes back to them.
    """

    model: Literal["SHARING_SHAREHOLDERS"] = "SHARING_SHAREHOLDERS"
    shareholder_levels: Annotated[
        tuple[ShareholderLevel, ...], Field(min_length=1, max_length=LEVELS_MAX)
    ] = DEFAULT_LEVELS
    entry_mode: EntryMode = EntryMode.CONSUMPTION
    rebate_bp: RateBp = 0
    pool_bp: RateBp = 500
    pool_base: Literal["NET_SETTLED"] = "NET_SETTLED"
    split: Split = Split.BY_WEIGHT
    cap_total_fen: PositiveFen | None = None
    excess: Excess = Excess.KEPT
    active_days: Days = 90
    seats_per_store: Annotated[int, Field(ge=1, le=SEATS_MAX)] = 20
    term_months: Annotated[int, Field(ge=1, le=TERM_MONTHS_MAX)] = 12
    product_commissions: dict[ProductId, ProductCommission] = Field(
        default={}, max_length=PRODUCT_RATES_MAX
    )

    @field_validator("shareholder_levels")
    @classmethod
    def _each_above_the_last(
        cls, levels: tuple[ShareholderLevel, ...]
    ) -> tuple[ShareholderLevel, ...]:
        """Refuse names given twice, and a higher level that is easier to reach or weighs less."""
        if len({level.code for level in levels}) < len(levels):
            raise PydanticCustomError("shareholder_codes", "two levels with one name")
        for lower, higher in pairwise(levels):
            if higher.entry_fen <= lower.entry_fen or higher.weight < lower.weight:
                raise PydanticCustomError(
                    "shareholder_levels", "not ascending", {"level": higher.code}
                )
        return levels

    @field_validator("product_commissions")
    @classmethod
    def _one_commission_a_level(
        cls, products: dict[int, ProductCommission], info: ValidationInfo
    ) -> dict[int, ProductCommission]:
        levels = info.data.get("shareholder_levels")
        for product_id, own in products.items():
            rates = own.commissions_bp
            if levels is not None and rates is not None and len(rates) != len(levels):
                below = f"{product_id}.commissions_bp"
                facts = {"expected": len(levels), "found": len(rates), "below": below}
                raise PydanticCustomError("rates_per_level", "one rate a level", facts)
        return products

    def level(self, rank: int | None) -> ShareholderLevel | None:
        """Return the level of this rank, from 1; None where the plan has none such.

        >>> [level and level.code for level in map(ShareholderRules().level, (0, 1, 3, 4, None))]
        [None, 'SILVER', 'DIAMOND', None, None]
        """
        if rank is None or not 1 <= rank <= len(self.shareholder_levels):
            return None
        return self.shareholder_levels[rank - 1]
