"""What staff who arrange their lists must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class SavedViewNotFound(DomainError):
    """No saved view of that id exists, or not for the caller."""

    code: ClassVar[str] = "saved_view_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such saved view.")


@dataclass(eq=False)
class SavedViewNameInvalid(DomainError):
    """A name is empty or too long."""

    code: ClassVar[str] = "saved_view_name_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Give the view a name of at most %(most)s characters.")

    most: int


@dataclass(eq=False)
class SavedViewNameTaken(DomainError):
    """A person tells the views of a list apart by their names."""

    code: ClassVar[str] = "saved_view_name_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have a view of this name here already.")


@dataclass(eq=False)
class SavedViewsFull(DomainError):
    """A person keeps only so many views of a list."""

    code: ClassVar[str] = "saved_views_full"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have %(most)s views here, which is the most; delete one first.")

    most: int
