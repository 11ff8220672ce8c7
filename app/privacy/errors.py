"""What a caller must be ready to hear about requests for one's own data."""

from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message
from app.privacy.erasure import OBSTACLES

AND = N_("%(a)s; %(b)s")
"""How two matters stand in one sentence."""


@dataclass(eq=False)
class DataRequestNotFound(DomainError):
    """There is no such request of this person."""

    code: ClassVar[str] = "data_request_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such request.")


@dataclass(eq=False)
class DataRequestOpen(DomainError):
    """A request of this kind is waiting already."""

    code: ClassVar[str] = "data_request_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Such a request is waiting already.")


@dataclass(eq=False)
class DataRequestEnded(DomainError):
    """The request is done or withdrawn."""

    code: ClassVar[str] = "data_request_ended"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This request has ended already.")


@dataclass(eq=False)
class CopyGone(DomainError):
    """The copy was kept for its time and removed."""

    code: ClassVar[str] = "data_copy_gone"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This copy is not there. Ask for a new one.")


@dataclass(eq=False)
class ErasureObstructed(DomainError):
    """Something has to be settled before the data can be erased."""

    code: ClassVar[str] = "erasure_obstructed"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "Before your data can be erased, this has to be settled: %(obstacles)s"
    )

    obstacles: tuple[str, ...]

    def parameters(self) -> dict[str, Any]:
        """Return the codes, and all of them in words as one sentence."""
        words = [Message(OBSTACLES[code][0]) for code in self.obstacles]
        return {
            "obstacles": reduce(lambda first, rest: Message(AND, {"a": first, "b": rest}), words)
        }
