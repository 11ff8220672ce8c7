"""What can go wrong with posters."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class PosterNotFound(DomainError):
    """There is no such template, or it does not fit this code."""

    code: ClassVar[str] = "poster_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This poster does not exist.")


@dataclass(eq=False)
class PosterInvalid(DomainError):
    """A template cannot be drawn as it was described; `field` is what does not fit."""

    code: ClassVar[str] = "poster_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The poster cannot be drawn like this: %(flaw)s (%(field)s).")

    field: str
    flaw: str
    words: ClassVar = {
        "outside": N_("a box reaches over the edge"),
        "over_code": N_("a box lies over the code"),
        "value": N_("a value is missing or out of range"),
        "name": N_("the name must have 1 to 40 characters"),
        "page": N_("this is not a page of the mini-program"),
        "stores": N_("choose at least one store, or all"),
        "shape": N_("the picture must be upright, at most twice as tall as wide"),
        "small": N_("the picture must be at least 600 pixels wide"),
    }


@dataclass(eq=False)
class PosterNotYours(DomainError):
    """A template of other stores, or of the whole brand, is not this person's to change."""

    code: ClassVar[str] = "poster_not_yours"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Only staff of all its stores may change this poster.")


@dataclass(eq=False)
class PosterStateConflict(DomainError):
    """A template is not in a state in which this can be done."""

    code: ClassVar[str] = "poster_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Somebody else changed this poster meanwhile. Please open it again.")
