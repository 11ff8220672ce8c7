"""A plan as a file that can be carried from one house to another, and back.

The same version always gives the same bytes: fields stand in the order in which the model names
them. Products and stores are numbers of this house, so whoever reads a file checks that they exist
(`app.distribution.drafting`).
"""

import json
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from app.engines.documents import NUL, dump_rules, load_rules
from app.engines.faults import FieldFault, PlanRulesInvalid, faults_of, invalid
from app.engines.parameters import Parameters
from app.plans.models import PlanVersion
from app.plans.scopes import Scope

FORMAT: Final = "tuoke-plan"
FILE_BYTES_MAX: Final = 1_000_000
NAME_MAX: Final = 60
NOTE_MAX: Final = 200


class PlanFile(Parameters):
    """What stands in such a file. `name` is what the plan was called where it comes from."""

    format: Literal["tuoke-plan"]
    version: Literal[1]
    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
    model: str
    note: Annotated[str, Field(max_length=NOTE_MAX)] = ""
    scope: dict[str, Any] = Field(default={})
    rules: dict[str, Any]


def write_file(version: PlanVersion) -> str:
    """Return a version as the text of a file; its plan must be loaded."""
    rules = load_rules(version.rules)
    document = {
        "format": FORMAT,
        "version": 1,
        "name": version.plan.name,
        "model": rules.model,
        "note": version.note,
        "scope": Scope.read(version.scope).to_json(),
        "rules": dump_rules(rules),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read_file(text: str | bytes) -> PlanFile:
    """Read a file, or what somebody wrote by hand. Raises PlanRulesInvalid, which names the fields.

    What stands in `rules` and `scope` is looked at here as well, so that all faults are told at
    once; their paths begin with these words.
    """
    if len(text) > FILE_BYTES_MAX:
        raise invalid("", "file_too_large", {"most": FILE_BYTES_MAX})
    if NUL in (text.encode() if isinstance(text, str) else text):
        raise invalid("", "control_character")
    try:
        file = PlanFile.model_validate_json(text)
    except ValidationError as error:
        raise PlanRulesInvalid(tuple(faults_of(error))) from error
    faults = _faults_within(file)
    if faults:
        raise PlanRulesInvalid(tuple(faults))
    return file


def _faults_within(file: PlanFile) -> list[FieldFault]:
    faults: list[FieldFault] = []
    try:
        rules = load_rules(file.rules)
    except PlanRulesInvalid as error:
        faults += prefixed("rules", error)
    else:
        if rules.model != file.model:
            faults += invalid("model", "literal_error", {"expected": rules.model}).faults
    try:
        Scope.read(file.scope)
    except PlanRulesInvalid as error:
        faults += prefixed("scope", error)
    return faults


def prefixed(prefix: str, error: PlanRulesInvalid) -> list[FieldFault]:
    """Return the faults of a part of a document as faults of the whole."""
    return [
        FieldFault(f"{prefix}.{one.path}" if one.path else prefix, one.code, one.message)
        for one in error.faults
    ]
