"""Somebody who has one of each thing that can be named in a path."""

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import draws
from app.activities.prize_specs import PrizeSpec
from app.interactions.states import ReviewState
from app.kernel.clock import utc_now
from app.members.models import Member, MemberSession
from app.orders.states import OrderState
from app.settings import Settings
from app.stores.models import Store
from tests.api.conftest import Phone
from tests.factories.coupons import make_coupon, make_template
from tests.factories.draws import make_draw
from tests.factories.guest_cards import booked, card_of, give_phone, open_hours
from tests.factories.interactions import make_picture, make_review
from tests.factories.orders import NOON, make_order, make_refund, paid_order
from tests.factories.payouts import make_earner, make_payout, plan_version_id
from tests.factories.people import make_share_code, make_store
from tests.factories.points import make_exchange
from tests.factories.privacy import make_data_request
from tests.integration.distribution.cases import award


def belongings_of_somebody(
    session: Session, settings: Settings, phone_of: Callable[..., Phone]
) -> tuple[Phone, dict[str, str]]:
    """Return the phone of a member, and the names of what is theirs by argument of a path."""
    owner = make_earner(session, 10_000)
    member = session.get_one(Member, owner.member_id)
    own = phone_of(member)
    order = make_order(session, member=member)
    make_refund(session, order)
    payout = make_payout(session, owner, 1_000, settings=settings)
    sold = paid_order(session, owner=owner, plan_version_id=plan_version_id(session), now=NOON)
    [earned] = award(session, sold, now=NOON)
    sign_in = sa.select(MemberSession.id).where(MemberSession.member_id == member.id)
    store = session.get_one(Store, order.store_id)
    return own, {
        "award_id": str(earned.id),
        "code": make_share_code(session, distributor=owner).code,
        "coupon_id": str(make_coupon(session, make_template(session), member).id),
        "data_request_id": str(make_data_request(session, member).id),
        "exchange_id": str(make_exchange(session, member, store).id),
        "number": order.number,
        "payout_id": str(payout.id),
        "session_id": str(session.scalar(sign_in)),
        "ticket_id": str(_won_by(session, member)),
        **_card_of(session, settings, member),
        **_review_of(session, member),
    }


def _won_by(session: Session, member: Member) -> int:
    now = utc_now()
    sure = PrizeSpec(title="Cream", chance_ppm=1_000_000, stock=1)
    draw = make_draw(session, prizes=[sure], now=now)
    return draws.draw(session, draw.id, member_id=member.id, now=now).id


def _card_of(session: Session, settings: Settings, member: Member) -> dict[str, str]:
    card = card_of(session, settings, give_phone(session, member))
    shop = open_hours(session, make_store(session))
    ahead = booked(session, settings, card, shop, from_at=NOON + timedelta(hours=14))
    return {"card_booking_id": str(ahead.id), "card_id": str(card.id)}


def _review_of(session: Session, member: Member) -> dict[str, str]:
    received = make_order(session, member=member, state=OrderState.COMPLETED)
    review = make_review(session, received, state=ReviewState.WAITING)
    picture = make_picture(session, review)
    return {"picture_id": str(picture.id), "review_id": str(review.id)}
