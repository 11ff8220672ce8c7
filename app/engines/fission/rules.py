"""The parameters of three-three fission."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.engines.parameters import Count, Days, Moment, Parameters, PlanParameters

ROUND_MAX = 99
ITEM_MAX = 60


class GiftForm(StrEnum):
    """In which form a gift is given; none of them is money, and none can be turned into it."""

    COUPON = "COUPON"
    POINTS = "POINTS"
    SERVICE = "SERVICE"


class GiftTerms(Parameters):
    """A gift: its form, what it is in the brand's own words, and how many of it."""

    form: GiftForm
    item: Annotated[str, Field(min_length=1, max_length=ITEM_MAX)]
    amount: Count = 1


class FissionRules(PlanParameters):
    """Three-three fission: customers bring customers, and every third one brings a gift.

    A referral is effective when a customer without an earlier order has one that counts. Each
    `per_round` of them that were paid for within `window_days` close a round, at most
    `max_rounds_per_year` in any 365 days, and bring `round_gift`. The newcomer is given
    `newcomer_gift` at once. `round_bonus` is the second tier: given once when all whom a round
    brought have closed a round of their own. It rewards what others recruit, so `strict` rules it
    out.

    Decided against: guest cards verified in a store as a second way for a referral to be
    effective. No event of a plan tells of them, and a card without a sale behind it would reward
    heads. A card that leads to an order counts by that order.
    """

    model: Literal["THREE_FISSION"] = "THREE_FISSION"
    effective_at: Moment = Moment.AFTER_SALE_CLOSED
    per_round: Annotated[int, Field(ge=2, le=ROUND_MAX)] = 3
    window_days: Days = 30
    max_rounds_per_year: Annotated[int, Field(ge=1, le=ROUND_MAX)] = 4
    newcomer_gift: GiftTerms | None = GiftTerms(form=GiftForm.COUPON, item="新客体验券")
    round_gift: GiftTerms = GiftTerms(form=GiftForm.COUPON, item="护理项目抵用券")
    strict: bool = True
    round_bonus: GiftTerms | None = None

    @field_validator("round_bonus")
    @classmethod
    def _not_when_strict(cls, bonus: GiftTerms | None, info: ValidationInfo) -> GiftTerms | None:
        if bonus is not None and info.data.get("strict"):
            raise PydanticCustomError("bonus_when_strict", "strict plans have no second tier")
        return bonus
