"""The life of a coupon is one table: what is not in it cannot happen."""

import pytest

from app.coupons.states import (
    FINAL,
    TRANSITIONS,
    CouponEvent,
    CouponState,
    after_coupon,
)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_leaves_an_end(state: CouponState) -> None:
    assert [event for event in CouponEvent if after_coupon(state, event)] == []


def test_a_coupon_in_an_order_is_out_of_reach_of_time_and_staff() -> None:
    for event in (CouponEvent.EXPIRE, CouponEvent.REVOKE, CouponEvent.REDEEM):
        assert after_coupon(CouponState.RESERVED, event) is None
        assert after_coupon(CouponState.USED, event) is None


def test_every_event_but_the_claim_has_exactly_one_way() -> None:
    events = [event for _, event in TRANSITIONS]

    assert sorted(events) == sorted(set(CouponEvent) - {CouponEvent.CLAIM})
