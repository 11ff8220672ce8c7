"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

PLAN_WORDS: Final[Mapping[str, str]] = {
    "draft": N_("Draft"),
    "submitted": N_("To be approved"),
    "published": N_("Published"),
    "retired": N_("Retired"),
}


@dataclass(eq=False)
class PlanNotFound(DomainError):
    """No plan, or no version, of that number exists."""

    code: ClassVar[str] = "plan_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such plan.")


@dataclass(eq=False)
class PlanNotInState(DomainError):
    """The version is not in a state in which that may happen to it."""

    code: ClassVar[str] = "plan_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the plan version is %(state)s.")
    words: ClassVar[Mapping[str, str]] = PLAN_WORDS

    state: str


@dataclass(eq=False)
class OwnPlan(DomainError):
    """Whoever wrote a version cannot be the one who publishes it."""

    code: ClassVar[str] = "own_plan"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Another person has to publish what you drafted.")


@dataclass(eq=False)
class NotAhead(DomainError):
    """A version can only take effect in the future: nothing that was paid is ever recomputed."""

    code: ClassVar[str] = "plan_not_ahead"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A plan version takes effect in the future, never in the past.")


@dataclass(eq=False)
class AnotherVersionAhead(DomainError):
    """A version that takes effect later is published already."""

    code: ClassVar[str] = "another_version_ahead"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Another version already takes effect after that moment.")
