"""The parameters of channel distribution, DIFFERENTIAL.

Decisions. *Peer reward on income* is a share of what the one below got on this line for the
difference, in whole basis points of the line, so that refunds and the cap treat it like any rate.
*The captain form* (gold gets 80 % of their own sales and 80 % − 60 % of silver's) is this model
seen from above, by the month instead of the order; it has no switch of its own. *Self-purchase* is
not offered: a buyer with the highest level would take the whole line themselves. *Compression*
means nothing here, since rates and not seats are paid for. *The reward when the difference is lost*
(推荐奖) is among the `incentives`. *Peer rates by product* are not offered, rates by product are.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.engines.incentives import Incentives
from app.engines.parameters import (
    DEFAULT_UPGRADES,
    PRODUCT_RATES_MAX,
    Levels,
    Parameters,
    PlanParameters,
    ProductId,
    RateBp,
    RatesBp,
    Upgrade,
    demand_one_rate_a_level,
    direct_sales,
    paying_customers,
)

DEPTH_MAX = 9
"""How far above the buyer the upline of an order is known."""

FOUR_LEVELS = Levels(
    upgrades=(
        *DEFAULT_UPGRADES,
        Upgrade(level=4, conditions=(direct_sales(6_000_000, 180), paying_customers(30, 180))),
    )
)


class PeerBase(StrEnum):
    """Of what the peer reward is a share: what was paid, or what the one below gets of it."""

    ORDER = "ORDER"
    INCOME = "INCOME"


class DifferentialProduct(Parameters):
    """What one product pays instead of the plan's rates: nothing, or rates of its own."""

    excluded: bool = False
    rates_bp: RatesBp | None = None

    @model_validator(mode="after")
    def _excluded_or_rated(self) -> Self:
        if self.excluded == (self.rates_bp is not None):
            raise PydanticCustomError("excluded_or_rated", "either excluded or with rates")
        return self


class DifferentialRules(PlanParameters):
    """Channel distribution, DIFFERENTIAL: who stands above earns what their rate is higher.

    `rates_bp` by level. Somebody whose rate equals the one reached below gets the peer reward
    instead, the first `peer_generations` of them each time the rate has risen: `peer_bp` of what
    `peer_base` names. `max_depth` is how far above the buyer anybody earns; without it, as far as
    the upline is known.
    """

    model: Literal["CHANNEL_DIFFERENTIAL"] = "CHANNEL_DIFFERENTIAL"
    levels: Levels = FOUR_LEVELS
    rates_bp: RatesBp = (500, 800, 1_200, 1_500)
    peer_bp: RateBp = 100
    peer_generations: Annotated[int, Field(ge=0, le=DEPTH_MAX)] = 1
    peer_base: PeerBase = PeerBase.ORDER
    max_depth: Annotated[int, Field(ge=1, le=DEPTH_MAX)] | None = 2
    product_rates: dict[ProductId, DifferentialProduct] = Field(
        default={}, max_length=PRODUCT_RATES_MAX
    )
    incentives: Incentives | None = None

    @field_validator("rates_bp")
    @classmethod
    def _one_rate_a_level(cls, rates: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        demand_one_rate_a_level(rates, info)
        return rates

    @field_validator("product_rates")
    @classmethod
    def _one_rate_a_level_and_product(
        cls, product_rates: dict[int, DifferentialProduct], info: ValidationInfo
    ) -> dict[int, DifferentialProduct]:
        for product_id, own in product_rates.items():
            if own.rates_bp is not None:
                demand_one_rate_a_level(own.rates_bp, info, below=f"{product_id}.rates_bp")
        return product_rates
