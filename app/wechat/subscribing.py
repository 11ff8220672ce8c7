"""What became of a subscribe message, as a value.

WeChat has no number of ours for a message and no way to ask about one, so an outcome that is not
known stays so: sending again might tell the customer twice and spend a second permission of theirs.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

REFUSED_BY_USER: Final = 43101
TOO_SOON_CODES: Final = frozenset({45009, 45011})
UNSENDABLE_CODES: Final = frozenset({40003, 40037, 41030, 43107, 45168, 47003, 40165, 47001})
OURS_CODES: Final = frozenset({40001, 40014, 42001, 40013, 40125, 40164, 40243, 48001})
"""Token, app id, secret, address or rights: nothing was sent, for a reason outside the message."""
_KEY: Final = re.compile(r"data\.([A-Za-z0-9_]{1,40})", re.ASCII)


class SendState(StrEnum):
    """What is known of a message."""

    SENT = "sent"
    NO_PERMISSION = "no_permission"
    """The receiver refused, or every permission they gave was used (43101)."""
    INVALID = "invalid"
    """WeChat will never take this message; `wechat_code` and `field` say why."""
    NOT_NOW = "not_now"
    """Nothing was sent; the same message may be sent later."""
    UNKNOWN = "unknown"
    """No answer that can be trusted. It may have arrived: not to be sent again."""


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """A state; WeChat's code where there was one; the field of an invalid argument."""

    state: SendState
    wechat_code: int | None = None
    field: str | None = None


def outcome_of(code: int | None, message: str | None) -> SendOutcome:
    """Conclude from WeChat's code and its text, of which only a field's name is read.

    >>> outcome_of(47003, "argument invalid! data.thing1.value invalid rid: 1").field
    'thing1'
    """
    if code == REFUSED_BY_USER:
        return SendOutcome(SendState.NO_PERMISSION, code)
    if code in UNSENDABLE_CODES:
        found = _KEY.search(message or "")
        return SendOutcome(SendState.INVALID, code, found[1] if found else None)
    if code in TOO_SOON_CODES or code in OURS_CODES:
        return SendOutcome(SendState.NOT_NOW, code)
    return SendOutcome(SendState.UNKNOWN, code)
