"""What a caller of this slice must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class StoreNotFound(DomainError):
    """No store of that id exists, or not for the caller."""

    code: ClassVar[str] = "store_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such store.")


@dataclass(eq=False)
class StoreNameTaken(DomainError):
    """Stores are told apart by their names."""

    code: ClassVar[str] = "store_name_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A store of this name exists.")


@dataclass(eq=False)
class StoreInvalid(DomainError):
    """A fact of a store lies outside what is allowed; `field` names it."""

    code: ClassVar[str] = "store_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The store cannot be saved: check the field %(field)s.")

    field: str


@dataclass(eq=False)
class StaffNotFound(DomainError):
    """No member of staff of that id exists."""

    code: ClassVar[str] = "staff_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such member of staff.")


@dataclass(eq=False)
class StaffInvalid(DomainError):
    """A fact of a member of staff lies outside what is allowed; `field` names it."""

    code: ClassVar[str] = "staff_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The member of staff cannot be saved: check the field %(field)s.")

    field: str


@dataclass(eq=False)
class EmailTaken(DomainError):
    """Somebody signs in with this address already."""

    code: ClassVar[str] = "email_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This e-mail address belongs to another member of staff.")


@dataclass(eq=False)
class RoleUnknown(DomainError):
    """There is no role of that name."""

    code: ClassVar[str] = "role_unknown"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("There is no role named %(role)s.")

    role: str


@dataclass(eq=False)
class LastOwner(DomainError):
    """Somebody must be able to appoint others."""

    code: ClassVar[str] = "last_owner"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This is the last active owner; appoint another one first.")
