"""What people call the levels of shareholders."""

from collections.abc import Mapping
from typing import Final

from app.kernel.i18n import N_, Message

TITLES: Final[Mapping[str, str]] = {
    "SILVER": N_("Silver"),
    "GOLD": N_("Gold"),
    "DIAMOND": N_("Diamond"),
}


def title_of(code: str) -> Message | str:
    """Return the name of a level: those of the default plan in words, others as they are written.

    >>> title_of("GOLD"), title_of("VIP_2")
    (Message(text='Gold', parameters={}), 'VIP_2')
    """
    return Message(TITLES[code]) if code in TITLES else code
