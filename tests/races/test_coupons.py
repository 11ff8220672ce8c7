"""Many hands, few coupons: exactly as many as there are, and each used once (B29, B30)."""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.coupons import giving, lapsing, ordering, pushing, redeeming, services
from app.coupons.models import Coupon, CouponTemplate
from app.coupons.ordering import AppliedCoupon
from app.coupons.states import CouponKind, CouponState
from app.kernel.audit import SYSTEM, Actor
from app.kernel.db import atomic, retrying
from app.kernel.errors import DomainError
from app.orders.states import OrderState
from tests.factories.coupons import WEEK, make_coupon, make_template
from tests.factories.orders import make_order, make_product
from tests.factories.people import make_member, make_staff, make_store
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
CLIENTS = 20
TRIES = 50
STOCK = 100
ALL = ("B29t", "B29m", "B29p", "B30s")


def claim(template_id: int, member_id: int, *, now: datetime) -> str:
    """Claim once, as a request would; return what came of it."""

    def act() -> None:
        with atomic() as inner:
            services.claim(inner, template_id, member_id=member_id, now=now)

    try:
        retrying(act)
    except DomainError as refusal:
        return refusal.code
    return "got"


def coupons(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Coupon)) or 0


def test_a_hundred_coupons_among_a_thousand_tries_are_exactly_a_hundred(
    app: Flask, session: Session, now: datetime
) -> None:
    template = make_template(session, stock=STOCK, per_member=TRIES)
    template_id = template.id
    members = [make_member(session).id for _ in range(CLIENTS)]
    session.commit()

    def client(member_id: int) -> Counter[str]:
        return Counter(claim(template_id, member_id, now=now) for _ in range(TRIES))

    counts = at_once(app, *[partial(client, one) for one in members])
    answers = sum((one for one in counts if isinstance(one, Counter)), Counter[str]())

    assert answers == {"got": STOCK, "coupons_gone": CLIENTS * TRIES - STOCK}
    assert coupons(session) == STOCK
    assert session.get_one(CouponTemplate, template_id, populate_existing=True).issued == STOCK
    assert broken(session, *ALL) == []


def test_one_member_on_many_phones_gets_as_many_as_one_may(
    app: Flask, session: Session, now: datetime
) -> None:
    template_id = make_template(session, stock=STOCK, per_member=3).id
    member_id = make_member(session).id
    session.commit()

    answers = Counter(at_once(app, *[partial(claim, template_id, member_id, now=now)] * CLIENTS))

    assert answers == {"got": 3, "coupon_limit_reached": CLIENTS - 3}
    assert broken(session, *ALL) == []


def test_one_coupon_goes_into_one_of_two_orders(
    app: Flask, session: Session, now: datetime
) -> None:
    member = make_member(session)
    coupon = make_coupon(session, make_template(session), member, now=now)
    orders = [make_order(session, member=member, state=OrderState.CREATED).id for _ in range(2)]
    ids = (coupon.id, member.id)
    session.commit()

    def reserve(order_id: int) -> str:
        with atomic() as inner:
            ordering.reserve(
                inner,
                order_id,
                [taken(ids[0])],
                member_id=ids[1],
                until_at=now + WEEK,
                now=now,
            )
        return "reserved"

    answers = at_once(app, *[partial(reserve, one) for one in orders])

    assert sorted(map(str, answers)) == ["coupon_taken", "reserved"]
    found = session.get_one(Coupon, ids[0], populate_existing=True)
    assert found.state is CouponState.RESERVED
    assert found.order_id == orders[answers.index("reserved")]


def taken(coupon_id: int) -> AppliedCoupon:
    return AppliedCoupon(
        coupon_id=coupon_id,
        title="",
        amount_fen=1_000,
        product_ids=None,
        is_stackable=False,
        rule={},
    )


@pytest.mark.parametrize("turn", range(5))
def test_an_order_closed_while_coupons_expire_leaves_one_end(
    app: Flask, session: Session, now: datetime, turn: int
) -> None:
    member = make_member(session)
    coupon = make_coupon(session, make_template(session), member, now=now)
    order_id = make_order(session, member=member, state=OrderState.CREATED).id
    ordering.reserve(
        session, order_id, [taken(coupon.id)], member_id=member.id, until_at=now, now=now
    )
    coupon_id, over = coupon.id, now + WEEK + timedelta(minutes=turn)
    session.commit()

    def release() -> int:
        with atomic() as inner:
            ordering.release(inner, order_id, now=over)
        return 0

    def expire() -> int:
        with atomic() as inner:
            return lapsing.expire_due(inner, now=over)

    at_once(app, release, expire, release, expire)

    found = session.get_one(Coupon, coupon_id, populate_existing=True)
    assert found.state is CouponState.EXPIRED
    assert broken(session, *ALL) == []


def test_one_coupon_shown_at_two_tills_is_redeemed_once(
    app: Flask, session: Session, now: datetime
) -> None:
    store, product = make_store(session), make_product(session)
    free = make_template(session, kind=CouponKind.EXCHANGE, product_ids=[product.id])
    member = make_member(session)
    coupon_id = make_coupon(session, free, member, now=now).id
    store_id, member_id = store.id, member.id
    tills = [make_staff(session, "front_desk", stores=[store]).id for _ in range(4)]
    shown = [
        str(redeeming.show_code(session, coupon_id, member_id=member_id, now=now)) for _ in tills
    ]
    session.commit()

    def redeem(staff_id: int, code: str) -> str:
        with atomic() as inner:
            actor = Actor("staff", staff_id)
            redeeming.redeem(inner, coupon_id, code=code, store_id=store_id, actor=actor, now=now)
        return "redeemed"

    answers = Counter(
        at_once(app, *[partial(redeem, *one) for one in zip(tills, shown, strict=True)])
    )

    assert answers == {"redeemed": 1, "coupon_not_in_state": 3}
    assert broken(session, *ALL) == []


def test_a_reward_given_by_many_workers_is_given_once(
    app: Flask, session: Session, now: datetime
) -> None:
    template_id = make_template(session, per_member=9).id
    member_id = make_member(session).id
    session.commit()

    def reward() -> int:
        with atomic() as inner:
            return giving.give(
                inner, template_id, member_id, key="level:7", source="level_gift", now=now
            ).id

    answers = at_once(app, *[reward] * 8)

    assert len(set(answers)) == 1
    assert coupons(session) == 1


def test_workers_on_one_push_and_members_who_claim_share_the_stock(
    app: Flask, session: Session, now: datetime
) -> None:
    template = make_template(session, stock=30)
    template_id = template.id
    members = [make_member(session).id for _ in range(40)]
    pushing.push(session, template_id, members, title="All", actor=SYSTEM, now=now)
    session.commit()

    def push() -> int:
        count = 0
        while found := pushing.work_off(now=now):
            count += found
        return count

    claims = [partial(client_of, template_id, one, now) for one in members[:6]]
    at_once(app, push, push, *claims)
    push_alone(now)

    assert coupons(session) == 30
    assert broken(session, *ALL) == []


def client_of(template_id: int, member_id: int, now: datetime) -> int:
    return int(claim(template_id, member_id, now=now) == "got")


def push_alone(now: datetime) -> None:
    while pushing.work_off(now=now):
        pass
