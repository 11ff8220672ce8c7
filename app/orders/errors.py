"""What a caller of this slice must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class OrderNotFound(DomainError):
    """No order of that number is visible to the caller."""

    code: ClassVar[str] = "order_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such order.")


@dataclass(eq=False)
class OrderNotInState(DomainError):
    """The order is not in a state in which that may happen to it."""

    code: ClassVar[str] = "order_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the order is %(state)s.")

    state: str
    event: str


@dataclass(eq=False)
class RefundNotFound(DomainError):
    """No refund of that number is visible to the caller."""

    code: ClassVar[str] = "refund_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such refund.")


@dataclass(eq=False)
class RefundNotInState(DomainError):
    """The refund is not in a state in which that may happen to it."""

    code: ClassVar[str] = "refund_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the refund is %(state)s.")

    state: str
    event: str
