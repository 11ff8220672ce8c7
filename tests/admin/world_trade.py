"""What a store of the world sells, earns and pays."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.distribution import settlement
from app.distribution.models import Award, AwardRefusal, AwardReversal
from app.kernel.outbox import Task
from app.ledger.models import LedgerAccount
from app.members.models import Distributor
from app.orders.models import Refund
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from tests.admin.place import Place
from tests.factories.orders import make_goods, make_order, make_refund
from tests.factories.payouts import claw_back, make_award, make_payout, plan_version_id
from tests.factories.people import (
    make_distributor,
    make_member,
)
from tests.factories.plan_rows import (
    make_chain_place,
    make_closed_month,
    make_gift,
    make_holding,
)

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def put_trade(session: Session, place: Place, name: str) -> None:
    product = make_goods(session, place.store)
    product.title = f"{name} serum"
    place.put("stock", product.id, f"{name} serum")
    place.put("stock_movements", product.id, f"{name} serum")
    member = make_member(session, nickname=f"{name} buyer")
    order = make_order(session, member=member, store=place.store, state=OrderState.PAID)
    place.put("orders", order.id, order.number)
    refunded = make_order(session, member=member, store=place.store, state=OrderState.COMPLETED)
    refund = make_refund(session, refunded, state=RefundState.REQUESTED)
    place.put("refunds", refund.id, refund.number)


def put_money(session: Session, place: Place, settings: Settings) -> None:
    """One award and one refusal as the job decides them, and one payout of an earner."""
    assert place.owner is not None
    order = make_order(
        session,
        member=make_member(session, nickname="Paying customer"),
        store=place.store,
        owner=place.owner,
        plan_version_id=plan_version_id(session),
    )
    task = Task(job="award_orders", subject_id=order.id, created_at=NOON, due_at=NOON)
    session.add(task)
    session.flush()
    settlement.award_orders(session, [task], NOON)
    session.flush()
    award = session.scalars(sa.select(Award).where(Award.order_id == order.id)).one()
    place.put("awards", award.id, order.number)
    refusal = session.scalars(
        sa.select(AwardRefusal).where(AwardRefusal.order_id == order.id)
    ).one()
    place.put("award_refusals", refusal.id, order.number)
    _put_clawback(session, place, award)
    name = f"{place.store.name} earner"
    earner = make_distributor(session, make_member(session, nickname=name), store_id=place.store.id)
    make_award(session, earner, 5_000)
    payout = make_payout(session, earner, 2_000, settings=settings)
    place.put("payouts", payout.id, payout.number)
    account_id = session.scalars(
        sa.select(LedgerAccount.id).where(
            LedgerAccount.member_id == earner.member_id, LedgerAccount.name == "payout_in_transit"
        )
    ).one()
    place.put("ledger_accounts", account_id, name)


def _put_clawback(session: Session, place: Place, award: Award) -> None:
    """What a refund of a part of its order took back of the award."""
    claw_back(session, award, 1_000, now=NOON)
    reversal = session.scalars(
        sa.select(AwardReversal).where(AwardReversal.award_id == award.id)
    ).one()
    refund = session.get_one(Refund, reversal.refund_id)
    place.put("clawbacks", reversal.id, refund.number)


def put_plans(session: Session, place: Place) -> None:
    """A place in a chain, a holding, a gift and a closed month of the seller."""
    assert place.owner is not None
    owner = session.scalars(
        sa.select(Distributor)
        .where(Distributor.member_id == place.owner.member_id)
        .options(joinedload(Distributor.member))
    ).one()
    mark = owner.member.nickname
    chain, held = make_chain_place(session, owner), make_holding(session, owner, place.store)
    place.put("places", chain, mark)
    place.put("holdings", held, mark)
    gift = make_gift(session, owner.member, place.store, item=f"{place.store.name} voucher")
    place.put("gifts", gift.id, gift.item)
    closed = make_closed_month(session, place.store)
    place.put("months", closed.id, f"{closed.net_fen // 100}.00")
