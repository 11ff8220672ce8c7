"""What an order pays under chain 2+1: to whoever brought the buyer, and to bosses above.

On each line first DIRECT, then TEAM, then PEER take from what the cap leaves of it. Each of them is
given or refused once for each line. Fixed sums, and the peer reward, which is a share of rewards
and no rate of the order, fall with a refund in proportion.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from app.engines.chain.rules import ChainRules, PeerBase, Repurchase, Reward, Role
from app.engines.chain.teams import ChainPlace
from app.engines.events import Sold
from app.engines.people import Line, Person, Standing
from app.engines.places import Places
from app.engines.results import (
    FACTS_SCHEMA,
    Award,
    Decisions,
    Facts,
    Outcome,
    Reason,
    Refusal,
    Room,
)
from app.kernel.money import share_of


class AwardKind(StrEnum):
    """For what an award is given."""

    DIRECT = "DIRECT"
    TEAM = "TEAM"
    PEER = "PEER"
    REPURCHASE1 = "REPURCHASE1"
    REPURCHASE2 = "REPURCHASE2"


class ChainReason(StrEnum):
    """Why an award was not given, besides the reasons of all models."""

    NO_BOSS = "NO_BOSS"
    """There is no boss above whoever brought the buyer."""
    NO_ORIGIN = "NO_ORIGIN"
    """The boss has not left anybody's team."""
    NO_TEAM_REWARD = "NO_TEAM_REWARD"
    """The boss was paid nothing of which there could be a share."""
    REVOKED = "REVOKED"
    """The order by which the beneficiary had joined was refunded."""
    NOT_A_PACKAGE = "NOT_A_PACKAGE"
    """Fixed sums are paid once an order, for its package."""
    REPURCHASE = "REPURCHASE"
    """The buyer has a place, and the plan pays nothing for that."""


OBSTACLES: Final = {
    Standing.NONE: Reason.NOT_DISTRIBUTOR,
    Standing.FROZEN: Reason.FROZEN,
    Standing.QUIT: Reason.QUIT,
}
AnyReason: TypeAlias = Reason | ChainReason
SEAT_WITHOUT_BOSS: Final = 2
SEAT_WITHOUT_ORIGIN: Final = 3


class _Seat(NamedTuple):
    """Who would earn, the same for all lines of an order, and what is against it, if anything."""

    kind: AwardKind
    number: int
    beneficiary_id: int | None
    obstacle: AnyReason | None
    facts: Facts


def pay(
    rules: ChainRules, event: Sold, places: Places[ChainPlace], package: Line | None
) -> Decisions:
    """Return what an order brings those above its buyer, with the places as they were before it.

    `package` is the line for which fixed sums are paid.
    """
    direct, team, peer = _seats(rules, event, places)
    is_boss = direct.facts["owner_role"] == Role.BOSS.value
    for_direct = rules.direct.boss if is_boss else rules.direct.agent
    for_team = rules.team.boss if is_boss else rules.team.agent
    of_order = _of_order(rules, event)
    decided: list[Award | Refusal] = []
    for line in event.sale.lines:
        desk = _Desk(rules, line, of_order, is_package=line is package)
        rewarded = [desk.reward(direct, for_direct), desk.reward(team, for_team)]
        decided += rewarded
        if rules.peer_bp:
            decided.append(desk.share(peer, rules.peer_bp, _peer_base_fen(rules, team, rewarded)))
    return _sorted(decided)


def pay_repurchase(rules: ChainRules, event: Sold, places: Places[ChainPlace]) -> Decisions:
    """Return what an order brings whose buyer has a place: its two uplines at most."""
    first, second = _uplines(rules, event, places)
    of_order = _of_order(rules, event)
    decided: list[Award | Refusal] = []
    for line in event.sale.lines:
        desk = _Desk(rules, line, of_order, is_package=False)
        if rules.repurchase is Repurchase.NOTHING:
            decided.append(desk.refuse(first, desk.bar or ChainReason.REPURCHASE))
            continue
        decided.append(desk.reward(first, Reward(rate_bp=rules.repurchase_first_bp)))
        decided.append(desk.reward(second, Reward(rate_bp=rules.repurchase_second_bp)))
    return _sorted(decided)


class _Desk:
    """Where one line is shared out: seat after seat takes from what the cap leaves of it."""

    __slots__ = ("_cap_bp", "_facts", "_is_package", "_line", "_room", "bar")

    def __init__(self, rules: ChainRules, line: Line, of_order: Facts, *, is_package: bool) -> None:
        self.bar = _bar(line)
        self._cap_bp = rules.payout_cap_bp
        self._line = line
        self._is_package = is_package
        self._room = Room(rules.payout_cap_bp, line.base_fen)
        self._facts: Facts = {
            **of_order,
            "line_id": line.line_id,
            "product_id": line.product_id,
            "base_fen": line.base_fen,
        }

    def reward(self, seat: _Seat, reward: Reward) -> Award | Refusal:
        """Decide what a rate or a fixed sum brings."""
        obstacle = self.bar or seat.obstacle
        if obstacle is not None:
            return self.refuse(seat, obstacle)
        if reward.fixed_fen is not None:
            if not self._is_package:
                return self.refuse(seat, ChainReason.NOT_A_PACKAGE)
            return self._pay_sum(seat, reward.fixed_fen, {})
        assert reward.rate_bp is not None
        if reward.rate_bp == 0:
            return self.refuse(seat, Reason.ZERO_RATE)
        return self._pay_rate(seat, reward.rate_bp)

    def share(self, seat: _Seat, peer_bp: int, of_fen: int) -> Award | Refusal:
        """Decide what a share of somebody's rewards of this line brings."""
        if self.bar is not None:
            return self.refuse(seat, self.bar)
        if of_fen == 0:
            return self.refuse(seat, ChainReason.NO_TEAM_REWARD)
        if seat.obstacle is not None:
            return self.refuse(seat, seat.obstacle)
        facts: Facts = {"peer_bp": peer_bp, "peer_base_fen": of_fen}
        return self._pay_sum(seat, share_of(of_fen, peer_bp), facts)

    def refuse(self, seat: _Seat, reason: AnyReason, facts: Facts | None = None) -> Refusal:
        """Tell why a seat gets nothing."""
        told = {**self._facts, **seat.facts, **(facts or {})}
        told["outcome"] = Outcome.REFUSAL.value
        told["reason"] = reason.value
        line_id = self._line.line_id
        return Refusal(line_id, seat.number, seat.kind, seat.beneficiary_id, reason, told)

    def _pay_rate(self, seat: _Seat, plan_rate_bp: int) -> Award | Refusal:
        rate_bp = self._room.take_rate(plan_rate_bp)
        amount_fen = share_of(self._line.base_fen, rate_bp)
        uncapped_fen = share_of(self._line.base_fen, plan_rate_bp)
        facts: Facts = {"plan_rate_bp": plan_rate_bp, "rate_bp": rate_bp}
        return self._settle(seat, amount_fen, uncapped_fen, facts)

    def _pay_sum(self, seat: _Seat, plan_amount_fen: int, facts: Facts) -> Award | Refusal:
        amount_fen = self._room.take_fixed(plan_amount_fen)
        facts |= {"plan_amount_fen": plan_amount_fen, "rate_bp": None}
        return self._settle(seat, amount_fen, plan_amount_fen, facts)

    def _settle(
        self, seat: _Seat, amount_fen: int, uncapped_fen: int, facts: Facts
    ) -> Award | Refusal:
        """Award what the cap has left; what comes to nothing is refused."""
        facts["cap_bp"] = self._cap_bp
        if amount_fen == 0:
            reason = Reason.CAPPED_OUT if uncapped_fen else Reason.ZERO_AMOUNT
            return self.refuse(seat, reason, facts)
        capped_from_fen = uncapped_fen if uncapped_fen > amount_fen else None
        told = {**self._facts, **seat.facts, **facts}
        told["outcome"] = Outcome.AWARD.value
        told["amount_fen"] = amount_fen
        told["capped_from_fen"] = capped_from_fen
        rate_bp = facts["rate_bp"]
        assert rate_bp is None or isinstance(rate_bp, int)
        assert seat.beneficiary_id is not None
        return Award(
            self._line.line_id,
            seat.number,
            seat.kind,
            seat.beneficiary_id,
            self._line.base_fen,
            rate_bp,
            amount_fen,
            capped_from_fen,
            told,
        )


def _bar(line: Line) -> Reason | None:
    """Return why a line pays nothing to anybody, if it does not."""
    if not line.distributable:
        return Reason.NOT_DISTRIBUTABLE
    return Reason.ZERO_BASE if line.base_fen == 0 else None


def _of_order(rules: ChainRules, event: Sold) -> Facts:
    return {
        "schema": FACTS_SCHEMA,
        "model": rules.model,
        "order_id": event.sale.order_id,
        "buyer_id": event.sale.buyer.member_id,
        "owner_id": event.chain[0].member_id if event.chain else None,
    }


def _sorted(decided: Sequence[Award | Refusal]) -> Decisions:
    return Decisions(
        tuple(one for one in decided if isinstance(one, Award)),
        tuple(one for one in decided if isinstance(one, Refusal)),
    )


def _seats(
    rules: ChainRules, event: Sold, places: Places[ChainPlace]
) -> tuple[_Seat, _Seat, _Seat]:
    """Seat whoever brought the buyer, the boss above them, and whose team this boss left.

    All of them stand in one line of recommenders, in which depths tell the distances.
    """
    owner_id = event.chain[0].member_id if event.chain else None
    owner = None if owner_id is None else places.get(owner_id)
    usher = _Usher(rules, event, places, owner)
    peer = usher.nobody(AwardKind.PEER, SEAT_WITHOUT_ORIGIN, ChainReason.NO_TEAM_REWARD)
    if owner_id is None:
        direct = usher.nobody(AwardKind.DIRECT, 1, Reason.NO_OWNER)
        return direct, usher.nobody(AwardKind.TEAM, SEAT_WITHOUT_BOSS, Reason.NO_OWNER), peer
    direct = usher.seat(AwardKind.DIRECT, 1, owner_id, owner)
    if owner is None:
        return direct, usher.nobody(AwardKind.TEAM, SEAT_WITHOUT_BOSS, Reason.NO_PLACE), peer
    boss = owner if owner.is_boss else _place_of(places, owner.boss_id)
    if boss is None:
        return direct, usher.nobody(AwardKind.TEAM, SEAT_WITHOUT_BOSS, ChainReason.NO_BOSS), peer
    team = usher.seat(AwardKind.TEAM, 1 + owner.depth - boss.depth, boss.member_id, boss)
    if not rules.peer_bp:
        return direct, team, peer
    origin = _place_of(places, boss.origin_boss_id)
    if origin is None:
        return (
            direct,
            team,
            usher.nobody(
                AwardKind.PEER, SEAT_WITHOUT_ORIGIN, ChainReason.NO_ORIGIN, boss.member_id
            ),
        )
    number = 1 + owner.depth - origin.depth
    peer = usher.seat(AwardKind.PEER, number, origin.member_id, origin, boss.member_id)
    return direct, team, peer


def _uplines(rules: ChainRules, event: Sold, places: Places[ChainPlace]) -> Iterator[_Seat]:
    """Seat the two uplines of somebody who buys again."""
    owner = _place_of(places, event.chain[0].member_id) if event.chain else None
    usher = _Usher(rules, event, places, owner)
    above = event.chain
    kinds = (AwardKind.REPURCHASE1, AwardKind.REPURCHASE2)
    for number, kind in enumerate(kinds, start=1):
        if number > len(above):
            yield usher.nobody(kind, number, Reason.NO_UPLINE if above else Reason.NO_OWNER)
            continue
        member_id = above[number - 1].member_id
        seat = usher.seat(kind, number, member_id, places.get(member_id))
        if number > 1 and member_id == above[0].member_id and seat.obstacle is None:
            seat = seat._replace(obstacle=Reason.ALREADY_SEATED)
        yield seat


def _place_of(places: Places[ChainPlace], member_id: int | None) -> ChainPlace | None:
    return None if member_id is None else places.get(member_id)


def _peer_base_fen(rules: ChainRules, team: _Seat, rewarded: Sequence[Award | Refusal]) -> int:
    """Return what the boss got of a line, as far as the peer reward is a share of it."""
    return sum(
        one.amount_fen
        for one in rewarded
        if isinstance(one, Award)
        and one.beneficiary_id == team.beneficiary_id
        and (one.kind is AwardKind.TEAM or rules.peer_base is PeerBase.ALL)
    )


class _Usher:
    """Shows people to their seats, once an order, and sees what keeps them from earning."""

    __slots__ = ("_buyer", "_chain", "_max_depth", "_owner_role", "_places")

    def __init__(
        self,
        rules: ChainRules,
        event: Sold,
        places: Places[ChainPlace],
        owner: ChainPlace | None,
    ) -> None:
        self._buyer = event.sale.buyer
        self._chain = event.chain
        self._max_depth = rules.max_depth
        self._owner_role: str | None = str(owner.role) if owner else None
        self._places = places

    def seat(
        self,
        kind: AwardKind,
        number: int,
        member_id: int,
        place: ChainPlace | None,
        boss_id: int | None = None,
    ) -> _Seat:
        """Seat somebody, with what is against it."""
        facts: Facts = {
            "seat": number,
            "kind": kind.value,
            "beneficiary_id": member_id,
            "role": str(place.role) if place else None,
            "owner_role": self._owner_role,
            "boss_id": boss_id,
        }
        return _Seat(kind, number, member_id, self._obstacle(number, member_id, place), facts)

    def nobody(
        self, kind: AwardKind, number: int, reason: AnyReason, boss_id: int | None = None
    ) -> _Seat:
        """Leave a seat empty."""
        facts: Facts = {
            "seat": number,
            "kind": kind.value,
            "beneficiary_id": None,
            "role": None,
            "owner_role": self._owner_role,
            "boss_id": boss_id,
        }
        return _Seat(kind, number, None, reason, facts)

    def _obstacle(self, number: int, member_id: int, place: ChainPlace | None) -> AnyReason | None:
        """Return what keeps somebody from earning on this order."""
        if self._max_depth is not None and number > self._max_depth:
            return Reason.TOO_FAR
        if member_id == self._buyer.member_id:
            return Reason.BENEFICIARY_IS_BUYER
        person = self._person(member_id)
        if person is not None and not self._buyer.household.isdisjoint(person.household):
            return Reason.HOUSEHOLD
        standing = person.standing if person else self._places.standing(member_id)
        if standing is not Standing.ACTIVE:
            return OBSTACLES[standing]
        if place is None:
            return Reason.NO_PLACE
        return ChainReason.REVOKED if place.revoked else None

    def _person(self, member_id: int) -> Person | None:
        """Return somebody as they stood when the order was paid, where they are in its upline."""
        for person in self._chain:
            if person.member_id == member_id:
                return person
        return None
