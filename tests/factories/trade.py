"""A brand at work: people join, buy, receive and get refunds; the jobs do what follows.

Facts come from the factories, with the events that real services emit; what follows from them is
done by the real jobs, in any order that the test likes. Every step takes a minute of `now`, which
is long ago, so that whatever the jobs find is due.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.catalog.models import Product
from app.distribution import jobs, maturity
from app.distribution.models import Award
from app.distribution.plan_records import PlanEvent, PlanPlace
from app.distribution.replay import Report, replay
from app.kernel import outbox
from app.kernel.outbox import OutboxEvent, Task, emit
from app.members.models import Distributor, Member
from app.orders.models import Order, Refund
from app.orders.states import OrderEvent
from app.plans.queries import versions_for
from app.reactions import TASKS
from app.stores.models import Store
from tests.factories.orders import AFTER_SALE, NOON, LineOf, make_order, make_refund
from tests.factories.people import make_distributor, make_member, make_store

MINUTE: Final = timedelta(minutes=1)
LATER: Final = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
JOBS: Final = {
    "note_joined": jobs.note_joined,
    "seat_everybody": jobs.seat_everybody,
    "award_orders": jobs.award_orders,
    "freeze_awards": jobs.freeze_awards,
    "claw_back_refunds": jobs.claw_back_refunds,
    "note_refunds": jobs.note_refunds,
}
ROUNDS_MAX: Final = 20


@dataclass
class Trade:
    """One brand, its clock and its only store."""

    session: Session
    now: datetime = NOON
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = make_store(self.session)

    def tick(self, step: timedelta = MINUTE) -> datetime:
        """Let time pass."""
        self.now += step
        return self.now

    def join(self, recommender: Distributor | None = None) -> Distributor:
        """Approve a new distributor, and tell of it."""
        person = make_distributor(self.session, recommender=recommender, now=self.tick())
        emit(self.session, "distributor_approved", person.member_id, now=self.now)
        self.session.flush()
        return person

    def buy(
        self,
        lines: Sequence[tuple[Product, int]],
        *,
        owner: Distributor | None = None,
        buyer: Member | None = None,
        at: datetime | None = None,
    ) -> Order:
        """Pay for products at so many fen each; they fall under the versions in force."""
        paid_at = at or self.tick()
        versions = versions_for(
            self.session,
            store_id=self.store.id,
            product_ids=[product.id for product, _ in lines],
            at=paid_at,
        )
        order = make_order(
            self.session,
            member=buyer or make_member(self.session),
            store=self.store,
            lines=[
                LineOf(product=product, net_fen=fen, plan_version_id=versions.get(product.id))
                for product, fen in lines
            ],
            owner=owner,
            now=paid_at,
        )
        emit(self.session, "order_paid", order.id, now=paid_at)
        self.session.flush()
        return order

    def member(self, person: Distributor) -> Member:
        """Return a distributor as a customer."""
        return self.session.get_one(Member, person.member_id)

    def receive(self, order: Order) -> None:
        """Let the customer get what they bought; the after-sale window begins."""
        row = self.fresh(order)
        row.advance(OrderEvent.COMPLETE, now=self.tick(), actor="system")
        row.completed_at, row.after_sale_until_at = self.now, self.now + AFTER_SALE
        emit(self.session, "order_completed", row.id, now=self.now)
        self.session.flush()

    def settle(self, order: Order) -> None:
        """Let the after-sale window close."""
        row = self.fresh(order)
        assert row.after_sale_until_at is not None
        self.now = max(self.now + MINUTE, row.after_sale_until_at)
        row.advance(OrderEvent.SETTLE, now=self.now, actor="system")
        row.settled_at = self.now
        emit(self.session, "order_settled", row.id, now=self.now)
        self.session.flush()

    def refund(self, order: Order, amounts: Mapping[int, int] | None = None) -> Refund:
        """Give back so much of the lines with these positions, or all that is left."""
        row = self.fresh(order)
        fen = {row.lines[place].id: amount for place, amount in (amounts or {}).items()}
        refund = make_refund(self.session, row, amounts=fen or None, now=self.tick())
        emit(self.session, "refund_succeeded", refund.id, now=self.now)
        self.session.flush()
        return refund

    def fresh(self, order: Order) -> Order:
        """Return an order with its lines as they are now."""
        return self.session.scalars(
            sa.select(Order)
            .where(Order.id == order.id)
            .options(selectinload(Order.lines))
            .execution_options(populate_existing=True)
        ).one()

    def work(self, names: Iterable[str] = tuple(JOBS)) -> None:
        """Do everything that follows, the jobs in this order, until nothing is left to do."""
        order = list(names)
        for _ in range(ROUNDS_MAX):
            self.work_once(order)
            if not self.left():
                return
        raise AssertionError(f"left over: {self.left()}")

    def work_once(self, names: Iterable[str] = tuple(JOBS)) -> None:
        """Let each of these jobs run once; what was deferred is due again."""
        self.session.commit()
        outbox.relay(self.session, TASKS, now=self.now)
        self.session.execute(sa.update(Task).values(due_at=self.now))
        self.session.commit()
        for name in names:
            JOBS[name]()
        self.session.commit()

    def left(self) -> list[tuple[str, int]]:
        """Return the tasks of these jobs that are not done, and facts not passed on."""
        tasks = sa.select(Task.job, Task.subject_id).where(Task.job.in_(JOBS))
        facts = sa.select(OutboxEvent.name, OutboxEvent.subject_id)
        return [
            (name, subject_id)
            for wanted in (tasks, facts)
            for name, subject_id in self.session.execute(wanted)
        ]

    def mature(self) -> None:
        """Release whatever is due by now."""
        self.session.commit()
        while maturity.mature_due(now=self.now):
            pass

    def replay(self, plan_id: int | None = None) -> Report:
        """Decide everything again."""
        self.session.commit()
        return replay(NOON - timedelta(days=999), LATER, plan_id)

    def awards(self, order: Order) -> list[tuple[int, str, int, int]]:
        """Return beneficiary, kind, amount and what was taken back of each award of an order."""
        rows = self.session.execute(
            sa.select(Award.beneficiary_id, Award.kind, Award.amount_fen, Award.reversed_fen)
            .where(Award.order_id == order.id)
            .order_by(Award.order_line_id, Award.kind, Award.beneficiary_id)
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]  # four columns, as written above

    def places(self, plan_id: int) -> dict[tuple[int, int], dict[str, object]]:
        """Return the places of a plan by member and number."""
        rows = self.session.scalars(
            sa.select(PlanPlace)
            .where(PlanPlace.plan_id == plan_id)
            .execution_options(populate_existing=True)
        )
        return {
            (row.member_id, row.number): {
                "recommender": row.recommender_id,
                "parent": row.parent_id,
                "slot": row.slot,
                **row.facts,
            }
            for row in rows
        }

    def events(self, plan_id: int) -> list[tuple[str, int | None]]:
        """Return the kinds of events of a plan and of whom, in the order of their decision."""
        rows = self.session.execute(
            sa.select(PlanEvent.kind, sa.func.coalesce(PlanEvent.order_id, PlanEvent.member_id))
            .where(PlanEvent.plan_id == plan_id)
            .order_by(PlanEvent.id)
        )
        return [(kind, subject_id) for kind, subject_id in rows]
