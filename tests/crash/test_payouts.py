"""A worker that dies, sleeps or hears nothing around a transfer never pays twice, and always once.

The judge is the sandbox: another process with books of its own.
"""

import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import psutil
import pytest
import redis as redis_client
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.db import database_now
from app.kernel.jobs import ring
from app.ledger.queries import Balances, balance, balances
from app.ledger.transfers import WECHAT_PAID_OUT
from app.payouts.jobs import send_payouts
from app.payouts.models import BillStep, Payout, PayoutBill
from app.payouts.sending import begin_next_bill
from app.payouts.states import BillState, PayoutState
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.crash.conditions import wait_until
from tests.factories.payouts import broken_invariants, make_approved, make_earner
from tests.servers import Process

pytestmark = pytest.mark.commits
TRANSFERS = "/v3/fund-app"
KILLS = 50
Launch = Callable[..., Process]


def approve(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    *,
    people: int = 1,
    amount_fen: int = 5_000,
) -> list[int]:
    """Let so many people have a payout each that is approved; returns who."""
    members, now = [], database_now()
    for _ in range(people):
        earner = make_earner(session, amount_fen, openid=sandbox.user())
        make_approved(session, earner, amount_fen, settings=settings, now=now)
        members.append(earner.member_id)
    session.commit()
    return members


def make_all_due(session: Session, *, sent_ago: timedelta = timedelta()) -> None:
    """Let the time pass that bills wait before they are due again."""
    now = database_now()
    session.execute(sa.update(PayoutBill).where(PayoutBill.due_at.is_not(None)).values(due_at=now))
    session.execute(
        sa.update(PayoutBill).where(PayoutBill.sent_at.is_not(None)).values(sent_at=now - sent_ago)
    )
    session.commit()


def bills_of(session: Session) -> list[PayoutBill]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(sa.select(PayoutBill).order_by(PayoutBill.id)))


def states(session: Session) -> Counter[BillState]:
    return Counter(bill.state for bill in bills_of(session))


def booked(sandbox: SandboxClient) -> list[str]:
    return [one["out_bill_no"] for one in sandbox.books()["transfers"]]


def confirm_all(sandbox: SandboxClient) -> None:
    for one in sandbox.books()["transfers"]:
        if one["state"] == "WAIT_USER_CONFIRM":
            sandbox.confirm(one["out_bill_no"])


def finish(session: Session, sandbox: SandboxClient) -> None:
    """Let the faults be over: ask, let everybody accept, ask again."""
    sandbox.clear_faults()
    for _ in range(2):
        make_all_due(session)
        send_payouts()
    confirm_all(sandbox)
    make_all_due(session)
    send_payouts()


def assert_each_was_paid_once(
    session: Session, sandbox: SandboxClient, members: list[int], amount_fen: int = 5_000
) -> None:
    books = sandbox.books()
    bills = bills_of(session)
    assert {bill.state for bill in bills} == {BillState.SUCCEEDED}
    assert sorted(booked(sandbox)) == sorted(bill.number for bill in bills)
    owed = {payout.payee_openid: payout.amount_fen for payout in session.scalars(sa.select(Payout))}
    received = {openid: one["received_fen"] for openid, one in books["per_openid"].items()}
    assert received == owed
    assert set(session.scalars(sa.select(Payout.state))) == {PayoutState.SUCCEEDED}
    assert [balances(session, one) for one in members] == [Balances(0, 0, 0, 0)] * len(members)
    assert balance(session, WECHAT_PAID_OUT) == amount_fen * len(members)
    assert broken_invariants(session) == []


def run_job(launch: Launch, **variables: object) -> tuple[Process, int]:
    """Start a worker that does all that is due and ends; also where its words begin in the log."""
    process = launch("run-job", "send_payouts", **variables)
    return process, process.log.stat().st_size


def words_of(process: Process, beginning: int) -> str:
    return process.log.read_text()[beginning:]


def horse_of(worker: Process) -> psutil.Process | None:
    """The child in which a worker runs its job at this moment."""
    assert worker.popen is not None
    children = psutil.Process(worker.popen.pid).children()
    return children[0] if children else None


def test_fifty_workers_killed_between_wechats_booking_and_our_commit_pay_each_exactly_once(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    launch: Launch,
    redis: redis_client.Redis,
) -> None:
    members = approve(session, sandbox, settings, people=KILLS)
    sandbox.fault(TRANSFERS, "delay", seconds=60, times=0)
    worker = launch("worker")
    killed = 0

    while killed < KILLS:
        ring(redis, "send_payouts", bucket=killed)
        wait_until(lambda: len(booked(sandbox)) == killed + 1, f"booking {killed + 1}")  # noqa: B023
        horse = horse_of(worker)
        assert horse is not None
        horse.kill()
        wait_until(lambda: horse_of(worker) is None, "the death of the worker")
        killed += 1

    [fault] = sandbox.faults()
    assert fault["hits"] == KILLS
    assert states(session) == {BillState.SENDING: KILLS}
    finish(session, sandbox)
    assert [bill.attempts for bill in bills_of(session)] == [1] * KILLS
    assert_each_was_paid_once(session, sandbox, members)


@pytest.mark.parametrize("fault", ["error_after", "drop", "bad_signature", "delay"])
def test_a_worker_that_hears_nothing_after_the_booking_leaves_it_to_be_asked_about(
    session: Session, sandbox: SandboxClient, settings: Settings, launch: Launch, fault: str
) -> None:
    members = approve(session, sandbox, settings, people=3)
    sandbox.fault(TRANSFERS, fault, seconds=3, times=0)

    process, _ = run_job(launch, WECHAT_TIMEOUT_SECONDS=1)
    assert process.popen is not None
    assert process.popen.wait(60) == 0

    assert sum(one["hits"] for one in sandbox.faults()) == 6
    assert states(session) == {BillState.SENDING: 3}
    assert len(booked(sandbox)) == 3
    finish(session, sandbox)
    assert_each_was_paid_once(session, sandbox, members)


@pytest.mark.parametrize("fault", ["error_before", "drop_before"])
def test_what_never_reached_wechat_is_sent_again_under_the_same_number_and_not_too_soon(
    session: Session, sandbox: SandboxClient, settings: Settings, launch: Launch, fault: str
) -> None:
    members = approve(session, sandbox, settings, people=3)
    numbers = [bill.number for bill in bills_of(session)]
    sandbox.fault(TRANSFERS, fault, times=0)
    process, _ = run_job(launch)
    assert process.popen is not None
    assert process.popen.wait(60) == 0
    assert sum(one["hits"] for one in sandbox.faults()) == 6
    sandbox.clear_faults()

    make_all_due(session)
    send_payouts()
    assert booked(sandbox) == []

    make_all_due(session, sent_ago=timedelta(seconds=settings.payout_not_found_seconds))
    send_payouts()
    assert sorted(booked(sandbox)) == sorted(numbers)
    finish(session, sandbox)
    assert [bill.attempts for bill in bills_of(session)] == [2] * 3
    assert_each_was_paid_once(session, sandbox, members)


def test_a_worker_killed_before_the_call_leaves_a_bill_that_is_asked_about_first(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    members = approve(session, sandbox, settings)
    assert begin_next_bill(settings=settings, now=database_now()) is not None

    make_all_due(session)
    assert send_payouts() == 1
    assert (booked(sandbox), states(session)) == ([], {BillState.SENDING: 1})

    make_all_due(session, sent_ago=timedelta(seconds=settings.payout_not_found_seconds))
    assert send_payouts() == 2
    assert len(booked(sandbox)) == 1
    finish(session, sandbox)
    assert_each_was_paid_once(session, sandbox, members)


def test_a_worker_that_sleeps_through_everything_changes_nothing_when_it_wakes(
    session: Session, sandbox: SandboxClient, settings: Settings, launch: Launch
) -> None:
    members = approve(session, sandbox, settings)
    sandbox.fault(TRANSFERS, "delay", seconds=2)
    process, beginning = run_job(launch)
    wait_until(lambda: len(booked(sandbox)) == 1, "the booking")
    assert process.popen is not None
    process.popen.send_signal(signal.SIGSTOP)

    finish(session, sandbox)
    [before] = bills_of(session)
    steps = session.scalar(sa.select(sa.func.count()).select_from(BillStep))
    process.popen.send_signal(signal.SIGCONT)
    status = process.popen.wait(60)

    [after] = bills_of(session)
    assert status == 0
    assert '"outcome": "stale"' in words_of(process, beginning)
    assert (after.state, after.lease, after.ended_at) == (
        BillState.SUCCEEDED,
        before.lease,
        before.ended_at,
    )
    assert session.scalar(sa.select(sa.func.count()).select_from(BillStep)) == steps
    assert_each_was_paid_once(session, sandbox, members)


def test_a_worker_asleep_while_its_send_was_refused_cannot_give_back_what_was_paid_since(
    session: Session, sandbox: SandboxClient, settings: Settings, launch: Launch
) -> None:
    members = approve(session, sandbox, settings)
    sandbox.limits(max_fen=1_000)
    sandbox.fault(f"{TRANSFERS}/mch-transfer/transfer-bills/out-bill-no", "delay", seconds=2)
    process, beginning = run_job(launch)
    wait_until(lambda: _was_asked(sandbox), "the query after the refusal")
    assert process.popen is not None
    process.popen.send_signal(signal.SIGSTOP)
    sandbox.limits(max_fen=20_000)

    make_all_due(session, sent_ago=timedelta(seconds=settings.payout_not_found_seconds))
    send_payouts()
    process.popen.send_signal(signal.SIGCONT)
    assert process.popen.wait(60) == 0
    finish(session, sandbox)

    assert '"state": "refused", "outcome": "stale"' in words_of(process, beginning)
    assert_each_was_paid_once(session, sandbox, members)


def _was_asked(sandbox: SandboxClient) -> bool:
    return any(one["hits"] for one in sandbox.faults())


def test_a_flushed_redis_loses_no_payout(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    launch: Launch,
    redis: redis_client.Redis,
) -> None:
    members = approve(session, sandbox, settings, people=20)
    for bucket in range(3):
        ring(redis, "send_payouts", bucket=bucket)
    assert redis.dbsize()
    redis.flushall()

    quick = {
        "SWEEP_SECONDS": 1,
        "RELAY_SECONDS": 0.1,
        "PAYOUT_QUERY_SECONDS": 1,
        "PAYOUT_NOT_FOUND_SECONDS": 2,
        "WECHAT_TIMEOUT_SECONDS": 2,
    }
    launch("worker", **quick)
    launch("scheduler", **quick)
    launch("relay", **quick)
    wait_until(lambda: len(booked(sandbox)) > 0, "the first transfer")
    redis.flushall()
    wait_until(lambda: states(session)[BillState.WAITING_USER] == 20, "every offer")
    redis.flushall()
    confirm_all(sandbox)
    wait_until(lambda: states(session)[BillState.SUCCEEDED] == 20, "every end")

    assert_each_was_paid_once(session, sandbox, members)


def test_workers_killed_at_random_moments_under_every_fault_end_with_everybody_paid_once(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    launch: Launch,
) -> None:
    members = approve(session, sandbox, settings, people=20)
    for fault in ("error_before", "error_after", "drop", "drop_before", "bad_signature"):
        sandbox.fault(TRANSFERS, fault, times=8)
    quick = {
        "SWEEP_SECONDS": 1,
        "PAYOUT_QUERY_SECONDS": 1,
        "PAYOUT_NOT_FOUND_SECONDS": 2,
        "WECHAT_TIMEOUT_SECONDS": 1,
    }
    launch("scheduler", **quick)
    workers = [launch("worker", **quick) for _ in range(2)]
    killed: set[int] = set()

    def kill_another() -> bool:
        for worker in workers:
            horse = horse_of(worker)
            if horse is not None and horse.pid not in killed:
                horse.kill()
                killed.add(horse.pid)
                return True
        return False

    while len(killed) < 10:
        wait_until(kill_another, "another job to kill")
    wait_until(lambda: states(session)[BillState.WAITING_USER] == 20, "every offer")
    confirm_all(sandbox)
    wait_until(lambda: states(session)[BillState.SUCCEEDED] == 20, "every end")

    assert all(one["hits"] > 0 for one in sandbox.faults())
    assert_each_was_paid_once(session, sandbox, members)
