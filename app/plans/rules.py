"""What a brand can set in a plan: validated, immutable, and the same after a trip through JSON.

Each plan model has one class of parameters, listed in `RULES_BY_MODEL`; its defaults are the set
that may be published. Rates are basis points by level, level 1 first; a level is its rank, never
the id of a row. Whatever is wrong is reported by field, all at once, before anything is stored.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError, from_json, to_json

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message
from app.kernel.money import BASIS_POINTS

PAYOUT_CAP_MAX_BP: Final = 5_000
"""No plan may pay out more than half of what it pays commission on."""
LEVELS_MAX: Final = 9
PRODUCT_RATES_MAX: Final = 10_000
ID_MAX: Final = 2**63 - 1
FEN_MAX: Final = 10**12
CUSTOMERS_MAX: Final = 10**6
DAYS_MAX: Final = 3_650
SECONDS_PER_DAY: Final = 86_400
PRODUCT_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
QUOTED: Final = re.compile("'([^']+)'")


def _product_id(key: object) -> object:
    """Read the key of a JSON object as a product id, in one spelling only, so that none is lost."""
    if isinstance(key, str):
        if not PRODUCT_ID.fullmatch(key):
            raise PydanticCustomError("product_id", "not a product id")
        return int(key)
    return key


RateBp: TypeAlias = Annotated[int, Field(ge=0, le=BASIS_POINTS)]
RatesBp: TypeAlias = Annotated[tuple[RateBp, ...], Field(min_length=1, max_length=LEVELS_MAX)]
ProductId: TypeAlias = Annotated[int, BeforeValidator(_product_id), Field(ge=1, le=ID_MAX)]
WindowDays: TypeAlias = Annotated[int, Field(ge=1, le=DAYS_MAX)]


class Parameters(BaseModel):
    """Base of all plan parameters: no unknown fields, no conversions, no later change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


class ConditionKind(StrEnum):
    """The figures of a distributor that an upgrade can depend on, all of settled sales only."""

    DIRECT_SALES = "DIRECT_SALES"
    PAYING_CUSTOMERS = "PAYING_CUSTOMERS"


class DirectSales(Parameters):
    """Net settled sales to the distributor's own customers within a window."""

    kind: Literal[ConditionKind.DIRECT_SALES] = ConditionKind.DIRECT_SALES
    at_least_fen: Annotated[int, Field(ge=1, le=FEN_MAX)]
    window_days: WindowDays

    @property
    def at_least(self) -> int:
        """The figure to reach, in fen."""
        return self.at_least_fen


class PayingCustomers(Parameters):
    """How many different own customers have a settled order within a window."""

    kind: Literal[ConditionKind.PAYING_CUSTOMERS] = ConditionKind.PAYING_CUSTOMERS
    at_least_count: Annotated[int, Field(ge=1, le=CUSTOMERS_MAX)]
    window_days: WindowDays

    @property
    def at_least(self) -> int:
        """The figure to reach, in customers."""
        return self.at_least_count


Condition: TypeAlias = Annotated[DirectSales | PayingCustomers, Field(discriminator="kind")]


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
    Upgrade(level=2, conditions=(DirectSales(at_least_fen=500_000, window_days=90),)),
    Upgrade(
        level=3,
        conditions=(
            DirectSales(at_least_fen=2_000_000, window_days=180),
            PayingCustomers(at_least_count=10, window_days=180),
        ),
    ),
)


class Levels(Parameters):
    """The levels of a plan: 1 is given with approval, the others have to be earned.

    With `jump` a distributor goes straight to the highest level whose conditions they meet, also
    when they miss those of a level between; without it one level at a time.
    """

    upgrades: Annotated[tuple[Upgrade, ...], Field(max_length=LEVELS_MAX - 1)] = DEFAULT_UPGRADES
    jump: bool = True

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


class TwoLevelRules(Parameters):
    """Channel distribution, TWO_LEVEL: the two people above a buyer earn on the sale.

    `rates_first_bp` is paid to whoever brought the customer, `rates_second_bp` to that person's
    recommender, each by the level of the receiver. `self_purchase` puts a buyer who is a
    distributor into the first seat of their own order. `compress` gives the seat of someone who
    cannot earn to the next person above. Commission matures `settle_seconds` after receipt.
    """

    model: Literal["CHANNEL_TWO_LEVEL"] = "CHANNEL_TWO_LEVEL"
    effective_at: Literal["PAID"] = "PAID"
    levels: Levels = Levels()
    rates_first_bp: RatesBp = (1_000, 1_500, 2_000)
    rates_second_bp: RatesBp = (300, 500, 800)
    self_purchase: bool = False
    compress: bool = False
    payout_cap_bp: Annotated[int, Field(ge=1, le=PAYOUT_CAP_MAX_BP)] = 3_000
    product_rates: Annotated[
        dict[ProductId, ProductRates], Field(max_length=PRODUCT_RATES_MAX)
    ] = {}
    settle_seconds: Annotated[int, Field(ge=0, le=365 * SECONDS_PER_DAY)] = 7 * SECONDS_PER_DAY

    @field_validator("rates_first_bp", "rates_second_bp")
    @classmethod
    def _one_rate_a_level(cls, rates: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        _demand_one_rate_a_level(rates, info)
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
                    _demand_one_rate_a_level(rates, info, below=f"{product_id}.{name}")
        return product_rates


def _demand_one_rate_a_level(
    rates: tuple[int, ...], info: ValidationInfo, *, below: str = ""
) -> None:
    """Refuse a table of another length than there are levels, unless these are wrong themselves."""
    levels: Levels | None = info.data.get("levels")
    if levels is not None and len(rates) != levels.count:
        facts = {"expected": levels.count, "found": len(rates), "below": below}
        raise PydanticCustomError("rates_per_level", "one rate a level", facts)


PlanRules: TypeAlias = TwoLevelRules
"""The parameters of any plan: the union of the classes in `RULES_BY_MODEL`."""

RULES_BY_MODEL: Final[Mapping[str, type[PlanRules]]] = {"CHANNEL_TWO_LEVEL": TwoLevelRules}


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field: where (`levels.upgrades.0.mode`), a stable code, a sentence."""

    path: str
    code: str
    message: Message


@dataclass(eq=False)
class PlanRulesInvalid(DomainError):
    """Parameters that make no plan; `faults` names every field that is wrong."""

    code: ClassVar[str] = "plan_rules_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("These plan parameters are not valid. Please correct: %(fields)s")

    faults: tuple[FieldFault, ...]

    def parameters(self) -> dict[str, Any]:
        """Return the names of the wrong fields, for the sentence."""
        return {"fields": ", ".join(fault.path or "-" for fault in self.faults)}


FAULT_TEXTS: Final[Mapping[str, str]] = {
    "missing": N_("This is required."),
    "extra_forbidden": N_("There is no such parameter."),
    "int_type": N_("This must be a whole number."),
    "bool_type": N_("This must be true or false."),
    "tuple_type": N_("This must be a list."),
    "dict_type": N_("This must be an object."),
    "model_type": N_("This must be an object."),
    "greater_than_equal": N_("This must be at least %(ge)s."),
    "less_than_equal": N_("This must be at most %(le)s."),
    "too_short": N_("This needs at least %(min_length)s entries."),
    "too_long": N_("This may have at most %(max_length)s entries."),
    "literal_error": N_("This must be one of: %(expected)s."),
    "enum": N_("This must be one of: %(expected)s."),
    "union_tag_invalid": N_("This must be one of: %(expected)s."),
    "union_tag_not_found": N_("This is required."),
    "product_id": N_("This is not the id of a product."),
    "levels_missing": N_("The upgrades must lead to levels 2, 3 and so on, each once, in order."),
    "excluded_or_rated": N_("A product is either excluded or has rates of its own."),
    "rates_per_level": N_("This needs one rate for each of %(expected)s levels, not %(found)s."),
}
FAULT_TEXT_ELSE: Final = N_("This cannot be understood.")


def load_rules(document: Mapping[str, Any] | str | bytes) -> PlanRules:
    """Read plan parameters from JSON, as text or already parsed; what is left out has its default.

    Raises PlanRulesInvalid, which names every field that is wrong.

    >>> load_rules({"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": 2_800}).rates_second_bp
    (300, 500, 800)
    >>> load_rules('{"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": 5001, "levles": {}}')
    Traceback (most recent call last):
    ...
    app.plans.rules.PlanRulesInvalid: These plan parameters are not valid. \
Please correct: payout_cap_bp, levles
    """
    try:
        fields = from_json(document) if isinstance(document, str | bytes) else dict(document)
    except ValueError as error:
        raise _invalid("", "json_invalid") from error
    if not isinstance(fields, dict):
        raise _invalid("", "dict_type")
    if "model" not in fields:
        raise _invalid("model", "missing")
    rules_class = RULES_BY_MODEL.get(fields["model"]) if isinstance(fields["model"], str) else None
    if rules_class is None:
        raise _invalid("model", "literal_error", {"expected": ", ".join(RULES_BY_MODEL)})
    try:
        return rules_class.model_validate_json(to_json(fields))
    except ValidationError as error:
        raise PlanRulesInvalid(tuple(_faults(error))) from error


def dump_rules(rules: PlanRules) -> dict[str, Any]:
    """Return the parameters as plain JSON, none left out; `load_rules` gives the same back."""
    return rules.model_dump(mode="json")


def _invalid(path: str, code: str, context: Mapping[str, Any] | None = None) -> PlanRulesInvalid:
    message = Message(FAULT_TEXTS.get(code, FAULT_TEXT_ELSE), dict(context or {}))
    return PlanRulesInvalid((FieldFault(path, code, message),))


def _faults(error: ValidationError) -> Iterator[FieldFault]:
    """Yield Pydantic's findings in our words.

    A list whose entries are wrong also counts as too short to Pydantic; that is left out.
    """
    found = [(_path(detail), detail) for detail in error.errors(include_url=False)]
    for path, detail in found:
        if detail["type"] == "too_short" and any(p.startswith(f"{path}.") for p, _ in found):
            continue
        context = dict(detail.get("ctx", {}))
        expected = context.get("expected_tags", context.get("expected"))
        if isinstance(expected, str):
            context["expected"] = ", ".join(QUOTED.findall(expected))
        text = FAULT_TEXTS.get(detail["type"], FAULT_TEXT_ELSE)
        told = {name: fact for name, fact in context.items() if f"%({name})s" in text}
        yield FieldFault(path, detail["type"], Message(text, told))


def _path(detail: ErrorDetails) -> str:
    """Return the field as the author of a document would name it, without Pydantic's own steps."""
    context = detail.get("ctx", {})
    steps = [str(step) for step in detail["loc"] if step not in (*ConditionKind, "[key]")]
    if detail["type"].startswith("union_tag"):
        steps += QUOTED.findall(context["discriminator"])
    if below := context.get("below"):
        steps.append(below)
    return ".".join(steps)
