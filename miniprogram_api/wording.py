"""How each way in which a field can be wrong is called and worded.

The keys are pydantic's error types; the codes are ours and stable. Parameters come from the
constraint that was broken, never from what the caller sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.kernel.i18n import N_, Message


@dataclass(frozen=True, slots=True)
class Wording:
    """A stable code and the text that goes with it; `limit` names pydantic's parameter."""

    code: str
    text: str
    limit: str | None = None


_NUMBER: Final = Wording("not_a_whole_number", N_("A whole number is expected."))
_TEXT: Final = Wording("not_a_text", N_("A text is expected."))
_FLAG: Final = Wording("not_a_flag", N_("true or false is expected."))
_OBJECT: Final = Wording("not_an_object", N_("An object is expected."))
_DAY: Final = Wording("not_a_day", N_("A day such as 2026-03-01 is expected."))
_CHOICE: Final = Wording("not_a_choice", N_("One of these is expected: %(limit)s."), "expected")
_FORM: Final = Wording("wrong_form", N_("The text does not have the expected form."))
OTHER: Final = Wording("not_valid", N_("The value is not valid."))

WORDINGS: Final[Mapping[str, Wording]] = {
    "missing": Wording("required", N_("This field is required.")),
    "extra_forbidden": Wording("unknown_field", N_("There is no such field.")),
    "repeated": Wording("repeated", N_("This parameter may be given only once.")),
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": _NUMBER,
    "int_from_float": _NUMBER,
    "greater_than_equal": Wording("too_small", N_("The least allowed is %(limit)s."), "ge"),
    "greater_than": Wording("too_small", N_("It must be more than %(limit)s."), "gt"),
    "less_than_equal": Wording("too_large", N_("The most allowed is %(limit)s."), "le"),
    "less_than": Wording("too_large", N_("It must be less than %(limit)s."), "lt"),
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_too_short": Wording(
        "too_short", N_("At least %(limit)s characters are needed."), "min_length"
    ),
    "string_too_long": Wording(
        "too_long", N_("At most %(limit)s characters are allowed."), "max_length"
    ),
    "string_pattern_mismatch": _FORM,
    "control_character": Wording(
        "control_character", N_("The text contains a character that is not allowed.")
    ),
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "enum": _CHOICE,
    "literal_error": _CHOICE,
    "list_type": Wording("not_a_list", N_("A list is expected.")),
    "too_short": Wording("too_few", N_("At least %(limit)s entries are needed."), "min_length"),
    "too_long": Wording("too_many", N_("At most %(limit)s entries are allowed."), "max_length"),
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "one_of_two": Wording("one_of_two", N_("Give either this or the other, not both.")),
    "both_or_neither": Wording("both_or_neither", N_("Give both of these, or neither.")),
    "repeated_entry": Wording("repeated_entry", N_("The same entry is given twice.")),
    "cursor": Wording("cursor_invalid", N_("This cursor is not valid. Start without one.")),
}


def word(kind: str, context: Mapping[str, Any]) -> tuple[str, Message]:
    """Return our code and text for one of pydantic's errors.

    >>> word("less_than_equal", {"le": 100})
    ('too_large', Message(text='The most allowed is %(limit)s.', parameters={'limit': 100}))
    >>> word("unheard_of", {})[0]
    'not_valid'
    """
    wording = WORDINGS.get(kind, OTHER)
    parameters = {} if wording.limit is None else {"limit": context.get(wording.limit, "?")}
    return wording.code, Message(wording.text, parameters)
