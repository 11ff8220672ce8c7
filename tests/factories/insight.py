"""A little of everything that figures count, at a wished moment and store."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.attribution.models import BindingState
from app.kernel.ids import random_text
from app.orders.states import OrderState
from app.payouts.models import Payout, PayoutBill
from app.payouts.states import BillState, PayoutState
from app.stores.models import Store
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import claw_back, make_award
from tests.factories.people import (
    make_binding,
    make_distributor,
    make_member,
    make_staff,
)

Happening = Callable[[Session, Store, datetime], None]


def make_ended_payout(session: Session, store: Store, now: datetime, *bills_fen: int) -> Payout:
    """A payout that ended; negative bills failed, the others arrived."""
    earner = make_distributor(session, store_id=store.id)
    arrived = [fen for fen in bills_fen if fen > 0]
    state = (
        PayoutState.SUCCEEDED
        if len(arrived) == len(bills_fen)
        else PayoutState.PARTLY_SUCCEEDED
        if arrived
        else PayoutState.FAILED
    )
    payout = Payout(
        number=f"P{random_text(19)}",
        member_id=earner.member_id,
        amount_fen=sum(map(abs, bills_fen)),
        payee_openid="openid",
        state=state,
        needs_second_approval=False,
        first_approver_id=make_staff(session).id,
        requested_at=now,
        approved_at=now,
        ended_at=now,
    )
    session.add(payout)
    session.flush()
    for fen in bills_fen:
        session.add(
            PayoutBill(
                number=random_text(20),
                payout_id=payout.id,
                amount_fen=abs(fen),
                payee_openid="openid",
                state=BillState.SUCCEEDED if fen > 0 else BillState.FAILED,
                created_at=now,
                ended_at=now,
            )
        )
    session.flush()
    return payout


def _order(session: Session, store: Store, now: datetime) -> None:
    make_order(session, store=store, price_fen=12_345, now=now)


def _second_order(session: Session, store: Store, now: datetime) -> None:
    """Two orders of one customer at the same instant, the second handed over."""
    member = make_member(session, registered_at=now)
    make_order(session, store=store, member=member, now=now)
    make_order(session, store=store, member=member, state=OrderState.COMPLETED, now=now)


def _order_of_distributor(session: Session, store: Store, now: datetime) -> None:
    owner = make_distributor(session, store_id=store.id, now=now)
    make_order(session, store=store, owner=owner, price_fen=777, now=now)


def _unpaid(session: Session, store: Store, now: datetime) -> None:
    make_order(session, store=store, state=OrderState.CREATED, now=now)
    make_order(session, store=store, state=OrderState.CLOSED, now=now)


def _paid_late(session: Session, store: Store, now: datetime) -> None:
    make_order(session, store=store, state=OrderState.PAID_LATE, now=now)


def _refunded(session: Session, store: Store, now: datetime) -> None:
    make_order(session, store=store, state=OrderState.REFUNDED, now=now)


def _partly_refunded(session: Session, store: Store, now: datetime) -> None:
    order = make_order(session, store=store, price_fen=9_999, now=now)
    make_refund(session, order, amounts={order.lines[0].id: 1_111}, now=now)


def _customer(session: Session, store: Store, now: datetime) -> None:
    make_member(session, origin_store_id=store.id, registered_at=now)


def _customer_of_nobody(session: Session, _store: Store, now: datetime) -> None:
    make_member(session, registered_at=now)


def _bound_to_store(session: Session, store: Store, now: datetime) -> None:
    make_binding(session, store=store, state=BindingState.LOCKED, valid_from_at=now)


def _bound_to_distributor(session: Session, store: Store, now: datetime) -> None:
    owner = make_distributor(session, store_id=store.id)
    make_binding(session, owner=owner, valid_from_at=now)


def _distributor_of_nobody(session: Session, _store: Store, now: datetime) -> None:
    make_distributor(session, now=now)


def _award(session: Session, store: Store, now: datetime) -> None:
    earner = make_distributor(session, store_id=store.id)
    award = make_award(session, earner, 500, now=now)
    claw_back(session, award, 1_000, now=now)


def _payouts(session: Session, store: Store, now: datetime) -> None:
    make_ended_payout(session, store, now, 3_000)
    make_ended_payout(session, store, now, 2_000, -1_000)
    make_ended_payout(session, store, now, -500)


HAPPENINGS: Final[Mapping[str, Happening]] = {
    one.__name__.strip("_"): one
    for one in (
        _order,
        _second_order,
        _order_of_distributor,
        _unpaid,
        _paid_late,
        _refunded,
        _partly_refunded,
        _customer,
        _customer_of_nobody,
        _bound_to_store,
        _bound_to_distributor,
        _distributor_of_nobody,
        _award,
        _payouts,
    )
}
"""What can happen, by name."""
