"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, yuan

PAYOUT_WORDS: Final[Mapping[str, str]] = {
    "requested": N_("To be approved"),
    "approved_once": N_("Needs a second approval"),
    "approved": N_("Being paid out"),
    "partly_succeeded": N_("Partly paid out"),
    "rejected": N_("Rejected"),
    "created": N_("Not sent yet"),
    "sending": N_("Sent, answer unknown"),
    "accepted": N_("Accepted by WeChat"),
    "waiting_user": N_("Waiting for the receiver"),
    "transferring": N_("On its way"),
    "cancelling": N_("Being cancelled"),
    "succeeded": N_("Paid out"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}
"""States of payouts and of their bills."""


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
    words: ClassVar[Mapping[str, str]] = PAYOUT_WORDS

    state: str
    event: str


@dataclass(eq=False)
class PayoutAmountOutOfRange(DomainError):
    """The brand pays out neither less nor more than this at once."""

    code: ClassVar[str] = "payout_amount_out_of_range"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A withdrawal lies between %(minimum)s and %(maximum)s.")

    amount_fen: int
    min_fen: int
    max_fen: int

    def parameters(self) -> dict[str, Any]:
        """Return the facts, with the limits as people read them."""
        shown = {"minimum": yuan(self.min_fen), "maximum": yuan(self.max_fen)}
        return super().parameters() | shown


@dataclass(eq=False)
class InsufficientBalance(DomainError):
    """The member asked for more than they may withdraw."""

    code: ClassVar[str] = "insufficient_balance"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(requested)s was asked for, but only %(available)s is available.")

    requested_fen: int
    available_fen: int

    def parameters(self) -> dict[str, Any]:
        """Return the figures, also as people read them."""
        shown = {"requested": yuan(self.requested_fen), "available": yuan(self.available_fen)}
        return super().parameters() | shown


@dataclass(eq=False)
class PayoutDebtOpen(DomainError):
    """Commission of refunded orders has to be made up for first; earnings fill the debt."""

    code: ClassVar[str] = "payout_debt_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(debt)s of refunded orders must be made up for before a withdrawal.")

    debt_fen: int

    def parameters(self) -> dict[str, Any]:
        """Return the debt, also as people read it."""
        return super().parameters() | {"debt": yuan(self.debt_fen)}


@dataclass(eq=False)
class PayoutOnHold(DomainError):
    """The distributor is not in good standing; what they earned stays theirs and waits."""

    code: ClassVar[str] = "payout_on_hold"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Withdrawals are on hold. Please contact the brand.")

    standing: str


@dataclass(eq=False)
class PayoutHeld(DomainError):
    """A hold stands on the distributor's payouts, as while somebody looks into a suspicion."""

    code: ClassVar[str] = "payout_held"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "Payouts of this distributor are held while a suspicion is looked into."
    )


@dataclass(eq=False)
class SecondApproverRequired(DomainError):
    """An amount like this needs the approval of two different people."""

    code: ClassVar[str] = "second_approver_required"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "You have approved this already; another person has to approve it too."
    )
