"""The demo's coupons are loaded once, and every promise about coupons holds of them."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.models import Coupon, CouponPush, CouponTemplate, PushState
from app.coupons.states import CouponKind
from app.demo.coupons import load_coupons
from app.operations import invariants
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_member, make_store


def test_the_demo_has_coupons_of_each_kind_claimed_given_and_pushed(session: Session) -> None:
    treatment = make_product(session)
    make_goods(session, make_store(session))
    for _ in range(50):
        make_member(session)
    session.commit()

    [said] = list(load_coupons())
    again = list(load_coupons())

    assert "4 kinds, 40 claimed" in said
    assert again == []
    assert len({one.kind for one in session.scalars(sa.select(CouponTemplate))}) == 3
    assert session.scalars(sa.select(CouponPush.state)).all() == [PushState.DONE]
    assert len(session.scalars(sa.select(Coupon)).all()) == 40 + 10 + 3
    percent = CouponTemplate.kind == CouponKind.PERCENT_OFF
    assert session.scalars(sa.select(CouponTemplate.product_ids).where(percent)).one() == [
        treatment.id
    ]
    broken = [one.code for one in invariants.check(session) if one.count]
    assert [code for code in broken if code.startswith(("B29", "B30"))] == []
