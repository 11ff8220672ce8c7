"""What an order pays to sharing shareholders: commission to the owner, a rebate to the buyer.

Commission goes to whoever brought the customer, one level and no further, if that person is an
approved distributor and holds a seat at the store of the sale when it is paid. Whose seat has ended
keeps the customers until the binding runs out, without commission. A rebate, where the plan has
one, goes to a buyer with a seat at the store. The cap works line by line as in the channel models:
commission comes first, and the rebate takes what is left.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from app.engines.events import Event, Refunded, Settled, Sold
from app.engines.obstacles import (
    obstacle_of_kinship,
    obstacle_of_line,
    obstacle_of_standing,
)
from app.engines.people import Line, Person, Sale
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
from app.engines.shareholders.accounts import count, discount
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.engines.shareholders.rules import ShareholderLevel, ShareholderRules
from app.kernel.money import share_of


class AwardKind(StrEnum):
    """For what something is paid."""

    COMMISSION = "COMMISSION"
    REBATE = "REBATE"
    POOL = "POOL"


class HoldingReason(StrEnum):
    """Why a holding brings nothing, besides the reasons of all models."""

    NO_SEAT = "NO_SEAT"
    """Purchases are counted, or a seat is waited for."""
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"
    INACTIVE = "INACTIVE"
    """No settled purchase of their own lately."""
    EMPTY_POOL = "EMPTY_POOL"
    """The month brought nothing to share."""


SEATS = {AwardKind.COMMISSION: 1, AwardKind.REBATE: 0}
"""How far above the buyer whoever is paid stands."""

WITHOUT_SEAT = {
    HoldingState.CANDIDATE: HoldingReason.NO_SEAT,
    HoldingState.WAITING: HoldingReason.NO_SEAT,
    HoldingState.ACTIVE: HoldingReason.EXPIRED,
    HoldingState.EXPIRED: HoldingReason.EXPIRED,
    HoldingState.LEFT: HoldingReason.LEFT,
}
"""Why a holding that is not in force is not; one that is called active is then over its term."""


class _Claim(NamedTuple):
    """Somebody who might be paid for an order, by what right, and what keeps them from it."""

    kind: AwardKind
    person: Person | None
    rank: int | None
    level: ShareholderLevel | None
    obstacle: StrEnum | None
    facts: Facts


def decide(rules: ShareholderRules, event: Event, places: Places[HoldingPlace]) -> Decisions:
    """Return what a sale pays, or what a settled order or a refund does to the buyer's holding."""
    match event:
        case Sold():
            return _sell(rules, event, places)
        case Settled():
            return count(rules, event, places)
        case Refunded():
            return discount(rules, event, places)
        case _:
            return NOTHING


def _sell(rules: ShareholderRules, event: Sold, places: Places[HoldingPlace]) -> Decisions:
    claims = tuple(_claims(rules, event, places))
    decisions = [
        decision for line in event.sale.lines for decision in _decide_line(rules, line, claims)
    ]
    return Decisions(
        awards=tuple(one for one in decisions if isinstance(one, Award)),
        refusals=tuple(one for one in decisions if isinstance(one, Refusal)),
    )


def _claims(rules: ShareholderRules, event: Sold, places: Places[HoldingPlace]) -> Iterator[_Claim]:
    """Yield the owner, and the buyer where there is a rebate and they have or had a seat."""
    sale = event.sale
    owner = event.chain[0] if event.chain else None
    obstacle = obstacle_of_kinship(owner, sale.buyer) if owner else Reason.NO_OWNER
    yield _claim(rules, AwardKind.COMMISSION, event, places, obstacle=obstacle)
    if rules.rebate_bp:
        own = places.get(sale.buyer.member_id, sale.store_id)
        if own is not None and WITHOUT_SEAT[HoldingState(own.state)] != HoldingReason.NO_SEAT:
            yield _claim(rules, AwardKind.REBATE, event, places, obstacle=None)


def _claim(
    rules: ShareholderRules,
    kind: AwardKind,
    event: Sold,
    places: Places[HoldingPlace],
    *,
    obstacle: StrEnum | None,
) -> _Claim:
    sale = event.sale
    owner = event.chain[0] if event.chain else None
    person = owner if kind is AwardKind.COMMISSION else sale.buyer
    place = places.get(person.member_id, sale.store_id) if person else None
    rank = place.level if place and place.is_in_force(sale.at) else None
    level = rules.level(rank)
    if obstacle is None and person is not None:
        obstacle = _obstacle(person, place, level, sale)
    facts: Facts = {
        "schema": FACTS_SCHEMA,
        "model": rules.model,
        "kind": kind.value,
        "order_id": sale.order_id,
        "store": sale.store_id,
        "buyer_id": sale.buyer.member_id,
        "owner_id": owner.member_id if owner else None,
        "beneficiary_id": person.member_id if person else None,
        "seat": SEATS[kind],
        "level": rank,
        "level_code": level.code if level else None,
    }
    return _Claim(kind, person, rank, level, obstacle, facts)


def _obstacle(
    person: Person, place: HoldingPlace | None, level: ShareholderLevel | None, sale: Sale
) -> StrEnum | None:
    """Return what keeps somebody from earning at this store, whoever buys."""
    standing = obstacle_of_standing(person.standing)
    if standing is not None:
        return standing
    if place is None:
        return Reason.NO_PLACE
    if not place.is_in_force(sale.at):
        return WITHOUT_SEAT[HoldingState(place.state)]
    return None if level else Reason.LEVEL_NOT_IN_PLAN


def _decide_line(
    rules: ShareholderRules, line: Line, claims: tuple[_Claim, ...]
) -> Iterator[Award | Refusal]:
    """Decide one line: who comes first takes from the cap, the next what is left."""
    barred = _bar(rules, line)
    room = Room(rules.payout_cap_bp, line.base_fen)
    for claim in claims:
        facts = claim.facts | {
            "line_id": line.line_id,
            "product_id": line.product_id,
            "base_fen": line.base_fen,
        }
        obstacle = barred or claim.obstacle
        if obstacle is not None:
            yield _refuse(line, claim, obstacle, facts)
        else:
            yield _pay(rules, line, claim, room, facts)


def _bar(rules: ShareholderRules, line: Line) -> Reason | None:
    """Return why a line pays nothing to anybody, if it does not."""
    own = rules.product_commissions.get(line.product_id)
    if line.distributable and own is not None and own.excluded:
        return Reason.PRODUCT_EXCLUDED
    return obstacle_of_line(line)


def _pay(
    rules: ShareholderRules, line: Line, claim: _Claim, room: Room, facts: Facts
) -> Award | Refusal:
    """Turn a rate into an amount, rounded down; what comes to nothing is refused."""
    assert claim.person is not None
    plan_rate_bp, is_product = _rate(rules, line, claim)
    rate_bp = room.take_rate(plan_rate_bp)
    amount_fen = share_of(line.base_fen, rate_bp)
    uncapped_fen = share_of(line.base_fen, plan_rate_bp)
    facts = facts | {
        "is_product_rate": is_product,
        "plan_rate_bp": plan_rate_bp,
        "rate_bp": rate_bp,
        "cap_bp": rules.payout_cap_bp,
    }
    if amount_fen == 0:
        if plan_rate_bp == 0:
            return _refuse(line, claim, Reason.ZERO_RATE, facts)
        reason = Reason.CAPPED_OUT if uncapped_fen else Reason.ZERO_AMOUNT
        return _refuse(line, claim, reason, facts)
    capped_from_fen = uncapped_fen if uncapped_fen > amount_fen else None
    facts |= {
        "outcome": Outcome.AWARD.value,
        "amount_fen": amount_fen,
        "withheld_fen": uncapped_fen - amount_fen,
    }
    return Award(
        line_id=line.line_id,
        seat=SEATS[claim.kind],
        kind=claim.kind,
        beneficiary_id=claim.person.member_id,
        base_fen=line.base_fen,
        rate_bp=rate_bp,
        amount_fen=amount_fen,
        capped_from_fen=capped_from_fen,
        explanation=facts,
    )


def _rate(rules: ShareholderRules, line: Line, claim: _Claim) -> tuple[int, bool]:
    """Return the plan's rate for a claim on a line, and whether it is the product's own."""
    assert claim.rank is not None
    assert claim.level is not None
    if claim.kind is AwardKind.REBATE:
        return rules.rebate_bp, False
    own = rules.product_commissions.get(line.product_id)
    if own is not None and own.commissions_bp is not None:
        return own.commissions_bp[claim.rank - 1], True
    return claim.level.commission_bp, False


def _refuse(line: Line, claim: _Claim, reason: StrEnum, facts: Facts) -> Refusal:
    return Refusal(
        line_id=line.line_id,
        seat=SEATS[claim.kind],
        kind=claim.kind,
        beneficiary_id=claim.person.member_id if claim.person else None,
        reason=reason,
        explanation=facts | {"outcome": Outcome.REFUSAL.value, "reason": reason.value},
    )
