"""Coupons against a model of a few words, in any order of what can happen, and repetitions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.access import settings as product_settings
from app.coupons import lapsing, ordering, services, templates
from app.coupons.errors import (
    CouponLimitReached,
    CouponNotInState,
    CouponsEnded,
    CouponsGone,
    CouponTaken,
)
from app.coupons.models import Coupon, CouponTemplate
from app.coupons.ordering import AppliedCoupon
from app.kernel.audit import SYSTEM
from app.kernel.errors import DomainError
from app.members.models import Member
from app.operations import invariants
from app.orders.models import Order
from app.orders.states import OrderState
from tests.factories.coupons import make_template
from tests.factories.orders import make_order
from tests.factories.people import make_member
from tests.thoroughness import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD_FOR = timedelta(hours=10)
PLACES = st.integers(0, 30)
CODES = {"B29t", "B29m", "B30s"}


@dataclass
class Held:
    """A coupon as the model knows it."""

    until: datetime
    state: str = "unused"
    order_id: int | None = None
    was_extended: bool = False


class CouponMachine(RuleBasedStateMachine):
    """Two members, one template of five coupons, three of them each."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        session.rollback()
        self.now = NOON
        self.stock, self.limit, self.is_ended = 5, 3, False
        self.template = make_template(
            session,
            stock=self.stock,
            per_member=self.limit,
            valid_seconds=int(GOOD_FOR.total_seconds()),
            claim_until_at=NOON + timedelta(days=90),
        )
        self.members = [make_member(session).id for _ in range(2)]
        self.orders: list[Order] = []
        self.owner: dict[int, int] = {}
        self.model: dict[int, Held] = {}
        session.commit()

    def refused(self, act: Callable[[], None]) -> type[DomainError] | None:
        """Do something as a transaction would, and return why it was refused."""
        try:
            with self.session.begin_nested():
                act()
        except DomainError as refusal:
            return type(refusal)
        return None

    def some_coupon(self, place: int) -> int:
        return list(self.model)[place % len(self.model)]

    def new_order(self, member_id: int) -> int:
        order = make_order(
            self.session,
            member=self.session.get_one(Member, member_id),
            state=OrderState.CREATED,
        )
        self.orders.append(order)
        return order.id

    @rule(who=st.integers(0, 1))
    def claim(self, who: int) -> None:
        member_id = self.members[who]
        held = sum(one == member_id for one in self.owner.values())
        expected: type[DomainError] | None = None
        if self.is_ended:
            expected = CouponsEnded
        elif len(self.model) >= self.stock:
            expected = CouponsGone
        elif held >= self.limit:
            expected = CouponLimitReached
        made: list[int] = []

        def act() -> None:
            coupon = services.claim(
                self.session, self.template.id, member_id=member_id, now=self.now
            )
            made.append(coupon.id)

        assert self.refused(act) is expected
        if expected is None:
            self.owner[made[0]] = member_id
            self.model[made[0]] = Held(until=self.now + GOOD_FOR)

    @precondition(lambda self: self.model)
    @rule(place=PLACES)
    def reserve(self, place: int) -> None:
        coupon_id = self.some_coupon(place)
        held = self.model[coupon_id]
        can = held.state == "unused" and held.until > self.now
        order_id = self.new_order(self.owner[coupon_id])
        wanted = AppliedCoupon(
            coupon_id=coupon_id,
            title="",
            amount_fen=1_000,
            product_ids=None,
            is_stackable=False,
            rule={},
        )

        def act() -> None:
            ordering.reserve(
                self.session,
                order_id,
                [wanted],
                member_id=self.owner[coupon_id],
                until_at=self.now + HOUR,
                now=self.now,
            )

        assert self.refused(act) is (None if can else CouponTaken)
        if can:
            held.state, held.order_id = "reserved", order_id

    @precondition(lambda self: self.orders)
    @rule(place=PLACES)
    def pay(self, place: int) -> None:
        order_id = self.orders[place % len(self.orders)].id
        ordering.use(self.session, order_id, now=self.now)
        for held in self.of_order(order_id, "reserved"):
            held.state = "used"

    @precondition(lambda self: self.orders)
    @rule(place=PLACES)
    def close(self, place: int) -> None:
        order_id = self.orders[place % len(self.orders)].id
        ordering.release(self.session, order_id, now=self.now)
        for held in self.of_order(order_id, "reserved"):
            self.come_back(held)

    @precondition(lambda self: self.orders)
    @rule(place=PLACES)
    def refund(self, place: int) -> None:
        order_id = self.orders[place % len(self.orders)].id
        grace = timedelta(seconds=product_settings().coupon_grace_seconds)
        ordering.give_back(self.session, order_id, now=self.now)
        for held in self.of_order(order_id, "used"):
            if not held.was_extended and held.until < self.now + grace:
                held.until, held.was_extended = self.now + grace, True
            self.come_back(held)

    def of_order(self, order_id: int, state: str) -> list[Held]:
        return [
            one for one in self.model.values() if one.order_id == order_id and one.state == state
        ]

    def come_back(self, held: Held) -> None:
        held.order_id = None
        held.state = "expired" if held.until <= self.now else "unused"

    @precondition(lambda self: self.model)
    @rule(place=PLACES)
    def revoke(self, place: int) -> None:
        coupon_id = self.some_coupon(place)
        held = self.model[coupon_id]
        can = held.state == "unused"

        def act() -> None:
            services.revoke(self.session, coupon_id, reason="x", actor=SYSTEM, now=self.now)

        assert self.refused(act) is (None if can else CouponNotInState)
        if can:
            held.state = "revoked"

    @rule()
    def expire(self) -> None:
        over = [
            one for one in self.model.values() if one.state == "unused" and one.until <= self.now
        ]
        assert lapsing.expire_due(self.session, now=self.now) == len(over)
        for held in over:
            held.state = "expired"

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(more=st.integers(0, 3))
    def restock(self, more: int) -> None:
        stock = max(self.stock + more - 1, len(self.model))

        def act() -> None:
            templates.change_stock(
                self.session, self.template.id, stock, reason="x", actor=SYSTEM, now=self.now
            )

        assert self.refused(act) is (CouponsEnded if self.is_ended else None)
        if not self.is_ended:
            self.stock = stock

    @precondition(lambda self: not self.is_ended and len(self.model) >= 4)
    @rule()
    def end(self) -> None:
        templates.end_template(
            self.session, self.template.id, reason="x", actor=SYSTEM, now=self.now
        )
        self.is_ended = True

    @invariant()
    def coupons_are_what_the_model_says(self) -> None:
        self.session.expire_all()
        rows = self.session.scalars(
            sa.select(Coupon).where(Coupon.template_id == self.template.id)
        ).all()
        found = {
            one.id: Held(one.valid_until_at, one.state.value, one.order_id, bool(one.extended_at))
            for one in rows
        }
        assert found == self.model
        template = self.session.get_one(CouponTemplate, self.template.id)
        assert (template.issued, template.stock) == (len(self.model), self.stock)

    def teardown(self) -> None:
        self.session.expire_all()
        others = frozenset(one.code for one in invariants.INVARIANTS) - CODES
        broken = [one for one in invariants.check(self.session, skip=others) if one.count]
        assert broken == []


def test_coupons_are_their_model_whatever_happens(app: Flask, session: Session) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: CouponMachine(session)),
        settings=settings(
            max_examples=examples(40),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
