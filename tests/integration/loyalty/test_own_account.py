"""Nobody who works here gives anything to themselves, nor to their household."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.counter.errors import OwnAccount
from app.coupons import pushing, services
from app.coupons.models import Coupon, CouponChannel, CouponPush
from app.kernel.audit import Actor
from app.membership import by_hand, growth
from app.membership.by_hand import LevelWish
from app.membership.models import GrowthEntry, LevelHolding, MembershipLevel
from app.points import adjusting
from app.points.models import PointEntry
from app.stores import staff_mode
from tests.factories.coupons import make_template
from tests.factories.membership import make_ladder
from tests.factories.people import make_member, make_staff

Act = Callable[[Session, int, Actor, datetime], object]


def give_coupon(session: Session, member_id: int, actor: Actor, now: datetime) -> None:
    template = make_template(session)
    services.give_by_staff(session, template.id, member_id, reason="x", actor=actor, now=now)


def push_coupon(session: Session, member_id: int, actor: Actor, now: datetime) -> None:
    template = make_template(session, ways=[CouponChannel.PUSH])
    pushing.push(session, template.id, [member_id], title="x", actor=actor, now=now)


def give_points(session: Session, member_id: int, actor: Actor, now: datetime) -> None:
    adjusting.adjust(session, member_id, 10, reason="x", actor=actor, now=now)


def give_growth(session: Session, member_id: int, actor: Actor, now: datetime) -> None:
    growth.add_by_hand(session, member_id, 10, reason="x", actor=actor, now=now)


def set_level(session: Session, member_id: int, actor: Actor, now: datetime) -> None:
    gold = session.scalar(sa.select(sa.func.max(MembershipLevel.id))) or make_ladder(session)[2]
    wish = LevelWish(level_id=gold, until_at=now + timedelta(days=9), reason="x")
    by_hand.set_level(session, member_id, wish, actor=actor, now=now)


@pytest.mark.parametrize("act", [give_coupon, push_coupon, give_points, give_growth, set_level])
def test_what_staff_give_is_not_for_themselves(session: Session, now: datetime, act: Act) -> None:
    own, staff = make_member(session), make_staff(session)
    made = staff_mode.make_code(session, staff.id, actor=Actor("staff", staff.id), now=now)
    staff_mode.bind(session, code=made.text, member_id=own.id, now=now)

    with pytest.raises(OwnAccount):
        act(session, own.id, Actor("staff", staff.id), now)
    staff_mode.unbind(session, staff.id, actor=Actor("staff", staff.id), now=now)
    with pytest.raises(OwnAccount):
        give_points(session, own.id, Actor("staff", staff.id), now)

    for kept in (Coupon, CouponPush, PointEntry, GrowthEntry, LevelHolding):
        assert session.scalar(sa.select(sa.func.count()).select_from(kept)) == 0
    act(session, make_member(session).id, Actor("staff", staff.id), now)


def test_nor_is_it_for_another_account_on_the_same_phone(session: Session, now: datetime) -> None:
    own = make_member(session, device="phone-1")
    other, staff = make_member(session, device="phone-1"), make_staff(session)
    made = staff_mode.make_code(session, staff.id, actor=Actor("staff", staff.id), now=now)
    staff_mode.bind(session, code=made.text, member_id=own.id, now=now)

    with pytest.raises(OwnAccount):
        give_points(session, other.id, Actor("staff", staff.id), now)

    assert session.scalar(sa.select(sa.func.count()).select_from(PointEntry)) == 0
