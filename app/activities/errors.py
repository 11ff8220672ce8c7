"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

STATE_WORDS: Final[Mapping[str, str]] = {
    "draft": N_("A draft"),
    "scheduled": N_("Scheduled"),
    "running": N_("Running"),
    "ended": N_("Ended"),
    "cancelled": N_("Cancelled"),
}


@dataclass(eq=False)
class ActivityNotFound(DomainError):
    """No activity of that id is visible to the caller."""

    code: ClassVar[str] = "activity_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such activity.")


@dataclass(eq=False)
class ActivityNotYours(DomainError):
    """Staff of some stores change activities of these alone."""

    code: ClassVar[str] = "activity_not_yours"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Choose stores of your own: this takes place in others as well.")


@dataclass(eq=False)
class ActivityItemNotFound(DomainError):
    """The activity offers no such thing, or not of this kind."""

    code: ClassVar[str] = "activity_item_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("The activity does not offer this.")


@dataclass(eq=False)
class ActivityNotInState(DomainError):
    """The activity is not in a state in which that may happen to it."""

    code: ClassVar[str] = "activity_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the activity is %(state)s.")
    words: ClassVar[Mapping[str, str]] = STATE_WORDS

    state: str
    event: str


@dataclass(eq=False)
class ActivityNotOpen(DomainError):
    """The activity has not begun, is over, or was cancelled."""

    code: ClassVar[str] = "activity_not_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This activity is not open now.")


@dataclass(eq=False)
class ActivityNotHere(DomainError):
    """The activity does not take place in this store."""

    code: ClassVar[str] = "activity_not_here"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This activity does not take place in this store.")


@dataclass(eq=False)
class ActivityInvalid(DomainError):
    """What staff say of an activity makes no sense; `field` says what."""

    code: ClassVar[str] = "activity_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Check this of the activity: %(field)s.")
    words: ClassVar[Mapping[str, str]] = {
        "name": N_("its name"),
        "period": N_("its beginning and end"),
        "stores": N_("its stores"),
        "limits": N_("its limits"),
        "rules": N_("its rules"),
        "items": N_("its products"),
        "price": N_("its prices: each must lie below what the product costs"),
        "stock": N_("its stock: not below what has been sold"),
        "published": N_("its products: each must be on sale"),
        "kind": N_("its kind"),
        "prizes": N_("its prizes: say at least one"),
        "reward": N_("what it gives: points or a coupon"),
    }

    field: str


@dataclass(eq=False)
class ActivitySoldOut(DomainError):
    """Nothing is left of what the activity gives; something may come back while people pay."""

    code: ClassVar[str] = "activity_sold_out"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("There is nothing left.")


@dataclass(eq=False)
class ActivityLimitReached(DomainError):
    """The member has taken as much as one person may."""

    code: ClassVar[str] = "activity_limit_reached"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("That is all for you here: one person may have at most %(limit)s.")

    limit: int


@dataclass(eq=False)
class DayLimitReached(DomainError):
    """The member has done as much as one person may in a day."""

    code: ClassVar[str] = "activity_day_limit_reached"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("That is all for today: at most %(limit)s times a day.")

    limit: int


@dataclass(eq=False)
class NewcomersOnly(DomainError):
    """Only who never bought here before may take part."""

    code: ClassVar[str] = "activity_newcomers_only"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This is for new customers.")


@dataclass(eq=False)
class GroupNotFound(DomainError):
    """There is no group of that code."""

    code: ClassVar[str] = "group_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such group.")


@dataclass(eq=False)
class GroupNotOpen(DomainError):
    """The group is complete, over, or about to be."""

    code: ClassVar[str] = "group_not_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This group takes nobody any more. Open one of your own.")


@dataclass(eq=False)
class GroupFull(DomainError):
    """Every seat is taken; one may become free while people pay."""

    code: ClassVar[str] = "group_full"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This group is full. Open one of your own.")


@dataclass(eq=False)
class AlreadyInGroup(DomainError):
    """The member has a seat in this group."""

    code: ClassVar[str] = "already_in_group"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You are in this group already.")


@dataclass(eq=False)
class GroupAlreadyOpen(DomainError):
    """The member leads an open group for the same thing."""

    code: ClassVar[str] = "group_already_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have opened a group for this; it is still open.")

    group_code: str


@dataclass(eq=False)
class BargainNotFound(DomainError):
    """There is no bargain of that code."""

    code: ClassVar[str] = "bargain_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such bargain.")


@dataclass(eq=False)
class BargainNotOpen(DomainError):
    """The bargain is ordered, bought or over."""

    code: ClassVar[str] = "bargain_not_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This bargain is over.")


@dataclass(eq=False)
class BargainAlreadyOpen(DomainError):
    """The member bargains for the same thing already."""

    code: ClassVar[str] = "bargain_already_open"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You are bargaining for this already.")

    bargain_code: str


@dataclass(eq=False)
class AtTheFloor(DomainError):
    """Nothing can be cut off any more."""

    code: ClassVar[str] = "bargain_at_the_floor"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The price is as low as it gets.")


@dataclass(eq=False)
class NotAtTheFloor(DomainError):
    """What is bargained for is sold at the floor only."""

    code: ClassVar[str] = "bargain_not_at_the_floor"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The price has to come down to the end first.")


@dataclass(eq=False)
class CutAlready(DomainError):
    """Everybody cuts once."""

    code: ClassVar[str] = "bargain_cut_already"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You have cut this price already.")


@dataclass(eq=False)
class OwnBargain(DomainError):
    """Nobody cuts their own price where only friends do."""

    code: ClassVar[str] = "own_bargain"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Here only friends can cut the price.")


@dataclass(eq=False)
class PiecesInvalid(DomainError):
    """An order asks for more pieces at once than the activity allows, or for none."""

    code: ClassVar[str] = "activity_pieces_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("At most %(pieces_max)s of this at a time.")

    pieces_max: int
