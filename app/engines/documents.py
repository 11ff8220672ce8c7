"""Plan parameters from JSON and back."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from app.engines.faults import PlanRulesInvalid, faults_of, invalid
from app.engines.parameters import PlanParameters
from app.engines.registry import MODELS

NUL: Final = b"\\u0000"
"""How JSON writes the one character that PostgreSQL keeps in no text."""


def load_rules(document: Mapping[str, Any] | str | bytes) -> PlanParameters:
    """Read plan parameters from JSON, as text or already parsed; what is left out has its default.

    Raises PlanRulesInvalid, which names every field that is wrong.

    >>> load_rules({"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": 2_800}).rates_second_bp
    (300, 500, 800)
    >>> load_rules('{"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": 10001, "levles": {}}')
    Traceback (most recent call last):
    ...
    app.engines.faults.PlanRulesInvalid: These plan parameters are not valid. \
Please correct: payout_cap_bp, levles
    """
    try:
        fields = from_json(document) if isinstance(document, str | bytes) else dict(document)
    except ValueError as error:
        raise invalid("", "json_invalid") from error
    if not isinstance(fields, dict):
        raise invalid("", "dict_type")
    if "model" not in fields:
        raise invalid("model", "missing")
    model = MODELS.get(fields["model"]) if isinstance(fields["model"], str) else None
    if model is None:
        raise invalid("model", "literal_error", {"expected": ", ".join(MODELS)})
    encoded = to_json(fields)
    if NUL in encoded:
        raise invalid("", "control_character")
    try:
        return model.rules.model_validate_json(encoded)
    except ValidationError as error:
        raise PlanRulesInvalid(tuple(faults_of(error))) from error


def dump_rules(rules: PlanParameters) -> dict[str, Any]:
    """Return the parameters as plain JSON, none left out; `load_rules` gives the same back."""
    return rules.model_dump(mode="json")
