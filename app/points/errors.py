"""What can go wrong with points.

* DomainError
  - PointsShort, PointsAboveLimit      spending
  - PointsInvalid, PointsReasonMissing, PointsNeedSecond      granting and adjusting
  - MallItemNotFound, MallItemNotYours, MallItemInvalid      the mall
  - MallItemGone, MallLimitReached, MallStoreWrong           exchanging
  - ExchangeNotFound, ExchangeNotWaiting, ExchangeOfStaff                           exchanges
"""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class PointsShort(DomainError):
    """More points than the member can spend."""

    available_points: int

    code: ClassVar[str] = "points_short"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Only %(available_points)s points can be spent.")


@dataclass(eq=False)
class PointsAboveLimit(DomainError):
    """More points than may pay for this order."""

    most_points: int

    code: ClassVar[str] = "points_above_limit"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("At most %(most_points)s points may be used for this order.")


@dataclass(eq=False)
class PointsInvalid(DomainError):
    """No number of points that can be moved."""

    code: ClassVar[str] = "points_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A number of points is from 1 to 1,000,000.")


@dataclass(eq=False)
class PointsReasonMissing(DomainError):
    """Staff change points with a reason only."""

    code: ClassVar[str] = "points_reason_missing"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Say why, in 1 to 500 characters.")


@dataclass(eq=False)
class PointsNeedSecond(DomainError):
    """So many points take two people."""

    points: int

    code: ClassVar[str] = "points_need_second"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("From %(points)s points on, two people decide together.")


@dataclass(eq=False)
class MallItemNotFound(DomainError):
    """There is no such item, or not for this caller."""

    code: ClassVar[str] = "mall_item_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such item in the points mall.")


@dataclass(eq=False)
class MallItemNotYours(DomainError):
    """It is for stores in which these staff do not work."""

    code: ClassVar[str] = "mall_item_not_yours"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("An item for all stores, or for others than yours, is not yours.")


@dataclass(eq=False)
class MallItemInvalid(DomainError):
    """An item cannot be like that; `field` says where."""

    field: str

    code: ClassVar[str] = "mall_item_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This item of the mall cannot be saved: look at %(field)s.")


@dataclass(eq=False)
class MallItemGone(DomainError):
    """Its last piece is promised."""

    code: ClassVar[str] = "mall_item_gone"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This item is gone.")


@dataclass(eq=False)
class MallLimitReached(DomainError):
    """The member has as many as one person may have."""

    most: int

    code: ClassVar[str] = "mall_limit_reached"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("One person may have %(most)s of this item.")


@dataclass(eq=False)
class MallStoreWrong(DomainError):
    """The item is not handed over in that store, or a store must be said."""

    code: ClassVar[str] = "mall_store_wrong"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Choose a store where this item is handed over.")


@dataclass(eq=False)
class ExchangeNotFound(DomainError):
    """There is no such exchange, or not for this caller."""

    code: ClassVar[str] = "exchange_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such exchange.")


@dataclass(eq=False)
class ExchangeNotWaiting(DomainError):
    """It was handed over, given or cancelled before."""

    code: ClassVar[str] = "exchange_not_waiting"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This exchange was handed over or cancelled already.")


@dataclass(eq=False)
class ExchangeOfStaff(DomainError):
    """Nobody hands over to themselves (B33)."""

    code: ClassVar[str] = "exchange_of_staff"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Let a colleague hand over what is yours.")
