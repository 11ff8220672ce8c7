"""Holdings: what somebody has at one store, and how that begins, rises and ends.

Purchases are counted by the engine (`accounts`); seats are given by whoever keeps the register,
since only there all holdings of a store are known. All of that is decided here: `allot` is what a
register does with the holdings of one store, in PostgreSQL under a lock or in memory.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from app.engines.places import Place
from app.engines.shareholders.rules import EntryMode, ShareholderRules
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

MONTHS_A_YEAR: Final = 12


class HoldingState(StrEnum):
    """CANDIDATE buys, WAITING wants a seat, ACTIVE has one; EXPIRED and LEFT had one."""

    CANDIDATE = "CANDIDATE"
    WAITING = "WAITING"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingPlace(Place):
    """What a member has at the store whose id is `number`; one for each member and store.

    `level` is the rank held, from 1; while waiting the one that a seat would bring, 0 where that is
    open. `spent_fen` are the settled own purchases that count for a level, `term_fen` those since
    the seat was given. `wanted`, `granted` and `until` are instants as ISO 8601 text; the holding
    is in force before `until`. `under_review` marks a holder whose purchases, after refunds, no
    longer reach the level: it is kept until the term ends.
    """

    level: int = 0
    state: HoldingState = HoldingState.CANDIDATE
    spent_fen: int = 0
    term_fen: int = 0
    wanted: str | None = None
    granted: str | None = None
    until: str | None = None
    under_review: bool = False

    @property
    def until_at(self) -> datetime | None:
        """When the holding ends."""
        return None if self.until is None else datetime.fromisoformat(self.until)

    def is_in_force(self, at: datetime) -> bool:
        """Tell whether there is a seat at this instant."""
        until_at = self.until_at
        return self.state == HoldingState.ACTIVE and (until_at is None or at < until_at)


@dataclass(eq=False)
class SeatsTaken(DomainError):
    """A store has no seat left."""

    code: ClassVar[str] = "shareholder_seats_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("All %(seats)s seats of this store are taken.")

    seats: int


@dataclass(eq=False)
class HoldingRefused(DomainError):
    """A holding cannot take this step from where it stands."""

    code: ClassVar[str] = "holding_refused"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This is not possible while the holding is: %(state)s.")
    words: ClassVar[dict[str, str]] = {
        HoldingState.CANDIDATE: N_("counting purchases"),
        HoldingState.WAITING: N_("waiting for a seat"),
        HoldingState.ACTIVE: N_("in force"),
        HoldingState.EXPIRED: N_("expired"),
        HoldingState.LEFT: N_("given up"),
    }

    state: str


@dataclass(eq=False)
class NotQualified(DomainError):
    """There is no level that these purchases reach, or that was asked for."""

    code: ClassVar[str] = "shareholder_not_qualified"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("No level of this plan is reached or was chosen.")


def level_for(rules: ShareholderRules, consumption_fen: int) -> int:
    """Return the rank that so much settled own consumption reaches; 0 where it reaches none.

    >>> [level_for(ShareholderRules(), fen) for fen in (99_999, 100_000, 299_999, 5_000_000)]
    [0, 1, 1, 3]
    """
    return sum(level.entry_fen <= consumption_fen for level in rules.shareholder_levels)


def apply_for(place: HoldingPlace, *, now: datetime) -> HoldingPlace:
    """Put somebody into the queue who asks for a seat; raises HoldingRefused to those in it."""
    if place.state in {HoldingState.WAITING, HoldingState.ACTIVE}:
        raise HoldingRefused(HoldingState(place.state).value)
    return replace(place, state=HoldingState.WAITING, wanted=now.isoformat())


def grant(
    rules: ShareholderRules,
    place: HoldingPlace,
    *,
    now: datetime,
    seats_taken: int,
    level: int | None = None,
) -> HoldingPlace:
    """Give a seat from `now` for the plan's term; `seats_taken` are the others in force there.

    Without `level`, as after a review, it is the one waited for, or what the purchases reach.
    Raises HoldingRefused, SeatsTaken and NotQualified.
    """
    if place.state == HoldingState.ACTIVE:
        raise HoldingRefused(HoldingState.ACTIVE.value)
    reached = (place.level or level_for(rules, place.spent_fen)) if level is None else level
    if rules.level(reached) is None:
        raise NotQualified
    if seats_taken >= rules.seats_per_store:
        raise SeatsTaken(rules.seats_per_store)
    return replace(
        place,
        state=HoldingState.ACTIVE,
        level=reached,
        term_fen=0,
        wanted=None,
        granted=now.isoformat(),
        until=months_later(now, rules.term_months).isoformat(),
        under_review=False,
    )


def change_level(rules: ShareholderRules, place: HoldingPlace, *, level: int) -> HoldingPlace:
    """Give a holder in force another level, as after a review; raises as `grant` does."""
    if place.state != HoldingState.ACTIVE:
        raise HoldingRefused(HoldingState(place.state).value)
    if rules.level(level) is None:
        raise NotQualified
    return replace(place, level=level, under_review=False)


def expire(rules: ShareholderRules, place: HoldingPlace, *, now: datetime) -> HoldingPlace:
    """End a holding whose term is over; any other comes back unchanged.

    What was bought during the term counts for the next, and nothing older: who reached a level with
    it, where purchases decide, waits for a seat from that instant on.
    """
    until = place.until
    if place.state != HoldingState.ACTIVE or until is None or place.is_in_force(now):
        return place
    reached = level_for(rules, place.term_fen)
    again = rules.entry_mode is EntryMode.CONSUMPTION and reached > 0
    return replace(
        place,
        state=HoldingState.WAITING if again else HoldingState.EXPIRED,
        level=reached if again else 0,
        spent_fen=place.term_fen,
        term_fen=0,
        wanted=until if again else None,
        under_review=False,
    )


def leave(place: HoldingPlace, *, now: datetime) -> HoldingPlace:
    """Give up a seat or a place in the queue; whoever comes back starts with nothing counted.

    Raises HoldingRefused to anybody else.
    """
    if place.state not in {HoldingState.WAITING, HoldingState.ACTIVE}:
        raise HoldingRefused(HoldingState(place.state).value)
    return replace(
        place,
        state=HoldingState.LEFT,
        level=0,
        spent_fen=0,
        term_fen=0,
        wanted=None,
        until=now.isoformat() if place.state == HoldingState.ACTIVE else place.until,
        under_review=False,
    )


def allot(
    rules: ShareholderRules, holdings: Iterable[HoldingPlace], *, now: datetime
) -> tuple[HoldingPlace, ...]:
    """Return what changes among all holdings of one store: terms end, then free seats are given.

    Those who wait come in the order in which they began to, then by number of the member; where the
    store reviews, nobody gets a seat by this. Doing it again at the same instant changes nothing.
    """
    before = {place.spot: place for place in holdings}
    after = {spot: expire(rules, place, now=now) for spot, place in before.items()}
    taken = sum(place.is_in_force(now) for place in after.values())
    if rules.entry_mode is not EntryMode.REVIEW:
        for place in _queue(after.values()):
            if taken < rules.seats_per_store and (place.level or level_for(rules, place.spent_fen)):
                after[place.spot] = grant(rules, place, now=now, seats_taken=taken)
                taken += 1
    return tuple(place for spot, place in after.items() if place != before[spot])


def _queue(places: Iterable[HoldingPlace]) -> Iterator[HoldingPlace]:
    waiting = [place for place in places if place.state == HoldingState.WAITING]
    yield from sorted(waiting, key=lambda place: (_since(place), place.member_id))


def _since(place: HoldingPlace) -> datetime:
    assert place.wanted is not None, "who waits has begun to"
    return datetime.fromisoformat(place.wanted)


def months_later(at: datetime, months: int) -> datetime:
    """Return the same day and hour so many months later; the last day where there is no such day.

    >>> months_later(datetime.fromisoformat("2027-08-31T09:00+00:00"), 6).isoformat()
    '2028-02-29T09:00:00+00:00'
    """
    years, month = divmod(at.month - 1 + months, MONTHS_A_YEAR)
    year = at.year + years
    day = min(at.day, monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)
