"""What can go wrong that the caller can do something about.

* DomainError
  - kind INVALID       the request can never succeed as it stands            422
  - kind UNAUTHORIZED  the caller has not said who they are                  401
  - kind FORBIDDEN     this caller may not do it                             403
  - kind NOT_FOUND     what it names does not exist, or not for this caller  404
  - kind CONFLICT      it may succeed later, or after something else changes 409
  - kind LIMITED       too often; `retry_after_seconds` says when            429
  - kind UNAVAILABLE   another party did not answer; try again               503

A broken invariant is not a DomainError. It is a bug: let it raise and roll back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar

from app.kernel.i18n import Message


class ErrorKind(StrEnum):
    """The classes of error that a front end tells apart."""

    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


@dataclass(eq=False)
class DomainError(Exception):
    """Base of every error that a front end shows to a person.

    A subclass is a dataclass whose fields are its facts. `code` is stable and meant for programs.
    `text` is an English sentence that is looked up in the catalogue; its `%(name)s` parameters are
    the fields. Mark it with `N_` so that the extraction finds it.
    """

    code: ClassVar[str]
    kind: ClassVar[ErrorKind]
    text: ClassVar[str]
    words: ClassVar[Mapping[str, str]] = {}
    """What people call the values of its facts, such as states; marked with `N_` as well."""

    def message(self) -> Message:
        """Return what to tell people, before it has a language."""
        facts = self.parameters()
        said = {
            name: Message(self.words[fact])
            for name, fact in facts.items()
            if isinstance(fact, str) and fact in self.words
        }
        return Message(self.text, facts | said)

    def parameters(self) -> dict[str, Any]:
        """Return the facts of this error by name."""
        return {spec.name: getattr(self, spec.name) for spec in fields(self)}

    def __str__(self) -> str:
        return self.text % self.parameters()
