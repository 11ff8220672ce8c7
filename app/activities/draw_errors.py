"""What a caller of draws, check-ins and invitations must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class PrizesInvalid(DomainError):
    """What staff say of prizes makes no sense; `field` says what."""

    code: ClassVar[str] = "prizes_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Check this of the prizes: %(field)s.")
    words: ClassVar[Mapping[str, str]] = {
        "count": N_("how many there are: 1 to 12"),
        "title": N_("their names"),
        "stock": N_("their stock"),
        "chance": N_("their chances: together at most 100%%"),
        "reward": N_("what is given"),
    }

    field: str


@dataclass(eq=False)
class DrawDiffers(DomainError):
    """A ticket is not what the seed says: somebody changed a result, a prize or a stock."""

    code: ClassVar[str] = "draw_differs"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Ticket %(number)s is not what the seed says.")

    number: int


@dataclass(eq=False)
class SeedNotPromised(DomainError):
    """A seed's digest is not the one that was shown from the start."""

    code: ClassVar[str] = "seed_not_promised"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This is not the seed whose digest was shown from the start.")


@dataclass(eq=False)
class TicketNotFound(DomainError):
    """No ticket of that number is visible to the caller."""

    code: ClassVar[str] = "ticket_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such prize.")


@dataclass(eq=False)
class PrizeNotWaiting(DomainError):
    """The prize is none to hand over, or was handed over already."""

    code: ClassVar[str] = "prize_not_waiting"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This prize does not wait to be handed over.")


@dataclass(eq=False)
class PrizeOfStaff(DomainError):
    """Staff hand over no prize of their own."""

    code: ClassVar[str] = "prize_of_staff"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("This prize is yours; a colleague has to hand it over.")


@dataclass(eq=False)
class InviteNotFound(DomainError):
    """There is no round of invitations of that code."""

    code: ClassVar[str] = "invite_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such invitation.")


@dataclass(eq=False)
class InviteOver(DomainError):
    """The round is complete or its time is over."""

    code: ClassVar[str] = "invite_over"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This invitation is over. Ask for a new one.")


@dataclass(eq=False)
class InviteOwn(DomainError):
    """Nobody invites themselves or their household."""

    code: ClassVar[str] = "invite_own"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("An invitation of your own or of your household does not count.")


@dataclass(eq=False)
class InviteTaken(DomainError):
    """The friend accepted somebody else's invitation before."""

    code: ClassVar[str] = "invite_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have accepted an invitation of another friend already.")
