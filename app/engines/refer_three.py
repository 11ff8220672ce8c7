"""Refer three, return one (推三返一): what one bought comes back as others buy the same.

For each product by itself: every unit that somebody bought opens a cycle of as many turns as the
plan has rates, up to `max_cycles` of them. A referral, somebody's order of the same product, takes
the first free turn and returns the rate of that turn on the smaller of two sums: the owner's own
unit, and what the referred line paid. Three different people are wanted, so a buyer holds one turn
with an owner and product. An order that is wholly refunded frees its turn, and the next referral
takes that one: no turn is ever worth more than its rate, so no unit brings back more than the
rates add up to. Units of an order of one's own that is wholly refunded take no more referrals;
what they have brought stays, and people are told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from app.engines.bound import BoundStep, PayoutBound
from app.engines.contract import Family, Model, Names, StoredFacts
from app.engines.events import Event, Refunded, Sold
from app.engines.obstacles import obstacle_of_kinship, obstacle_of_line, obstacle_of_standing
from app.engines.parameters import Entry, Moment, PlanParameters, RateBp
from app.engines.people import Line, Person
from app.engines.places import Place, Places
from app.engines.practices import Practices, fewest_recruits
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
from app.engines.wording import (
    AMOUNT_EXACT,
    AMOUNT_ROUNDED,
    CAP_APPLIED,
    CAP_KEPT,
    WHY_NOT,
    common,
    is_award,
    rounds,
)
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import BASIS_POINTS, percent, share_of

TURNS_MAX: Final = 12
CYCLES_MAX: Final = 99
SEAT: Final = 1
OWN_ORDER_REFUNDED: Final = "OWN_ORDER_REFUNDED"
"""Code of a note: an order was refunded that others had begun to bring back."""


class ReferThreeRules(PlanParameters):
    """Refer three, return one: `rates_bp` are the turns of a cycle, the first referral's first.

    The cap lies at half a line, so that the dearest turn is paid as promised.
    """

    model: Literal["REFER_THREE_RETURN_ONE"] = "REFER_THREE_RETURN_ONE"
    effective_at: Moment = Moment.AFTER_SALE_CLOSED
    payout_cap_bp: Annotated[int, Field(ge=1, le=BASIS_POINTS)] = 5_000
    rates_bp: Annotated[tuple[RateBp, ...], Field(min_length=1, max_length=TURNS_MAX)] = (
        2_000,
        3_000,
        5_000,
    )
    max_cycles: Annotated[int, Field(ge=1, le=CYCLES_MAX)] = 1


class AwardKind(StrEnum):
    """For what an award is given."""

    RETURN = "RETURN"


class ReturnReason(StrEnum):
    """Why an award was not given, besides what holds in any model."""

    NO_OWN_ORDER = "NO_OWN_ORDER"
    """The owner has not bought this product, so there is nothing to return."""
    ALREADY_COUNTED = "ALREADY_COUNTED"
    """The buyer holds a turn with this owner and product already."""
    CYCLES_DONE = "CYCLES_DONE"


class Turn(NamedTuple):
    """A referral that counts: the how manieth of its cycle, from 1."""

    turn: int
    order_id: int
    buyer_id: int


class Unit(NamedTuple):
    """One unit of a product that somebody bought, and the turns taken of its cycle."""

    product_id: int
    order_id: int
    unit_fen: int
    turns: tuple[Turn, ...] = ()
    is_refunded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferThreePlace(Place):
    """What somebody bought, unit by unit, the oldest first; can be built of JSON's lists too."""

    units: tuple[Unit, ...] = ()

    def __post_init__(self) -> None:
        named = (
            Unit(*one[:3], tuple(Turn(*turn) for turn in one[3]), one[4]) for one in self.units
        )
        object.__setattr__(self, "units", tuple(named))


class _Free(NamedTuple):
    """The first free turn: of which cycle, from 1; where its unit stands; the how manieth turn."""

    cycle: int
    at: int
    turn: int


class _Case(NamedTuple):
    """One sale being decided, and the places that it has changed so far."""

    rules: ReferThreeRules
    sold: Sold
    places: Places[ReferThreePlace]
    changed: dict[int, ReferThreePlace]

    def place(self, member_id: int) -> ReferThreePlace | None:
        return self.changed.get(member_id) or self.places.get(member_id)


def decide(rules: ReferThreeRules, event: Event, places: Places[ReferThreePlace]) -> Decisions:
    """Return what a sale returns to the owner of its buyer, and what it opens for the buyer."""
    if isinstance(event, Refunded):
        return _take_back(event, places)
    if not isinstance(event, Sold):
        return NOTHING
    case = _Case(rules, event, places, {})
    decided = [_return(case, line) for line in event.sale.lines]
    for line in event.sale.lines:
        if obstacle_of_line(line) is None:
            _open_cycles(case, line)
    return Decisions(
        tuple(one for one in decided if isinstance(one, Award)),
        tuple(one for one in decided if isinstance(one, Refusal)),
        tuple(case.changed.values()),
    )


def _return(case: _Case, line: Line) -> Award | Refusal:
    """Decide one line: the owner's next turn, or why there is none."""
    rules, sale = case.rules, case.sold.sale
    owner = case.sold.chain[0] if case.sold.chain else None
    owner_id = owner.member_id if owner else None
    facts: Facts = {
        "schema": FACTS_SCHEMA,
        "model": rules.model,
        "order_id": sale.order_id,
        "buyer_id": sale.buyer.member_id,
        "owner_id": owner_id,
        "line_id": line.line_id,
        "product_id": line.product_id,
        "base_fen": 0,
        "line_fen": line.base_fen,
        "seat": SEAT,
        "kind": AwardKind.RETURN.value,
        "beneficiary_id": owner_id,
        "turns": len(rules.rates_bp),
        "max_cycles": rules.max_cycles,
    }
    place = case.place(owner.member_id) if owner else None
    if reason := obstacle_of_line(line) or _obstacle(owner, sale.buyer):
        return _refuse(facts, reason)
    free = _first_free(rules, place, line.product_id, sale.buyer.member_id)
    if isinstance(free, ReturnReason):
        return _refuse(facts, free)
    assert place is not None, "a turn is somebody's"
    turn = Turn(turn=free.turn, order_id=sale.order_id, buyer_id=sale.buyer.member_id)
    units, unit = list(place.units), place.units[free.at]
    units[free.at] = unit._replace(turns=(*unit.turns, turn))
    case.changed[place.member_id] = replace(place, units=tuple(units))
    facts |= {"cycle": free.cycle, "turn": free.turn, "unit_fen": unit.unit_fen}
    facts["base_fen"] = min(unit.unit_fen, line.base_fen)
    return _settle(rules, place.member_id, rules.rates_bp[free.turn - 1], facts)


def _obstacle(owner: Person | None, buyer: Person) -> Reason | None:
    if owner is None:
        return Reason.NO_OWNER
    return obstacle_of_kinship(owner, buyer) or obstacle_of_standing(owner.standing)


def _first_free(
    rules: ReferThreeRules, place: ReferThreePlace | None, product_id: int, buyer_id: int
) -> _Free | ReturnReason:
    units = [
        (index, unit)
        for index, unit in enumerate(place.units if place is not None else ())
        if unit.product_id == product_id and not unit.is_refunded
    ][: rules.max_cycles]
    if not units:
        return ReturnReason.NO_OWN_ORDER
    if any(turn.buyer_id == buyer_id for _, unit in units for turn in unit.turns):
        return ReturnReason.ALREADY_COUNTED
    for cycle, (index, unit) in enumerate(units, start=1):
        taken = {turn.turn for turn in unit.turns}
        for turn in range(1, len(rules.rates_bp) + 1):
            if turn not in taken:
                return _Free(cycle, index, turn)
    return ReturnReason.CYCLES_DONE


def _settle(
    rules: ReferThreeRules, owner_id: int, plan_rate_bp: int, facts: Facts
) -> Award | Refusal:
    line_id, base_fen = facts["line_id"], facts["base_fen"]
    assert isinstance(line_id, int)
    assert isinstance(base_fen, int)
    rate_bp = Room(rules.payout_cap_bp, base_fen).take_rate(plan_rate_bp)
    amount_fen, uncapped_fen = share_of(base_fen, rate_bp), share_of(base_fen, plan_rate_bp)
    facts |= {"plan_rate_bp": plan_rate_bp, "rate_bp": rate_bp, "cap_bp": rules.payout_cap_bp}
    if not amount_fen:
        why = Reason.CAPPED_OUT if uncapped_fen else Reason.ZERO_AMOUNT
        return _refuse(facts, why if plan_rate_bp else Reason.ZERO_RATE)
    capped_from_fen = uncapped_fen if uncapped_fen > amount_fen else None
    facts |= {"outcome": Outcome.AWARD.value, "amount_fen": amount_fen}
    facts["capped_from_fen"] = capped_from_fen
    paid = (base_fen, rate_bp, amount_fen, capped_from_fen)
    return Award(line_id, SEAT, AwardKind.RETURN, owner_id, *paid, facts)


def _refuse(facts: Facts, reason: StrEnum) -> Refusal:
    line_id, owner_id = facts["line_id"], facts["owner_id"]
    assert isinstance(line_id, int)
    assert owner_id is None or isinstance(owner_id, int)
    facts = facts | {"outcome": Outcome.REFUSAL.value, "reason": reason.value}
    return Refusal(line_id, SEAT, AwardKind.RETURN, owner_id, reason, facts)


def _open_cycles(case: _Case, line: Line) -> None:
    """Keep the units that the buyer bought, as many as could ever come back."""
    order_id, buyer_id = case.sold.sale.order_id, case.sold.sale.buyer.member_id
    place = case.place(buyer_id)
    if place is None:
        place = ReferThreePlace(member_id=buyer_id, order_id=order_id)
        if case.sold.chain and case.sold.chain[0].member_id != buyer_id:
            place = replace(place, recommender_id=case.sold.chain[0].member_id)
    unit_fen = line.base_fen // line.quantity
    unit = Unit(product_id=line.product_id, order_id=order_id, unit_fen=unit_fen)
    bought = [unit] * min(line.quantity, case.rules.max_cycles)
    case.changed[buyer_id] = replace(place, units=(*place.units, *bought))


def _take_back(event: Refunded, places: Places[ReferThreePlace]) -> Decisions:
    """Free the turns that a wholly refunded order took, and close the cycles that it opened."""
    if event.remaining_fen > 0:
        return NOTHING
    changed: list[ReferThreePlace] = []
    notes: list[Facts] = []
    for member_id in dict.fromkeys((event.owner_id, event.buyer_id)):
        place = places.get(member_id) if member_id is not None else None
        held = place.units if place is not None else ()
        units = tuple(_without(unit, event) for unit in held)
        if place is None or units == held:
            continue
        changed.append(replace(place, units=units))
        if any(unit.order_id == event.order_id and unit.turns for unit in units):
            of_order: Facts = {"order_id": event.order_id, "refund_id": event.refund_id}
            notes.append({"code": OWN_ORDER_REFUNDED, "member_id": place.member_id, **of_order})
    return Decisions(places=tuple(changed), notes=tuple(notes))


def _without(unit: Unit, event: Refunded) -> Unit:
    if unit.order_id == event.order_id:
        return unit._replace(is_refunded=True)
    turns = tuple(turn for turn in unit.turns if turn.order_id != event.order_id)
    return unit._replace(turns=turns)


BOUND: Final = N_("Each line returns one turn at most, and the dearest returns %(rate)s.")


def payout_bound(rules: ReferThreeRules) -> PayoutBound:
    """Derive the worst case: the dearest turn, of a line that is no dearer than the owner's unit.

    >>> payout_bound(ReferThreeRules()).bound_bp
    5000
    """
    most_bp = max(rules.rates_bp)
    step = BoundStep(Message(BOUND, {"rate": percent(most_bp)}), most_bp)
    return PayoutBound(most_bp, rules.payout_cap_bp, (step,))


def practices(rules: ReferThreeRules) -> Practices:
    """Describe a plan as the compliance check reads it: only who has bought can earn."""
    return Practices(
        entry=Entry.BUY_PACKAGE,
        paid_depth=1,
        promotion_recruits=fewest_recruits(rules),
        promises_return=rules.conduct.promises_return,
        entry_spend_fen=1,
    )


def describe(rules: ReferThreeRules) -> Iterator[Message]:
    """Tell the rules of a plan."""
    yield Message(
        N_(
            "Whoever has bought a product gets a share back as %(turns)s different people whom they"
            " brought buy the same."
        ),
        {"turns": len(rules.rates_bp)},
    )
    for turn, rate_bp in enumerate(rules.rates_bp, start=1):
        yield Message(
            N_("Referral %(turn)s returns %(rate)s of the smaller of the two sums."),
            {"turn": turn, "rate": percent(rate_bp)},
        )
    yield Message(
        N_("Each unit bought opens a cycle, %(cycles)s at most for one product."),
        {"cycles": rules.max_cycles},
    )


WHY_RETURNED: Final = N_(
    "Member %(member)s brought the buyer, member %(buyer)s, and has bought the same product: this"
    " is referral %(turn)s of %(turns)s in cycle %(cycle)s."
)
SMALLER: Final = N_(
    "%(line)s was paid for this line, and %(unit)s for the unit that comes back; the smaller,"
    " %(base)s, counts."
)
RATE: Final = N_("Referral %(turn)s of a cycle returns %(plan_rate)s.")
REFUSED: Final[Mapping[StrEnum, str]] = {
    **WHY_NOT,
    Reason.ZERO_RATE: N_("The plan returns nothing for this referral."),
    Reason.CAPPED_OUT: N_(
        "The plan caps all commission on a line at %(cap)s, and that leaves nothing for this."
    ),
    Reason.ZERO_AMOUNT: N_("%(rate)s of %(base)s is less than one fen."),
    ReturnReason.NO_OWN_ORDER: N_(
        "Member %(member)s has not bought this product, so there is nothing to return."
    ),
    ReturnReason.ALREADY_COUNTED: N_(
        "Member %(buyer)s counts for member %(member)s and this product already; different people"
        " are wanted."
    ),
    ReturnReason.CYCLES_DONE: N_(
        "Member %(member)s has no turn left for this product: each unit bought comes back once, at"
        " most %(max_cycles)s of them."
    ),
}
ABOUT_THE_SUM: Final = frozenset({Reason.ZERO_RATE, Reason.CAPPED_OUT, Reason.ZERO_AMOUNT})


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why this award was given, or was not."""
    told = common(facts, names)
    if is_award(facts):
        told["withheld"] = yuan(
            (facts["capped_from_fen"] or facts["amount_fen"]) - facts["amount_fen"]
        )
        is_capped = facts["rate_bp"] < facts["plan_rate_bp"]
        yield from (Message(text, told) for text in (WHY_RETURNED, SMALLER, RATE))
        yield Message(CAP_APPLIED if is_capped else CAP_KEPT, told)
        yield Message(AMOUNT_ROUNDED if rounds(facts) else AMOUNT_EXACT, told)
        return
    code = facts["reason"]
    reason = Reason(code) if code in Reason.__members__ else ReturnReason(code)
    if reason in ABOUT_THE_SUM:
        yield from (Message(text, told) for text in (WHY_RETURNED, SMALLER))
    yield Message(REFUSED[reason], told)


MODEL: Final = Model(
    code="REFER_THREE_RETURN_ONE",
    family=Family.OTHER,
    title=N_("Refer three, return one"),
    rules=ReferThreeRules,
    decide=decide,
    reacts_to=frozenset({Sold, Refunded}),
    bound=payout_bound,
    practices=practices,
    describe=describe,
    explain=explain,
    kinds={AwardKind.RETURN: N_("Brought somebody who bought the same")},
    original={"model": "REFER_THREE_RETURN_ONE", "effective_at": "PAID", "max_cycles": 99},
    place=ReferThreePlace,
)
