"""What can go wrong with rewards and tasks."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class RewardInvalid(DomainError):
    """A reward names a coupon and how many, or an amount of points or growth."""

    code: ClassVar[str] = "reward_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This cannot be given as a reward.")


@dataclass(eq=False)
class RewardNotFound(DomainError):
    """There is no reward of that number."""

    code: ClassVar[str] = "reward_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such reward.")


@dataclass(eq=False)
class RewardNotRefused(DomainError):
    """Only what was refused is tried again."""

    code: ClassVar[str] = "reward_not_refused"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This reward was given already.")


@dataclass(eq=False)
class RewardMemberDeleted(DomainError):
    """Whoever had their account deleted is given nothing more."""

    code: ClassVar[str] = "reward_member_deleted"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This customer had their account deleted.")


@dataclass(eq=False)
class TaskNotFound(DomainError):
    """There is no task of that number."""

    code: ClassVar[str] = "member_task_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such task.")


@dataclass(eq=False)
class TaskInvalid(DomainError):
    """A rule of a task lies outside its bounds."""

    code: ClassVar[str] = "member_task_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This cannot be a rule of a task: %(field)s.")

    field: str


@dataclass(eq=False)
class TaskOver(DomainError):
    """A task counts from its beginning to its end."""

    code: ClassVar[str] = "member_task_over"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This task is not running.")
