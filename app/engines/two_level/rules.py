"""The parameters of channel distribution, TWO_LEVEL.

Decisions. *Who cannot earn* leaves a seat empty; that the next takes it is `compress`, an option.
*Level and layer* are two things: the level is the table of rates, the layer the seat, and no level
brings a seat of its own. *A provider or partner above all* is not built here: the highest level of
DIFFERENTIAL with the team ladder is that. *Repurchase* pays like a first order. *Entry* by order,
product or spend is declared in `conduct`, where the compliance check finds it. *Seats beyond the
second* are not offered: the law knows them as pyramid selling, and DIFFERENTIAL can simulate them.
"""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from app.engines.incentives import Incentives
from app.engines.parameters import (
    PRODUCT_RATES_MAX,
    PlanParameters,
    ProductId,
    ProductRates,
    RatesBp,
    demand_one_rate_a_level,
)


class TwoLevelRules(PlanParameters):
    """Channel distribution, TWO_LEVEL: the two people above a buyer earn on the sale.

    `rates_first_bp` is paid to whoever brought the customer, `rates_second_bp` to that person's
    recommender, each by the level of the receiver. `self_purchase` puts a buyer who is a
    distributor into the first seat of their own order. `compress` gives the seat of someone who
    cannot earn to the next person above. `incentives` are paid by the month, on top.
    """

    model: Literal["CHANNEL_TWO_LEVEL"] = "CHANNEL_TWO_LEVEL"
    rates_first_bp: RatesBp = (1_000, 1_500, 2_000)
    rates_second_bp: RatesBp = (300, 500, 800)
    self_purchase: bool = False
    compress: bool = False
    product_rates: dict[ProductId, ProductRates] = Field(default={}, max_length=PRODUCT_RATES_MAX)
    incentives: Incentives | None = None

    @field_validator("rates_first_bp", "rates_second_bp")
    @classmethod
    def _one_rate_a_level(cls, rates: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        demand_one_rate_a_level(rates, info)
        return rates

    @field_validator("product_rates")
    @classmethod
    def _one_rate_a_level_and_product(
        cls, product_rates: dict[int, ProductRates], info: ValidationInfo
    ) -> dict[int, ProductRates]:
        for product_id, own in product_rates.items():
            for name in ("rates_first_bp", "rates_second_bp"):
                rates = getattr(own, name)
                if rates is not None:
                    demand_one_rate_a_level(rates, info, below=f"{product_id}.{name}")
        return product_rates
