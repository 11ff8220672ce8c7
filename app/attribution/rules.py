"""What a touch does to whom a customer belongs to. Pure: facts in, decision out.

The rules are the brand's default of customer ownership: only customers who have never paid are
won; a first touch binds softly for a while, and the same owner's touch renews it; a paid order
locks it, and a lock yields to nobody until it lapses; then the next touch binds. While soft, a
strictly stronger source may take the customer over. Nobody earns on themselves or their household.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from app.kernel.i18n import N_


class TouchSource(StrEnum):
    """How a code reached the person, strongest first."""

    STAFF_SCAN = "staff_scan"
    GUEST_CARD = "guest_card"
    POSTER = "poster"
    LINK = "link"
    SEARCH = "search"


class TouchOutcome(StrEnum):
    """What a touch did to the person's binding."""

    BOUND = "bound"
    RENEWED = "renewed"
    KEPT = "kept"
    REFUSED = "refused"


class BindingState(StrEnum):
    """How strongly a customer belongs to their owner."""

    SOFT = "soft"
    LOCKED = "locked"


class BindingEvent(StrEnum):
    """What can happen to a binding."""

    BOUND = "bound"
    RENEWED = "renewed"
    LOCKED = "locked"
    REPLACED = "replaced"
    TRANSFERRED = "transferred"
    ENDED = "ended"


class TouchReason(StrEnum):
    """Why a touch had the outcome it had. Stable: clients and reports rely on the values."""

    NEW_CUSTOMER = "new_customer"
    LAPSED = "lapsed"
    STRONGER_SOURCE = "stronger_source"
    EXISTING_ALLOWED = "existing_allowed"
    SAME_OWNER = "same_owner"
    SELF = "self"
    HOUSEHOLD = "household"
    MUTUAL = "mutual"
    OWNER_NOT_ACTIVE = "owner_not_active"
    EXISTING_CUSTOMER = "existing_customer"
    HELD_BY_OTHER = "held_by_other"
    LOCKED_BY_OTHER = "locked_by_other"


REASON_TEXTS: Final[Mapping[TouchReason, str]] = {
    TouchReason.NEW_CUSTOMER: N_("Welcome: this person recommended the brand to you."),
    TouchReason.LAPSED: N_("The earlier recommendation had lapsed; this one counts now."),
    TouchReason.STRONGER_SOURCE: N_("This recommendation replaces a weaker one."),
    TouchReason.EXISTING_ALLOWED: N_("This recommendation counts although you bought before."),
    TouchReason.SAME_OWNER: N_("You were recommended by this person already."),
    TouchReason.SELF: N_("This is your own code."),
    TouchReason.HOUSEHOLD: N_("A code from your own household does not count."),
    TouchReason.MUTUAL: N_("You recommended the brand to this person yourself."),
    TouchReason.OWNER_NOT_ACTIVE: N_("This code's owner does not recommend the brand at present."),
    TouchReason.EXISTING_CUSTOMER: N_("You were a customer already, so no recommendation counts."),
    TouchReason.HELD_BY_OTHER: N_("Another recommendation counts at present."),
    TouchReason.LOCKED_BY_OTHER: N_("Another recommendation counts since your purchase."),
}
"""What to tell the customer, by reason."""

STRENGTH: Final[Mapping[TouchSource, int]] = {
    TouchSource.STAFF_SCAN: 4,
    TouchSource.GUEST_CARD: 3,
    TouchSource.POSTER: 2,
    TouchSource.LINK: 2,
    TouchSource.SEARCH: 1,
}
"""How much a source weighs against another owner's; a poster and a link weigh the same."""

SELF_REPORTED: Final = frozenset({TouchSource.POSTER, TouchSource.LINK, TouchSource.SEARCH})
"""What the customer's own client may claim. The stronger sources need somebody else's act: staff
who scan, or a guest card that is claimed."""


class OwnerKind(StrEnum):
    """Who can own a customer."""

    DISTRIBUTOR = "distributor"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Owner:
    """A distributor (by member id) or a store."""

    kind: OwnerKind
    id: int

    @classmethod
    def of(cls, distributor_id: int | None, store_id: int | None) -> Self:
        """Read the owner from the two columns of which one is filled."""
        if distributor_id is not None:
            return cls(OwnerKind.DISTRIBUTOR, distributor_id)
        assert store_id is not None, "a database constraint keeps one of the two"
        return cls(OwnerKind.STORE, store_id)

    @property
    def distributor_id(self) -> int | None:
        """Return the member id where a distributor owns."""
        return self.id if self.kind is OwnerKind.DISTRIBUTOR else None

    @property
    def store_id(self) -> int | None:
        """Return the store's id where a store owns."""
        return self.id if self.kind is OwnerKind.STORE else None


@dataclass(frozen=True, slots=True)
class BindingRule:
    """The periods and switches a binding lives by, from its first day to its last.

    It is copied into the binding, so that a changed setting moves nothing that was bound before.
    """

    binding_soft_seconds: int
    binding_lock_seconds: int
    existing_customers_bindable: bool

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Return the rule as the binding stores it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def soft_until(self, instant: datetime) -> datetime:
        """Return when a soft binding made or renewed at an instant lapses."""
        return instant + timedelta(seconds=self.binding_soft_seconds)

    def locked_until(self, instant: datetime) -> datetime:
        """Return when the protection that a payment at an instant gives lapses."""
        return instant + timedelta(seconds=self.binding_lock_seconds)


@dataclass(frozen=True, slots=True)
class Held:
    """The binding in force when the touch happens."""

    owner: Owner
    state: BindingState
    source: TouchSource
    valid_until_at: datetime
    rule: BindingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the decision rests on."""

    now: datetime
    owner: Owner
    source: TouchSource
    rule: BindingRule
    """As the settings are now; a binding in force keeps its own."""
    held: Held | None = None
    was_bound: bool = False
    """Whether any binding of this customer was made before, in force or not."""
    has_paid: bool = False
    owner_is_active: bool = True
    is_self: bool = False
    is_household: bool = False
    is_mutual: bool = False
    """Whether the owner is, at present, the customer's own customer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a binding is to have from now on."""

    source: TouchSource
    valid_until_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What a touch does.

    With BOUND, a new period begins now on these terms and the one in force, if any, ends now. With
    RENEWED, the one in force gets these terms. Otherwise there are none and nothing changes.
    """

    outcome: TouchOutcome
    reason: TouchReason
    terms: Terms | None = None


def decide_touch(facts: Facts) -> Decision:
    """Decide what a touch does. Total: every combination of facts has one answer."""
    obstacle = _obstacle(facts)
    if obstacle is not None:
        return Decision(TouchOutcome.REFUSED, obstacle)
    if facts.held is not None and facts.held.owner == facts.owner:
        return _same_owner(facts, facts.held)
    terms = Terms(facts.source, facts.rule.soft_until(facts.now))
    return Decision(TouchOutcome.BOUND, _opening(facts), terms)


def _obstacle(facts: Facts) -> TouchReason | None:
    """Return what forbids the touch any effect, the plainest first."""
    if facts.is_self:
        return TouchReason.SELF
    if not facts.owner_is_active:
        return TouchReason.OWNER_NOT_ACTIVE
    if facts.is_household:
        return TouchReason.HOUSEHOLD
    if facts.is_mutual:
        return TouchReason.MUTUAL
    if facts.held is not None:
        return _protection(facts.held, facts)
    if _is_brands_own(facts) and not facts.rule.existing_customers_bindable:
        return TouchReason.EXISTING_CUSTOMER
    return None


def _protection(held: Held, facts: Facts) -> TouchReason | None:
    if held.owner == facts.owner:
        return None
    if held.state is BindingState.LOCKED:
        return TouchReason.LOCKED_BY_OTHER
    if STRENGTH[facts.source] <= STRENGTH[held.source]:
        return TouchReason.HELD_BY_OTHER
    return None


def _same_owner(facts: Facts, held: Held) -> Decision:
    """Renew a soft binding: never shorter than it is, never by a weaker source."""
    before = Terms(held.source, held.valid_until_at)
    after = Terms(
        max(held.source, facts.source, key=lambda one: STRENGTH[one]),
        max(held.valid_until_at, held.rule.soft_until(facts.now)),
    )
    if held.state is BindingState.LOCKED or after == before:
        return Decision(TouchOutcome.KEPT, TouchReason.SAME_OWNER)
    return Decision(TouchOutcome.RENEWED, TouchReason.SAME_OWNER, after)


def _opening(facts: Facts) -> TouchReason:
    """Return why a touch without obstacle begins a new period."""
    if facts.held is not None:
        return TouchReason.STRONGER_SOURCE
    if facts.was_bound:
        return TouchReason.LAPSED
    return TouchReason.EXISTING_ALLOWED if facts.has_paid else TouchReason.NEW_CUSTOMER


def _is_brands_own(facts: Facts) -> bool:
    """Tell whether the customer came, and paid, without any recommendation."""
    return facts.has_paid and not facts.was_bound
