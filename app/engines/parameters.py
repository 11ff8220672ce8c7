"""What all plans have in common: the types of their parameters, levels, and what they declare.

Everything is validated, immutable, and the same after a trip through JSON. Rates are basis points
by level, level 1 first; a level is its rank, never the id of a row. Each model adds its own
parameters in its own package and its defaults are a set that may be published.
"""

import re
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.kernel.money import BASIS_POINTS

LEVELS_MAX: Final = 9
PRODUCT_RATES_MAX: Final = 10_000
ID_MAX: Final = 2**63 - 1
FEN_MAX: Final = 10**12
COUNT_MAX: Final = 10**6
DAYS_MAX: Final = 3_650
SECONDS_PER_DAY: Final = 86_400
TEXT_MAX: Final = 4_000
PRODUCT_ID: Final = re.compile(r"[1-9][0-9]{0,18}")


def _product_id(key: object) -> object:
    """Read the key of a JSON object as a product id, in one spelling only, so that none is lost."""
    if isinstance(key, str):
        if not PRODUCT_ID.fullmatch(key):
            raise PydanticCustomError("product_id", "not a product id")
        return int(key)
    return key


RateBp: TypeAlias = Annotated[int, Field(ge=0, le=BASIS_POINTS)]
RatesBp: TypeAlias = Annotated[tuple[RateBp, ...], Field(min_length=1, max_length=LEVELS_MAX)]
Fen: TypeAlias = Annotated[int, Field(ge=0, le=FEN_MAX)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=COUNT_MAX)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=DAYS_MAX)]
ProductId: TypeAlias = Annotated[int, BeforeValidator(_product_id), Field(ge=1, le=ID_MAX)]


class Parameters(BaseModel):
    """Base of all plan parameters: no unknown fields, no conversions, no later change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


class Moment(StrEnum):
    """When an order counts for a plan."""

    PAID = "PAID"
    RECEIVED = "RECEIVED"
    AFTER_SALE_CLOSED = "AFTER_SALE_CLOSED"


class ConditionKind(StrEnum):
    """The figures of a distributor that a level can depend on, all of settled orders."""

    DIRECT_SALES = "DIRECT_SALES"
    PAYING_CUSTOMERS = "PAYING_CUSTOMERS"
    DIRECT_ORDERS = "DIRECT_ORDERS"
    LARGEST_ORDER = "LARGEST_ORDER"
    OWN_SPEND = "OWN_SPEND"
    OWN_ORDERS = "OWN_ORDERS"
    TEAM_SALES = "TEAM_SALES"
    COMMISSION_MATURED = "COMMISSION_MATURED"
    RECRUITS = "RECRUITS"


AMOUNTS: Final = frozenset(
    {
        ConditionKind.DIRECT_SALES,
        ConditionKind.LARGEST_ORDER,
        ConditionKind.OWN_SPEND,
        ConditionKind.TEAM_SALES,
        ConditionKind.COMMISSION_MATURED,
    }
)
"""The figures that are amounts in fen; the others are counts."""


class AmountCondition(Parameters):
    """An amount in fen to be reached within a window that ends at the evaluation.

    DIRECT_SALES: net settled sales to own customers. LARGEST_ORDER: the dearest of these orders.
    OWN_SPEND: own net settled purchases. TEAM_SALES: net settled sales of oneself and of those one
    brought, one tier. COMMISSION_MATURED: commission matured, net of what refunds took back.
    """

    kind: Literal[
        ConditionKind.DIRECT_SALES,
        ConditionKind.LARGEST_ORDER,
        ConditionKind.OWN_SPEND,
        ConditionKind.TEAM_SALES,
        ConditionKind.COMMISSION_MATURED,
    ]
    at_least_fen: Annotated[int, Field(ge=1, le=FEN_MAX)]
    window_days: Days

    @property
    def at_least(self) -> int:
        """The figure to reach, in fen."""
        return self.at_least_fen


class CountCondition(Parameters):
    """A number to be reached within a window that ends at the evaluation.

    PAYING_CUSTOMERS: different own customers with a settled order. DIRECT_ORDERS: settled orders of
    own customers. OWN_ORDERS: own settled purchases. RECRUITS: distributors brought and approved,
    which the compliance check calls what it is: promotion by recruiting (禁止传销条例 art. 7).
    """

    kind: Literal[
        ConditionKind.PAYING_CUSTOMERS,
        ConditionKind.DIRECT_ORDERS,
        ConditionKind.OWN_ORDERS,
        ConditionKind.RECRUITS,
    ]
    at_least_count: Count
    window_days: Days

    @property
    def at_least(self) -> int:
        """The figure to reach, as a number."""
        return self.at_least_count


Condition: TypeAlias = Annotated[AmountCondition | CountCondition, Field(discriminator="kind")]


def direct_sales(at_least_fen: int, window_days: int) -> AmountCondition:
    """Return the condition of net settled sales to own customers."""
    return AmountCondition(
        kind=ConditionKind.DIRECT_SALES, at_least_fen=at_least_fen, window_days=window_days
    )


def paying_customers(at_least_count: int, window_days: int) -> CountCondition:
    """Return the condition of different own customers with a settled order."""
    return CountCondition(
        kind=ConditionKind.PAYING_CUSTOMERS, at_least_count=at_least_count, window_days=window_days
    )


class Mode(StrEnum):
    """Whether one condition is enough."""

    ALL = "ALL"
    ANY = "ANY"


class Upgrade(Parameters):
    """What lifts a distributor to a level."""

    level: Annotated[int, Field(ge=2, le=LEVELS_MAX)]
    mode: Mode = Mode.ALL
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=9)]


DEFAULT_UPGRADES: Final = (
    Upgrade(level=2, conditions=(direct_sales(500_000, 90),)),
    Upgrade(level=3, conditions=(direct_sales(2_000_000, 180), paying_customers(10, 180))),
)


class Every(StrEnum):
    """How often a level has to be earned again."""

    MONTH = "MONTH"
    QUARTER = "QUARTER"


class Retention(Parameters):
    """What keeps a level: a share of its upgrade threshold in each period.

    Whoever misses it is warned, has `grace_days` to make it good, and then falls by one level,
    never below the first. Recommenders, customers and open awards stay as they are.
    """

    every: Every = Every.QUARTER
    share_bp: Annotated[int, Field(ge=1, le=BASIS_POINTS)] = 5_000
    grace_days: Annotated[int, Field(ge=0, le=365)] = 30


class Levels(Parameters):
    """The levels of a plan: 1 is given with approval, the others have to be earned.

    With `jump` a distributor goes straight to the highest level whose conditions they meet, also
    when they miss those of a level between; without it one level at a time. Without `retention` no
    level is ever lost.
    """

    upgrades: Annotated[tuple[Upgrade, ...], Field(max_length=LEVELS_MAX - 1)] = DEFAULT_UPGRADES
    jump: bool = True
    retention: Retention | None = None

    @field_validator("upgrades")
    @classmethod
    def _no_level_is_missing(cls, upgrades: tuple[Upgrade, ...]) -> tuple[Upgrade, ...]:
        if [upgrade.level for upgrade in upgrades] != list(range(2, len(upgrades) + 2)):
            raise PydanticCustomError("levels_missing", "levels are not 2, 3 and so on")
        return upgrades

    @property
    def count(self) -> int:
        """How many levels there are, level 1 included."""
        return len(self.upgrades) + 1


class Entry(StrEnum):
    """What a person has to do to be allowed to earn."""

    FREE = "FREE"
    BUY_PACKAGE = "BUY_PACKAGE"
    FEE = "FEE"
    TOPUP = "TOPUP"


class TaxMethod(StrEnum):
    """How tax on paid commission is withheld; which one applies is for the brand's adviser.

    LABOUR: income from labour services by the payment (公告2018年第61号). CUMULATIVE: the platform
    economy's cumulative withholding since October 2025.
    """

    LABOUR = "LABOUR"
    CUMULATIVE = "CUMULATIVE"


class Conduct(Parameters):
    """What a plan does besides paying: the compliance check reads it, people answer for it.

    `agreement_version` is what distributors sign, `public_rules` the text of the public page.
    """

    entry: Entry = Entry.FREE
    tax_method: TaxMethod | None = TaxMethod.LABOUR
    agreement_version: Annotated[str, Field(max_length=40)] = "2026-1"
    public_rules: Annotated[str, Field(max_length=TEXT_MAX)] = (
        "推荐奖励按顾客实际支付并完成服务的订单计算，退款后相应扣回。"
    )
    income_disclaimer: bool = True
    checks_adults: bool = True
    checks_professions: bool = True
    reverses_on_refund: bool = True
    forces_sharing: bool = False
    rewards_sharing: bool = False
    repurchase_lock_days: Annotated[int, Field(ge=0, le=DAYS_MAX)] = 0
    promises_return: bool = False
    topup_max_fen: Fen = 0
    topup_is_registered: bool = True
    topup_expires: bool = False


class PlanParameters(Parameters):
    """What every model has: when an order counts, levels, cap, waiting time, declarations.

    No order pays more than `payout_cap_bp` of its base. Awards mature `settle_seconds` after the
    order was received, and never before its after-sale window has closed.
    """

    model: str
    effective_at: Moment = Moment.PAID
    levels: Levels = Levels()
    payout_cap_bp: Annotated[int, Field(ge=1, le=BASIS_POINTS)] = 3_000
    settle_seconds: Annotated[int, Field(ge=0, le=365 * SECONDS_PER_DAY)] = 7 * SECONDS_PER_DAY
    conduct: Conduct = Conduct()


def demand_one_rate_a_level(
    rates: tuple[int, ...], info: ValidationInfo, *, below: str = ""
) -> None:
    """Refuse a table of another length than there are levels, unless these are wrong themselves."""
    levels: Levels | None = info.data.get("levels")
    if levels is not None and len(rates) != levels.count:
        facts: dict[str, Any] = {"expected": levels.count, "found": len(rates), "below": below}
        raise PydanticCustomError("rates_per_level", "one rate a level", facts)


class ProductRates(Parameters):
    """What one product pays instead of the plan's rates: nothing, or rates of its own.

    Rates left out are the plan's.
    """

    excluded: bool = False
    rates_first_bp: RatesBp | None = None
    rates_second_bp: RatesBp | None = None

    @model_validator(mode="after")
    def _excluded_or_rated(self) -> Self:
        if self.excluded == (self.rates_first_bp is not None or self.rates_second_bp is not None):
            raise PydanticCustomError("excluded_or_rated", "either excluded or with rates")
        return self
