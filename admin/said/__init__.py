"""What states, kinds, columns and actions are called, capability by capability.

The words of what the house is built on stand in `admin.labels`, `admin.column_names` and
`admin.words`, which look here for the rest.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from admin.said import (
    activities,
    coupons,
    draws,
    guest_cards,
    interactions,
    loyalty,
    membership,
    orders,
    points,
    posters,
)
from admin.tones import Label

CAPABILITIES: Final = (
    orders,
    coupons,
    points,
    membership,
    guest_cards,
    activities,
    draws,
    posters,
    interactions,
    loyalty,
)
STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    kind: labels for one in CAPABILITIES for kind, labels in one.STATES.items()
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    kind: words for one in CAPABILITIES for kind, words in one.WORDS.items()
}
COLUMNS: Final[Mapping[str, Any]] = {
    name: title for one in CAPABILITIES for name, title in one.COLUMNS.items()
}


def actions() -> dict[str, str]:
    """Return every action of the capabilities with what people call it, kindred ones together."""
    return {action: name for one in CAPABILITIES for action, name in one.actions().items()}
