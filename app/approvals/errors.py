"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.approvals.states import ApprovalEvent, ApprovalState
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

STATE_TEXTS: Mapping[ApprovalState, str] = {
    ApprovalState.REQUESTED: N_("waiting"),
    ApprovalState.APPROVED: N_("approved"),
    ApprovalState.REFUSED: N_("refused"),
    ApprovalState.WITHDRAWN: N_("withdrawn"),
    ApprovalState.EXPIRED: N_("expired"),
    ApprovalState.VOID: N_("void"),
}


@dataclass(eq=False)
class ApprovalNotFound(DomainError):
    """No request has that id."""

    code: ClassVar[str] = "approval_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such request.")


@dataclass(eq=False)
class ApprovalNotInState(DomainError):
    """The request has been decided, withdrawn or ended already."""

    code: ClassVar[str] = "approval_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This request is no longer waiting: it is %(state)s.")
    words: ClassVar[Mapping[str, str]] = {one.value: said for one, said in STATE_TEXTS.items()}

    state: ApprovalState
    event: ApprovalEvent


@dataclass(eq=False)
class AlreadyAsked(DomainError):
    """The same thing about the same subject waits for a decision already."""

    code: ClassVar[str] = "approval_already_asked"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A request about this is waiting already: no. %(approval_id)s.")

    approval_id: int


@dataclass(eq=False)
class OwnRequest(DomainError):
    """Nobody decides what they asked for themselves."""

    code: ClassVar[str] = "approval_own_request"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("You asked for this yourself; somebody else has to decide it.")


@dataclass(eq=False)
class NotYourRequest(DomainError):
    """Only the person who asked takes a request back."""

    code: ClassVar[str] = "approval_not_yours"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Only the person who asked can withdraw a request.")


@dataclass(eq=False)
class MayNotAsk(DomainError):
    """The person may not bring up matters of this kind."""

    code: ClassVar[str] = "approval_may_not_ask"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("You may not ask for this.")


@dataclass(eq=False)
class MayNotDecide(DomainError):
    """The person may not decide matters of this kind, or not those of this store."""

    code: ClassVar[str] = "approval_may_not_decide"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("You may not decide this request.")


@dataclass(eq=False)
class PayloadInvalid(DomainError):
    """What is asked for lacks a value, or holds one that does not belong there."""

    code: ClassVar[str] = "approval_payload_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The request is incomplete: %(name)s.")

    name: str


@dataclass(eq=False)
class NothingChanges(DomainError):
    """What is asked for is so already."""

    code: ClassVar[str] = "approval_nothing_changes"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This is so already; there is nothing to ask for.")


@dataclass(eq=False)
class Overtaken(DomainError):
    """The request ended without anything being done; `why` is one of the words below."""

    code: ClassVar[str] = "approval_overtaken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Nothing was done. %(why)s")
    words: ClassVar[Mapping[str, str]] = {
        "expired": N_("The request waited too long and has expired."),
        "asker": N_("The person who asked may no longer ask for this."),
        "changed": N_("What it is about has changed meanwhile; its page shows both values."),
    }

    why: str
