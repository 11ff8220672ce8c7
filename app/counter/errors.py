"""What whoever is shown a code at the counter must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class PickupCodeInvalid(DomainError):
    """The text is none of our codes, not for this thing, or not of this customer."""

    code: ClassVar[str] = "pickup_code_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This is not a valid pick-up code.")


@dataclass(eq=False)
class PickupCodeExpired(DomainError):
    """The code was shown too long ago."""

    code: ClassVar[str] = "pickup_code_expired"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The code has run out; let the customer show a new one.")


@dataclass(eq=False)
class PickupCodeSpent(DomainError):
    """The code was used before."""

    code: ClassVar[str] = "pickup_code_spent"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The code was used already; let the customer show a new one.")


@dataclass(eq=False)
class OwnAccount(DomainError):
    """Staff would give something to themselves or their household."""

    code: ClassVar[str] = "own_account"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Nobody gives anything to themselves; ask a colleague.")
