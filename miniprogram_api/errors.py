"""What can be wrong with a request before any service hears of it."""

from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ValidationError

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message
from miniprogram_api.wording import word

FIELDS_MAX = 20
"""More faults than this are not listed: a body of a thousand mistakes gets a short answer."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field; `field` is a JSON pointer, or a parameter's name."""

    field: str
    code: str
    message: Message


@dataclass(eq=False)
class RequestInvalid(DomainError):
    """Fields of the request are missing, unknown, of the wrong type or out of bounds."""

    code: ClassVar[str] = "invalid_request"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The request is not valid: %(names)s.")

    names: str
    faults: tuple[FieldFault, ...] = field(default=())

    @classmethod
    def of(cls, *faults: FieldFault) -> "RequestInvalid":
        """Name what is wrong, at most `FIELDS_MAX` of it."""
        kept = faults[:FIELDS_MAX]
        return cls(", ".join(dict.fromkeys(fault.field or "/" for fault in kept)), kept)

    @classmethod
    def from_pydantic(cls, error: ValidationError, *, pointer: bool) -> "RequestInvalid":
        """Take over what pydantic found; bodies are pointed into, parameters are named."""
        found = error.errors(include_url=False, include_input=False)
        return cls.of(
            *(
                _fault(one["type"], one.get("ctx", {}), _path(one["loc"], pointer=pointer))
                for one in found
            )
        )


def _fault(kind: str, context: dict[str, object], path: str) -> FieldFault:
    code, message = word(kind, context)
    return FieldFault(path, code, message)


def _path(steps: tuple[int | str, ...], *, pointer: bool) -> str:
    """Write where a fault is: a JSON pointer (RFC 6901), or the name of a parameter.

    A name that a caller made up is shortened.
    """
    names = [str(step)[:64] for step in steps]
    if not pointer:
        return ".".join(names)
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


@dataclass(eq=False)
class JsonMalformed(DomainError):
    """The body is not JSON at all."""

    code: ClassVar[str] = "malformed_json"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The body is not valid JSON.")


@dataclass(eq=False)
class MediaTypeUnsupported(DomainError):
    """The body is said to be something else than JSON."""

    code: ClassVar[str] = "unsupported_media_type"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Send the body as application/json.")


@dataclass(eq=False)
class FormRequired(DomainError):
    """A picture comes as a file in a form."""

    code: ClassVar[str] = "form_required"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Send the picture as multipart/form-data.")


@dataclass(eq=False)
class IdempotencyKeyRequired(DomainError):
    """A request that moves something must say by which key it can be told from a repeat."""

    code: ClassVar[str] = "idempotency_key_required"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Send an Idempotency-Key with this request.")


@dataclass(eq=False)
class IdempotencyKeyInvalid(DomainError):
    """The key is too short to be unique, too long, or holds more than visible ASCII."""

    code: ClassVar[str] = "idempotency_key_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("An Idempotency-Key has 8 to 64 visible ASCII characters.")


@dataclass(eq=False)
class TooManyRequests(DomainError):
    """The caller does this too often."""

    code: ClassVar[str] = "too_many_requests"
    kind: ClassVar[ErrorKind] = ErrorKind.LIMITED
    text: ClassVar[str] = N_("Too many requests. Try again in %(retry_after_seconds)s seconds.")

    retry_after_seconds: int


@dataclass(eq=False)
class ServiceUnavailable(DomainError):
    """Something that we cannot do without does not answer at the moment."""

    code: ClassVar[str] = "service_unavailable"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE
    text: ClassVar[str] = N_("The service is not available at the moment. Please try again.")


@dataclass(eq=False)
class AwardNotFound(DomainError):
    """The caller has no award of that id."""

    code: ClassVar[str] = "award_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such award.")


@dataclass(eq=False)
class RedeemedInStore(DomainError):
    """A service is done in a store, where staff say that it was."""

    code: ClassVar[str] = "redeemed_in_store"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("A service is confirmed by the store that provides it.")
