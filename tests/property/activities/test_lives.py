"""The life of a group and of a flash sale, each against a model of a few fields."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.activities import flash_sales, groups
from app.activities.states import ActivityKind, GroupState
from app.kernel.errors import DomainError
from app.operations import invariants
from app.orders.models import Order, Refund
from app.orders.states import OrderState
from app.settings import Settings
from tests.factories.activities import close, counts, follow, fresh, make_deal, pay_for, purchase
from tests.factories.people import make_member, make_store
from tests.thoroughness import examples as tried

SIZE = 3
STOCK, EACH = 4, 2
DAY = timedelta(days=1)
CODES = {"F4a", "F4b", "F4c", "F4d", "F4e", "F4f", "F4g", "B11", "B12", "B13", "S1"}
WAITING, PAID, CLOSED, LATE = "waiting", "paid", "closed", "late"
CHOICE = st.integers(0, 30)
FATES = {
    WAITING: {OrderState.CREATED},
    PAID: {OrderState.PAID},
    CLOSED: {OrderState.CLOSED},
    LATE: {OrderState.PAID_LATE},
}


class Orders(RuleBasedStateMachine):
    """Orders that people pay, give up, or pay too late, in any order."""

    def __init__(self, session: Session, rules: Settings) -> None:
        super().__init__()
        self.session, self.settings = session, rules
        self.now: datetime = session.scalars(sa.select(sa.func.clock_timestamp())).one()
        self.store = make_store(session)
        self.orders: list[Order] = []
        self.fates: dict[int, str] = {}

    def refused(self, act: Callable[[], Order]) -> bool:
        """Do it in a savepoint; keep the order it made, or tell that it was refused."""
        try:
            with self.session.begin_nested():
                order = act()
        except DomainError:
            return True
        self.session.commit()
        self.orders.append(order)
        self.fates[order.id] = WAITING
        return False

    @precondition(lambda self: self.orders)
    @rule(which=CHOICE)
    def pay(self, which: int) -> None:
        order = self.orders[which % len(self.orders)]
        pay_for(self.session, order, settings=self.settings, now=self.now)
        moved = {WAITING: PAID, CLOSED: LATE}
        self.fates[order.id] = moved.get(self.fates[order.id], self.fates[order.id])

    @precondition(lambda self: self.orders)
    @rule(which=CHOICE)
    def give_up(self, which: int) -> None:
        order = self.orders[which % len(self.orders)]
        if self.fates[order.id] == WAITING:
            close(self.session, order, now=self.now)
            self.fates[order.id] = CLOSED

    @invariant()
    def orders_are_what_the_model_says(self) -> None:
        for order in self.orders:
            assert fresh(self.session, order).state in FATES[self.fates[order.id]]

    def teardown(self) -> None:
        self.settled()
        findings = invariants.check(self.session)
        assert [one for one in findings if one.code in CODES and one.count] == []

    def settled(self) -> None:
        """Do what follows."""
        follow(self.session, now=self.now)


class GroupLife(Orders):
    """One group of three: it completes with its last payment, or gives everything back."""

    def __init__(self, session: Session, rules: Settings) -> None:
        super().__init__(session, rules)
        self.item = make_deal(
            session, self.store, ActivityKind.GROUP_BUY, stock=50, rules={"size": SIZE}
        )
        leader = purchase(make_member(session), self.store)
        self.group, first = groups.open_group(
            session, self.item.id, leader, settings=rules, now=self.now
        )
        session.commit()
        self.orders, self.fates = [first], {first.id: WAITING}
        self.seats = [first.id]
        self.state = GroupState.OPEN
        self.given_back: set[int] = set()

    @rule()
    def join(self) -> None:
        wanted = purchase(make_member(self.session), self.store)
        refused = self.refused(
            lambda: groups.join(
                self.session, self.group.code, wanted, settings=self.settings, now=self.now
            )[1]
        )
        assert refused == (self.state is not GroupState.OPEN or len(self.seats) == SIZE)
        if not refused:
            self.seats.append(self.orders[-1].id)

    @rule()
    def work(self) -> None:
        self.settled()

    @rule()
    def time_is_over(self) -> None:
        self.session.commit()
        groups.sweep(self.now + DAY)
        self.follow_the_model(is_over=True)

    def settled(self) -> None:
        super().settled()
        self.follow_the_model(is_over=False)

    def follow_the_model(self, *, is_over: bool) -> None:
        """Move the model as a group moves that looks at its orders."""
        if self.state is GroupState.OPEN:
            self.seats = [one for one in self.seats if self.fates[one] in {WAITING, PAID}]
            if [self.fates[one] for one in self.seats] == [PAID] * SIZE:
                self.state = GroupState.COMPLETE
            elif is_over or not self.seats:
                self.state = GroupState.FAILED
        if self.state is GroupState.FAILED:
            self.given_back |= {one for one in self.seats if self.fates[one] == PAID}
            self.fates |= {one: CLOSED for one in self.seats if self.fates[one] == WAITING}
            self.seats = []
        self.session.commit()
        self.session.refresh(self.group)
        assert self.group.state is self.state
        assert counts(self.session, self.item) == (len(self.seats), len(self.seats))
        held = [order.id for order in self.orders if fresh(self.session, order).held_for is None]
        assert set(held) == (set(self.seats) if self.state is GroupState.COMPLETE else set())

    @invariant()
    def money_goes_back_for_late_orders_and_failed_groups_alone(self) -> None:
        ids = [order.id for order in self.orders]
        rows = self.session.scalars(sa.select(Refund.order_id).where(Refund.order_id.in_(ids)))
        late = {one for one, fate in self.fates.items() if fate == LATE}
        assert sorted(rows) == sorted(self.given_back | late)


class SaleLife(Orders):
    """A sale of four pieces, of which nobody takes more than two."""

    def __init__(self, session: Session, rules: Settings) -> None:
        super().__init__(session, rules)
        self.item = make_deal(
            session, self.store, ActivityKind.FLASH_SALE, stock=STOCK, limit_per_member=EACH
        )
        self.members = [make_member(session) for _ in range(3)]
        session.commit()
        self.taken: dict[int, int] = {}

    @rule(who=st.integers(0, 2))
    def buy(self, who: int) -> None:
        member = self.members[who]
        wanted = purchase(member, self.store)
        refused = self.refused(
            lambda: flash_sales.buy(
                self.session, self.item.id, wanted, settings=self.settings, now=self.now
            )
        )
        own = [one for one in self.taken.values() if one == member.id]
        assert refused == (len(self.taken) == STOCK or len(own) == EACH)
        if not refused:
            self.taken[self.orders[-1].id] = member.id

    @rule()
    def work(self) -> None:
        self.settled()

    def settled(self) -> None:
        super().settled()
        gone = {one for one, fate in self.fates.items() if fate in {CLOSED, LATE}}
        self.taken = {one: who for one, who in self.taken.items() if one not in gone}

    @invariant()
    def what_is_taken_is_what_the_model_says(self) -> None:
        self.session.commit()
        assert counts(self.session, self.item) == (len(self.taken), len(self.taken))


def live(machine: type[Orders], session: Session, settings: Settings) -> None:
    run_state_machine_as_test(
        lambda: machine(session, settings),  # type: ignore[arg-type]  # as its documentation says
        settings=examples(
            max_examples=tried(15),
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_group_lives_as_the_model_says(app: Flask, session: Session, settings: Settings) -> None:
    live(GroupLife, session, settings)


def test_a_sale_lives_as_the_model_says(app: Flask, session: Session, settings: Settings) -> None:
    live(SaleLife, session, settings)
