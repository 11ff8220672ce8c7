"""What a caller of staff mode must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class StaffModeClosed(DomainError):
    """The caller is not bound to staff who are active and may work here."""

    code: ClassVar[str] = "staff_mode_closed"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Staff mode is not open to you. Ask for a code in the back office.")


@dataclass(eq=False)
class StaffMayNot(DomainError):
    """The caller is staff, but their roles do not allow this."""

    code: ClassVar[str] = "staff_may_not"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Your role does not allow this.")


@dataclass(eq=False)
class StaffCodeUnknown(DomainError):
    """The code was never made, has run out, was used, or belongs to staff who left."""

    code: ClassVar[str] = "staff_code_unknown"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This code is not valid. Make a new one in the back office.")


@dataclass(eq=False)
class StaffCodesLocked(DomainError):
    """The caller has named too many codes that do not exist."""

    code: ClassVar[str] = "staff_codes_locked"
    kind: ClassVar[ErrorKind] = ErrorKind.LIMITED
    text: ClassVar[str] = N_(
        "Too many codes that are not valid. Please try again in %(retry_after_seconds)s seconds."
    )

    retry_after_seconds: int


@dataclass(eq=False)
class StaffBoundAlready(DomainError):
    """The member of staff works with another phone; that has to end first."""

    code: ClassVar[str] = "staff_bound_already"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A WeChat account is connected already; disconnect it first.")


@dataclass(eq=False)
class MemberBoundAlready(DomainError):
    """The customer works as another member of staff; that has to end first."""

    code: ClassVar[str] = "member_bound_already"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This WeChat account belongs to another member of staff.")


@dataclass(eq=False)
class StaffNotBound(DomainError):
    """There is nothing to end."""

    code: ClassVar[str] = "staff_not_bound"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("No WeChat account is connected.")
