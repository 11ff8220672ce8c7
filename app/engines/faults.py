"""What is wrong with the parameters of a plan, by field, all of it at once, for people to read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.engines.parameters import ConditionKind
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message

QUOTED: Final = re.compile("'([^']+)'")


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
    "string_type": N_("This must be a text."),
    "string_too_short": N_("This needs at least %(min_length)s characters."),
    "string_too_long": N_("This may have at most %(max_length)s characters."),
    "string_pattern_mismatch": N_("This must be written in the form %(pattern)s."),
    "none_required": N_("This must be left out."),
    "literal_error": N_("This must be one of: %(expected)s."),
    "enum": N_("This must be one of: %(expected)s."),
    "union_tag_invalid": N_("This must be one of: %(expected)s."),
    "union_tag_not_found": N_("This is required."),
    "product_id": N_("This is not the id of a product."),
    "levels_missing": N_("The upgrades must lead to levels 2, 3 and so on, each once, in order."),
    "excluded_or_rated": N_("A product is either excluded or has rates of its own."),
    "id_twice": N_("An id stands there twice."),
    "scope_too_large": N_("These are too many combinations; at most %(most)s."),
    "unknown_stores": N_("There is no store %(ids)s."),
    "unknown_products": N_("There is no product %(ids)s."),
    "control_character": N_("This holds a character that cannot be kept."),
    "file_too_large": N_("This file is too large; at most %(most)s bytes."),
    "ladder_order": N_("Each step of the ladder must ask for more sales and pay a higher rate."),
    "prizes_rise": N_("No prize may be dearer than the one before it."),
    "prize_above_sales": N_("The first prize must not be dearer than the sales it asks for."),
    "no_incentive": N_("At least one incentive must be set, or all must be left out."),
    "rates_per_level": N_("This needs one rate for each of %(expected)s levels, not %(found)s."),
    "shareholder_codes": N_("Each level needs a name of its own."),
    "shareholder_levels": N_(
        "Level %(level)s must take more to reach than the one below it, and weigh no less."
    ),
    "chain_entry": N_("Chain 2+1 is entered freely or by buying a package."),
    "package_price_needed": N_("This needs an entry price, from which a purchase is a package."),
    "rate_or_fixed": N_("This needs either a rate or a fixed amount."),
    "promotion_settled": N_("Own sales count when they are settled: AFTER_SALE_CLOSED."),
    "promotion_unsettled": N_("Joining is free here, so no order could be awaited: PAID."),
    "root_leaves_to": N_("Nobody is above the top of a team: only the PLATFORM can take people."),
    "repurchase_rates": N_("Repurchases by TWO_LEVEL need a rate; those by NOTHING have none."),
    "bonus_when_strict": N_("A strict plan has no second tier: it would reward recruiting."),
    "completion_unneeded": N_("This needs layers that have to be filled."),
    "completion_above_price": N_("This must not be more than the price of the package."),
    "reentry_positions": N_("Coming in again needs more than one position a person."),
}
FAULT_TEXT_ELSE: Final = N_("This cannot be understood.")


def invalid(path: str, code: str, context: Mapping[str, Any] | None = None) -> PlanRulesInvalid:
    """Return the error of a single field."""
    message = Message(FAULT_TEXTS.get(code, FAULT_TEXT_ELSE), dict(context or {}))
    return PlanRulesInvalid((FieldFault(path, code, message),))


def faults_of(error: ValidationError) -> Iterator[FieldFault]:
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
