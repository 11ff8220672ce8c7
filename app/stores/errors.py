"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
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


@dataclass(eq=False)
class StoreCodeTaken(DomainError):
    """Stores are told apart by their short codes, too."""

    code: ClassVar[str] = "store_code_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Another store has this code.")


@dataclass(eq=False)
class StoreNotInState(DomainError):
    """The store is not in a state in which that may happen to it."""

    code: ClassVar[str] = "store_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the store is %(state)s.")
    words: ClassVar[Mapping[str, str]] = {
        "open": N_("open for business"),
        "paused": N_("closed for a while"),
        "closed": N_("closed for good"),
    }

    state: str


@dataclass(eq=False)
class RegionNotFound(DomainError):
    """No region of that id exists, or not for the caller."""

    code: ClassVar[str] = "region_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such region.")


@dataclass(eq=False)
class RegionNameInvalid(DomainError):
    """A region has a name that people can read at a glance."""

    code: ClassVar[str] = "region_name_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A region has a name of 1 to 60 characters.")


@dataclass(eq=False)
class RegionNameTaken(DomainError):
    """Regions are told apart by their names."""

    code: ClassVar[str] = "region_name_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A region of this name exists.")


@dataclass(eq=False)
class RegionInUse(DomainError):
    """Stores lie in the region, or staff work there."""

    code: ClassVar[str] = "region_in_use"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Stores or staff belong to this region; move them first.")
