"""Coupons, points, levels and deals lower an order exactly, and live and die with it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.coupons.errors import CouponTaken
from app.coupons.models import Coupon
from app.coupons.states import CouponKind, CouponState
from app.kernel.audit import SYSTEM, Actor
from app.members.models import Member
from app.operations import invariants
from app.orders import promises, quoting, services, unpaid
from app.orders.deals import Deal
from app.orders.errors import (
    DealBasketInvalid,
    DealTakesNoCoupons,
    DealTakesNoPoints,
    OrderHeld,
    PickupNotOffered,
)
from app.orders.handovers import show_pickup_code
from app.orders.models import Fulfilment, Order, Refund
from app.orders.pricing import WantedLine, WantedRefund
from app.orders.refunds import RefundWish
from app.orders.services import Basket
from app.orders.states import OrderState, RefundState
from app.orders.values import PaymentOutcome
from app.points import lots
from app.points.errors import PointsAboveLimit, PointsShort
from app.settings import Settings
from tests.factories.coupons import make_coupon, make_template
from tests.factories.discounts import make_level, make_points
from tests.factories.orders import (
    make_goods,
    offer,
    payment_report,
    refund_report,
)
from tests.factories.people import make_member, make_store

CODES = {"B11", "B12", "B12d", "B12e", "B12f", "B30", "B30o", "B30r", "B32", "B32o", "F5", "S1"}


def clean(session: Session) -> bool:
    found = [one for one in invariants.check(session) if one.code in CODES and one.count]
    assert found == []
    return True


def steps(session: Session, order: Order) -> list[tuple[str, int]]:
    rows = promises.discounts_of(session, [order.id])[order.id]
    return [(row.kind.value, row.amount_fen) for row in rows]


def free_points(session: Session, member: Member, now: datetime) -> int:
    return lots.spendable(session, member.id, now=now)


class Shop:
    """A member with a coupon and points, and two products in a store."""

    def __init__(self, session: Session, settings: Settings, now: datetime) -> None:
        self.session, self.settings, self.now = session, settings, now
        self.member, self.store = make_member(session), make_store(session)
        self.mask = make_goods(session, self.store, price_fen=3_333)
        self.soap = make_goods(session, self.store, price_fen=1_001)
        self.template = make_template(session, amount_fen=1_000, per_member=9, now=now)
        self.coupon = make_coupon(session, self.template, self.member, now=now)
        make_points(session, self.member, 10_000, now=now)

    def basket(self, *, coupons: Sequence[Coupon] = (), points: int = 0) -> Basket:
        return Basket(
            store_id=self.store.id,
            lines=[WantedLine(self.mask.id, 3), WantedLine(self.soap.id, 1)],
            fulfilment=Fulfilment.PICKUP,
            coupon_ids=[one.id for one in coupons],
            points=points,
        )

    def order(self, basket: Basket, *, deal: Deal | None = None) -> Order:
        return services.create(
            self.session,
            member_id=self.member.id,
            basket=basket,
            deal=deal,
            settings=self.settings,
            now=self.now,
        )

    def deal(self, **changes: object) -> Deal:
        whole = Deal(
            kind="group_buy",
            activity_id=7,
            title="Three together",
            prices_fen={self.mask.id: 3_000, self.soap.id: 900},
        )
        return replace(whole, **changes)  # type: ignore[arg-type]  # any field of a deal

    def pay(self, order: Order) -> PaymentOutcome:
        offer(self.session, order, now=self.now)
        return self.hear(order)

    def hear(self, order: Order) -> PaymentOutcome:
        report = payment_report(order, openid=self.member.wechat_openid)
        self.session.commit()
        return services.confirm_payment(report, received=None, settings=self.settings, now=self.now)

    def refund(self, order: Order, lines: Sequence[WantedRefund] | None = None) -> Refund:
        refund = services.request_refund(
            self.session,
            order.id,
            wish=RefundWish(lines=lines),
            actor=Actor("member", self.member.id),
            settings=self.settings,
            now=self.now,
        )
        return self.succeed(refund)

    def succeed(self, refund: Refund) -> Refund:
        refund.state = RefundState.SENT
        self.session.flush()
        self.session.execute(
            sa.text(
                "INSERT INTO refund_steps (refund_id, event, to_state, at, actor, note)"
                " VALUES (:id, 'send', 'sent', :at, 'system', '')"
            ),
            {"id": refund.id, "at": self.now},
        )
        report = refund_report(self.session, refund)
        self.session.commit()
        services.record_refund(report, received=None, settings=self.settings, now=self.now)
        return refund


@pytest.fixture
def shop(app: Flask, session: Session, settings: Settings, now: datetime) -> Shop:
    return Shop(session, settings, now)


def test_each_step_takes_its_share_off_what_the_former_left(session: Session, shop: Shop) -> None:
    make_level(session, discount_bp=9_000, now=shop.now)

    order = shop.order(shop.basket(coupons=[shop.coupon], points=500))

    level_fen = 11_000 - (9_999 * 9 // 10 + 1_001 * 9 // 10)
    assert steps(session, order) == [("level", level_fen), ("coupon", 1_000), ("points", 500)]
    assert order.goods_fen == 11_000
    assert order.payable_fen == 11_000 - level_fen - 1_500
    assert sum(line.net_fen for line in order.lines) == order.payable_fen
    assert shop.coupon.state is CouponState.RESERVED
    assert free_points(session, shop.member, shop.now) == 9_500
    assert clean(session)


def test_what_an_order_holds_is_used_by_its_payment(session: Session, shop: Shop) -> None:
    order = shop.order(shop.basket(coupons=[shop.coupon], points=500))

    assert shop.pay(order) is PaymentOutcome.PAID

    assert shop.coupon.state is CouponState.USED
    assert free_points(session, shop.member, shop.now) == 9_500
    assert clean(session)


def test_what_an_order_holds_is_free_again_once_it_is_closed(session: Session, shop: Shop) -> None:
    order = shop.order(shop.basket(coupons=[shop.coupon], points=500))

    unpaid.request_close(session, order.number, member_id=shop.member.id, now=shop.now)

    assert shop.coupon.state is CouponState.UNUSED
    assert free_points(session, shop.member, shop.now) == 10_000
    again = shop.order(shop.basket(coupons=[shop.coupon], points=500))
    assert shop.coupon.order_id == again.id
    assert clean(session)


def test_money_that_comes_too_late_goes_back_whole_and_uses_nothing(
    session: Session, shop: Shop
) -> None:
    order = shop.order(shop.basket(coupons=[shop.coupon], points=500))
    offer(session, order, now=shop.now)
    session.commit()
    unpaid._closed_at_wechat(order.number, is_final=True, now=shop.now)
    other = shop.order(shop.basket(coupons=[shop.coupon]))

    assert shop.hear(order) is PaymentOutcome.PAID_LATE
    refund = shop.succeed(session.scalars(sa.select(Refund)).one())

    assert (refund.amount_fen, refund.points_back, refund.coupons_back) == (order.paid_fen, 0, 0)
    assert order.state is OrderState.REFUNDED
    assert (shop.coupon.state, shop.coupon.order_id) == (CouponState.RESERVED, other.id)
    assert free_points(session, shop.member, shop.now) == 10_000
    assert clean(session)


def test_points_come_back_by_share_and_the_coupon_with_the_last_refund_once(
    session: Session, shop: Shop
) -> None:
    order = shop.order(shop.basket(coupons=[shop.coupon], points=500))
    shop.pay(order)
    mask, soap = (line.id for line in order.lines)
    paid = order.paid_fen

    first = shop.refund(order, [WantedRefund(mask, 1)])
    expected = 500 * first.amount_fen // paid
    assert (first.points_back, first.coupons_back) == (expected, 0)
    assert shop.coupon.state is CouponState.USED
    assert clean(session)

    second = shop.refund(order, [WantedRefund(soap, 1)])
    last = shop.refund(order)
    assert first.points_back + second.points_back + last.points_back == 500
    assert (second.coupons_back, last.coupons_back) == (0, 1)
    assert order.state is OrderState.REFUNDED
    assert (shop.coupon.state, shop.coupon.order_id) == (CouponState.UNUSED, None)
    assert free_points(session, shop.member, shop.now) == 10_000
    assert clean(session)


def test_a_coupon_whose_template_keeps_it_stays_used(session: Session, shop: Shop) -> None:
    kept = make_template(session, amount_fen=700, is_given_back=False, now=shop.now)
    coupon = make_coupon(session, kept, shop.member, now=shop.now)
    order = shop.order(shop.basket(coupons=[coupon]))
    shop.pay(order)

    refund = shop.refund(order)

    assert refund.coupons_back == 0
    assert (coupon.state, coupon.order_id) == (CouponState.USED, order.id)
    assert clean(session)


def test_a_coupon_cannot_be_in_two_orders(session: Session, shop: Shop) -> None:
    quoted = quoting.quote(
        session,
        member_id=shop.member.id,
        basket=shop.basket(coupons=[shop.coupon]),
        deal=None,
        settings=shop.settings,
        now=shop.now,
    )
    first = shop.order(shop.basket(coupons=[shop.coupon]))
    other = shop.order(shop.basket())

    with pytest.raises(CouponTaken), session.begin_nested():
        promises.make(session, other, quoted, now=shop.now)

    assert shop.coupon.order_id == first.id
    assert clean(session)


def test_more_points_than_there_are_or_may_be_used_are_refused(
    session: Session, shop: Shop
) -> None:
    with pytest.raises(PointsAboveLimit):
        shop.order(shop.basket(points=5_501))
    poor = make_member(session)
    with pytest.raises(PointsShort):
        services.create(
            session,
            member_id=poor.id,
            basket=shop.basket(points=1),
            settings=shop.settings,
            now=shop.now,
        )
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 0


def test_a_discount_on_one_product_leaves_the_base_of_the_other_whole(
    session: Session, shop: Shop
) -> None:
    half = make_template(
        session,
        kind=CouponKind.PERCENT_OFF,
        percent_bp=5_000,
        product_ids=[shop.soap.id],
        now=shop.now,
    )
    coupon = make_coupon(session, half, shop.member, now=shop.now)

    order = shop.order(shop.basket(coupons=[coupon]))

    assert [line.net_fen for line in order.lines] == [9_999, 501]
    assert clean(session)


def test_a_deal_prices_its_products_and_says_who_earns(session: Session, shop: Shop) -> None:
    make_level(session, discount_bp=5_000, now=shop.now)
    deal = shop.deal(pays_commission=False, pay_seconds=60)

    order = shop.order(shop.basket(), deal=deal)

    assert steps(session, order) == [("deal", 11_000 - 9_900)]
    assert order.payable_fen == 9_900
    assert [line.is_distributable for line in order.lines] == [False, False]
    assert order.pay_by_at == shop.now + timedelta(seconds=60)
    assert order.deal is not None
    assert (order.deal["kind"], order.deal["activity_id"]) == ("group_buy", 7)
    assert (order.held_for, order.let_go_at) == (None, None)
    assert clean(session)


def test_a_deal_that_costs_more_than_the_price_costs_the_price(
    session: Session, shop: Shop
) -> None:
    deal = shop.deal(prices_fen={shop.mask.id: 9_000, shop.soap.id: 900})

    order = shop.order(shop.basket(), deal=deal)

    assert [line.net_fen for line in order.lines] == [9_999, 900]


def test_a_deal_takes_coupons_points_and_levels_only_where_it_says_so(
    session: Session, shop: Shop
) -> None:
    make_level(session, discount_bp=9_000, now=shop.now)
    refusals = [
        (shop.basket(coupons=[shop.coupon]), shop.deal(), DealTakesNoCoupons),
        (shop.basket(points=100), shop.deal(), DealTakesNoPoints),
        (shop.basket(), shop.deal(prices_fen={shop.mask.id: 1}), DealBasketInvalid),
    ]
    for basket, deal, error in refusals:
        with pytest.raises(error):
            shop.order(basket, deal=deal)
    generous = shop.deal(allows_coupons=True, allows_points=True, allows_level=True)

    order = shop.order(shop.basket(coupons=[shop.coupon], points=100), deal=generous)

    assert [kind for kind, _ in steps(session, order)] == ["deal", "level", "coupon", "points"]
    assert clean(session)


def test_a_held_order_waits_until_it_is_let_go(session: Session, shop: Shop) -> None:
    order = shop.order(shop.basket(), deal=shop.deal(is_held=True))
    shop.pay(order)

    with pytest.raises(OrderHeld):
        services.complete(session, order.id, actor=SYSTEM, settings=shop.settings, now=shop.now)
    with pytest.raises(PickupNotOffered):
        show_pickup_code(session, order.number, member_id=shop.member.id, now=shop.now)
    assert (order.state, order.held_for) == (OrderState.PAID, "group_buy:7")

    services.let_go(session, order.id, now=shop.now)
    services.let_go(session, order.id, now=shop.now + timedelta(hours=1))

    assert (order.held_for, order.let_go_at) == (None, shop.now)
    services.complete(session, order.id, actor=SYSTEM, settings=shop.settings, now=shop.now)
    assert order.state is OrderState.COMPLETED
    assert clean(session)


def test_who_leaves_a_complete_group_waits_for_staff(session: Session, shop: Shop) -> None:
    settings = replace(shop.settings, refund_auto_approve=True)
    orders = [shop.order(shop.basket(), deal=shop.deal(is_held=True)) for _ in range(2)]
    for order in orders:
        shop.pay(order)
    services.let_go(session, orders[1].id, now=shop.now)

    refunds = [
        services.request_refund(
            session,
            order.id,
            wish=RefundWish(),
            actor=Actor("member", shop.member.id),
            settings=settings,
            now=shop.now,
        )
        for order in orders
    ]

    assert [one.state for one in refunds] == [RefundState.APPROVED, RefundState.REQUESTED]


def test_a_deal_that_fails_sends_everything_back_at_once_with_what_waits(
    session: Session, shop: Shop
) -> None:
    deal = shop.deal(is_held=True, allows_coupons=True, allows_points=True)
    order = shop.order(shop.basket(coupons=[shop.coupon], points=200), deal=deal)
    shop.pay(order)
    asked = services.request_refund(
        session,
        order.id,
        wish=RefundWish(lines=[WantedRefund(order.lines[0].id, 1)]),
        actor=Actor("member", shop.member.id),
        settings=replace(shop.settings, refund_auto_approve=False),
        now=shop.now,
    )
    assert asked.state is RefundState.REQUESTED

    rest = services.give_back_all(session, order.id, reason="group_failed", now=shop.now)
    again = services.give_back_all(session, order.id, reason="group_failed", now=shop.now)

    assert rest is not None
    assert again is None
    assert (asked.state, rest.state) == (RefundState.APPROVED, RefundState.APPROVED)
    assert rest.amount_fen == order.paid_fen - asked.amount_fen
    assert (asked.returns_stock, rest.returns_stock) == (True, True)
    shop.succeed(asked)
    shop.succeed(rest)
    assert order.state is OrderState.REFUNDED
    assert shop.coupon.state is CouponState.UNUSED
    assert free_points(session, shop.member, shop.now) == 10_000
    assert clean(session)


def test_a_preview_says_what_else_could_be_used(session: Session, shop: Shop) -> None:
    small = make_template(session, amount_fen=10, threshold_fen=50_000, now=shop.now)
    make_coupon(session, small, shop.member, now=shop.now)

    considered = services.preview(
        session,
        member_id=shop.member.id,
        basket=shop.basket(coupons=[shop.coupon], points=300),
        settings=shop.settings,
        now=shop.now,
    )

    assert considered.suggested_ids == (shop.coupon.id,)
    assert [(one.amount_fen, one.reason is None) for one in considered.usable] == [
        (1_000, True),
        (0, False),
    ]
    assert (considered.most.points, considered.most.amount_fen) == (5_000, 5_000)
    assert considered.quote.preview.payable_fen == 9_700
    assert shop.coupon.state is CouponState.UNUSED


def test_a_member_pays_what_the_goods_cost_where_nothing_lowers_it(
    session: Session, shop: Shop
) -> None:
    order = shop.order(shop.basket())

    assert (order.payable_fen, order.discount_fen, order.deal) == (11_000, 0, None)
    assert steps(session, order) == []
