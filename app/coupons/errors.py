"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, yuan

COUPON_WORDS: Final[Mapping[str, str]] = {
    "unused": N_("not used yet"),
    "reserved": N_("in an order"),
    "used": N_("used"),
    "expired": N_("expired"),
    "revoked": N_("revoked"),
}


@dataclass(eq=False)
class TemplateNotFound(DomainError):
    """No template of that number is visible to the caller."""

    code: ClassVar[str] = "coupon_template_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such coupon to get.")


@dataclass(eq=False)
class TemplateInvalid(DomainError):
    """What was said of a template cannot be; `field` names what."""

    code: ClassVar[str] = "coupon_template_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This is not possible for a coupon: %(field)s.")

    field: str


@dataclass(eq=False)
class TemplatePromised(DomainError):
    """Coupons were issued, and what they promise is kept."""

    code: ClassVar[str] = "coupon_template_promised"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "Customers hold such coupons already, so what they promise stays; end this one and make"
        " another."
    )


@dataclass(eq=False)
class CouponsEnded(DomainError):
    """The template was ended."""

    code: ClassVar[str] = "coupons_ended"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This coupon is not given out any more.")


@dataclass(eq=False)
class CouponsNotOpen(DomainError):
    """It is before or after the time in which the coupon can be had, or not this way."""

    code: ClassVar[str] = "coupons_not_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This coupon cannot be claimed now.")


@dataclass(eq=False)
class CouponsGone(DomainError):
    """All are given out."""

    code: ClassVar[str] = "coupons_gone"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("All of these coupons are gone.")


@dataclass(eq=False)
class CouponLimitReached(DomainError):
    """The member got as many as one person may."""

    code: ClassVar[str] = "coupon_limit_reached"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("One person gets at most %(most)s of this coupon.")

    most: int


@dataclass(eq=False)
class CouponCodeUnknown(DomainError):
    """No coupon is behind this code. Misses count."""

    code: ClassVar[str] = "coupon_code_unknown"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no coupon behind this code.")


@dataclass(eq=False)
class CouponCodesLocked(DomainError):
    """Too many wrong codes."""

    code: ClassVar[str] = "coupon_codes_locked"
    kind: ClassVar[ErrorKind] = ErrorKind.LIMITED
    text: ClassVar[str] = N_("Too many wrong codes; try again in %(retry_after_seconds)s seconds.")

    retry_after_seconds: int


@dataclass(eq=False)
class CouponNotFound(DomainError):
    """No coupon of that number is visible to the caller."""

    code: ClassVar[str] = "coupon_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such coupon.")


@dataclass(eq=False)
class CouponNotInState(DomainError):
    """The coupon is not in a state in which that may happen to it."""

    code: ClassVar[str] = "coupon_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the coupon is %(state)s.")
    words: ClassVar[Mapping[str, str]] = COUPON_WORDS

    state: str


@dataclass(eq=False)
class CouponTaken(DomainError):
    """The coupon went into another order, or was used, just now."""

    code: ClassVar[str] = "coupon_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This coupon was just used elsewhere.")


@dataclass(eq=False)
class CouponNotValidYet(DomainError):
    """Its time has not begun."""

    code: ClassVar[str] = "coupon_not_valid_yet"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This coupon cannot be used yet.")


@dataclass(eq=False)
class CouponExpired(DomainError):
    """Its time is over."""

    code: ClassVar[str] = "coupon_expired"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This coupon has expired.")


@dataclass(eq=False)
class CouponForeignStore(DomainError):
    """It is good in other stores."""

    code: ClassVar[str] = "coupon_foreign_store"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This coupon is not good in this store.")


@dataclass(eq=False)
class CouponFitsNothing(DomainError):
    """Nothing in the basket is what it is for."""

    code: ClassVar[str] = "coupon_fits_nothing"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Nothing in this order is what the coupon is for.")


@dataclass(eq=False)
class CouponBelowThreshold(DomainError):
    """What it is for costs too little; `missing_fen` more is needed."""

    code: ClassVar[str] = "coupon_below_threshold"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(missing)s more is needed before this coupon can be used.")

    missing_fen: int

    def parameters(self) -> dict[str, Any]:
        """Return the facts, with the amount as people write it."""
        return super().parameters() | {"missing": yuan(self.missing_fen)}


@dataclass(eq=False)
class CouponNotStackable(DomainError):
    """Two coupons of which neither goes with others."""

    code: ClassVar[str] = "coupon_not_stackable"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Only one coupon of this kind can be used in an order.")


@dataclass(eq=False)
class CouponTakesNothing(DomainError):
    """Nothing is left that it could take off; the last fen of an order is always paid."""

    code: ClassVar[str] = "coupon_takes_nothing"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "This coupon would leave nothing to pay, or takes nothing off. Something must be left to"
        " pay in an order; what is free can be had in the store."
    )


@dataclass(eq=False)
class CouponsTooMany(DomainError):
    """More coupons than an order takes, or one of them twice."""

    code: ClassVar[str] = "coupons_too_many"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("An order takes at most %(most)s coupons, each once.")

    most: int


@dataclass(eq=False)
class CouponNotRedeemable(DomainError):
    """It is for an order, not to be handed over for."""

    code: ClassVar[str] = "coupon_not_redeemable"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This coupon takes something off an order; use it when ordering.")


@dataclass(eq=False)
class OwnCoupon(DomainError):
    """Nobody redeems at the counter what is their own."""

    code: ClassVar[str] = "own_coupon"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("You cannot redeem your own coupon; let a colleague do it.")


@dataclass(eq=False)
class PushNotFound(DomainError):
    """There is no such push."""

    code: ClassVar[str] = "coupon_push_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such push of coupons.")


@dataclass(eq=False)
class PushInvalid(DomainError):
    """A push to nobody, or to more people than there may be at once."""

    code: ClassVar[str] = "coupon_push_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A push needs a name and between 1 and %(most)s customers.")

    most: int
