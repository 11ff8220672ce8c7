"""Orders of one member, with coupons, points, a level and deals, live as a plain model says.

Several orders live at once and take coupons and points from each other. After each step the rows
are what the model says; at the end of each life the audit finds nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.coupons.models import Coupon
from app.coupons.states import CouponKind, CouponState
from app.kernel.audit import SYSTEM, Actor
from app.kernel.errors import DomainError
from app.ledger.models import LedgerAccount
from app.operations import invariants
from app.orders import refund_sending, services, unpaid
from app.orders.deals import Deal
from app.orders.models import Fulfilment, Order, Refund
from app.orders.pricing import WantedLine, WantedRefund
from app.orders.services import Basket, RefundWish
from app.orders.states import OrderState, RefundState
from app.points import lots
from app.settings import Settings
from app.wechat.values import RefundState as Reported
from tests.factories.coupons import make_coupon, make_template
from tests.factories.discount_model import BasketModel, CouponModel, points_back, price_of
from tests.factories.discounts import make_level, make_points
from tests.factories.orders import NOON, make_product, offer, payment_report, refund_report
from tests.factories.people import make_member, make_store
from tests.thoroughness import examples as tried

PRICES = (4_321, 777)
DEAL = (3_000, 700)
LEVEL_BP = 9_111
POINTS = 3_000
MODELS = (
    CouponModel(kind="amount_off", value=999),
    CouponModel(kind="percent_off", value=2_500, products=frozenset({0}), is_stackable=True),
    CouponModel(kind="amount_off", value=50, is_stackable=True, comes_back=False),
)
CODES = {"B11", "B12", "B12d", "B12e", "B12f", "B13", "B30o", "B30r", "B32", "B32o", "F5", "B4"}
FREE, HELD, USED = "free", "held", "used"
_lives = count(1)


@dataclass
class RefundModel:
    """A refund of the model: its parts, its state, and whether its money is reserved."""

    amount: int
    state: RefundState


@dataclass
class OrderModel:
    """An order of the model."""

    payable: int
    coupons: tuple[int, ...]
    points: int
    is_held: bool
    was_let_go: bool = False
    state: OrderState = OrderState.CREATED
    refunds: dict[int, RefundModel] = field(default_factory=dict)
    window_ends_at: object = None

    @property
    def gone(self) -> int:
        return sum(
            one.amount for one in self.refunds.values() if one.state is RefundState.SUCCEEDED
        )

    @property
    def going(self) -> int:
        ended = {RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REJECTED}
        return sum(one.amount for one in self.refunds.values() if one.state not in ended)


class DiscountedLife(RuleBasedStateMachine):
    """One member with three coupons and 3,000 points at a level, and two products."""

    orders = Bundle("orders")
    refunds = Bundle("refunds")

    def __init__(self, session: Session, rules: Settings) -> None:
        super().__init__()
        self.session, self.settings, self.now = session, rules, NOON
        self.life = next(_lives)
        self.member, self.store = make_member(session), make_store(session)
        self.products = [make_product(session, price_fen=one) for one in PRICES]
        self.coupons = [self._coupon(one) for one in MODELS]
        make_points(session, self.member, POINTS // 3, now=NOON)
        make_points(session, self.member, POINTS - POINTS // 3, now=NOON + timedelta(hours=1))
        self.now += timedelta(hours=2)
        self.held = dict.fromkeys(range(len(MODELS)), FREE)
        self.points = POINTS
        self.model: dict[int, OrderModel] = {}
        session.commit()

    def _coupon(self, model: CouponModel) -> Coupon:
        facts: dict[str, Any] = {"amount_fen": model.value}
        if model.kind == "percent_off":
            facts = {"amount_fen": None, "percent_bp": model.value}
        if model.products is not None:
            facts["product_ids"] = [self.products[one].id for one in model.products]
        template = make_template(
            self.session,
            kind=CouponKind(model.kind),
            is_stackable=model.is_stackable,
            is_given_back=model.comes_back,
            valid_seconds=10**8,
            **facts,
        )
        return make_coupon(self.session, template, self.member)

    @initialize(
        target=orders,
        coupon=st.integers(0, 2),
        points=st.sampled_from([0, 777]),
        is_held=st.booleans(),
        stage=st.sampled_from(["paid", "completed", "settled"]),
    )
    def start(self, *, coupon: int, points: int, is_held: bool, stage: str) -> object:
        """Most of what can happen needs paid orders, so each life begins with two.

        Somebody tries to hand over the first where it is held; the second goes on to its stage.
        """
        first = self._order({coupon}, points, has_deal=is_held, is_held=is_held, pieces=(2, 1))
        second = self._order({(coupon + 1) % 3}, 500, has_deal=False, is_held=False, pieces=(1, 2))
        for order_id in (first, second):
            assert order_id is not None, "nothing is taken yet"
            self._pay(order_id)
        if is_held:
            self._hand_over(first or 0)
        if stage != "paid":
            self._hand_over(second or 0)
        if stage == "settled":
            self.now += timedelta(seconds=self.settings.after_sale_seconds)
            self._settle()
        return multiple(first, second)

    def _refused(self, act: Callable[[], object]) -> bool:
        try:
            with self.session.begin_nested():
                act()
        except DomainError:
            return True
        self.session.commit()
        return False

    @rule(
        target=orders,
        chosen=st.sets(st.integers(0, 2)),
        points=st.sampled_from([0, 0, 1, 333, 1_500, 5_000]),
        has_deal=st.booleans(),
        is_held=st.booleans(),
        pieces=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    )
    def order(
        self,
        *,
        chosen: set[int],
        points: int,
        has_deal: bool,
        is_held: bool,
        pieces: tuple[int, int],
    ) -> object:
        made = self._order(chosen, points, has_deal=has_deal, is_held=is_held, pieces=pieces)
        return multiple() if made is None else made

    def _order(
        self,
        chosen: set[int],
        points: int,
        *,
        has_deal: bool,
        is_held: bool,
        pieces: tuple[int, int],
    ) -> int | None:
        lines = [(one, PRICES[one], pieces[one]) for one in range(2)]
        basket = Basket(
            store_id=self.store.id,
            lines=[WantedLine(self.products[one].id, count) for one, _, count in lines],
            fulfilment=Fulfilment.SERVICE,
            coupon_ids=[self.coupons[one].id for one in sorted(chosen)],
            points=points,
        )
        deal = Deal(
            kind="group_buy",
            activity_id=self.life,
            title="Life",
            prices_fen={one.id: fen for one, fen in zip(self.products, DEAL, strict=True)},
            allows_coupons=True,
            allows_points=True,
            is_held=is_held,
        )
        before = BasketModel(
            lines=lines,
            deal=dict(enumerate(DEAL)) if has_deal else None,
            level_bp=None if has_deal else LEVEL_BP,
            coupons=[MODELS[one] for one in sorted(chosen)],
        )
        left = price_of(before).payable
        most = min(left * self.settings.points_deduction_max_bp // 10_000, left - 1, self.points)
        made: list[Order] = []
        refused = self._refused(
            lambda: made.append(
                services.create(
                    self.session,
                    member_id=self.member.id,
                    basket=basket,
                    deal=deal if has_deal else None,
                    settings=self.settings,
                    now=self.now,
                )
            )
        )
        assert refused == (points > most or any(self.held[one] != FREE for one in chosen))
        if refused:
            return None
        row = OrderModel(
            payable=left - points,
            coupons=tuple(sorted(chosen)),
            points=points,
            is_held=has_deal and is_held,
        )
        self.model[made[0].id] = row
        self._coupons_go(row, HELD)
        self.points -= points
        return made[0].id

    def _coupons_go(self, row: OrderModel, where: str) -> None:
        self.held |= dict.fromkeys(row.coupons, where)

    @rule(minutes=st.sampled_from([1, 40, 60 * 24 * 8]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(order_id=orders)
    def pay(self, order_id: int) -> None:
        self._pay(order_id)

    def _pay(self, order_id: int) -> None:
        order, row = self.session.get_one(Order, order_id), self.model[order_id]
        if order.state in {OrderState.CREATED, OrderState.CLOSED} and not self._is_offered(order):
            offer(self.session, order, now=self.now)
        report = payment_report(order, openid=self.member.wechat_openid)
        self.session.commit()
        services.confirm_payment(report, received=None, settings=self.settings, now=self.now)
        if row.state is OrderState.CREATED:
            row.state = OrderState.PAID
            self._coupons_go(row, USED)
        elif row.state is OrderState.CLOSED:
            row.state = OrderState.PAID_LATE
            refund = self.session.scalars(
                sa.select(Refund).where(Refund.order_id == order_id)
            ).one()
            row.refunds[refund.id] = RefundModel(row.payable, RefundState.APPROVED)

    def _is_offered(self, order: Order) -> bool:
        return bool(
            self.session.scalar(
                sa.text("SELECT count(*) FROM payments WHERE order_id = :id"), {"id": order.id}
            )
        )

    @rule(order_id=orders)
    def close(self, order_id: int) -> None:
        order, row = self.session.get_one(Order, order_id), self.model[order_id]
        if self._is_offered(order):
            unpaid._closed_at_wechat(order.number, is_final=True, now=self.now)
        else:
            self._refused(
                lambda: unpaid.request_close(
                    self.session, order.number, member_id=self.member.id, now=self.now
                )
            )
        if row.state is OrderState.CREATED:
            row.state = OrderState.CLOSED
            self._coupons_go(row, FREE)
            self.points += row.points

    @rule(order_id=orders)
    def let_go(self, order_id: int) -> None:
        services.let_go(self.session, order_id, now=self.now)
        self.session.commit()
        row = self.model[order_id]
        row.was_let_go = row.was_let_go or row.is_held
        row.is_held = False

    @rule(order_id=orders)
    def hand_over(self, order_id: int) -> None:
        self._hand_over(order_id)

    def _hand_over(self, order_id: int) -> None:
        row = self.model[order_id]
        refused = self._refused(
            lambda: services.complete(
                self.session, order_id, actor=SYSTEM, settings=self.settings, now=self.now
            )
        )
        all_back = row.going + row.gone == row.payable
        assert refused == (row.state is not OrderState.PAID or all_back or row.is_held)
        if not refused:
            row.state = OrderState.COMPLETED
            row.window_ends_at = self.now + timedelta(seconds=self.settings.after_sale_seconds)

    @rule()
    def settle(self) -> None:
        self._settle()

    def _settle(self) -> None:
        services.settle_due(now=self.now)
        for row in self.model.values():
            ends_at = row.window_ends_at
            if row.state is OrderState.COMPLETED and not row.going and self.now >= ends_at:  # type: ignore[operator]  # a completed one has its window
                row.state = OrderState.SETTLED

    @rule(
        target=refunds,
        order_id=orders,
        pieces=st.integers(0, 2),
        fen=st.none() | st.integers(1, 2_000),
    )
    def ask_back(self, *, order_id: int, pieces: int, fen: int | None) -> object:
        line_ids = [line.id for line in self._line_ids(order_id)]
        wish = RefundWish(lines=[WantedRefund(line_ids[0], pieces, fen)])
        return self._ask(order_id, wish)

    @rule(target=refunds, order_id=orders)
    def ask_all_back(self, order_id: int) -> object:
        return self._ask(order_id, RefundWish())

    @rule(target=refunds, order_id=orders)
    def send_all_back(self, order_id: int) -> object:
        row = self.model[order_id]
        refund = services.give_back_all(self.session, order_id, reason="x", now=self.now)
        self.session.commit()
        can = row.state not in {OrderState.CREATED, OrderState.CLOSED, OrderState.REFUNDED}
        rest = row.payable - row.gone - row.going
        assert (refund is not None) == (can and rest > 0)
        if can:
            for one in row.refunds.values():
                if one.state is RefundState.REQUESTED:
                    one.state = RefundState.APPROVED
        if refund is None:
            return multiple()
        assert refund.amount_fen == rest
        row.refunds[refund.id] = RefundModel(rest, RefundState.APPROVED)
        return (order_id, refund.id)

    def _line_ids(self, order_id: int) -> list[sa.Row[tuple[int]]]:
        wanted = sa.text("SELECT id FROM order_lines WHERE order_id = :id ORDER BY id")
        return list(self.session.execute(wanted, {"id": order_id}))

    def _ask(self, order_id: int, wish: RefundWish) -> object:
        row, made = self.model[order_id], list[Refund]()
        refused = self._refused(
            lambda: made.append(
                services.request_refund(
                    self.session,
                    order_id,
                    wish=wish,
                    actor=Actor("member", self.member.id),
                    settings=self.settings,
                    now=self.now,
                )
            )
        )
        if refused:
            return multiple()
        at_once = row.state is OrderState.PAID_LATE or (
            row.state is OrderState.PAID and not row.was_let_go
        )
        state = RefundState.APPROVED if at_once else RefundState.REQUESTED
        row.refunds[made[0].id] = RefundModel(made[0].amount_fen, state)
        assert row.going + row.gone <= row.payable
        return (order_id, made[0].id)

    @rule(one=refunds, yes=st.booleans())
    def decide(self, *, one: tuple[int, int], yes: bool) -> None:
        self._decide(one, yes=yes)

    def _decide(self, one: tuple[int, int], *, yes: bool) -> None:
        row = self.model[one[0]].refunds[one[1]]

        def act() -> None:
            if yes:
                services.approve_refund(self.session, one[1], actor=SYSTEM, now=self.now)
            else:
                services.reject_refund(self.session, one[1], actor=SYSTEM, reason="", now=self.now)

        assert self._refused(act) == (row.state is not RefundState.REQUESTED)
        if row.state is RefundState.REQUESTED:
            row.state = RefundState.APPROVED if yes else RefundState.REJECTED

    @rule(order_id=orders, fen=st.none() | st.integers(1, 1_500))
    def refund_to_the_end(self, *, order_id: int, fen: int | None) -> None:
        """The whole way at once, which chance alone seldom goes."""
        line_ids = [line.id for line in self._line_ids(order_id)]
        part = WantedRefund(line_ids[0], 0, fen)
        found = self._ask(order_id, RefundWish(lines=None if fen is None else [part]))
        if not isinstance(found, tuple):
            return
        if self.model[order_id].refunds[found[1]].state is RefundState.REQUESTED:
            self._decide(found, yes=True)
        self._hear(found, succeeds=True, times=2)

    @rule(one=refunds, succeeds=st.sampled_from([True, True, False]), times=st.integers(1, 2))
    def hear_of_refund(self, *, one: tuple[int, int], succeeds: bool, times: int) -> None:
        self._hear(one, succeeds=succeeds, times=times)

    def _hear(self, one: tuple[int, int], *, succeeds: bool, times: int) -> None:
        order, row = self.model[one[0]], self.model[one[0]].refunds[one[1]]
        if refund_sending._begin(one[1], settings=self.settings, now=self.now) is None:
            return
        refund = self.session.get_one(Refund, one[1])
        state = Reported.SUCCESS if succeeds else Reported.CLOSED
        report = refund_report(self.session, refund, state)
        before = order.gone
        for _ in range(times):
            services.record_refund(report, received=None, settings=self.settings, now=self.now)
        row.state = RefundState.SUCCEEDED if succeeds else RefundState.FAILED
        if succeeds:
            self._money_went_back(order, before)

    def _money_went_back(self, order: OrderModel, before: int) -> None:
        if order.state is not OrderState.PAID_LATE:
            self.points += points_back(order.points, order.gone, order.payable)
            self.points -= points_back(order.points, before, order.payable)
        if order.gone == order.payable:
            if order.state is not OrderState.PAID_LATE:
                back = [one for one in order.coupons if MODELS[one].comes_back]
                self.held |= dict.fromkeys(back, FREE)
            order.state = OrderState.REFUNDED

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        self.session.commit()
        for order_id, row in self.model.items():
            order = self.session.get_one(Order, order_id)
            assert (order.state, order.payable_fen) == (row.state, row.payable)
            assert (order.refunding_fen, order.refunded_fen) == (row.going, row.gone)
            assert (order.held_for is not None) == row.is_held
            for refund_id, one in row.refunds.items():
                assert self.session.get_one(Refund, refund_id).state is one.state

    @invariant()
    def coupons_and_points_are_what_the_model_says(self) -> None:
        states = {
            FREE: CouponState.UNUSED,
            HELD: CouponState.RESERVED,
            USED: CouponState.USED,
        }
        for index, coupon in enumerate(self.coupons):
            self.session.refresh(coupon)
            assert coupon.state is states[self.held[index]]
        assert lots.spendable(self.session, self.member.id, now=self.now) == self.points
        balances = self.session.execute(
            sa.select(LedgerAccount.name, LedgerAccount.balance).where(
                LedgerAccount.member_id == self.member.id
            )
        )
        found = {row.name: row.balance for row in balances}
        waiting = [one for one in self.model.values() if one.state is OrderState.CREATED]
        assert found["points_available"] == self.points
        assert found.get("points_reserved", 0) == sum(one.points for one in waiting)

    def teardown(self) -> None:
        """The audit agrees with the model."""
        found = invariants.check(self.session)
        assert [one for one in found if one.code in CODES and one.count] == []


def test_discounted_orders_live_as_the_model_says(
    app: Flask, session: Session, settings: Settings
) -> None:
    make_level(session, discount_bp=LEVEL_BP)
    session.commit()
    run_state_machine_as_test(
        lambda: DiscountedLife(session, settings),  # type: ignore[arg-type]  # as it is documented
        settings=examples(
            max_examples=tried(25),
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
