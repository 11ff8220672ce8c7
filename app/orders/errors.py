"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

ORDER_WORDS: Final[Mapping[str, str]] = {
    "created": N_("Waiting for payment"),
    "paid": N_("Paid"),
    "completed": N_("Completed"),
    "settled": N_("Settled"),
    "closed": N_("Closed"),
    "paid_late": N_("Paid late"),
    "refunded": N_("Refunded"),
}
REFUND_WORDS: Final[Mapping[str, str]] = {
    "requested": N_("To be approved"),
    "approved": N_("Approved"),
    "sent": N_("Sent to WeChat"),
    "abnormal": N_("Stuck at WeChat"),
    "succeeded": N_("Refunded"),
    "failed": N_("Failed"),
    "rejected": N_("Rejected"),
}


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
    words: ClassVar[Mapping[str, str]] = ORDER_WORDS

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
    words: ClassVar[Mapping[str, str]] = REFUND_WORDS

    state: str
    event: str


@dataclass(eq=False)
class QuantityInvalid(DomainError):
    """A line asks for less than one piece or for too many."""

    code: ClassVar[str] = "quantity_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Choose between 1 and %(quantity_max)s pieces of each product.")

    quantity_max: int


@dataclass(eq=False)
class LinesInvalid(DomainError):
    """An order has at least one line, and not more than fit on a page."""

    code: ClassVar[str] = "lines_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Choose between 1 and %(lines_max)s products.")

    lines_max: int


@dataclass(eq=False)
class OrderTooLarge(DomainError):
    """The amount is beyond what one order may cost."""

    code: ClassVar[str] = "order_too_large"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The order is too large.")


@dataclass(eq=False)
class NothingToPay(DomainError):
    """Discounts would leave nothing to pay; WeChat Pay takes no order of zero."""

    code: ClassVar[str] = "nothing_to_pay"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("An order must cost something.")


@dataclass(eq=False)
class ProductNotOnSale(DomainError):
    """The product exists but is not sold at the moment."""

    code: ClassVar[str] = "product_not_on_sale"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("%(title)s is not on sale.")

    product_id: int
    title: str


@dataclass(eq=False)
class FulfilmentInvalid(DomainError):
    """These products cannot be handed over in this way."""

    code: ClassVar[str] = "fulfilment_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_(
        "Services are redeemed in the store; goods are picked up or delivered."
    )


@dataclass(eq=False)
class PayTimeOver(DomainError):
    """The order waits for no payment any more and is about to be closed."""

    code: ClassVar[str] = "pay_time_over"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The time to pay for this order is over.")


@dataclass(eq=False)
class RefundUnderWay(DomainError):
    """All that was paid is going back, so nothing is left to hand over."""

    code: ClassVar[str] = "refund_under_way"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This order is being refunded.")


@dataclass(eq=False)
class RefundInvalid(DomainError):
    """What is asked back makes no sense: no lines, one twice, nothing of one, or below zero."""

    code: ClassVar[str] = "refund_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Say which lines to refund, and how much of each.")


@dataclass(eq=False)
class OrderLineNotFound(DomainError):
    """The order has no line of that id."""

    code: ClassVar[str] = "order_line_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("The order has no line %(order_line_id)s.")

    order_line_id: int


@dataclass(eq=False)
class RefundExceedsRest(DomainError):
    """More is asked back than is left, refunds under way counted."""

    code: ClassVar[str] = "refund_exceeds_rest"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("That is more than can still be refunded.")

    rest_fen: int


@dataclass(eq=False)
class RefundsExhausted(DomainError):
    """WeChat takes only so many refunds of one payment."""

    code: ClassVar[str] = "refunds_exhausted"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("An order can be refunded at most %(refunds_max)s times.")

    refunds_max: int


@dataclass(eq=False)
class RefundTooLate(DomainError):
    """WeChat refunds a payment for a year only."""

    code: ClassVar[str] = "refund_too_late"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The payment is too old to be refunded through WeChat.")


@dataclass(eq=False)
class PickupNotOffered(DomainError):
    """There is nothing to pick up in a store: not paid, handed over, going back, or delivered."""

    code: ClassVar[str] = "pickup_not_offered"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("There is nothing to pick up in the store for this order.")


@dataclass(eq=False)
class OwnHandover(DomainError):
    """Staff hand over neither what they bought nor what they earn from."""

    code: ClassVar[str] = "own_handover"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_(
        "This order is your own or one of your customers'; let a colleague hand it over."
    )


@dataclass(eq=False)
class OrderHeld(DomainError):
    """The order waits for an activity, as one of a group that is not full yet."""

    code: ClassVar[str] = "order_held"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This order waits for its activity and is not handed over yet.")


@dataclass(eq=False)
class DealBasketInvalid(DomainError):
    """An order at the price of an activity holds products of that activity only."""

    code: ClassVar[str] = "deal_basket_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Other products cannot be ordered together with this offer.")


@dataclass(eq=False)
class DealTakesNoCoupons(DomainError):
    """The activity does not let coupons lower its price further."""

    code: ClassVar[str] = "deal_takes_no_coupons"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Coupons cannot be used for this offer.")


@dataclass(eq=False)
class DealTakesNoPoints(DomainError):
    """The activity does not let points pay for it."""

    code: ClassVar[str] = "deal_takes_no_points"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Points cannot be used for this offer.")
