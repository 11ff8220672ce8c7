"""Reading payouts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.kernel.i18n import Message
from app.payouts.errors import PayoutNotFound
from app.payouts.models import BillStep, Payout, PayoutAllocation, PayoutBill, PayoutStep
from app.payouts.reasons import explain, explain_delay
from app.payouts.states import BillState, PayoutState
from app.wechat.access import pay

PAGE_MAX: Final = 101
"""A hundred, and one more that tells whether there is a next page."""


def payouts_page(
    session: Session,
    *,
    member_id: int | None = None,
    states: Collection[PayoutState] = (),
    after: int | None = None,
    limit: int = 20,
) -> Sequence[Payout]:
    """Return payouts with their bills, the latest first; `after` is the last id seen."""
    chosen = sa.select(Payout).options(selectinload(Payout.bills))
    if member_id is not None:
        chosen = chosen.where(Payout.member_id == member_id)
    if states:
        chosen = chosen.where(Payout.state.in_(states))
    if after is not None:
        chosen = chosen.where(Payout.id < after)
    return session.scalars(chosen.order_by(Payout.id.desc()).limit(min(limit, PAGE_MAX))).all()


def payout_for_member(session: Session, payout_id: int, *, member_id: int) -> Payout:
    """Return a member's own payout with its bills; anyone else's does not exist for them."""
    payout = session.scalar(
        sa.select(Payout)
        .where(Payout.id == payout_id, Payout.member_id == member_id)
        .options(selectinload(Payout.bills))
    )
    if payout is None:
        raise PayoutNotFound
    return payout


def confirmation(bill: PayoutBill) -> dict[str, str] | None:
    """Return what the mini-program hands to WeChat so that the receiver can accept a bill.

    None where there is nothing to accept, or not yet.
    """
    if bill.state is not BillState.WAITING_USER or bill.package_info is None:
        return None
    return pay().confirmation_parameters(bill.package_info)


def explain_bill(bill: PayoutBill) -> Message | None:
    """Return why a bill was not paid, or is not being sent yet; None where all is well."""
    if bill.ended_at is not None:
        return explain(bill.fail_reason)
    return explain_delay(bill.last_error)


@dataclass(frozen=True, slots=True)
class PayoutStory:
    """Everything that happened to a payout, and which awards it pays."""

    payout: Payout
    steps: Sequence[PayoutStep]
    bill_steps: Sequence[BillStep]
    allocations: Sequence[PayoutAllocation]


def payout_story(session: Session, payout_id: int) -> PayoutStory:
    """Return the whole life of a payout, for the back office."""
    payout = session.scalar(
        sa.select(Payout).where(Payout.id == payout_id).options(selectinload(Payout.bills))
    )
    if payout is None:
        raise PayoutNotFound
    bill_ids = [bill.id for bill in payout.bills]
    return PayoutStory(
        payout,
        session.scalars(payout.steps.select()).all(),
        session.scalars(
            sa.select(BillStep).where(BillStep.bill_id.in_(bill_ids)).order_by(BillStep.id)
        ).all(),
        session.scalars(
            sa.select(PayoutAllocation)
            .where(PayoutAllocation.payout_id == payout_id)
            .order_by(PayoutAllocation.id)
        ).all(),
    )


def oldest_due_at(session: Session) -> datetime | None:
    """Return since when the bill that waits longest is, or will be, due."""
    return session.scalar(sa.select(sa.func.min(PayoutBill.due_at)))
