"""Asking for a payout, and deciding on it. Every function joins its caller's transaction.

What happens to an approved payout is in `sending`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import services as distribution
from app.kernel import audit, outbox
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import business_number
from app.ledger import services as ledger
from app.ledger.transfers import Transfer, available, debt, in_transit
from app.members.errors import FreshSignInRequired, NotADistributor
from app.members.models import Distributor, Member, Standing
from app.payouts import holds
from app.payouts.errors import (
    InsufficientBalance,
    PayoutAmountOutOfRange,
    PayoutDebtOpen,
    PayoutNotFound,
    PayoutNotInState,
    PayoutOnHold,
    SecondApproverRequired,
)
from app.payouts.locks import lock_bill, lock_payout
from app.payouts.models import Payout, PayoutAllocation, PayoutBill
from app.payouts.settling import end_bill, give_back_whole
from app.payouts.splitting import split
from app.payouts.states import (
    BillEvent,
    BillState,
    PayoutEvent,
    PayoutState,
    taken_back_by,
)
from app.settings import Settings
from app.stores.independence import STAFF, require_independent, require_unconcerned

MAY_EARN: Final = frozenset({Standing.ACTIVE, Standing.FROZEN, Standing.QUIT})
"""Standings of those who have been distributors; only the first of them may withdraw."""

TAKEN_BACK: Final = "MCH_CANCEL"
"""The reason WeChat gives too."""


def request(
    session: Session,
    *,
    member_id: int,
    amount_fen: int,
    fresh_at: datetime,
    settings: Settings,
    now: datetime,
) -> Payout:
    """Reserve an amount and record the wish to withdraw it.

    `fresh_at` is when the member last proved to WeChat who they are. The bills and their numbers,
    the payee and whether two people have to approve are fixed here. Under a hold it is accepted
    and waits: whoever is suspected is not told by a refusal, and nothing is lost.
    """
    _check_amount(amount_fen, settings)
    if now - fresh_at > timedelta(seconds=settings.fresh_sign_in_seconds):
        raise FreshSignInRequired
    distributor = _lock_distributor(session, member_id)
    allocated = distribution.allocate(session, member_id, amount_fen)
    _check_balance(session, member_id, amount_fen, is_allocated=bool(allocated))

    payout = Payout(
        number=business_number("P", now),
        member_id=member_id,
        amount_fen=amount_fen,
        payee_openid=_payee_openid(session, member_id),
        state=PayoutState.REQUESTED,
        needs_second_approval=amount_fen >= settings.payout_second_approval_fen,
        requested_at=now,
    )
    payout.bills = _bills(payout, _bill_amounts(amount_fen, distributor, settings), now=now)
    session.add(payout)
    session.flush()
    session.add_all(
        PayoutAllocation(payout_id=payout.id, award_id=award_id, amount_fen=fen)
        for award_id, fen in allocated
    )
    session.flush()
    reserve = Transfer(available(member_id), in_transit(member_id), amount_fen)
    ledger.post(session, f"payout-requested:{payout.id}", [reserve], now=now)
    return payout


def approve(
    session: Session, payout_id: int, *, actor: Actor, settings: Settings, now: datetime
) -> Payout:
    """Let a payout go ahead, or take the first of two steps towards that; a job will send it.

    Two people have to approve where the limit said so when it was asked for, or says so now.
    Raises `PayoutHeld` while a hold stands, `PayoutOnHold` while the distributor is frozen,
    `SecondApproverRequired`, `NotIndependent`, and `OwnMatter` for one's own account.
    """
    assert actor.kind == "staff", "only staff approve"
    holds.require_free(session, payout_id)
    payout = lock_payout(session, payout_id)
    require_unconcerned(session, [actor], payout.member_id)
    before = payout.state
    limit_fen = settings.payout_second_approval_fen
    needs_two = payout.needs_second_approval or payout.amount_fen >= limit_fen

    if payout.state is PayoutState.APPROVED_ONCE:
        if payout.first_approver_id == actor.id:
            raise SecondApproverRequired
        first = Actor(STAFF, payout.first_approver_id)
        require_independent(session, [first, actor], now=now)
        payout.second_approver_id = actor.id
        _let_go(session, payout, actor, now=now)
    elif needs_two:
        payout.advance(PayoutEvent.APPROVE_ONCE, now=now, actor=str(actor))
        payout.first_approver_id = actor.id
    else:
        payout.first_approver_id = actor.id
        _let_go(session, payout, actor, now=now)
    change = Change({"state": before}, {"state": payout.state})
    _audit(session, actor, "payout.approved", payout, change, now=now)
    return payout


def _let_go(session: Session, payout: Payout, actor: Actor, *, now: datetime) -> None:
    payout.advance(PayoutEvent.APPROVE, now=now, actor=str(actor))
    payout.approved_at = now
    for bill in payout.bills:
        bill.due_at = now
    outbox.emit(session, "payout_approved", payout.id, now=now)


def reject(session: Session, payout_id: int, *, actor: Actor, reason: str, now: datetime) -> Payout:
    """Refuse a payout that is not approved yet; its amount may be withdrawn again."""
    assert actor.kind == "staff", "only staff reject"
    payout = lock_payout(session, payout_id)
    before = payout.state
    payout.advance(PayoutEvent.REJECT, now=now, actor=str(actor), note=reason)
    give_back_whole(session, payout, now=now)
    change = Change({"state": before}, {"state": payout.state}, reason)
    _audit(session, actor, "payout.rejected", payout, change, now=now)
    return payout


def cancel(session: Session, payout_id: int, *, member_id: int, now: datetime) -> Payout:
    """Let a member take their wish back, as long as it is not approved."""
    payout = lock_payout(session, payout_id)
    if payout.member_id != member_id:
        raise PayoutNotFound
    payout.advance(PayoutEvent.CANCEL, now=now, actor=str(Actor("member", member_id)))
    give_back_whole(session, payout, now=now)
    return payout


def ask_cancel_bill(session: Session, bill_id: int, *, actor: Actor, now: datetime) -> PayoutBill:
    """Take back a transfer of an approved payout that its receiver has not accepted.

    What was never sent, as while a limit or a hold keeps it, ends here. Of what was sent WeChat is
    asked, by the job, and it has not happened before WeChat says so: the receiver may have been
    faster. A member may take back their own.
    """
    bill = lock_bill(session, bill_id)
    payout = bill.payout
    if actor.kind == "member" and payout.member_id != actor.id:
        raise PayoutNotFound
    event, before = taken_back_by(bill.state), bill.state
    if event is None or payout.state is not PayoutState.APPROVED:
        raise PayoutNotInState(bill.state, BillEvent.ASK_CANCEL)
    bill.advance(event, now=now, note=str(actor))
    if event is BillEvent.DROP:
        end_bill(session, bill, TAKEN_BACK, now=now)
    else:
        bill.due_at = now
        outbox.emit(session, "payout_cancel_asked", payout.id, now=now)
    session.flush()
    if actor.kind == "staff":
        change = Change({"bill": bill.number, "state": before}, {"state": bill.state})
        _audit(session, actor, "payout.bill_cancel_asked", payout, change, now=now)
    return bill


def _check_amount(amount_fen: int, settings: Settings) -> None:
    least = max(settings.payout_min_fen, settings.transfer_min_fen)
    if not least <= amount_fen <= settings.payout_max_fen:
        raise PayoutAmountOutOfRange(amount_fen, least, settings.payout_max_fen)


def _lock_distributor(session: Session, member_id: int) -> Distributor:
    """Lock a distributor against being frozen, and against another request, at this moment."""
    distributor = session.scalar(
        sa.select(Distributor)
        .where(Distributor.member_id == member_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if distributor is None or distributor.standing not in MAY_EARN:
        raise NotADistributor
    if distributor.standing is not Standing.ACTIVE:
        raise PayoutOnHold(distributor.standing)
    return distributor


def _check_balance(
    session: Session, member_id: int, amount_fen: int, *, is_allocated: bool
) -> None:
    """Lock the accounts and refuse a member who owes, or asks for more than there is."""
    accounts = [available(member_id), in_transit(member_id), debt(member_id)]
    held = ledger.lock_balances(session, accounts)
    if held[debt(member_id)] < 0:
        raise PayoutDebtOpen(-held[debt(member_id)])
    available_fen = held[available(member_id)]
    if amount_fen > available_fen or not is_allocated:
        raise InsufficientBalance(amount_fen, available_fen)


def _payee_openid(session: Session, member_id: int) -> str:
    return session.execute(
        sa.select(Member.wechat_openid).where(Member.id == member_id)
    ).scalar_one()


def _bill_amounts(amount_fen: int, distributor: Distributor, settings: Settings) -> tuple[int, ...]:
    """Split by what WeChat takes in one transfer, in a day, and without knowing a name."""
    limits = [
        settings.transfer_max_fen,
        settings.transfer_member_day_fen,
        settings.transfer_merchant_day_fen,
    ]
    if distributor.real_name_sealed is None:
        limits.append(settings.transfer_name_required_fen - 1)
    return split(amount_fen, min_fen=settings.transfer_min_fen, max_fen=min(limits))


def _bills(payout: Payout, amounts_fen: Sequence[int], *, now: datetime) -> list[PayoutBill]:
    return [
        PayoutBill(
            number=business_number("B", now),
            amount_fen=part_fen,
            payee_openid=payout.payee_openid,
            state=BillState.CREATED,
            created_at=now,
        )
        for part_fen in amounts_fen
    ]


def _audit(
    session: Session, actor: Actor, action: str, payout: Payout, change: Change, *, now: datetime
) -> None:
    audit.record(session, actor, action, Subject("payout", payout.id), change, now=now)
