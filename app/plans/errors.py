"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

PLAN_WORDS: Final[Mapping[str, str]] = {
    "draft": N_("Draft"),
    "checked": N_("Checked"),
    "simulated": N_("Simulated"),
    "submitted": N_("To be approved"),
    "approved": N_("Approved"),
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


@dataclass(eq=False)
class PlanNameTaken(DomainError):
    """Two plans cannot have one name."""

    code: ClassVar[str] = "plan_name_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_('A plan is called "%(name)s" already.')

    name: str


@dataclass(eq=False)
class UnknownModel(DomainError):
    """No engine of that name exists."""

    code: ClassVar[str] = "unknown_plan_model"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("There is no plan model %(model)s.")

    model: str


@dataclass(eq=False)
class PlanRevised(DomainError):
    """The version was revised after the author had opened it."""

    code: ClassVar[str] = "plan_revised"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "Somebody else has changed this version meanwhile; it is at revision "
        "%(revision)s now. Nothing of yours was saved."
    )

    revision: int


@dataclass(eq=False)
class PlanNotChecked(DomainError):
    """There is no check of this revision that is recent enough."""

    code: ClassVar[str] = "plan_not_checked"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This version has to pass the compliance check first.")


@dataclass(eq=False)
class PlanNotSimulated(DomainError):
    """There is no simulation of this revision."""

    code: ClassVar[str] = "plan_not_simulated"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This version has to be simulated first.")


@dataclass(eq=False)
class PlanBlocked(DomainError):
    """A finding of severity BLOCK stands."""

    code: ClassVar[str] = "plan_blocked"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The compliance check forbids this plan: %(rules)s.")

    rules: str


@dataclass(eq=False)
class PlanNotConfirmed(DomainError):
    """A finding of severity HIGH has no written confirmation."""

    code: ClassVar[str] = "plan_not_confirmed"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("An officer has to answer in writing for: %(rules)s.")

    rules: str


@dataclass(eq=False)
class FindingNotFound(DomainError):
    """The latest check holds no finding of severity HIGH under that rule."""

    code: ClassVar[str] = "finding_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The latest check found nothing under %(rule)s to answer for.")

    rule: str


@dataclass(eq=False)
class FindingConfirmed(DomainError):
    """Somebody has answered for this finding; what was written stays as it is."""

    code: ClassVar[str] = "finding_confirmed"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Somebody has answered in writing for %(rule)s already.")

    rule: str


@dataclass(eq=False)
class StatementTooShort(DomainError):
    """An officer's answer has to say something."""

    code: ClassVar[str] = "statement_too_short"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please write at least %(least)s characters.")

    least: int


@dataclass(eq=False)
class ScopesOverlap(DomainError):
    """Each line of an order falls under one version at most."""

    code: ClassVar[str] = "plan_scopes_overlap"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "Another plan is in force for some of these stores and products at that "
        "time: %(plans)s. End it first, or choose others."
    )

    plans: str


@dataclass(eq=False)
class ModelDiffers(DomainError):
    """A version has the model of its plan, for good."""

    code: ClassVar[str] = "plan_model_differs"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("These are rules of %(found)s, but the plan is %(expected)s.")

    found: str
    expected: str
