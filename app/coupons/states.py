"""The life of a coupon, as one table. Pure.

    unused ─ reserve ▶ reserved ─ use ▶ used
      │  ▲                │               │
      │  └──── release ───┘               │
      │  └──────────── give_back ─────────┘
      ├─ redeem ▶ used (in a store, without an order)
      ├─ expire ▶ expired
      └─ revoke ▶ revoked

A coupon that comes back after its end expires at once. What is in an order is out of reach of time
and of staff: an order that was made is kept.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CouponKind(StrEnum):
    """What a coupon does to a price."""

    AMOUNT_OFF = "amount_off"
    PERCENT_OFF = "percent_off"
    EXCHANGE = "exchange"


class CouponState(StrEnum):
    """Where a coupon stands."""

    UNUSED = "unused"
    RESERVED = "reserved"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class CouponEvent(StrEnum):
    """What can happen to a coupon."""

    CLAIM = "claim"
    RESERVE = "reserve"
    RELEASE = "release"
    USE = "use"
    REDEEM = "redeem"
    GIVE_BACK = "give_back"
    EXPIRE = "expire"
    REVOKE = "revoke"


TRANSITIONS: Final[Mapping[tuple[CouponState, CouponEvent], CouponState]] = {
    (CouponState.UNUSED, CouponEvent.RESERVE): CouponState.RESERVED,
    (CouponState.UNUSED, CouponEvent.REDEEM): CouponState.USED,
    (CouponState.UNUSED, CouponEvent.EXPIRE): CouponState.EXPIRED,
    (CouponState.UNUSED, CouponEvent.REVOKE): CouponState.REVOKED,
    (CouponState.RESERVED, CouponEvent.RELEASE): CouponState.UNUSED,
    (CouponState.RESERVED, CouponEvent.USE): CouponState.USED,
    (CouponState.USED, CouponEvent.GIVE_BACK): CouponState.UNUSED,
}
"""A claim makes the row, so it is not in the table."""

FINAL: Final = frozenset({CouponState.EXPIRED, CouponState.REVOKED})
HELD_BY_ORDER: Final = frozenset({CouponState.RESERVED, CouponState.USED})


def after_coupon(state: CouponState, event: CouponEvent) -> CouponState | None:
    """Return the state that an event leads to, or None where it cannot happen.

    >>> after_coupon(CouponState.RESERVED, CouponEvent.RELEASE)
    <CouponState.UNUSED: 'unused'>
    >>> after_coupon(CouponState.RESERVED, CouponEvent.EXPIRE) is None
    True
    """
    return TRANSITIONS.get((state, event))
