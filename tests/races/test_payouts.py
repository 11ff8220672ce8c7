"""Withdrawals, decisions, workers and callbacks at the same instant: each effect once."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import jobs as distribution_jobs
from app.distribution.models import Award
from app.kernel.audit import Actor, AuditRecord
from app.kernel.db import atomic, retrying
from app.kernel.inbox import InboxNotice
from app.kernel.outbox import OutboxEvent, Task
from app.ledger.queries import Balances, balance, balances
from app.ledger.transfers import WECHAT_PAID_OUT
from app.payouts import services
from app.payouts.jobs import send_payouts
from app.payouts.models import Payout, PayoutBill, PayoutStep
from app.payouts.recording import handle_transfer_notice, record_bill
from app.payouts.sending import begin_next_bill
from app.payouts.states import BillState, PayoutState
from app.settings import Settings
from app.wechat.values import Notice, TransferState
from scripts.sandbox.client import SandboxClient
from tests.factories.payouts import (
    broken_invariants,
    make_actor,
    make_approved,
    make_award,
    make_earner,
    make_payout,
    openid_of,
    refund_award,
    report_on,
)
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits


def withdraw(member_id: int, amount_fen: int, settings: Settings, now: datetime) -> int:
    """Ask for a payout as the API does: a transaction of its own, again where PostgreSQL asks."""

    def act() -> int:
        with atomic() as session:
            payout = services.request(
                session,
                member_id=member_id,
                amount_fen=amount_fen,
                fresh_at=now,
                settings=settings,
                now=now,
            )
            return payout.id

    return retrying(act)


def decide(act: Callable[[Session], object]) -> str:
    with atomic() as session:
        act(session)
    return "done"


def codes(results: Sequence[object]) -> Counter[str]:
    """Count refusals by code, and what was done or left."""
    return Counter(
        str(one) if isinstance(one, str) else "done" if one else "nothing" for one in results
    )


def bills_of(session: Session) -> list[PayoutBill]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(sa.select(PayoutBill).order_by(PayoutBill.id)))


def count(session: Session, model: type) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_of_twenty_withdrawals_of_everything_exactly_one_succeeds(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 3_000, 2_000)
    member_id = earner.member_id
    session.commit()

    results = at_once(app, *[partial(withdraw, member_id, 5_000, settings, now)] * 20)

    assert codes(results) == {"done": 1, "insufficient_balance": 19}
    assert balances(session, member_id) == Balances(0, 0, 5_000, 0)
    assert count(session, Payout) == 1
    assert session.scalars(sa.select(Award.allocated_fen).order_by(Award.id)).all() == [
        3_000,
        2_000,
    ]
    assert broken_invariants(session) == []


def test_withdrawals_of_a_part_stop_exactly_where_the_balance_does(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, *[700] * 10)
    member_id = earner.member_id
    session.commit()

    results = at_once(app, *[partial(withdraw, member_id, 1_500, settings, now)] * 12)

    assert codes(results) == {"done": 4, "insufficient_balance": 8}
    assert balances(session, member_id) == Balances(0, 1_000, 6_000, 0)
    assert broken_invariants(session) == []


@pytest.mark.parametrize("round_number", range(5))
def test_a_withdrawal_and_a_clawback_at_the_same_instant_lose_nothing(
    app: Flask, session: Session, settings: Settings, now: datetime, round_number: int
) -> None:
    members = []
    for _ in range(4):
        earner = make_earner(session)
        awards = [make_award(session, earner, fen) for fen in (2_000, 3_000)]
        for award in awards:
            refund_id = refund_award(session, award, 10_000)
            session.add(
                Task(job="claw_back_refunds", subject_id=refund_id, created_at=now, due_at=now)
            )
        members.append(earner.member_id)
    session.commit()
    asks = [partial(withdraw, one, 5_000, settings, now) for one in members for _ in range(2)]

    results = at_once(app, *asks, *[distribution_jobs.claw_back_refunds] * 4)

    winners = [one for one in results[: len(asks)] if isinstance(one, int)]
    assert count(session, Payout) == len(winners) <= len(members)
    for member_id in members:
        held = balances(session, member_id)
        won = held.in_transit_fen == 5_000
        assert held == (Balances(0, 0, 5_000, 2_000) if won else Balances(0, 3_000, 0, 0))
    assert count(session, Task) == 0
    assert broken_invariants(session) == []


@pytest.mark.parametrize("said", [TransferState.FAIL, TransferState.SUCCESS])
def test_the_end_of_a_payout_and_a_clawback_of_its_awards_wait_for_each_other(
    app: Flask, session: Session, settings: Settings, now: datetime, said: TransferState
) -> None:
    earner = make_earner(session)
    awards = [make_award(session, earner, 2_000) for _ in range(6)]
    make_approved(session, earner, 12_000, settings=replace(settings, transfer_max_fen=2_000))
    while begin_next_bill(settings=settings, now=now):
        pass
    for award in awards:
        refund_id = refund_award(session, award, 5_000)
        session.add(Task(job="claw_back_refunds", subject_id=refund_id, created_at=now, due_at=now))
    member_id = earner.member_id
    session.commit()
    records = [
        partial(record_bill, bill.id, report_on(bill, said), settings=settings, now=now)
        for bill in bills_of(session)
    ]
    session.rollback()

    at_once(app, *records, *[distribution_jobs.claw_back_refunds] * 3)

    expected = {
        TransferState.FAIL: Balances(0, 9_000, 0, 0),
        TransferState.SUCCESS: Balances(0, 0, 0, 3_000),
    }
    assert balances(session, member_id) == expected[said]
    assert broken_invariants(session) == []


def test_of_many_workers_one_takes_a_bill_up(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)

    results = at_once(app, *[partial(begin_next_bill, settings=settings, now=now)] * 8)

    assert codes(results) == {"done": 1, "nothing": 7}
    [bill] = bills_of(session)
    assert (bill.lease, bill.attempts) == (1, 1)


def test_many_workers_send_each_bill_once(
    app: Flask, session: Session, settings: Settings, sandbox: SandboxClient, now: datetime
) -> None:
    earner = make_earner(session, 20_000)
    sandbox.user(openid=openid_of(session, earner))
    small = replace(settings, transfer_max_fen=1_000)
    make_approved(session, earner, 20_000, settings=small)

    taken = at_once(app, *[send_payouts] * 4)

    transfers = sandbox.books()["transfers"]
    assert sum(one for one in taken if isinstance(one, int)) == 20
    assert {bill.number for bill in bills_of(session)} == {one["out_bill_no"] for one in transfers}
    assert len(transfers) == 20
    assert {bill.state for bill in bills_of(session)} == {BillState.WAITING_USER}
    assert [bill.attempts for bill in bills_of(session)] == [1] * 20


def test_workers_do_not_pass_the_limit_of_a_day_together(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    narrow = replace(
        settings,
        transfer_max_fen=1_000,
        transfer_member_day_fen=4_000,
        transfer_merchant_day_fen=6_000,
    )
    for _ in range(2):
        make_approved(session, make_earner(session, 8_000), 8_000, settings=narrow)

    results = at_once(app, *[partial(begin_next_bill, settings=narrow, now=now)] * 16)

    sent = [bill for bill in bills_of(session) if bill.sent_at is not None]
    per_member = Counter(bill.payee_openid for bill in sent)
    assert codes(results) == {"done": 6, "nothing": 10}
    assert sum(bill.amount_fen for bill in sent) == 6_000
    assert max(per_member.values()) <= 4


def test_when_several_people_approve_a_small_payout_at_once_one_does(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    payout_id = make_payout(session, make_earner(session, 5_000), 5_000, settings=settings).id
    actors = [make_actor(session) for _ in range(8)]
    session.commit()

    results = at_once(app, *[_approval(payout_id, one, settings, now) for one in actors])

    assert codes(results) == {"done": 1, "payout_not_in_state": 7}
    assert session.scalars(sa.select(OutboxEvent.name)).all() == ["payout_approved"]
    assert count(session, PayoutStep) == 1
    approved = sa.select(AuditRecord.id).where(AuditRecord.action == "payout.approved")
    assert len(session.scalars(approved).all()) == 1


def test_when_several_people_approve_a_large_payout_at_once_two_different_ones_do(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    payout_id = make_payout(session, make_earner(session, 50_000), 50_000, settings=settings).id
    actors = [make_actor(session) for _ in range(3)]
    session.commit()
    twice = [_approval(payout_id, one, settings, now) for one in actors for _ in range(3)]

    results = at_once(app, *twice)

    payout = session.get_one(Payout, payout_id, populate_existing=True)
    assert codes(results)["done"] == 2
    assert payout.state is PayoutState.APPROVED
    assert payout.first_approver_id != payout.second_approver_id
    assert session.scalars(sa.select(OutboxEvent.name)).all() == ["payout_approved"]
    assert broken_invariants(session) == []


def test_of_contrary_decisions_at_once_one_counts(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout_id = make_payout(session, earner, 5_000, settings=settings).id
    actor, member_id = make_actor(session), earner.member_id
    session.commit()

    def reject(session: Session) -> object:
        return services.reject(session, payout_id, actor=actor, reason="no", now=now)

    def cancel(session: Session) -> object:
        return services.cancel(session, payout_id, member_id=member_id, now=now)

    acts: list[Callable[[], str]] = [
        _approval(payout_id, actor, settings, now),
        partial(decide, reject),
        partial(decide, cancel),
    ]
    results = at_once(app, *acts * 3)

    assert codes(results) == {"done": 1, "payout_not_in_state": 8}
    state = session.execute(sa.select(Payout.state)).scalar_one()
    approved = state is PayoutState.APPROVED
    assert balances(session, member_id) == (
        Balances(0, 0, 5_000, 0) if approved else Balances(0, 5_000, 0, 0)
    )
    assert broken_invariants(session) == []


def _approval(payout_id: int, actor: Actor, settings: Settings, now: datetime) -> Callable[[], str]:
    def act(session: Session) -> object:
        return services.approve(session, payout_id, actor=actor, settings=settings, now=now)

    return partial(decide, act)


@pytest.mark.parametrize("same_id", [True, False])
def test_eight_notices_at_once_act_once(
    app: Flask, session: Session, settings: Settings, now: datetime, same_id: bool
) -> None:
    earner = make_earner(session, 5_000)
    make_approved(session, earner, 5_000, settings=settings)
    begin_next_bill(settings=settings, now=now)
    [bill] = bills_of(session)
    notices = [
        Notice(
            notice_id="one" if same_id else f"notice-{number}",
            event_type="MCHTRANSFER.BILL.FINISHED",
            created_at=now,
            report=report_on(bill, TransferState.SUCCESS),
        )
        for number in range(8)
    ]
    session.rollback()

    at_once(
        app,
        *[partial(handle_transfer_notice, one, settings=settings, now=now) for one in notices],
    )

    outcomes = Counter(session.scalars(sa.select(InboxNotice.outcome)))
    assert outcomes == ({"moved": 1} if same_id else {"moved": 1, "unchanged": 7})
    assert balance(session, WECHAT_PAID_OUT) == 5_000
    assert balances(session, earner.member_id) == Balances(0, 0, 0, 0)
    assert broken_invariants(session) == []


def test_all_bills_of_a_payout_may_end_at_the_same_instant(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, *[500] * 24)
    make_approved(session, earner, 12_000, settings=replace(settings, transfer_max_fen=1_000))
    while begin_next_bill(settings=settings, now=now):
        pass
    ends = [TransferState.SUCCESS, TransferState.FAIL, TransferState.CANCELLED]
    records = [
        partial(
            record_bill,
            bill.id,
            report_on(bill, ends[position % 3]),
            settings=settings,
            now=now,
        )
        for position, bill in enumerate(bills_of(session))
    ]
    session.rollback()

    results = at_once(app, *records)

    assert codes(results) == {"moved": 12}
    assert session.execute(sa.select(Payout.state)).scalar_one() is PayoutState.PARTLY_SUCCEEDED
    assert balances(session, earner.member_id) == Balances(0, 8_000, 0, 0)
    assert balance(session, WECHAT_PAID_OUT) == 4_000
    assert broken_invariants(session) == []


def test_a_cancellation_and_the_receivers_acceptance_at_once_end_as_wechat_says(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    make_approved(session, earner, 5_000, settings=settings)
    begin_next_bill(settings=settings, now=now)
    [bill] = bills_of(session)
    waiting = report_on(bill, TransferState.WAIT_USER_CONFIRM, package_info="pkg")
    record_bill(bill.id, waiting, settings=settings, now=now)
    member, bill_id = Actor("member", earner.member_id), bill.id
    success = report_on(bill, TransferState.SUCCESS)
    session.rollback()

    def ask(session: Session) -> object:
        return services.ask_cancel_bill(session, bill_id, actor=member, now=now)

    at_once(
        app,
        partial(decide, ask),
        partial(record_bill, bill_id, success, settings=settings, now=now),
    )

    assert [one.state for one in bills_of(session)] == [BillState.SUCCEEDED]
    assert balances(session, earner.member_id) == Balances(0, 0, 0, 0)
    assert broken_invariants(session) == []
