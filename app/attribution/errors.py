"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.attribution.rules import REASON_TEXTS, TouchReason
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class CodeUnknown(DomainError):
    """No share code reads like that, or it is not the caller's."""

    code: ClassVar[str] = "share_code_unknown"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such share code.")


@dataclass(eq=False)
class CodeRevoked(DomainError):
    """The share code was taken back; an old poster may still show it."""

    code: ClassVar[str] = "share_code_revoked"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This share code is no longer valid.")


@dataclass(eq=False)
class CodesLocked(DomainError):
    """The caller has named too many codes that do not exist."""

    code: ClassVar[str] = "share_codes_locked"
    kind: ClassVar[ErrorKind] = ErrorKind.LIMITED
    text: ClassVar[str] = N_(
        "Too many unknown share codes. Please try again in %(retry_after_seconds)s seconds."
    )

    retry_after_seconds: int


@dataclass(eq=False)
class PageInvalid(DomainError):
    """A target page is the plain path of a mini-program page."""

    code: ClassVar[str] = "page_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This is not the path of a page.")


@dataclass(eq=False)
class ChannelInvalid(DomainError):
    """A channel needs a name of 1 to 40 characters."""

    code: ClassVar[str] = "channel_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A channel needs a name of 1 to 40 characters.")


@dataclass(eq=False)
class ChannelNotFound(DomainError):
    """No channel of that id is open to the owner of the code."""

    code: ClassVar[str] = "channel_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such channel.")


@dataclass(eq=False)
class ChannelKindDiffers(DomainError):
    """A channel of that name exists and is of another kind."""

    code: ClassVar[str] = "channel_kind_differs"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A channel of this name and another kind exists.")


@dataclass(eq=False)
class NoBindingInForce(DomainError):
    """The customer belongs to nobody at present."""

    code: ClassVar[str] = "no_binding_in_force"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This customer belongs to nobody at present.")


@dataclass(eq=False)
class OwnerRefused(DomainError):
    """The person named cannot own this customer; `reason` is a `TouchReason`."""

    code: ClassVar[str] = "owner_refused"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This person cannot own this customer (%(reason)s).")
    words: ClassVar[Mapping[str, str]] = {
        reason.value: text for reason, text in REASON_TEXTS.items()
    }

    reason: TouchReason
