"""What can be wrong with a dispute or with what is brought as evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.attribution.dispute_states import DisputeEvent, DisputeState
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

DISPUTE_STATE_TEXTS: Mapping[DisputeState, str] = {
    DisputeState.OPEN: N_("open"),
    DisputeState.UPHELD: N_("upheld"),
    DisputeState.DISMISSED: N_("dismissed"),
    DisputeState.WITHDRAWN: N_("withdrawn"),
}


@dataclass(eq=False)
class DisputeNotFound(DomainError):
    """No dispute has that id, or it is not the caller's."""

    code: ClassVar[str] = "dispute_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such dispute.")


@dataclass(eq=False)
class DisputeNotInState(DomainError):
    """The dispute has been decided or withdrawn."""

    code: ClassVar[str] = "dispute_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This dispute is no longer open: it is %(state)s.")
    words: ClassVar[Mapping[str, str]] = {
        one.value: said for one, said in DISPUTE_STATE_TEXTS.items()
    }

    state: DisputeState
    event: DisputeEvent


@dataclass(eq=False)
class DisputeOpenAlready(DomainError):
    """The owner of the customer is being contested already."""

    code: ClassVar[str] = "dispute_open_already"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A dispute about this customer is open already.")


@dataclass(eq=False)
class ClaimInvalid(DomainError):
    """A claim is a text of 10 to 2000 characters."""

    code: ClassVar[str] = "dispute_claim_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please say in 10 to 2000 characters what the claim rests on.")


@dataclass(eq=False)
class MomentInvalid(DomainError):
    """A claim speaks of a moment that has been."""

    code: ClassVar[str] = "dispute_moment_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The moment in dispute cannot lie in the future.")


@dataclass(eq=False)
class TooManyDisputes(DomainError):
    """A distributor has as many open disputes as one may have."""

    code: ClassVar[str] = "too_many_disputes"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have %(limit)s open disputes; please wait until one is decided.")

    limit: int


@dataclass(eq=False)
class EvidenceTooLarge(DomainError):
    """A picture has too many bytes."""

    code: ClassVar[str] = "evidence_too_large"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A picture may have at most %(limit_mb)s MB.")

    limit_mb: int


@dataclass(eq=False)
class EvidenceTooManyPixels(DomainError):
    """A picture is too large to be decoded safely."""

    code: ClassVar[str] = "evidence_too_many_pixels"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A picture may have at most %(limit_megapixels)s megapixels.")

    limit_megapixels: int


@dataclass(eq=False)
class EvidenceUnreadable(DomainError):
    """A file is no picture of a kind that is taken, whatever its name says."""

    code: ClassVar[str] = "evidence_unreadable"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Only JPEG, PNG and WebP pictures that are whole can be added.")


@dataclass(eq=False)
class TooMuchEvidence(DomainError):
    """A dispute has as many pictures as it may have."""

    code: ClassVar[str] = "too_much_evidence"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A dispute can hold at most %(limit)s pictures.")

    limit: int


@dataclass(eq=False)
class EvidenceRepeated(DomainError):
    """The same picture is there already."""

    code: ClassVar[str] = "evidence_repeated"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This picture has been added already.")
