"""The life of an order against a model of a few fields, whatever happens in whatever order.

WeChat's words come as reports: right, wrong, repeated, late and contradictory. After each step the
rows, the stock and the emitted facts must be exactly what the model says.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.catalog.models import StockLevel
from app.kernel.audit import SYSTEM, Actor
from app.kernel.errors import DomainError
from app.kernel.inbox import Received
from app.kernel.outbox import OutboxEvent
from app.operations import invariants
from app.orders import queries, refund_sending, services, unpaid
from app.orders.models import Order, OrderLine, Refund
from app.orders.pricing import WantedRefund
from app.orders.services import RefundWish
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from app.wechat.values import RefundReport
from app.wechat.values import RefundState as Reported
from tests.factories.orders import (
    LineOf,
    make_goods,
    make_order,
    make_product,
    offer,
    payment_report,
    refund_report,
)
from tests.factories.people import make_member, make_staff, make_store
from tests.thoroughness import examples as tried

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PIECES, SHELF = 3, 10
GOODS_FEN, SERVICE_FEN = 100, 57
PAID_FEN = GOODS_FEN + SERVICE_FEN
CODES = {"B7", "B8", "B10o", "B10r", "B11", "B12", "B17", "B37", "S1"}
UNDER_WAY = {RefundState.REQUESTED, RefundState.APPROVED, RefundState.SENT, RefundState.ABNORMAL}
ENDS = {
    Reported.SUCCESS: RefundState.SUCCEEDED,
    Reported.CLOSED: RefundState.FAILED,
    Reported.ABNORMAL: RefundState.ABNORMAL,
}
_notices = count(1)


@dataclass
class RefundModel:
    """A refund as the model has it: fen and pieces by line (goods, service)."""

    state: RefundState
    goods_fen: int
    service_fen: int
    pieces: int
    returns_stock: bool

    @property
    def amount_fen(self) -> int:
        return self.goods_fen + self.service_fen


@dataclass
class OrderModel:
    """An order as the model has it."""

    state: OrderState = OrderState.CREATED
    is_offered: bool = False
    on_hand: int = SHELF
    reserved: int = PIECES
    refunds: dict[int, RefundModel] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def has_money(self) -> bool:
        return self.state not in {OrderState.CREATED, OrderState.CLOSED}

    def taken(self, *states: RefundState) -> list[RefundModel]:
        return [one for one in self.refunds.values() if one.state in states]

    @property
    def refunded_fen(self) -> int:
        return sum(one.amount_fen for one in self.taken(RefundState.SUCCEEDED))

    @property
    def refunding_fen(self) -> int:
        return sum(one.amount_fen for one in self.taken(*UNDER_WAY))


class OrderLife(RuleBasedStateMachine):
    """One order of three pieces of goods and a service, in a store with ten pieces."""

    refunds = Bundle("refunds")

    def __init__(self, session: Session, rules: Settings) -> None:
        super().__init__()
        self.session, self.settings = session, rules
        self.now = NOON
        self.model = OrderModel()
        member, store = make_member(session), make_store(session)
        self.openid, self.store_id = member.wechat_openid, store.id
        self.staff = Actor("staff", make_staff(session).id)
        goods = make_goods(session, store, on_hand=SHELF, price_fen=40)
        self.goods_id = goods.id
        order = make_order(
            session,
            member=member,
            store=store,
            lines=[
                LineOf(product=goods, quantity=PIECES, net_fen=GOODS_FEN),
                LineOf(product=make_product(session, price_fen=60), net_fen=SERVICE_FEN),
            ],
            state=OrderState.CREATED,
            now=NOON,
        )
        self.order_id, self.number, self.member_id = order.id, order.number, member.id
        self.line_ids = [line.id for line in order.lines]
        session.commit()

    @initialize(target=refunds, is_paid=st.sampled_from([True, True, False]))
    def start(self, *, is_paid: bool) -> object:
        """Most of what can happen needs a paid order, so most lives begin with one."""
        if is_paid:
            self.offer()
            self.hear_of_money(is_notice=True, wrong="")
        return multiple()

    def _order(self) -> Order:
        return self.session.get_one(Order, self.order_id)

    def _refused(self, act: object) -> bool:
        """Do it in a savepoint; tell whether it was refused."""
        assert callable(act)
        try:
            with self.session.begin_nested():
                act()
        except DomainError:
            return True
        self.session.commit()
        return False

    @rule(minutes=st.sampled_from([1, 40, 60 * 24 * 8]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: not self.model.is_offered)
    @rule()
    def offer(self) -> None:
        offer(self.session, self._order(), now=self.now)
        self.session.commit()
        self.model.is_offered = True

    @rule(is_notice=st.booleans(), wrong=st.sampled_from(["", "", "amount", "payer", "currency"]))
    def hear_of_money(self, *, is_notice: bool, wrong: str) -> None:
        differences: dict[str, dict[str, Any]] = {
            "": {},
            "amount": {"amount_fen": PAID_FEN - 1},
            "payer": {"payer_openid": "someone-else"},
            "currency": {"currency": "USD"},
        }
        report = payment_report(self._order(), openid=self.openid, **differences[wrong])
        received = Received(f"EV-{next(_notices)}", "TRANSACTION.SUCCESS", self.number)
        services.confirm_payment(
            report, received=received if is_notice else None, settings=self.settings, now=self.now
        )
        if not self.model.is_offered or wrong:
            return
        if self.model.state is OrderState.CREATED:
            self.model.state = OrderState.PAID
            self.model.on_hand, self.model.reserved = SHELF - PIECES, 0
            self.model.events["order_paid"] += 1
        elif self.model.state is OrderState.CLOSED:
            self.model.state = OrderState.PAID_LATE
            refund = self.session.scalars(
                sa.select(Refund).where(Refund.order_id == self.order_id)
            ).one()
            self.model.refunds[refund.id] = RefundModel(
                RefundState.APPROVED, GOODS_FEN, SERVICE_FEN, PIECES, returns_stock=False
            )
            self.model.events["refund_approved"] += 1

    @precondition(lambda self: self.model.state is OrderState.PAID_LATE)
    @rule(target=refunds)
    def find_the_late_refund(self) -> object:
        return multiple(*list(self.model.refunds)[:1])

    @rule()
    def close(self) -> None:
        if self.model.is_offered:
            unpaid._closed_at_wechat(self.number, is_final=True, now=self.now)
            refused = self.model.state is not OrderState.CREATED
        else:
            refused = self._refused(
                lambda: unpaid.request_close(
                    self.session, self.number, member_id=self.member_id, now=self.now
                )
            )
            assert refused == (self.model.has_money)
        if not refused and self.model.state is OrderState.CREATED:
            self.model.state, self.model.reserved = OrderState.CLOSED, 0
            self.model.events["order_closed"] += 1

    @rule()
    def hand_over(self) -> None:
        refused = self._refused(
            lambda: services.complete(
                self.session, self.order_id, actor=SYSTEM, settings=self.settings, now=self.now
            )
        )
        all_back = self.model.refunding_fen + self.model.refunded_fen == PAID_FEN
        assert refused == (self.model.state is not OrderState.PAID or all_back)
        if not refused:
            self.model.state = OrderState.COMPLETED
            self.model.events["order_completed"] += 1
            self.window_ends_at = self.now + timedelta(seconds=self.settings.after_sale_seconds)

    @rule()
    def settle(self) -> None:
        services.settle_due(now=self.now)
        is_due = self.model.state is OrderState.COMPLETED and self.now >= self.window_ends_at
        if is_due and self.model.refunding_fen == 0:
            self.model.state = OrderState.SETTLED
            self.model.events["order_settled"] += 1

    @rule(
        target=refunds,
        pieces=st.integers(0, 4),
        goods_fen=st.none() | st.integers(0, 110),
        service_fen=st.none() | st.integers(1, 60),
        by_staff=st.booleans(),
        returns=st.booleans(),
    )
    def ask_back(
        self,
        *,
        pieces: int,
        goods_fen: int | None,
        service_fen: int | None,
        by_staff: bool,
        returns: bool,
    ) -> object:
        lines = [WantedRefund(self.line_ids[0], pieces, goods_fen)]
        if service_fen is not None:
            lines.append(WantedRefund(self.line_ids[1], 0, service_fen))
        return self._request(
            RefundWish(lines=lines, returns_stock=returns), by_staff=by_staff, returns=returns
        )

    @rule(target=refunds, by_staff=st.booleans(), returns=st.booleans())
    def ask_everything_back(self, *, by_staff: bool, returns: bool) -> object:
        return self._request(RefundWish(returns_stock=returns), by_staff=by_staff, returns=returns)

    def _request(self, wish: RefundWish, *, by_staff: bool, returns: bool) -> object:
        made: list[Refund] = []

        def act() -> None:
            actor = self.staff if by_staff else Actor("member", self.member_id)
            made.append(
                services.request_refund(
                    self.session,
                    self.order_id,
                    wish=wish,
                    actor=actor,
                    settings=self.settings,
                    now=self.now,
                )
            )

        if self._refused(act):
            return multiple()
        assert self.model.has_money
        refund = queries.refunds_of(self.session, [self.order_id])[self.order_id][-1]
        assert refund.id == made[0].id
        parts = {part.order_line_id: part for part in refund.lines}
        goods, service = (parts.get(line_id) for line_id in self.line_ids)
        in_our_hands = self.model.state is OrderState.PAID
        at_once = in_our_hands or self.model.state is OrderState.PAID_LATE
        row = RefundModel(
            state=RefundState.APPROVED if at_once else RefundState.REQUESTED,
            goods_fen=goods.amount_fen if goods else 0,
            service_fen=service.amount_fen if service else 0,
            pieces=goods.quantity if goods else 0,
            returns_stock=in_our_hands or (by_staff and returns),
        )
        self.model.refunds[refund.id] = row
        self.model.events["refund_approved"] += at_once
        assert row.amount_fen > 0
        return refund.id

    @rule(refund_id=refunds, yes=st.booleans())
    def decide(self, *, refund_id: int, yes: bool) -> None:
        def act() -> None:
            if yes:
                services.approve_refund(self.session, refund_id, actor=self.staff, now=self.now)
            else:
                services.reject_refund(
                    self.session, refund_id, actor=self.staff, reason="", now=self.now
                )

        row = self.model.refunds[refund_id]
        assert self._refused(act) == (row.state is not RefundState.REQUESTED)
        if row.state is RefundState.REQUESTED:
            row.state = RefundState.APPROVED if yes else RefundState.REJECTED
            self.model.events["refund_approved"] += yes

    @rule(refund_id=refunds)
    def send(self, *, refund_id: int) -> None:
        refund_sending._begin(refund_id, settings=self.settings, now=self.now)
        row = self.model.refunds[refund_id]
        if row.state is RefundState.APPROVED:
            row.state = RefundState.SENT

    @rule(refund_id=refunds)
    def hear_no(self, *, refund_id: int) -> None:
        errand = refund_sending._begin(refund_id, settings=self.settings, now=self.now)
        if errand is None:
            return
        row = self.model.refunds[refund_id]
        report = RefundReport(out_refund_no=errand.order.out_refund_no, state=Reported.REFUSED)
        refund_sending._note_nothing_done(errand, report, now=self.now)
        if row.state in {RefundState.APPROVED, RefundState.SENT}:
            row.state = RefundState.FAILED

    @rule(
        refund_id=refunds,
        state=st.sampled_from([*ENDS, Reported.PROCESSING]),
        wrong=st.sampled_from([{}, {}, {}, {"refund_fen": 1_000}, {"total_fen": 1}]),
    )
    def hear_of_refund(self, *, refund_id: int, state: Reported, wrong: dict[str, int]) -> None:
        refund = self.session.get_one(Refund, refund_id)
        report = refund_report(self.session, refund, state, **wrong)
        received = Received(f"EV-{next(_notices)}", "REFUND", refund.number)
        services.record_refund(report, received=received, settings=self.settings, now=self.now)
        row = self.model.refunds[refund_id]
        if wrong or state is Reported.PROCESSING:
            return
        if row.state is RefundState.SENT or (
            row.state is RefundState.ABNORMAL and state is not Reported.ABNORMAL
        ):
            row.state = ENDS[state]
            if row.state is RefundState.SUCCEEDED:
                self._money_went_back(row)

    def _money_went_back(self, row: RefundModel) -> None:
        self.model.events["refund_succeeded"] += 1
        if row.returns_stock:
            self.model.on_hand += row.pieces
        if self.model.refunded_fen == PAID_FEN:
            self.model.state = OrderState.REFUNDED

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        self.session.commit()
        order = self._order()
        assert order.state is self.model.state
        assert order.paid_fen == (PAID_FEN if self.model.has_money else 0)
        assert (order.refunding_fen, order.refunded_fen) == (
            self.model.refunding_fen,
            self.model.refunded_fen,
        )
        lines = [self.session.get_one(OrderLine, line_id) for line_id in self.line_ids]
        done, going = self.model.taken(RefundState.SUCCEEDED), self.model.taken(*UNDER_WAY)
        assert [(line.refunded_fen, line.refunding_fen) for line in lines] == [
            (sum(one.goods_fen for one in done), sum(one.goods_fen for one in going)),
            (sum(one.service_fen for one in done), sum(one.service_fen for one in going)),
        ]
        assert lines[0].refunded_quantity == sum(one.pieces for one in done)
        for refund_id, row in self.model.refunds.items():
            refund = self.session.get_one(Refund, refund_id)
            assert refund.state is row.state
            waits_for_wechat = row.state in UNDER_WAY - {RefundState.REQUESTED}
            assert (refund.due_at is not None) == waits_for_wechat

    @invariant()
    def stock_and_events_are_what_the_model_says(self) -> None:
        level = self.session.get_one(StockLevel, (self.goods_id, self.store_id))
        assert (level.on_hand, level.reserved) == (self.model.on_hand, self.model.reserved)
        facts = self.session.execute(sa.select(OutboxEvent.name, OutboxEvent.subject_id))
        ours = [name for name, subject_id in facts if self._is_ours(name, subject_id)]
        assert Counter(ours) == +self.model.events

    def _is_ours(self, name: str, subject_id: int) -> bool:
        """Settling finds the orders of earlier lives too."""
        if name.startswith("refund_"):
            return subject_id in self.model.refunds
        return subject_id == self.order_id

    def teardown(self) -> None:
        """Money that came too late and cannot go back is on the list for people, nothing else."""
        refunds = self.model.refunds.values()
        ended_badly = all(
            row.state in {RefundState.FAILED, RefundState.REJECTED} for row in refunds
        )
        is_kept = self.model.state is OrderState.PAID_LATE and ended_badly
        kept = {order.id for order in queries.late_money_kept(self.session)}
        assert (self.order_id in kept) == is_kept
        findings = invariants.check(self.session)
        assert [one for one in findings if one.code in CODES and one.count] == []


def test_an_order_lives_as_the_model_says(app: Flask, session: Session, settings: Settings) -> None:
    run_state_machine_as_test(
        lambda: OrderLife(session, settings),  # type: ignore[arg-type]  # as its documentation says
        settings=examples(
            max_examples=tried(25),
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
