"""What can be simulated: invented growth from a seed, or the last months of own orders."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import Field, ValidationError

from app.distribution.simulation.errors import SimulationInvalid
from app.engines.faults import FieldFault, faults_of
from app.engines.parameters import ID_MAX, Parameters
from app.kernel.i18n import N_, Message
from app.kernel.money import BASIS_POINTS

P = TypeVar("P", bound=Parameters)

MEMBERS_MAX: Final = 1_000_000
ORDERS_MAX: Final = 5_000_000
MONTHS_MAX: Final = 60
STORES_MAX: Final = 10_000
VALUE_MAX_FEN: Final = 100_000_000
SEED_MAX: Final = 2**63 - 1

Share: TypeAlias = Annotated[int, Field(ge=0, le=BASIS_POINTS)]
Value: TypeAlias = Annotated[int, Field(ge=1, le=VALUE_MAX_FEN)]

NOT_RISING: Final = N_("This must not be less than %(least)s.")
TOO_MANY_ORDERS: Final = N_("This makes %(orders)s orders; at most %(most)s can be simulated.")
NO_ORDERS: Final = N_("This makes no order at all.")
MORE_STORES: Final = N_("There must be at least one member for each store.")


class Priced(Parameters):
    """A product that invented customers buy."""

    product_id: Annotated[int, Field(ge=1, le=ID_MAX)]
    price_fen: Value


class Growth(Parameters):
    """Invented growth: a brand that wins its customers evenly over the months.

    `members` are the customers there are in the end; the first of each store is a distributor. Of
    the others `referral_bp` are brought by distributors, and `recruit_bp` become distributors
    themselves. Each member makes `orders_bp` orders a month (10 000 is one), half of them between
    `min_fen` and `typical_fen`, half up to `max_fen`; with `products` each order is for one of
    these, evenly. `refund_bp` of the orders are refunded: half of them whole and half by half, and
    half of the latter after the after-sale window. `seed` decides all chances.
    """

    members: Annotated[int, Field(ge=1, le=MEMBERS_MAX)] = 10_000
    months: Annotated[int, Field(ge=1, le=MONTHS_MAX)] = 12
    referral_bp: Share = 6_000
    recruit_bp: Share = 500
    orders_bp: Annotated[int, Field(ge=1, le=100 * BASIS_POINTS)] = 5_000
    min_fen: Value = 2_900
    typical_fen: Value = 16_800
    max_fen: Value = 99_800
    products: Annotated[tuple[Priced, ...], Field(max_length=1_000)] = ()
    refund_bp: Share = 300
    stores: Annotated[int, Field(ge=1, le=STORES_MAX)] = 1
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] = 1

    def members_after(self, month: int) -> int:
        """Return how many members there are at the end of a month, from 1."""
        return max(self.members * month // self.months, self.stores)

    def orders_in(self, month: int) -> int:
        """Return how many orders are made in a month, from 1."""
        return self.members_after(month) * self.orders_bp // BASIS_POINTS

    @property
    def orders(self) -> int:
        """Return how many orders are made in all."""
        return sum(self.orders_in(month) for month in range(1, self.months + 1))


class History(Parameters):
    """The last months of own orders, as they were known at `until_at` (ISO 8601)."""

    months: Annotated[int, Field(ge=1, le=MONTHS_MAX)] = 3
    until_at: Annotated[str, Field(max_length=40)] = ""


def read_growth(document: Mapping[str, Any]) -> Growth:
    """Read the parameters of growth; raises SimulationInvalid, which names every wrong field.

    >>> read_growth({"members": 500}).orders
    1620
    >>> read_growth({"members": 0, "mouths": 3})
    Traceback (most recent call last):
    ...
    app.distribution.simulation.errors.SimulationInvalid: This cannot be simulated. \
Please correct: members, mouths
    """
    growth = _read(Growth, document)
    faults = tuple(_contradictions(growth))
    if faults:
        raise SimulationInvalid(faults)
    return growth


def read_history(document: Mapping[str, Any]) -> History:
    """Read which own orders are meant; raises SimulationInvalid."""
    return _read(History, document)


def _read(kind: type[P], document: Mapping[str, Any]) -> P:
    fields = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise SimulationInvalid(tuple(faults_of(error))) from error


def _contradictions(growth: Growth) -> list[FieldFault]:
    found: list[FieldFault] = []
    if growth.typical_fen < growth.min_fen:
        found.append(_fault("typical_fen", NOT_RISING, least=growth.min_fen))
    if growth.max_fen < growth.typical_fen:
        found.append(_fault("max_fen", NOT_RISING, least=growth.typical_fen))
    if growth.stores > growth.members:
        found.append(_fault("stores", MORE_STORES))
    if growth.orders > ORDERS_MAX:
        found.append(_fault("orders_bp", TOO_MANY_ORDERS, orders=growth.orders, most=ORDERS_MAX))
    if growth.orders == 0:
        found.append(_fault("orders_bp", NO_ORDERS))
    return found


def _fault(path: str, text: str, **facts: int) -> FieldFault:
    return FieldFault(path, "simulation", Message(text, dict(facts)))
