"""What WeChat thinks of a text that a customer wrote, as values.

A mini-program must have what its users write looked at before others see it. Rules: the documents
of msgSecCheck, version 2.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

TEXT_LENGTH_MAX: Final = 2_500
"""Characters that WeChat looks at in one call."""


class TextScene(IntEnum):
    """Where the text will stand; the numbers are WeChat's."""

    PROFILE = 1
    COMMENT = 2
    FORUM = 3
    SOCIAL_LOG = 4


class Suggestion(StrEnum):
    """What to do with a text."""

    PASS = "pass"  # noqa: S105  # not a password
    REVIEW = "review"
    """Somebody should look at it."""
    RISKY = "risky"
    UNKNOWN = "unknown"
    """WeChat does not say, because the writer has not opened the mini-program for two hours."""


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """A suggestion and WeChat's label of the reason: 100 is none, 20001 politics and so on."""

    suggestion: Suggestion
    label: int | None = None
