"""Handing over, at the counter, what a member won in a draw: once, in a store of the draw (B33)."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.activities import draws, queries
from app.activities.draw_errors import PrizeNotWaiting, PrizeOfStaff, TicketNotFound
from app.activities.draw_models import DrawPrize, DrawTicket
from app.activities.models import Activity
from app.activities.states import TicketState
from app.counter import codes
from app.counter.codes import PickupCode
from app.counter.duty import duty_of
from app.counter.errors import PickupCodeInvalid
from app.counter.redeemable import Redeemable
from app.kernel.audit import Actor, Change, Subject, record

KIND: Final = "prize"
NUMBER_MAX: Final = 18
"""Digits of an id."""


def show_code(session: Session, ticket_id: int, *, member_id: int, now: datetime) -> PickupCode:
    """Make the code that lets staff hand one's own prize over.

    Raises `TicketNotFound`, `PrizeNotWaiting`.
    """
    ticket = draws.ticket_of(session, ticket_id, member_id)
    if ticket.state is not TicketState.WAITING:
        raise PrizeNotWaiting
    return codes.show(f"{KIND}:{ticket.id}", member_id=member_id, now=now)


def ticket_id_of(text: str) -> int:
    """Return which ticket a code is for; nothing is proven yet. Raises `PickupCodeInvalid`."""
    kind, _, number = codes.read(text).subject.partition(":")
    if kind != KIND or not number.isascii() or not number.isdigit() or len(number) > NUMBER_MAX:
        raise PickupCodeInvalid
    return int(number)


def look(
    session: Session, subject_id: int, *, store_ids: Collection[int] | None, now: datetime
) -> Redeemable:
    """Return a prize, for staff of some stores; None stands for all.

    One of a draw that takes place in none of them is the same as none. Raises `TicketNotFound`.
    """
    del now
    ticket = session.get(DrawTicket, subject_id, populate_existing=True)
    if ticket is None or ticket.prize_id is None:
        raise TicketNotFound
    activity = session.get_one(Activity, ticket.activity_id)
    if store_ids is not None and not any(queries.is_in_store(activity, one) for one in store_ids):
        raise TicketNotFound
    return _shown(session, ticket, activity)


def redeem(
    session: Session,
    subject_id: int,
    *,
    code: str | None,
    store_id: int,
    actor: Actor,
    now: datetime,
) -> Redeemable:
    """Hand a prize over. Without a code it is the staff's word alone.

    Raises `TicketNotFound`, also for a foreign store's, `PrizeNotWaiting`, `PrizeOfStaff`, and what
    `codes.spend` raises; then nothing was changed.
    """
    ticket = session.get(DrawTicket, subject_id, with_for_update=True, populate_existing=True)
    duty = duty_of(session, actor, now=now)
    if ticket is None or ticket.prize_id is None or duty is None or not duty.covers(store_id):
        raise TicketNotFound
    activity = session.get_one(Activity, ticket.activity_id)
    if not queries.is_in_store(activity, store_id):
        raise TicketNotFound
    if duty.is_one_of({ticket.member_id}):
        raise PrizeOfStaff
    if ticket.state is not TicketState.WAITING:
        raise PrizeNotWaiting
    if code is not None:
        shown = codes.read(code)
        if shown.subject != f"{KIND}:{ticket.id}":
            raise PickupCodeInvalid
        codes.spend(session, shown, member_id=ticket.member_id, actor=actor, now=now)
    ticket.state, ticket.store_id = TicketState.HANDED_OVER, store_id
    ticket.handed_over_at, ticket.handed_over_by = now, str(actor)
    session.flush()
    change = Change({"state": "waiting"}, {"state": "handed_over", "by_code": code is not None})
    subject = Subject("draw_ticket", ticket.id, store_id)
    record(session, actor, "draw_prize_handed_over", subject, change, now=now)
    return _shown(session, ticket, activity)


def _shown(session: Session, ticket: DrawTicket, activity: Activity) -> Redeemable:
    prize = session.get_one(DrawPrize, ticket.prize_id)
    return Redeemable(
        kind=KIND,
        id=ticket.id,
        title=prize.title,
        member_id=ticket.member_id,
        left=int(ticket.state is TicketState.WAITING),
        detail=activity.name,
    )
