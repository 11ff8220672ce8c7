"""Three-three matrix: whoever buys the package is placed, and the positions above are paid.

One join is decided in this order: place, sponsor, layers from below upwards, completion. Whoever is
missing, out, frozen or the buyer leaves their reward with the brand; nobody further up moves down.
Sponsors are paid whether or not they are out. The cap works line by line, and who comes first takes
it: the completion bonus gives way first.

A position that fills up is out even when its holder may not earn; the bonus is then refused, not
kept. Coming in again takes a position below one's own sponsor and pays nobody, for there is no
order behind it; a position that it completes is out without a bonus, for the same reason.

A refund that leaves less than the price of the package does not touch the tree: the awards are
taken back elsewhere, the position stays and is marked for people to look at. A repurchase takes no
position unless the plan allows several, and where it takes none, it pays nothing.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from app.engines.events import Event, Refunded, Sold
from app.engines.matrix.ground import Ground, MatrixPlace
from app.engines.matrix.rules import LAYERS_MAX, MatrixRules, Placement
from app.engines.obstacles import obstacle_of_line, obstacle_of_member
from app.engines.people import Line, Standing
from app.engines.places import Places
from app.engines.results import (
    FACTS_SCHEMA,
    NOTHING,
    Award,
    Decisions,
    Facts,
    Outcome,
    Reason,
    Refusal,
    Room,
)
from app.kernel.money import share_of

SHALLOW_LAYERS: Final = 6
"""Layers below these pay only people who brought enough others."""


class AwardKind(StrEnum):
    """For what an award is given."""

    SPONSOR = "SPONSOR"
    LAYER1 = "LAYER1"
    LAYER2 = "LAYER2"
    LAYER3 = "LAYER3"
    LAYER4 = "LAYER4"
    LAYER5 = "LAYER5"
    LAYER6 = "LAYER6"
    LAYER7 = "LAYER7"
    LAYER8 = "LAYER8"
    LAYER9 = "LAYER9"
    LAYER10 = "LAYER10"
    LAYER11 = "LAYER11"
    LAYER12 = "LAYER12"
    COMPLETE = "COMPLETE"


LAYERS: Final = tuple(AwardKind(f"LAYER{layer}") for layer in range(1, LAYERS_MAX + 1))


class MatrixReason(StrEnum):
    """Why an award was not given, besides what holds in any model."""

    BELOW_ENTRY = "BELOW_ENTRY"
    """Less than the price of the package was paid."""
    ONE_POSITION = "ONE_POSITION"
    """Another line of the same order took the position."""
    POSITIONS_HELD = "POSITIONS_HELD"
    """The buyer has as many positions as the plan allows: a repurchase."""
    NO_SPONSOR = "NO_SPONSOR"
    """The buyer came in without a sponsor, and sponsors never change."""
    OUT = "OUT"
    TOO_FEW_DIRECTS = "TOO_FEW_DIRECTS"
    REENTRY = "REENTRY"
    """Completed by somebody who came in again, without an order."""


class Note(StrEnum):
    """What people should look at."""

    POSITION_REFUNDED = "POSITION_REFUNDED"


@dataclass(slots=True)
class _Join:
    """One order being decided: what is known, and what has been decided so far."""

    rules: MatrixRules
    sold: Sold
    places: Places[MatrixPlace]
    ground: Ground
    awards: list[Award] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def buyer_id(self) -> int:
        return self.sold.sale.buyer.member_id

    @property
    def owner_id(self) -> int | None:
        return self.sold.chain[0].member_id if self.sold.chain else None

    def obstacle(self, member_id: int) -> Reason | None:
        return obstacle_of_member(member_id, self.sold, self.places)

    def facts(self, line: Line, seat: int, kind: AwardKind, beneficiary_id: int | None) -> Facts:
        return {
            "schema": FACTS_SCHEMA,
            "model": self.rules.model,
            "order_id": self.sold.sale.order_id,
            "buyer_id": self.buyer_id,
            "owner_id": self.owner_id,
            "line_id": line.line_id,
            "product_id": line.product_id,
            "base_fen": line.base_fen,
            "seat": seat,
            "kind": kind.value,
            "beneficiary_id": beneficiary_id,
        }


@dataclass(slots=True)
class _Seat:
    """One reward of a join: who would have it, as what, and what its explanation tells."""

    join: _Join
    line: Line
    number: int
    kind: AwardKind
    beneficiary_id: int | None
    about: Facts

    def refuse(self, reason: StrEnum, more: Facts | None = None) -> None:
        facts = self.join.facts(self.line, self.number, self.kind, self.beneficiary_id)
        facts |= self.about | (more or {})
        facts |= {"outcome": Outcome.REFUSAL.value, "reason": reason.value}
        self.join.refusals.append(
            Refusal(self.line.line_id, self.number, self.kind, self.beneficiary_id, reason, facts)
        )

    def pay_rate(self, plan_rate_bp: int, room: Room) -> None:
        """Give the share that the plan sets and the cap leaves; refuse what comes to nothing."""
        rate_bp = room.take_rate(plan_rate_bp)
        amount_fen = share_of(self.line.base_fen, rate_bp)
        uncapped_fen = share_of(self.line.base_fen, plan_rate_bp)
        more: Facts = {"plan_rate_bp": plan_rate_bp, "rate_bp": rate_bp}
        more["cap_bp"] = self.join.rules.payout_cap_bp
        if amount_fen:
            self._award(rate_bp, amount_fen, uncapped_fen, more)
        elif plan_rate_bp == 0:
            self.refuse(Reason.ZERO_RATE, more)
        else:
            self.refuse(Reason.CAPPED_OUT if uncapped_fen else Reason.ZERO_AMOUNT, more)

    def pay_fixed(self, plan_amount_fen: int, room: Room) -> None:
        """Give the amount that the plan sets, as far as the cap leaves it."""
        amount_fen = room.take_fixed(plan_amount_fen)
        more: Facts = {"plan_amount_fen": plan_amount_fen, "rate_bp": None}
        more["cap_bp"] = self.join.rules.payout_cap_bp
        if amount_fen:
            self._award(None, amount_fen, plan_amount_fen, more)
        else:
            self.refuse(Reason.CAPPED_OUT if plan_amount_fen else Reason.ZERO_RATE, more)

    def _award(self, rate_bp: int | None, amount_fen: int, uncapped_fen: int, more: Facts) -> None:
        assert self.beneficiary_id is not None, "somebody is paid"
        capped_from_fen = uncapped_fen if uncapped_fen > amount_fen else None
        facts = self.join.facts(self.line, self.number, self.kind, self.beneficiary_id)
        facts |= self.about | more
        facts |= {
            "outcome": Outcome.AWARD.value,
            "amount_fen": amount_fen,
            "capped_from_fen": capped_from_fen,
        }
        self.join.awards.append(
            Award(
                self.line.line_id,
                self.number,
                self.kind,
                self.beneficiary_id,
                self.line.base_fen,
                rate_bp,
                amount_fen,
                capped_from_fen,
                facts,
            )
        )


def decide(rules: MatrixRules, event: Event, places: Places[MatrixPlace]) -> Decisions:
    """Return where a buyer is placed, what that brings to whom, and whom it brings nothing.

    >>> from app.engines.people import Person, Sale
    >>> from app.engines.places import Board
    >>> board, chain = Board[MatrixPlace](), ()
    >>> for member_id in (1, 2):
    ...     sale = Sale(member_id, Person(member_id), (Line(member_id, 5, 39_900),))
    ...     decisions = decide(MatrixRules(), Sold(sale, chain), board)
    ...     board.apply(decisions.places)
    ...     chain = (Person(1, 1, Standing.ACTIVE),)
    >>> [(one.beneficiary_id, one.kind.value, one.amount_fen) for one in decisions.awards]
    [(1, 'SPONSOR', 3990), (1, 'LAYER1', 1995)]
    """
    if isinstance(event, Refunded):
        return _review(rules, event, places)
    if not isinstance(event, Sold):
        return NOTHING
    join = _Join(rules, event, places, Ground(places, rules.width))
    package = _find_package(join)
    if package is not None:
        _enter(join, package)
    return Decisions(tuple(join.awards), tuple(join.refusals), join.ground.changed)


def _find_package(join: _Join) -> Line | None:
    """Return the line that takes a position; refuse the sponsor's reward for all others."""
    package: Line | None = None
    for line in join.sold.sale.lines:
        reason = _why_no_position(join, line)
        if reason is None and package is None:
            package = line
            continue
        about: Facts = {
            "price_fen": join.rules.entry_price_fen,
            "quantity": line.quantity,
            "positions_max": join.rules.positions_max,
        }
        seat = _Seat(join, line, 1, AwardKind.SPONSOR, join.owner_id, about)
        seat.refuse(reason or MatrixReason.ONE_POSITION)
    return package


def _why_no_position(join: _Join, line: Line) -> StrEnum | None:
    rules = join.rules
    obstacle = obstacle_of_line(line)
    if obstacle is not None:
        return obstacle
    if rules.entry_product_ids and line.product_id not in rules.entry_product_ids:
        return Reason.PRODUCT_EXCLUDED
    if line.base_fen < rules.entry_price_fen * line.quantity:
        return MatrixReason.BELOW_ENTRY
    if join.ground.count(join.buyer_id) >= rules.positions_max:
        return MatrixReason.POSITIONS_HELD
    return None


def _enter(join: _Join, line: Line) -> None:
    """Place the buyer and pay, in the order that the model lays down."""
    rules, ground = join.rules, join.ground
    first = ground.get((join.buyer_id, 1))
    owner_id = join.owner_id if join.owner_id != join.buyer_id else None
    sponsor_id = owner_id if first is None else first.recommender_id
    new = MatrixPlace(
        member_id=join.buyer_id,
        number=ground.count(join.buyer_id) + 1,
        recommender_id=sponsor_id,
        order_id=join.sold.sale.order_id,
    )
    placed = _place(join, new)
    sponsor = None if sponsor_id is None else ground.get((sponsor_id, 1))
    if first is None and sponsor is not None:
        ground.put(replace(sponsor, directs=sponsor.directs + 1))
    room = Room(rules.payout_cap_bp, line.base_fen)
    _pay_sponsor(join, line, placed, room)
    _pay_layers(join, line, placed, room)
    _complete(join, line, placed, room)


def _place(join: _Join, new: MatrixPlace) -> MatrixPlace:
    """Place somebody into the queue, or below their sponsor, or as a root where there is none."""
    start: MatrixPlace | None = None
    if join.rules.placement is Placement.GLOBAL:
        start = join.ground.root()
    elif new.recommender_id is not None:
        start = join.ground.get((new.recommender_id, 1))
    return join.ground.add(new, start, join.rules.completion_layers)


def _pay_sponsor(join: _Join, line: Line, placed: MatrixPlace, room: Room) -> None:
    sponsor_id = placed.recommender_id
    about: Facts = {"position": placed.number}
    is_self = join.owner_id == join.buyer_id
    holder_id = join.buyer_id if sponsor_id is None and is_self else sponsor_id
    seat = _Seat(join, line, 1, AwardKind.SPONSOR, holder_id, about)
    if sponsor_id is None:
        nobody = Reason.NO_OWNER if join.owner_id is None else MatrixReason.NO_SPONSOR
        seat.refuse(Reason.BENEFICIARY_IS_BUYER if is_self else nobody)
        return
    obstacle = join.obstacle(sponsor_id)
    if obstacle is not None:
        seat.refuse(obstacle)
    elif join.rules.sponsor_needs_place and join.ground.get((sponsor_id, 1)) is None:
        seat.refuse(Reason.NO_PLACE)
    else:
        seat.pay_rate(join.rules.sponsor_bp, room)


def _pay_layers(join: _Join, line: Line, placed: MatrixPlace, room: Room) -> None:
    above: MatrixPlace | None = placed
    for layer, rate_bp in enumerate(join.rules.layers_bp, start=1):
        above = join.ground.above(above) if above is not None else None
        about: Facts = {"layer": layer, "position": above.number if above else None}
        beneficiary_id = above.member_id if above else None
        seat = _Seat(join, line, layer, LAYERS[layer - 1], beneficiary_id, about)
        reason = Reason.NO_UPLINE if above is None else _why_no_layer(join, above, layer)
        if reason is None:
            seat.pay_rate(rate_bp, room)
        else:
            seat.refuse(reason, {"directs_needed": join.rules.deep_layer_directs})


def _why_no_layer(join: _Join, above: MatrixPlace, layer: int) -> StrEnum | None:
    obstacle = join.obstacle(above.member_id)
    if obstacle is not None:
        return obstacle
    if above.is_out:
        return MatrixReason.OUT
    first = join.ground.get((above.member_id, 1)) or above
    if layer > SHALLOW_LAYERS and first.directs < join.rules.deep_layer_directs:
        return MatrixReason.TOO_FEW_DIRECTS
    return None


def _complete(join: _Join, line: Line, placed: MatrixPlace, room: Room) -> None:
    """Let out whom the new position completes; who comes in again may complete another.

    Nearer positions cannot be complete, for nothing is below the new one yet: what is looked at is
    the one as far above as there are layers to fill. This comes to an end, since each coming in
    again takes a position that stays, and completing one takes more of them than it brings.
    """
    new: MatrixPlace | None = placed
    distance = join.rules.completion_layers
    while new is not None and distance:
        above: MatrixPlace | None = new
        for _ in range(distance):
            above = join.ground.above(above) if above is not None else None
        if above is None or above.is_out or above.filled < join.rules.capacity:
            return
        above = join.ground.put(replace(above, is_out=True))
        about: Facts = {"filled": above.filled, "layers": distance, "position": above.number}
        seat = _Seat(join, line, distance, AwardKind.COMPLETE, above.member_id, about)
        _pay_completion(join, seat, room, is_bought=new is placed)
        new = _come_in_again(join, above)


def _pay_completion(join: _Join, seat: _Seat, room: Room, *, is_bought: bool) -> None:
    assert seat.beneficiary_id is not None, "a position has a holder"
    obstacle = join.obstacle(seat.beneficiary_id)
    if obstacle is not None:
        seat.refuse(obstacle)
    elif not is_bought:
        seat.refuse(MatrixReason.REENTRY)
    else:
        seat.pay_fixed(join.rules.completion_fen, room)


def _come_in_again(join: _Join, out: MatrixPlace) -> MatrixPlace | None:
    """Return the new position of somebody who is out, if they get one."""
    number = join.ground.count(out.member_id) + 1
    may_earn = join.places.standing(out.member_id) is Standing.ACTIVE
    if not join.rules.reentry or number > join.rules.positions_max or not may_earn:
        return None
    new = MatrixPlace(member_id=out.member_id, number=number, recommender_id=out.recommender_id)
    return _place(join, new)


def _review(rules: MatrixRules, event: Refunded, places: Places[MatrixPlace]) -> Decisions:
    """Mark the position of an order of which less than the package is left."""
    if event.remaining_fen >= rules.entry_price_fen:
        return NOTHING
    for number in range(1, places.count(event.buyer_id) + 1):
        place = places.get(event.buyer_id, number)
        if place is None or place.order_id != event.order_id or place.under_review:
            continue
        note: Facts = {
            "code": Note.POSITION_REFUNDED.value,
            "member_id": place.member_id,
            "position": place.number,
            "order_id": event.order_id,
            "refund_id": event.refund_id,
            "remaining_fen": event.remaining_fen,
        }
        return Decisions(places=(replace(place, under_review=True),), notes=(note,))
    return NOTHING
