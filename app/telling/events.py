"""Which event becomes which message to whom: one entry of the table for each.

A teller reads what happened and says whom to tell what; `interactions.messages` decides whether,
and sends. It may run twice: the key of a message is made of the fact.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities.draw_models import InviteRound
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.models import Activity
from app.activities.states import SeatState
from app.coupons.models import Coupon, CouponTemplate
from app.distribution.plan_records import LevelWarning
from app.guest_cards.models import CardBooking, GuestCard
from app.interactions.review_models import Review
from app.kernel.clock import business_day
from app.members.models import Member, TeamStop
from app.membership.holding import open_by_growth
from app.membership.models import LevelMove
from app.membership.queries import standing_of
from app.orders.models import Order, OrderLine, Refund
from app.payouts.models import Payout, PayoutBill
from app.points.models import PointLot
from app.stores.models import Store
from app.wechat.template_values import Value

CONFIRM_WITHIN: Final = timedelta(days=1)
"""WeChat lets a transfer wait so long for its receiver."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message: to whom, on which occasion, with what, once for which fact."""

    member_id: int
    occasion: str
    values: Mapping[str, Value]
    key: str


Teller = Callable[[Session, int], Iterable[Told]]


def _store_name(session: Session, store_id: int) -> str:
    return session.scalar(sa.select(Store.name).where(Store.id == store_id)) or ""


def _nickname(session: Session, member_id: int | None) -> str:
    if member_id is None:
        return ""
    return session.scalar(sa.select(Member.nickname).where(Member.id == member_id)) or ""


def _order_paid(session: Session, order_id: int) -> Iterable[Told]:
    order = session.get(Order, order_id)
    if order is None or order.paid_at is None:
        return
    values: dict[str, Value] = {
        "number": order.number,
        "store": _store_name(session, order.store_id),
        "amount": order.paid_fen,
        "at": order.paid_at,
    }
    yield Told(order.member_id, "order_paid", values, f"order_paid:{order.id}")


def _refunded(session: Session, refund_id: int) -> Iterable[Told]:
    refund = session.get(Refund, refund_id)
    if refund is None or refund.ended_at is None:
        return
    order = session.get_one(Order, refund.order_id)
    values: dict[str, Value] = {
        "number": order.number,
        "store": _store_name(session, order.store_id),
        "amount": refund.amount_fen,
        "at": refund.ended_at,
    }
    yield Told(order.member_id, "order_refunded", values, f"order_refunded:{refund.id}")


def _payout_to_confirm(session: Session, bill_id: int) -> Iterable[Told]:
    bill = session.get(PayoutBill, bill_id)
    if bill is None or bill.sent_at is None:
        return
    payout = session.get_one(Payout, bill.payout_id)
    values: dict[str, Value] = {
        "number": payout.number,
        "amount": bill.amount_fen,
        "until": bill.sent_at + CONFIRM_WITHIN,
    }
    yield Told(payout.member_id, "payout_to_confirm", values, f"payout_to_confirm:{bill.id}")


def _level_warned(session: Session, member_id: int) -> Iterable[Told]:
    rows = session.scalars(
        sa.select(LevelWarning).where(
            LevelWarning.member_id == member_id, LevelWarning.ended_at.is_(None)
        )
    )
    for row in rows:
        values: dict[str, Value] = {"level": row.level, "until": row.until_at}
        yield Told(member_id, "level_warned", values, f"level_warned:{row.id}")


def _team_stopped(session: Session, root_id: int) -> Iterable[Told]:
    rows = session.scalars(
        sa.select(TeamStop).where(TeamStop.root_id == root_id, TeamStop.lifted_at.is_(None))
    )
    for row in rows:
        values: dict[str, Value] = {"people": row.paid_people, "at": row.raised_at}
        yield Told(root_id, "team_stopped", values, f"team_stopped:{row.id}")


def _card_claimed(session: Session, card_id: int) -> Iterable[Told]:
    card = session.get(GuestCard, card_id)
    if card is None or card.claimed_at is None:
        return
    values = _about_card(session, card, card.claimed_at)
    yield Told(card.giver_id, "guest_card_claimed", values, f"guest_card_claimed:{card.id}")


def _card_used(session: Session, card_id: int) -> Iterable[Told]:
    card = session.get(GuestCard, card_id)
    if card is None or card.first_used_at is None:
        return
    values = _about_card(session, card, card.first_used_at)
    yield Told(card.giver_id, "guest_card_used", values, f"guest_card_used:{card.id}")


def _about_card(session: Session, card: GuestCard, at: datetime) -> dict[str, Value]:
    return {"title": card.title, "friend": _nickname(session, card.member_id), "at": at}


def _booked(session: Session, booking_id: int) -> Iterable[Told]:
    booking = session.get(CardBooking, booking_id)
    if booking is not None:
        values = about_booking(session, booking)
        yield Told(booking.member_id, "booking_made", values, f"booking_made:{booking.id}")


def _missed(session: Session, booking_id: int) -> Iterable[Told]:
    booking = session.get(CardBooking, booking_id)
    if booking is not None:
        values = about_booking(session, booking)
        yield Told(booking.member_id, "booking_missed", values, f"booking_missed:{booking.id}")


def about_booking(session: Session, booking: CardBooking) -> dict[str, Value]:
    """Return what can be said of a booked visit."""
    title = session.scalar(sa.select(GuestCard.title).where(GuestCard.id == booking.card_id))
    store = _store_name(session, booking.store_id)
    return {"title": title or "", "store": store, "at": booking.from_at}


def _group_ended(occasion: str) -> Teller:
    def tell(session: Session, group_id: int) -> Iterable[Told]:
        group = session.get(BuyingGroup, group_id)
        if group is None or group.ended_at is None:
            return
        name = session.scalar(sa.select(Activity.name).where(Activity.id == group.activity_id))
        values: dict[str, Value] = {
            "title": name or "",
            "people": group.size,
            "at": group.ended_at,
        }
        seats = session.scalars(
            sa.select(GroupSeat.member_id).where(
                GroupSeat.group_id == group_id, GroupSeat.state != SeatState.LEFT
            )
        )
        for member_id in sorted(set(seats)):
            yield Told(member_id, occasion, values, f"{occasion}:{group_id}:{member_id}")

    return tell


def _invited_enough(session: Session, round_id: int) -> Iterable[Told]:
    row = session.get(InviteRound, round_id)
    if row is None or row.ended_at is None:
        return
    name = session.scalar(sa.select(Activity.name).where(Activity.id == row.activity_id))
    values: dict[str, Value] = {"title": name or "", "people": row.arrived, "at": row.ended_at}
    yield Told(row.member_id, "invite_complete", values, f"invite_complete:{row.id}")


def _coupon_given(session: Session, coupon_id: int) -> Iterable[Told]:
    """Tell of a coupon that its customer did not take themselves."""
    coupon = session.get(Coupon, coupon_id)
    if coupon is None:
        return
    template = session.get_one(CouponTemplate, coupon.template_id)
    values: dict[str, Value] = {"title": template.title, "until": coupon.valid_until_at}
    yield Told(coupon.member_id, "coupon_given", values, f"coupon_given:{coupon.id}")


def _review_replied(session: Session, review_id: int) -> Iterable[Told]:
    row = session.get(Review, review_id)
    if row is None or row.replied_at is None:
        return
    line = session.get_one(OrderLine, row.order_line_id)
    values: dict[str, Value] = {"title": line.title, "text": row.reply, "at": row.replied_at}
    yield Told(row.member_id, "review_replied", values, f"review_replied:{row.id}")


def _points_expiring(session: Session, member_id: int) -> Iterable[Told]:
    """Tell once of all points that were found to be running out, by the day the first do."""
    points, until = session.execute(
        sa.select(sa.func.sum(PointLot.left_points), sa.func.min(PointLot.expires_at)).where(
            PointLot.member_id == member_id,
            PointLot.left_points > 0,
            PointLot.notified_at.is_not(None),
        )
    ).one()
    if until is not None:
        key = f"points_expiring:{member_id}:{business_day(until)}"
        values: dict[str, Value] = {"points": int(points), "until": until}
        yield Told(member_id, "points_expiring", values, key)


def _membership_raised(session: Session, move_id: int) -> Iterable[Told]:
    """Tell who rose to which level; whoever fell was told of its end before."""
    move = session.get(LevelMove, move_id)
    if move is None:
        return
    held = standing_of(session, move.member_id, at=move.at)
    values: dict[str, Value] = {"level": held.name, "at": move.at}
    yield Told(move.member_id, "membership_raised", values, f"membership_raised:{move.id}")


def _membership_ending(session: Session, member_id: int) -> Iterable[Told]:
    """Tell who will not keep the level they reached, and until when they have it."""
    held = open_by_growth(session, member_id)
    if held is None or held.warned_at is None:
        return
    name = standing_of(session, member_id, at=held.warned_at).name
    values: dict[str, Value] = {"level": name, "until": held.until_at}
    yield Told(member_id, "membership_ending", values, f"membership_ending:{held.id}")


TELLERS: Final[Mapping[str, Teller]] = {
    "order_paid": _order_paid,
    "refund_succeeded": _refunded,
    "payout_to_confirm": _payout_to_confirm,
    "level_warned": _level_warned,
    "team_stopped": _team_stopped,
    "guest_card_claimed": _card_claimed,
    "guest_card_used": _card_used,
    "guest_card_booked": _booked,
    "guest_card_missed": _missed,
    "invite_round_complete": _invited_enough,
    "coupon_given": _coupon_given,
    "group_completed": _group_ended("group_completed"),
    "group_failed": _group_ended("group_failed"),
    "points_expiring": _points_expiring,
    "level_raised": _membership_raised,
    "level_ending": _membership_ending,
    "review_replied": _review_replied,
}
"""Event to who says what of it; its job is called `tell_<event>`."""
