"""What a caller of this slice must be ready to hear."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class ProductNotFound(DomainError):
    """No product of that id exists."""

    code: ClassVar[str] = "product_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no product %(product_id)s.")

    product_id: int


@dataclass(eq=False)
class ProductInvalid(DomainError):
    """A fact of a product lies outside what is allowed; `field` names it."""

    code: ClassVar[str] = "product_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The product cannot be saved: check the field %(field)s.")

    field: str


@dataclass(eq=False)
class StockOut(DomainError):
    """A store has not enough of a product that nobody else was promised."""

    code: ClassVar[str] = "stock_out"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(title)s is out of stock: %(available)s left.")

    product_id: int
    title: str
    available: int


@dataclass(eq=False)
class StockChangeInvalid(DomainError):
    """That product has no stock, or not an amount like this."""

    code: ClassVar[str] = "stock_change_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Stock cannot be changed like this.")


@dataclass(eq=False)
class StockPromised(DomainError):
    """A count below what unpaid orders were promised; close those first."""

    code: ClassVar[str] = "stock_promised"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(reserved)s pieces are promised to orders that wait for payment.")

    reserved: int
