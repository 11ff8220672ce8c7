"""What a caller of this slice must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class PayoutNotFound(DomainError):
    """No payout of that number is visible to the caller."""

    code: ClassVar[str] = "payout_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such payout.")


@dataclass(eq=False)
class PayoutNotInState(DomainError):
    """The payout, or one of its bills, is not in a state in which that may happen to it."""

    code: ClassVar[str] = "payout_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the payout is %(state)s.")

    state: str
    event: str
