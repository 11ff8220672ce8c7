"""Three-three fission: every third customer that somebody brings within the window closes a round.

What counts is the instant of payment, whenever the order counts for the plan: a referral belongs
to the open round as long as it was paid for no more than the window before the newest one; older
ones lapse. So the order in which after-sale windows happen to end does not matter. Who has used up
the rounds of a year collects nothing until the oldest of them is a year ago.

A newcomer counts once, for whoever brought them first. They are given their gift even where that
person may not earn, for it is not their doing; only oneself and one's household bring no newcomer.

A refund of the whole order takes the referral out of a round that is still open. A closed round
stays closed, since its gift may be used up; people are told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from app.engines.events import Event, Refunded, Sold
from app.engines.fission.rules import FissionRules, GiftTerms
from app.engines.obstacles import (
    obstacle_of_kinship,
    obstacle_of_line,
    obstacle_of_member,
    obstacle_of_standing,
)
from app.engines.people import Line, Person, Sale
from app.engines.places import Place, Places
from app.engines.results import (
    FACTS_SCHEMA,
    NOTHING,
    Decisions,
    Facts,
    Gift,
    Outcome,
    Reason,
    Refusal,
)

YEAR: Final = timedelta(days=365)


class GiftKind(StrEnum):
    """For what a gift is given."""

    NEWCOMER = "NEWCOMER"
    ROUND = "ROUND"
    TIER2 = "TIER2"


SEATS: Final = {GiftKind.NEWCOMER: 0, GiftKind.ROUND: 1, GiftKind.TIER2: 2}
"""How far above the buyer whoever is given it stands."""


class FissionReason(StrEnum):
    """Why there is no gift, besides what holds in any model."""

    NOT_FIRST = "NOT_FIRST"
    """The buyer had ordered before, so nobody brought a new customer."""
    ALREADY_REFERRED = "ALREADY_REFERRED"
    ROUND_OPEN = "ROUND_OPEN"
    """The referral counts, but the round needs more of them."""
    YEAR_FULL = "YEAR_FULL"


class Note(StrEnum):
    """What people should look at."""

    CLOSED_ROUND_REFUNDED = "CLOSED_ROUND_REFUNDED"


class Referral(NamedTuple):
    """A new customer's first order, with the instant of its payment in ISO 8601."""

    order_id: int
    buyer_id: int
    paid_at: str


class Round(NamedTuple):
    """A closed round: its referrals, and when the last of them was paid for.

    `is_bonus_settled` tells that the second tier was given or refused; that happens once.
    """

    number: int
    closed_at: str
    referrals: tuple[Referral, ...]
    is_bonus_settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FissionPlace(Place):
    """Somebody who brought a customer or was brought; `referrer_id` brought them as a customer.

    `open_referrals` are those of the open round, in the order of payment. Places form no tree.
    """

    referrer_id: int | None = None
    open_referrals: tuple[Referral, ...] = ()
    rounds: tuple[Round, ...] = ()

    def __post_init__(self) -> None:
        """Name the parts of what was stored as JSON, which knows lists only."""
        referrals = tuple(Referral(*one) for one in self.open_referrals)
        rounds = tuple(
            Round(number, closed_at, tuple(Referral(*one) for one in members), is_settled)
            for number, closed_at, members, is_settled in self.rounds
        )
        object.__setattr__(self, "open_referrals", referrals)
        object.__setattr__(self, "rounds", rounds)


@dataclass(slots=True)
class _Case:
    """One sale being decided: what is known of it, and what has been decided so far."""

    rules: FissionRules
    sold: Sold
    line: Line
    places: Places[FissionPlace]
    changed: dict[int, FissionPlace] = field(default_factory=dict)
    gifts: list[Gift] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def sale(self) -> Sale:
        return self.sold.sale

    @property
    def chain(self) -> Sequence[Person]:
        return self.sold.chain

    def place(self, member_id: int) -> FissionPlace | None:
        return self.changed.get(member_id) or self.places.get(member_id)

    def put(self, place: FissionPlace) -> None:
        self.changed[place.member_id] = place

    def facts(self, kind: GiftKind, beneficiary_id: int | None, about: Facts) -> Facts:
        return {
            "schema": FACTS_SCHEMA,
            "model": self.rules.model,
            "order_id": self.sale.order_id,
            "buyer_id": self.sale.buyer.member_id,
            "owner_id": self.chain[0].member_id if self.chain else None,
            "line_id": self.line.line_id,
            "product_id": self.line.product_id,
            "base_fen": self.line.base_fen,
            "seat": SEATS[kind],
            "kind": kind.value,
            "beneficiary_id": beneficiary_id,
            **about,
        }

    def give(self, kind: GiftKind, beneficiary_id: int, terms: GiftTerms, about: Facts) -> None:
        facts = self.facts(kind, beneficiary_id, about) | {
            "outcome": Outcome.AWARD.value,
            "form": terms.form.value,
            "item": terms.item,
            "amount": terms.amount,
        }
        self.gifts.append(
            Gift(beneficiary_id, kind, terms.item, terms.amount, self.line.line_id, facts)
        )

    def refuse(
        self, kind: GiftKind, beneficiary_id: int | None, reason: StrEnum, about: Facts
    ) -> None:
        facts = self.facts(kind, beneficiary_id, about) | {
            "outcome": Outcome.REFUSAL.value,
            "reason": reason.value,
        }
        self.refusals.append(
            Refusal(self.line.line_id, SEATS[kind], kind, beneficiary_id, reason, facts)
        )

    def decisions(self) -> Decisions:
        return Decisions(
            refusals=tuple(self.refusals),
            places=tuple(self.changed.values()),
            gifts=tuple(self.gifts),
        )


def decide(rules: FissionRules, event: Event, places: Places[FissionPlace]) -> Decisions:
    """Return the gifts that an order brings, the rounds that it moves, and why there is no gift.

    >>> from app.engines.people import Standing
    >>> from app.engines.places import Board
    >>> board, anna = Board[FissionPlace](), Person(11, 1, Standing.ACTIVE)
    >>> for order_id in (1, 2, 3):
    ...     buyer, lines = Person(100 + order_id), (Line(order_id, 5, 9_900),)
    ...     sold = Sold(Sale(order_id, buyer, lines, is_first=True), (anna,))
    ...     decisions = decide(FissionRules(), sold, board)
    ...     board.apply(decisions.places)
    >>> [(gift.beneficiary_id, gift.kind.value) for gift in decisions.gifts]
    [(103, 'NEWCOMER'), (11, 'ROUND')]
    """
    if isinstance(event, Refunded):
        return _take_out(event, places)
    if not isinstance(event, Sold) or not event.sale.lines:
        return NOTHING
    lines = event.sale.lines
    line = next((line for line in lines if obstacle_of_line(line) is None), lines[0])
    case = _Case(rules, event, line, places)
    _refer(case)
    return case.decisions()


def _refer(case: _Case) -> None:
    """Welcome a newcomer, and count them for whoever brought them."""
    owner = case.chain[0] if case.chain else None
    owner_id = owner.member_id if owner else None
    reason = _why_no_newcomer(case, owner)
    if reason is not None or owner is None:
        case.refuse(GiftKind.ROUND, owner_id, reason or Reason.NO_OWNER, {})
        return
    buyer_id = case.sale.buyer.member_id
    newcomer = case.place(buyer_id) or FissionPlace(
        member_id=buyer_id, recommender_id=owner.member_id, order_id=case.sale.order_id
    )
    case.put(replace(newcomer, referrer_id=owner.member_id))
    if case.rules.newcomer_gift is not None:
        case.give(GiftKind.NEWCOMER, buyer_id, case.rules.newcomer_gift, {})
    obstacle = obstacle_of_standing(owner.standing)
    if obstacle is not None:
        case.refuse(GiftKind.ROUND, owner_id, obstacle, {})
        return
    _count(case, owner)


def _why_no_newcomer(case: _Case, owner: Person | None) -> StrEnum | None:
    obstacle = obstacle_of_line(case.line)
    if obstacle is not None:
        return obstacle
    if owner is None:
        return Reason.NO_OWNER
    if not case.sale.is_first:
        return FissionReason.NOT_FIRST
    newcomer = case.places.get(case.sale.buyer.member_id)
    if newcomer is not None and newcomer.referrer_id is not None:
        return FissionReason.ALREADY_REFERRED
    return obstacle_of_kinship(owner, case.sale.buyer)


def _count(case: _Case, owner: Person) -> None:
    """Add a referral to the owner's open round; close it if it is the last one missing."""
    rules, sale = case.rules, case.sale
    place = case.place(owner.member_id) or FissionPlace(
        member_id=owner.member_id,
        recommender_id=case.chain[1].member_id if len(case.chain) > 1 else None,
    )
    number = len(place.rounds) + 1
    about: Facts = {"round": number, "needed": rules.per_round, "window_days": rules.window_days}
    year = [one for one in place.rounds if sale.at - _instant(one.closed_at) < YEAR]
    if len(year) >= rules.max_rounds_per_year:
        about["rounds_max"] = rules.max_rounds_per_year
        case.refuse(GiftKind.ROUND, owner.member_id, FissionReason.YEAR_FULL, about)
        return
    new = Referral(
        order_id=sale.order_id, buyer_id=sale.buyer.member_id, paid_at=sale.at.isoformat()
    )
    referrals = _within_window(rules, [*place.open_referrals, new])
    about["count"] = len(referrals)
    if len(referrals) < rules.per_round:
        case.put(replace(place, open_referrals=referrals))
        case.refuse(GiftKind.ROUND, owner.member_id, FissionReason.ROUND_OPEN, about)
        return
    closed = Round(number=number, closed_at=referrals[-1].paid_at, referrals=referrals)
    case.put(replace(place, open_referrals=(), rounds=(*place.rounds, closed)))
    case.give(GiftKind.ROUND, owner.member_id, rules.round_gift, about)
    _settle_bonuses(case, owner.member_id)


def _within_window(rules: FissionRules, referrals: Sequence[Referral]) -> tuple[Referral, ...]:
    """Leave out what was paid for longer before the newest than the window lasts."""
    window = timedelta(days=rules.window_days)
    newest = max(_instant(one.paid_at) for one in referrals)
    kept = [one for one in referrals if newest - _instant(one.paid_at) <= window]
    return tuple(sorted(kept, key=lambda one: (_instant(one.paid_at), one.order_id)))


def _settle_bonuses(case: _Case, closer_id: int) -> None:
    """See whose second tier a closed round completes: the closer's own, or their referrer's."""
    closer = case.place(closer_id)
    if case.rules.round_bonus is None or closer is None:
        return
    _settle_bonus(case, closer, closer.rounds[-1], case.rules.round_bonus)
    referrer = case.place(closer.referrer_id) if closer.referrer_id is not None else None
    if referrer is None:
        return
    for one in referrer.rounds:
        if any(referral.buyer_id == closer_id for referral in one.referrals):
            _settle_bonus(case, referrer, one, case.rules.round_bonus)


def _settle_bonus(case: _Case, holder: FissionPlace, one: Round, terms: GiftTerms) -> None:
    brought = (case.place(referral.buyer_id) for referral in one.referrals)
    if one.is_bonus_settled or not all(place is not None and place.rounds for place in brought):
        return
    settled = one._replace(is_bonus_settled=True)
    rounds = tuple(settled if other.number == one.number else other for other in holder.rounds)
    case.put(replace(holder, rounds=rounds))
    about: Facts = {"round": one.number, "needed": len(one.referrals)}
    obstacle = obstacle_of_member(holder.member_id, case.sold, case.places)
    if obstacle is None:
        case.give(GiftKind.TIER2, holder.member_id, terms, about)
    else:
        case.refuse(GiftKind.TIER2, holder.member_id, obstacle, about)


def _take_out(event: Refunded, places: Places[FissionPlace]) -> Decisions:
    """Take an order that was wholly refunded out of the open round, or tell of the closed one."""
    place = places.get(event.owner_id) if event.owner_id is not None else None
    if place is None or event.remaining_fen > 0:
        return NOTHING
    kept = tuple(one for one in place.open_referrals if one.order_id != event.order_id)
    notes = tuple(_notes(event, place))
    if len(kept) == len(place.open_referrals):
        return Decisions(notes=notes)
    return Decisions(places=(replace(place, open_referrals=kept),), notes=notes)


def _notes(event: Refunded, place: FissionPlace) -> Iterator[Facts]:
    for one in place.rounds:
        if any(referral.order_id == event.order_id for referral in one.referrals):
            yield {
                "code": Note.CLOSED_ROUND_REFUNDED.value,
                "member_id": place.member_id,
                "buyer_id": event.buyer_id,
                "order_id": event.order_id,
                "refund_id": event.refund_id,
                "round": one.number,
            }


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
