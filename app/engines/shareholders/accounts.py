"""What holders and customers buy themselves, and what that does to their holding.

An order is counted once its after-sale window has closed, with what refunds have left of it. A
later refund is taken off again: it takes no level from anybody before the term ends, but whoever
only waits for a seat may have to go on buying.
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from app.engines.events import Refunded, Settled
from app.engines.places import Places
from app.engines.results import NOTHING, Decisions, Facts
from app.engines.shareholders.holdings import HoldingPlace, HoldingState, level_for
from app.engines.shareholders.rules import EntryMode, ShareholderRules


class NoteCode(StrEnum):
    """What people who keep the register may want to know."""

    SEAT_WANTED = "SEAT_WANTED"
    LEVEL_RAISED = "LEVEL_RAISED"
    LEVEL_NOT_COVERED = "LEVEL_NOT_COVERED"
    SEAT_NO_LONGER_WANTED = "SEAT_NO_LONGER_WANTED"


def count(rules: ShareholderRules, event: Settled, places: Places[HoldingPlace]) -> Decisions:
    """Count a settled order for its buyer at its store."""
    sale = event.sale
    order_fen = sum(line.base_fen for line in sale.lines)
    if order_fen == 0:
        return NOTHING
    member_id, store_id = sale.buyer.member_id, sale.store_id
    place = places.get(member_id, store_id) or HoldingPlace(
        member_id=member_id, number=store_id, order_id=sale.order_id
    )
    counted = replace(
        place,
        spent_fen=place.spent_fen + order_fen,
        term_fen=place.term_fen + order_fen * (place.state == HoldingState.ACTIVE),
    )
    reached = _reached(rules, counted, order_fen)
    return _risen(counted, reached, sale.counted_at)


def _reached(rules: ShareholderRules, place: HoldingPlace, order_fen: int) -> int:
    """Return the level that purchases bring by themselves."""
    match rules.entry_mode:
        case EntryMode.CONSUMPTION:
            return level_for(rules, place.spent_fen)
        case EntryMode.TOPUP:
            return level_for(rules, order_fen)
        case EntryMode.REVIEW:
            return 0


def _risen(place: HoldingPlace, reached: int, at: datetime) -> Decisions:
    """Return a holding after a purchase: lifted, in the queue, or as it was but for the sum."""
    if reached <= place.level or place.state == HoldingState.LEFT:
        return Decisions(places=(_covered(place, reached),))
    match HoldingState(place.state):
        case HoldingState.ACTIVE:
            note = _note(NoteCode.LEVEL_RAISED, place, reached)
            lifted = replace(place, level=reached, under_review=False)
            return Decisions(places=(lifted,), notes=(note,))
        case HoldingState.WAITING:
            return Decisions(places=(replace(place, level=reached),))
        case _:
            note = _note(NoteCode.SEAT_WANTED, place, reached)
            queued = replace(
                place, state=HoldingState.WAITING, level=reached, wanted=at.isoformat()
            )
            return Decisions(places=(queued,), notes=(note,))


def _covered(place: HoldingPlace, reached: int) -> HoldingPlace:
    """Take the mark off a holder whose purchases reach their level again."""
    if place.under_review and reached == place.level:
        return replace(place, under_review=False)
    return place


def discount(rules: ShareholderRules, event: Refunded, places: Places[HoldingPlace]) -> Decisions:
    """Take a refund off what its buyer had bought; before settlement nothing was counted yet."""
    place = places.get(event.buyer_id, event.store_id)
    if place is None or not event.is_settled or event.refunded_fen == 0:
        return NOTHING
    left = replace(
        place,
        spent_fen=max(place.spent_fen - event.refunded_fen, 0),
        term_fen=max(place.term_fen - event.refunded_fen, 0),
    )
    reached = level_for(rules, left.spent_fen)
    if rules.entry_mode is EntryMode.REVIEW or reached >= left.level:
        return Decisions(places=(left,))
    if left.state == HoldingState.ACTIVE:
        note = _note(NoteCode.LEVEL_NOT_COVERED, left, reached)
        return Decisions(places=(replace(left, under_review=True),), notes=(note,))
    if reached:
        return Decisions(places=(replace(left, level=reached),))
    note = _note(NoteCode.SEAT_NO_LONGER_WANTED, left, reached)
    back = replace(left, state=HoldingState.CANDIDATE, level=0, wanted=None)
    return Decisions(places=(back,), notes=(note,))


def _note(code: NoteCode, place: HoldingPlace, reached: int) -> Facts:
    return {
        "code": code.value,
        "member_id": place.member_id,
        "store": place.number,
        "level": place.level,
        "reached": reached,
        "spent_fen": place.spent_fen,
    }
