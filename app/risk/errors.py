"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

FLAG_WORDS: Final[Mapping[str, str]] = {
    "open": N_("not decided yet"),
    "confirmed": N_("confirmed"),
    "released": N_("released"),
    "expired": N_("expired"),
}


@dataclass(eq=False)
class RiskFlagNotFound(DomainError):
    """There is no such flag."""

    code: ClassVar[str] = "risk_flag_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such risk flag.")


@dataclass(eq=False)
class RiskFlagOpen(DomainError):
    """The same is suspected of the distributor already."""

    code: ClassVar[str] = "risk_flag_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A risk flag of this kind is open for the distributor already.")


@dataclass(eq=False)
class RiskFlagNotInState(DomainError):
    """The flag was decided in the meantime."""

    code: ClassVar[str] = "risk_flag_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the risk flag is %(state)s.")
    words: ClassVar[Mapping[str, str]] = FLAG_WORDS

    state: str
    event: str
