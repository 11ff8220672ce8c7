"""The words of points: where they come from, what happens to them, what the mall gives. Pure."""

from enum import StrEnum


class PointSource(StrEnum):
    """What brought the points of a lot."""

    ORDER = "order"
    """A purchase, after its after-sale window."""
    TASK = "task"
    CHECK_IN = "check_in"
    BIRTHDAY = "birthday"
    LEVEL = "level"
    """Reaching a membership level."""
    ACTIVITY = "activity"
    QUESTIONNAIRE = "questionnaire"
    GIFT = "gift"
    """A gift of a distribution plan, or of staff to a segment."""
    HAND = "hand"
    """Staff, with a reason."""
    RETURNED = "returned"
    """Given back after the lot that had paid was over; valid for a time of grace."""


class EarningState(StrEnum):
    """How far the points of a purchase are."""

    PENDING = "pending"
    SETTLED = "settled"


class SpendState(StrEnum):
    """How far a spend is: set aside, spent for good, or let go unspent."""

    RESERVED = "reserved"
    SPENT = "spent"
    RELEASED = "released"


class EntryKind(StrEnum):
    """What a line of a member's statement says."""

    EARNED = "earned"
    """By a purchase that can still be refunded: pending."""
    SETTLED = "settled"
    GRANTED = "granted"
    RESERVED = "reserved"
    RELEASED = "released"
    GIVEN_BACK = "given_back"
    TAKEN_BACK = "taken_back"
    """Of a purchase that was refunded."""
    DEBT_FILLED = "debt_filled"
    """Out of what came in, for what could not be taken back before."""
    EXPIRED = "expired"
    ADJUSTED = "adjusted"
    """Taken by staff, with a reason."""


class ExchangeKind(StrEnum):
    """What an item of the mall is."""

    PRODUCT = "product"
    """Goods or a service of the catalogue, handed over in a store."""
    COUPON = "coupon"
    """A coupon, given at once."""


class ExchangeState(StrEnum):
    """How far an exchange is."""

    WAITING = "waiting"
    """In a store, to be fetched."""
    HANDED_OVER = "handed_over"
    GIVEN = "given"
    """A coupon that its member has."""
    CANCELLED = "cancelled"
