"""People who may withdraw, their payouts, and reports as WeChat would make them.

Each function takes the session, fills in what the test does not care about and flushes. What it
writes holds every invariant: orders, decisions, awards, entries of the ledger, steps.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.distribution import clawback
from app.distribution.models import Award, AwardState, OrderDecision
from app.engines.two_level.engine import AwardKind
from app.kernel.audit import Actor
from app.kernel.ids import random_text
from app.kernel.outbox import Task
from app.ledger import services as ledger
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, credit, debt, pending
from app.members.models import Distributor, Member
from app.operations import invariants
from app.orders.models import Order
from app.orders.states import OrderState
from app.payouts import services
from app.payouts.models import Payout, PayoutBill
from app.plans.models import PlanVersion
from app.settings import Settings
from app.wechat.values import TransferReport, TransferState
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_distributor, make_member, make_staff
from tests.factories.plans import make_plan

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATE_BP: Final = 1_000
_numbers = count(1)


def make_earner(
    session: Session, *awards_fen: int, openid: str | None = None, **facts: Any
) -> Distributor:
    """A distributor with one matured award of each amount; `facts` as of `make_distributor`."""
    earner = make_distributor(session, make_member(session, openid=openid), **facts)
    for fen in awards_fen:
        make_award(session, earner, fen)
    return earner


def make_award(
    session: Session, earner: Distributor, amount_fen: int, *, now: datetime = NOON
) -> Award:
    """A matured award, a tenth of a settled order of its own, as the jobs would have left it."""
    version_id = plan_version_id(session)
    order = make_order(
        session,
        price_fen=amount_fen * 10,
        state=OrderState.SETTLED,
        owner=earner,
        plan_version_id=version_id,
        now=now - timedelta(days=10),
    )
    session.add(
        OrderDecision(
            order_id=order.id,
            plan_version_id=version_id,
            base_fen=order.payable_fen,
            awarded_fen=amount_fen,
            decided_at=order.paid_at,
        )
    )
    award = Award(
        order_id=order.id,
        order_line_id=order.lines[0].id,
        plan_version_id=version_id,
        beneficiary_id=earner.member_id,
        kind=AwardKind.L1,
        seat=1,
        base_fen=order.payable_fen,
        rate_bp=RATE_BP,
        amount_fen=amount_fen,
        reversed_fen=0,
        allocated_fen=0,
        state=AwardState.MATURED,
        explanation=_facts(order, earner, amount_fen),
        created_at=now,
        matures_at=now,
        matured_at=now,
    )
    session.add(award)
    session.flush()
    _book(session, award, order.id, now=now)
    return award


def _facts(order: Order, earner: Distributor, amount_fen: int) -> dict[str, Any]:
    """Why the award is what it is, as the engine tells it."""
    return {
        "schema": 1,
        "outcome": "AWARD",
        "model": "CHANNEL_TWO_LEVEL",
        "kind": "L1",
        "role": "OWNER",
        "seat": 1,
        "level": 1,
        "order_id": order.id,
        "line_id": order.lines[0].id,
        "product_id": order.lines[0].product_id,
        "buyer_id": order.member_id,
        "owner_id": earner.member_id,
        "beneficiary_id": earner.member_id,
        "base_fen": order.payable_fen,
        "rate_bp": RATE_BP,
        "plan_rate_bp": RATE_BP,
        "rates_of": "PLAN",
        "amount_fen": amount_fen,
        "cap_bp": 3_000,
        "capped_from_fen": None,
        "passed_over": [],
    }


def _book(session: Session, award: Award, order_id: int, *, now: datetime) -> None:
    """Accrue and mature an award in the ledger; a debt is filled first."""
    source, owes = pending(award.beneficiary_id), debt(award.beneficiary_id)
    earned = Transfer(COMMISSION_EXPENSE, source, award.amount_fen)
    key = f"commission-accrued:{order_id}:{award.plan_version_id}"
    ledger.post(session, key, [earned], now=now)
    debt_fen = -ledger.lock_balances(session, [owes])[owes]
    matured = credit(award.beneficiary_id, source, award.amount_fen, debt_fen=debt_fen)
    ledger.post(session, f"commission-matured:{award.id}", matured, now=now)


def refund_award(session: Session, award: Award, base_fen: int, *, now: datetime = NOON) -> int:
    """Give a part of an award's order back to its customer; returns the refund for a clawback."""
    order = session.scalars(
        sa.select(Order)
        .where(Order.id == award.order_id)
        .options(selectinload(Order.lines))
        .execution_options(populate_existing=True)
    ).one()
    assert award.order_line_id is not None, "refunds take back awards of orders"
    return make_refund(session, order, amounts={award.order_line_id: base_fen}, now=now).id


def plan_version_id(session: Session) -> int:
    """The plan in force, or a new one where there is none; what has ended is none."""
    going_on = sa.select(PlanVersion.id).where(PlanVersion.effective_until_at.is_(None))
    found = session.scalar(going_on.limit(1))
    return make_plan(session).id if found is None else found


def claw_back(session: Session, award: Award, base_fen: int, *, now: datetime = NOON) -> None:
    """Refund a part of an award's order and take back what that takes back, as the job does."""
    refund_id = refund_award(session, award, base_fen, now=now)
    task = Task(job="claw_back_refunds", subject_id=refund_id, created_at=now, due_at=now)
    session.add(task)
    session.flush()
    clawback.claw_back_refunds(session, [task], now)
    session.flush()


def make_actor(session: Session) -> Actor:
    """A member of staff who decides."""
    return Actor("staff", make_staff(session).id)


def make_payout(
    session: Session,
    earner: Distributor,
    amount_fen: int,
    *,
    settings: Settings,
    now: datetime = NOON,
) -> Payout:
    """A payout that was just asked for."""
    return services.request(
        session,
        member_id=earner.member_id,
        amount_fen=amount_fen,
        fresh_at=now,
        settings=settings,
        now=now,
    )


def make_approved(
    session: Session,
    earner: Distributor,
    amount_fen: int,
    *,
    settings: Settings,
    now: datetime = NOON,
) -> Payout:
    """A payout that is approved, by two people where that is needed."""
    payout = make_payout(session, earner, amount_fen, settings=settings, now=now)
    for _ in range(1 + payout.needs_second_approval):
        actor = make_actor(session)
        services.approve(session, payout.id, actor=actor, settings=settings, now=now)
    session.commit()
    return payout


def openid_of(session: Session, earner: Distributor) -> str:
    return session.get_one(Member, earner.member_id).wechat_openid


def report_on(bill: PayoutBill, state: TransferState, **changes: Any) -> TransferReport:
    """What WeChat says of a bill; states of our knowledge come without facts."""
    knows_nothing = {
        TransferState.UNKNOWN,
        TransferState.NOT_FOUND,
        TransferState.NOT_NOW,
        TransferState.REFUSED,
    }
    report = TransferReport(out_bill_no=bill.number, state=state)
    if state not in knows_nothing:
        report = replace(
            report,
            transfer_bill_no=f"1330{bill.number}",
            amount_fen=bill.amount_fen,
            openid=bill.payee_openid,
        )
    return replace(report, **changes)


def amounts_of(bills: Iterable[PayoutBill]) -> list[int]:
    return [bill.amount_fen for bill in bills]


def unique_openid() -> str:
    return f"openid-{next(_numbers)}-{random_text(10)}"


def broken_invariants(session: Session) -> list[str]:
    """What the audit finds, but for what is merely late: tests live in another year."""
    session.flush()
    found = invariants.check(session, skip=frozenset({"B36", "B38"}))
    return [f"{one.code}: {one.says} {one.examples}" for one in found if one.count]
