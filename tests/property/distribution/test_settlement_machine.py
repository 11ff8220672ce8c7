"""A brand with several plans lives at random; at the end everything is decided again.

People join, buy, receive, get refunds, are frozen, and plans change, while the jobs run now and
then, in any order. Whatever happened, the replay finds nothing, the audit finds nothing, nobody got
more than the plan's cap, and what was given back whole has paid nobody.
"""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest
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

from app.distribution.models import Award, OrderDecision
from app.kernel.audit import SYSTEM
from app.members.models import Distributor
from app.members.states import Standing
from app.operations import invariants
from app.operations.plan_statements import PLAN_STATEMENTS
from app.orders.models import Order
from app.orders.states import OrderState
from app.plans import publishing
from app.plans.models import PlanVersion
from tests.factories.orders import make_product
from tests.factories.people import make_member
from tests.factories.plans import make_plan
from tests.factories.trade import JOBS, Trade
from tests.thoroughness import examples as tried

CODES: Final = {code for code, _says, _statement in PLAN_STATEMENTS} | {"B2", "B4", "B5", "B21"}
NEVER_MIND: Final = {"P6"}
"""Scopes of machines before this one are as they were; lines are made under what is in force."""

MOMENTS: Final = st.sampled_from(["PAID", "RECEIVED", "AFTER_SALE_CLOSED"])
PAY: Final = st.sampled_from([0, 100, 777, 1_000])
CHAINS: Final[tuple[dict[str, Any], ...]] = (
    {"promote_sales_fen": 3_000},
    {"promote_sales_fen": 1, "max_depth": 1, "peer_bp": 500, "payout_cap_bp": 1_200},
    {
        "conduct": {"entry": "BUY_PACKAGE"},
        "entry_price_fen": 2_000,
        "promotion_by": "RECRUITS",
        "promotion_effective": "PAID",
        "promote_count": 1,
        "leave_scope": "FIRST_N",
        "leave_count": 1,
    },
)
OTHERS: Final[tuple[dict[str, Any], ...]] = (
    {"model": "THREE_FISSION", "per_round": 2},
    {
        "model": "THREE_MATRIX",
        "entry_price_fen": 900,
        "completion_fen": 900,
        "layers_bp": [500, 300],
    },
    {"model": "SHARING_SHAREHOLDERS"},
    {"model": "REFER_THREE_RETURN_ONE"},
)


class Settlement(RuleBasedStateMachine):
    """One brand; a chain, a channel plan and a third one, each for a product of its own."""

    people = Bundle("people")
    orders = Bundle("orders")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.trade = Trade(session)
        self.products = [make_product(session, price_fen=100_000) for _ in range(4)]
        self.plans: list[int] = []
        self.terms: list[dict[str, Any]] = []

    @initialize(
        target=people,
        chain=st.sampled_from(CHAINS),
        other=st.sampled_from(OTHERS),
        moments=st.tuples(MOMENTS, MOMENTS, MOMENTS),
    )
    def begin(
        self, *, chain: dict[str, Any], other: dict[str, Any], moments: tuple[str, str, str]
    ) -> Any:
        people = [self.trade.join()]
        people += [self.trade.join(people[0]), self.trade.join(people[0])]
        self.terms = [
            {"model": "CHAIN_2_1", **chain, "effective_at": moments[0]},
            {"model": "CHANNEL_TWO_LEVEL", "self_purchase": True, "effective_at": moments[1]},
            {**other, "effective_at": moments[2]},
        ]
        for rules, product in zip(self.terms, self.products, strict=False):
            version = make_plan(
                self.session,
                at=self.trade.now,
                scope={"product_ids": [product.id], "store_ids": [self.trade.store.id]},
                **rules,
            )
            self.plans.append(version.plan_id)
        return multiple(*[one.member_id for one in people])

    def _person(self, member_id: int | None) -> Distributor | None:
        return None if member_id is None else self.session.get_one(Distributor, member_id)

    @rule(target=people, recommender_id=people | st.none())
    def join(self, *, recommender_id: int | None) -> Any:
        return self.trade.join(self._person(recommender_id)).member_id

    @rule(
        target=orders,
        owner_id=people | people | people | st.none(),
        buyer_id=st.none() | people,
        fen=st.tuples(*[st.sampled_from([2_000, 3_333, 999, 1, 0])] * 4).filter(any),
        steps=st.sampled_from([0, 0, 1, 2]),
    )
    def buy(
        self, *, owner_id: int | None, buyer_id: int | None, fen: tuple[int, ...], steps: int
    ) -> Any:
        buyer = self._person(buyer_id)
        order = self.trade.buy(
            [(product, one) for product, one in zip(self.products, fen, strict=True) if one],
            owner=self._person(owner_id),
            buyer=self.trade.member(buyer) if buyer else make_member(self.session),
        )
        for _ in range(steps):
            self.receive_or_settle(order_id=order.id)
        return order.id

    def _order(self, order_id: int) -> Order:
        return self.trade.fresh(self.session.get_one(Order, order_id))

    @rule(order_id=orders)
    def receive_or_settle(self, *, order_id: int) -> None:
        order = self._order(order_id)
        if order.state is OrderState.PAID:
            self.trade.receive(order)
        elif order.state is OrderState.COMPLETED:
            self.trade.settle(order)

    @rule(order_id=orders, place=st.integers(0, 3), fen=st.sampled_from([1, 500, 1_234, 10_000]))
    def refund_a_part(self, *, order_id: int, place: int, fen: int) -> None:
        order = self._order(order_id)
        line = order.lines[place % len(order.lines)]
        rest_fen = line.net_fen - line.refunded_fen
        if rest_fen:
            self.trade.refund(order, {place % len(order.lines): min(fen, rest_fen)})

    @rule(order_id=orders)
    def refund_the_rest(self, *, order_id: int) -> None:
        order = self._order(order_id)
        if order.state is not OrderState.REFUNDED:
            self.trade.refund(order)

    @rule(member_id=people, standing=st.sampled_from([Standing.FROZEN, Standing.ACTIVE]))
    def freeze_or_not(self, *, member_id: int, standing: Standing) -> None:
        person = self._person(member_id)
        assert person is not None
        person.standing = standing
        self.session.flush()

    @precondition(lambda self: len(self.plans) > 0)
    @rule(which=st.integers(0, 1), first_bp=PAY)
    def change_a_plan(self, *, which: int, first_bp: int) -> None:
        rules = dict(self.terms[which])
        if which:
            rules["rates_first_bp"] = [first_bp] * 3
        else:
            rules["direct"] = {role: {"rate_bp": first_bp} for role in ("agent", "boss")}
        make_plan(
            self.session,
            at=self.trade.tick(),
            plan_id=self.plans[which],
            scope={
                "product_ids": [self.products[which].id],
                "store_ids": [self.trade.store.id],
            },
            **rules,
        )

    @rule(names=st.permutations(list(JOBS)), count=st.integers(1, len(JOBS)))
    def work_a_little(self, *, names: list[str], count: int) -> None:
        self.trade.work_once(names[:count])

    @invariant()
    def nobody_gets_more_than_was_decided(self) -> None:
        awarded = self.session.scalar(sa.select(sa.func.sum(Award.amount_fen)))
        decided = self.session.scalar(sa.select(sa.func.sum(OrderDecision.awarded_fen)))
        assert (awarded or 0) == (decided or 0)

    def teardown(self) -> None:
        """Do what is left, then decide everything again."""
        self.trade.work(reversed(JOBS))
        self.trade.mature()

        report = self.trade.replay()
        assert [str(one) for one in report.differences] == []
        found = [one for one in invariants.check(self.session) if one.code in CODES - NEVER_MIND]
        assert [one for one in found if one.count] == []
        of_nothing = self.session.scalar(
            sa.select(sa.func.sum(Award.amount_fen - Award.reversed_fen))
            .join(Order, Order.id == Award.order_id)
            .where(Order.refunded_fen == Order.paid_fen)
        )
        assert not of_nothing
        self._end_plans()

    def _end_plans(self) -> None:
        """Let the newcomers of the next machine join none of these plans."""
        for version_id in self.session.scalars(
            sa.select(PlanVersion.id).where(
                PlanVersion.plan_id.in_(self.plans), PlanVersion.effective_until_at.is_(None)
            )
        ).all():
            publishing.retire(self.session, version_id, actor=SYSTEM, now=self.trade.now)
        self.session.commit()


def _live(machine: Settlement, chance: random.Random, steps: int) -> None:
    """Do so many things, most of them purchases and what comes of them."""
    people = list(machine.session.scalars(sa.select(Distributor.member_id)))
    orders: list[int] = []

    def buy() -> None:
        fen = tuple(chance.choice([2_000, 3_333, 999, 1, 0]) for _ in range(3))
        order_id: Any = machine.buy(
            owner_id=chance.choice([*people, None]),
            buyer_id=chance.choice([None, None, None, *people]),
            fen=(*fen, chance.choice([1, 500])),
            steps=chance.choice([0, 0, 1, 2]),
        )
        orders.append(order_id)

    def refund() -> None:
        fen = chance.choice([1, 500, 1_234, 10_000])
        machine.refund_a_part(order_id=chance.choice(orders), place=chance.randrange(4), fen=fen)

    def work() -> None:
        names = chance.sample(list(JOBS), len(JOBS))
        machine.work_a_little(names=names, count=chance.randrange(1, len(JOBS)))

    def change() -> None:
        machine.change_a_plan(which=chance.randrange(2), first_bp=chance.choice([0, 777, 1_000]))

    def freeze() -> None:
        standing = chance.choice([Standing.FROZEN, Standing.ACTIVE])
        machine.freeze_or_not(member_id=chance.choice(people), standing=standing)

    def join() -> None:
        member_id: Any = machine.join(recommender_id=chance.choice([*people, None]))
        people.append(member_id)

    acts: list[Callable[[], object]] = [
        *[buy] * 10,
        *[lambda: machine.receive_or_settle(order_id=chance.choice(orders))] * 8,
        *[refund] * 6,
        lambda: machine.refund_the_rest(order_id=chance.choice(orders)),
        *[join] * 3,
        *[work] * 4,
        freeze,
        change,
    ]
    buy()
    for _ in range(steps):
        chance.choice(acts)()


@pytest.mark.parametrize("seed", range(5))
def test_a_long_life_can_be_decided_again(app: Flask, session: Session, seed: int) -> None:
    chance = random.Random(seed)
    machine = Settlement(session)
    machine.begin(
        chain=CHAINS[seed % len(CHAINS)],
        other=OTHERS[seed % len(OTHERS)],
        moments=tuple(chance.choice(["PAID", "RECEIVED", "AFTER_SALE_CLOSED"]) for _ in range(3)),
    )

    _live(machine, chance, steps=100)
    machine.teardown()

    counts = machine.trade.replay().counts
    assert min(counts[what] for what in ("orders", "events", "awards", "refunds")) >= 5


def test_whatever_happens_can_be_decided_again(app: Flask, session: Session) -> None:
    run_state_machine_as_test(
        lambda: Settlement(session),  # type: ignore[arg-type]  # as its documentation says
        settings=examples(
            max_examples=tried(8),
            stateful_step_count=24,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
