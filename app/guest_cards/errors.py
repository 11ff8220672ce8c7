"""What givers, friends and the counter must be ready to hear about guest cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

CARD_WORDS: Final[Mapping[str, str]] = {
    "shared": N_("Waiting to be claimed"),
    "claimed": N_("Claimed"),
    "booked": N_("Booked"),
    "used": N_("Used up"),
    "returned": N_("Not claimed"),
    "expired": N_("Run out"),
    "revoked": N_("Revoked"),
}


@dataclass(eq=False)
class CardTemplateNotFound(DomainError):
    """There is no such template, or not for the caller."""

    code: ClassVar[str] = "card_template_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such kind of guest card.")


@dataclass(eq=False)
class CardTemplateInvalid(DomainError):
    """A fact of a template lies outside what is allowed; `field` names it."""

    code: ClassVar[str] = "card_template_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The guest card cannot be saved: check the field %(field)s.")

    field: str


@dataclass(eq=False)
class CardTemplateEnded(DomainError):
    """Nobody shares cards of this template any more."""

    code: ClassVar[str] = "card_template_ended"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This guest card is not given any more.")


@dataclass(eq=False)
class CardQuotaUsedUp(DomainError):
    """The giver has shared all they may of this template in this month."""

    code: ClassVar[str] = "card_quota_used_up"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have given all guest cards of this kind for this month.")


@dataclass(eq=False)
class CardUnknown(DomainError):
    """No card has this token; counted, because it may be a guess."""

    code: ClassVar[str] = "card_unknown"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("This guest card does not exist.")


@dataclass(eq=False)
class CardsLocked(DomainError):
    """The caller has named too many cards that do not exist."""

    code: ClassVar[str] = "cards_locked"
    kind: ClassVar[ErrorKind] = ErrorKind.LIMITED
    text: ClassVar[str] = N_(
        "Too many unknown guest cards. Please try again in %(retry_after_seconds)s seconds."
    )

    retry_after_seconds: int


@dataclass(eq=False)
class CardNotFound(DomainError):
    """There is no such card, or not for the caller."""

    code: ClassVar[str] = "card_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such guest card.")


@dataclass(eq=False)
class CardNotInState(DomainError):
    """The card is not in a state in which that may happen to it."""

    code: ClassVar[str] = "card_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the guest card is %(state)s.")
    words: ClassVar[Mapping[str, str]] = CARD_WORDS

    state: str
    event: str


@dataclass(eq=False)
class CardTaken(DomainError):
    """Somebody else claimed the card first."""

    code: ClassVar[str] = "card_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Somebody else has claimed this guest card.")


@dataclass(eq=False)
class CardLapsed(DomainError):
    """The card was not claimed in time, or is not to be had any more."""

    code: ClassVar[str] = "card_lapsed"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "This guest card was not claimed in time. Ask whoever sent it for a new one."
    )


@dataclass(eq=False)
class CardExpired(DomainError):
    """The card was good until an instant that has passed."""

    code: ClassVar[str] = "card_expired"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This guest card has run out.")


@dataclass(eq=False)
class CardPhoneRequired(DomainError):
    """Whoever claims a card has given a phone number."""

    code: ClassVar[str] = "card_phone_required"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Give your phone number to claim this guest card.")


@dataclass(eq=False)
class OwnCard(DomainError):
    """Nobody claims a card that they gave themselves."""

    code: ClassVar[str] = "own_card"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("This is your own guest card; it is for a friend.")


@dataclass(eq=False)
class HouseholdCard(DomainError):
    """Nobody claims a card of their own household."""

    code: ClassVar[str] = "household_card"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Guest cards of your own household cannot be claimed.")


@dataclass(eq=False)
class NotANewCustomer(DomainError):
    """The card is for people who have never bought here."""

    code: ClassVar[str] = "not_a_new_customer"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("This guest card is for new customers.")


@dataclass(eq=False)
class CardHadBefore(DomainError):
    """One card of a template is all that one person gets."""

    code: ClassVar[str] = "card_had_before"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have had a guest card of this kind.")


@dataclass(eq=False)
class DeviceCardsUsedUp(DomainError):
    """Too many cards were claimed with this device."""

    code: ClassVar[str] = "device_cards_used_up"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("No more guest cards can be claimed with this phone.")


@dataclass(eq=False)
class CardsBlocked(DomainError):
    """Whoever twice did not come to what they booked has to wait."""

    code: ClassVar[str] = "cards_blocked"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_(
        "You did not come to two bookings, so guest cards are closed to you until %(until)s."
    )

    until: datetime


@dataclass(eq=False)
class SlotNotOffered(DomainError):
    """The time is none that can be booked with this card at this store."""

    code: ClassVar[str] = "slot_not_offered"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This time cannot be booked.")


@dataclass(eq=False)
class SlotFull(DomainError):
    """Others have booked that time."""

    code: ClassVar[str] = "slot_full"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This time is booked out. Choose another.")


@dataclass(eq=False)
class BookingNotFound(DomainError):
    """There is no such booking, or not for the caller."""

    code: ClassVar[str] = "booking_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such booking.")


@dataclass(eq=False)
class BookingOver(DomainError):
    """The booking was kept, cancelled or missed before."""

    code: ClassVar[str] = "booking_over"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This booking is over.")


@dataclass(eq=False)
class BookingNotBegun(DomainError):
    """Nobody is late before their time has come."""

    code: ClassVar[str] = "booking_not_begun"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The time of this booking has not come yet.")


@dataclass(eq=False)
class BookingBegun(DomainError):
    """What has begun is not cancelled any more."""

    code: ClassVar[str] = "booking_begun"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The time of this booking has come; it cannot be cancelled any more.")


@dataclass(eq=False)
class OwnCardUse(DomainError):
    """Staff redeem neither their own card nor one that they gave."""

    code: ClassVar[str] = "own_card_use"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Somebody else must redeem this guest card: it is yours.")


@dataclass(eq=False)
class NothingLeft(DomainError):
    """What the card grants of one service is used up."""

    code: ClassVar[str] = "card_nothing_left"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Nothing is left of this service on the guest card.")
