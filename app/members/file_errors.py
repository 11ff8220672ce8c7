"""What whoever writes into a customer's file must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class FileTextInvalid(DomainError):
    """The text is empty, too long, or holds characters that only change how it shows."""

    code: ClassVar[str] = "file_text_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please write 1 to %(length_max)s ordinary characters.")

    length_max: int


@dataclass(eq=False)
class NoteNotFound(DomainError):
    """There is no such note."""

    code: ClassVar[str] = "note_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such note.")


@dataclass(eq=False)
class NoteNotYours(DomainError):
    """Only whoever wrote a note strikes it out."""

    code: ClassVar[str] = "note_not_yours"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Only its author can strike a note out.")


@dataclass(eq=False)
class TagNotFound(DomainError):
    """There is no such tag, or it is retired and put on nobody any more."""

    code: ClassVar[str] = "tag_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such tag.")


@dataclass(eq=False)
class TagNameTaken(DomainError):
    """Another tag has this name, whatever the case of its letters."""

    code: ClassVar[str] = "tag_name_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("There is a tag of this name already.")


@dataclass(eq=False)
class TooManyTags(DomainError):
    """The customer, or the brand, has as many tags as there may be."""

    code: ClassVar[str] = "too_many_tags"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("There are %(tags_max)s tags already; that is the limit.")

    tags_max: int


@dataclass(eq=False)
class FollowUpNotFound(DomainError):
    """There is no such follow-up."""

    code: ClassVar[str] = "follow_up_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such follow-up.")


@dataclass(eq=False)
class FollowUpEnded(DomainError):
    """The follow-up was done or called off already."""

    code: ClassVar[str] = "follow_up_ended"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This follow-up is done or called off already.")


@dataclass(eq=False)
class FollowUpDayInvalid(DomainError):
    """A follow-up is due today or later, within two years."""

    code: ClassVar[str] = "follow_up_day_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please choose a day from today on, within two years.")


@dataclass(eq=False)
class FollowUpAssigneeInvalid(DomainError):
    """Nobody of that number works here, or the store does not exist."""

    code: ClassVar[str] = "follow_up_assignee_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please choose somebody who works here.")
