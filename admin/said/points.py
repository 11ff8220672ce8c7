"""Words for points and their mall: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from admin.tones import Label

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {}
COLUMNS: Final[Mapping[str, Any]] = {}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {}
