"""What the sentences of all models share: names, sums, and what refunds did."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from app.engines.contract import Names, StoredFacts
from app.engines.results import Outcome, Reason
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import BASIS_POINTS, percent

NO_NAMES: Final[Names] = MappingProxyType({})

BASE: Final = N_(
    "%(base)s was paid for this line, without shipping, coupons and points; commission is paid on"
    " that."
)
CAP_KEPT: Final = N_(
    "The plan caps all commission on a line at %(cap)s; that takes nothing away here."
)
CAP_APPLIED: Final = N_(
    "The plan caps all commission on a line at %(cap)s, the first seat coming first. So %(rate)s"
    " is paid, and %(withheld)s is withheld."
)
AMOUNT_EXACT: Final = N_("%(rate)s of %(base)s is %(amount)s.")
AMOUNT_ROUNDED: Final = N_(
    "%(rate)s of %(base)s, rounded down to whole fen, is %(amount)s; the fraction stays with the"
    " brand."
)
FIXED: Final = N_("The plan pays a fixed %(amount)s for this.")
FIXED_CAPPED: Final = N_(
    "The plan pays a fixed %(plan_amount)s for this; its cap of %(cap)s on a line leaves %(amount)s"
    " of that."
)
REVERSED: Final = N_(
    "%(refunded)s of the %(base)s has been refunded. %(rate)s of the remaining %(remaining)s is"
    " %(new)s, so %(delta)s was taken back."
)
REVERSED_WHOLE: Final = N_("The whole %(base)s has been refunded, so %(delta)s was taken back.")
LEFT: Final = N_("%(left)s is left of this commission.")

REVERSED_FIXED: Final = N_(
    "%(refunded)s of the %(base)s has been refunded. The fixed amount falls with the %(remaining)s"
    " that remain: %(new)s is left, so %(delta)s was taken back."
)

WHY_NOT: Final[Mapping[StrEnum, str]] = {
    Reason.NOT_DISTRIBUTABLE: N_("This product pays no commission."),
    Reason.PRODUCT_EXCLUDED: N_("The plan leaves this product out."),
    Reason.ZERO_BASE: N_("Nothing was paid for this line, so there is nothing to share."),
    Reason.NO_OWNER: N_("The buyer belonged to nobody when the order was paid."),
    Reason.BENEFICIARY_IS_BUYER: N_(
        "Member %(member)s is the buyer, and nobody earns on their own purchase."
    ),
    Reason.HOUSEHOLD: N_(
        "Member %(member)s shares a phone, a device or a payment account with the buyer. That"
        " counts as their own purchase."
    ),
    Reason.NOT_DISTRIBUTOR: N_(
        "Member %(member)s was not an approved distributor when the order was paid."
    ),
    Reason.FROZEN: N_("Member %(member)s was frozen when the order was paid."),
    Reason.QUIT: N_("Member %(member)s had left before the order was paid."),
}
"""The reasons that read the same in every model."""


def name_of(member_id: int, names: Names) -> str:
    """Return how a member is called: by the name the caller may show, or by number.

    >>> name_of(12, NO_NAMES)
    '#12'
    """
    return names.get(member_id, f"#{member_id}")


def rounds(facts: StoredFacts) -> bool:
    """Tell whether a rate leaves a fraction of a fen behind."""
    return bool(facts["base_fen"] * facts["rate_bp"] % BASIS_POINTS)


def history(reversals: Sequence[StoredFacts]) -> Iterator[Message]:
    """Tell what refunds did to an award, the oldest first, and what is left of it."""
    yield from map(reversal, reversals)
    if reversals:
        yield Message(LEFT, {"left": yuan(reversals[-1]["new_fen"])})


def reversal(facts: StoredFacts) -> Message:
    """Tell what one refund took back."""
    told = {
        "base": yuan(facts["base_fen"]),
        "refunded": yuan(facts["refunded_fen"]),
        "remaining": yuan(facts["remaining_fen"]),
        "new": yuan(facts["new_fen"]),
        "delta": yuan(facts["delta_fen"]),
    }
    if not facts["remaining_fen"]:
        return Message(REVERSED_WHOLE, told)
    if facts["rate_bp"] is None:
        return Message(REVERSED_FIXED, told)
    return Message(REVERSED, told | {"rate": percent(facts["rate_bp"])})


def common(facts: StoredFacts, names: Names) -> dict[str, Any]:
    """Return what the sentences about a decision can fill in; what the facts lack stays out.

    Every number that a sentence could name: `*_bp` as percent, `*_fen` as yuan, `*_id` as a name.
    """
    told: dict[str, Any] = {}
    for key, value in facts.items():
        if value is None:
            continue
        if key.endswith("_bp"):
            told[key.removesuffix("_bp")] = percent(value)
        elif key.endswith("_fen"):
            told[key.removesuffix("_fen")] = yuan(value)
        elif key.endswith("_id") and key not in {"order_id", "line_id", "product_id"}:
            told[key.removesuffix("_id")] = name_of(value, names)
        else:
            told[key] = value
    if "beneficiary" in told:
        told["member"] = told["beneficiary"]
    return told


def is_award(facts: Mapping[str, Any]) -> bool:
    """Tell facts of an award from those of a refusal."""
    return bool(facts["outcome"] == Outcome.AWARD.value)
