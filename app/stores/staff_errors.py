"""What whoever appoints staff, or makes roles, must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class MayNotGrant(DomainError):
    """Nobody gives away what they do not hold, nor without the right to give."""

    code: ClassVar[str] = "may_not_grant"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Nobody can give others more than they may do and see themselves.")


@dataclass(eq=False)
class OwnDuties(DomainError):
    """Nobody decides about their own roles and stores, not as the second person either."""

    code: ClassVar[str] = "own_duties"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Nobody changes their own roles and stores.")


@dataclass(eq=False)
class DutiesNeedTwo(DomainError):
    """There is a colleague who could agree, and they have not."""

    code: ClassVar[str] = "duties_need_two"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Who may do what is decided by two people; a second one must agree.")


@dataclass(eq=False)
class RoleNotFound(DomainError):
    """No role of that id exists."""

    code: ClassVar[str] = "role_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such role.")


@dataclass(eq=False)
class RoleBuiltIn(DomainError):
    """What a built-in role allows is part of the product."""

    code: ClassVar[str] = "role_built_in"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Built-in roles stay as they are; make a role of your own instead.")


@dataclass(eq=False)
class RoleInvalid(DomainError):
    """A fact of a role lies outside what is allowed; `field` names it."""

    code: ClassVar[str] = "role_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The role cannot be saved: check the field %(field)s.")

    field: str


@dataclass(eq=False)
class RoleNameTaken(DomainError):
    """Roles are told apart by their names, in whatever case they are written."""

    code: ClassVar[str] = "role_name_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A role of this name exists.")


@dataclass(eq=False)
class RoleHeld(DomainError):
    """A role that somebody holds can be switched off, but not deleted."""

    code: ClassVar[str] = "role_held"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Somebody holds this role; it can be switched off, but not deleted.")


@dataclass(eq=False)
class StaffPhoneTaken(DomainError):
    """The phone number belongs to a colleague."""

    code: ClassVar[str] = "staff_phone_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This phone number belongs to another member of staff.")


@dataclass(eq=False)
class SessionNotFound(DomainError):
    """No session of that id is going on."""

    code: ClassVar[str] = "staff_session_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This session has ended already.")


@dataclass(eq=False)
class NotIndependent(DomainError):
    """One of the two gave the other a sign-in lately, so both may be the same person."""

    code: ClassVar[str] = "not_independent"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_(
        "One of you two gave the other a sign-in less than a day ago. Until then somebody else "
        "has to agree."
    )


@dataclass(eq=False)
class OwnMatter(DomainError):
    """The account that gains by it is, or was, that of whoever would decide."""

    code: ClassVar[str] = "own_matter"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_(
        "This is about your own account in the mini-program. Somebody else has to decide it."
    )
