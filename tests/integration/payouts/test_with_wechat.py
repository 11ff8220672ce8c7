"""Payouts against the sandbox: its own books, kept by another process, are the judge."""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.db import database_now
from app.ledger.queries import Balances, balances
from app.members.models import Distributor
from app.payouts import services
from app.payouts.jobs import send_payouts
from app.payouts.models import Payout, PayoutBill
from app.payouts.recording import record_bill
from app.payouts.sending import begin_next_bill, carry_out
from app.payouts.states import BillState, PayoutState
from app.settings import Settings
from app.wechat.values import TransferState
from scripts.sandbox.client import SandboxClient
from tests.factories.payouts import broken_invariants, make_approved, make_earner, openid_of

TRANSFERS = "/v3/fund-app"
DAY = timedelta(days=1)
ON_A_SEND = [
    "error_before",
    "error_after",
    "drop",
    "drop_before",
    "bad_signature",
    "status_429",
    "accepted",
]


@dataclass
class Office:
    """A worker whose clock the test moves, an earner with a phone, and WeChat."""

    session: Session
    sandbox: SandboxClient
    settings: Settings
    now: datetime

    def approve(self, amount_fen: int, *, is_known: bool = True, **facts: Any) -> Distributor:
        earner = make_earner(self.session, amount_fen, **facts)
        if is_known:
            self.sandbox.user(openid=openid_of(self.session, earner))
        make_approved(self.session, earner, amount_fen, settings=self.settings, now=self.now)
        return earner

    def work(self) -> int:
        """Do everything that is due now."""
        count = 0
        while errand := begin_next_bill(settings=self.settings, now=self.now):
            report = carry_out(errand)
            record_bill(errand.bill_id, report, errand=errand, settings=self.settings, now=self.now)
            count += 1
        return count

    def work_until(self, state: BillState, *, within: timedelta = timedelta(hours=2)) -> None:
        """Let time pass, here and there, until every bill has reached a state."""
        ends_at = self.now + within
        while self.now < ends_at:
            self.work()
            if {bill.state for bill in self.bills()} == {state}:
                return
            self.now += timedelta(minutes=1)
            self.sandbox.advance(60)
        raise AssertionError(f"{[(bill.state, bill.last_error) for bill in self.bills()]}")

    def bills(self) -> list[PayoutBill]:
        self.session.expire_all()
        return list(self.session.scalars(sa.select(PayoutBill).order_by(PayoutBill.id)))

    def confirm_all(self) -> None:
        for transfer in self.sandbox.books()["transfers"]:
            if transfer["state"] == "WAIT_USER_CONFIRM":
                self.sandbox.confirm(transfer["out_bill_no"])

    def received_fen(self, earner: Distributor) -> int:
        people = self.sandbox.books()["per_openid"]
        return int(people.get(openid_of(self.session, earner), {}).get("received_fen", 0))

    def transfers(self) -> list[tuple[str, int, str]]:
        return [
            (one["out_bill_no"], one["amount"], one["state"])
            for one in self.sandbox.books()["transfers"]
        ]


@pytest.fixture
def office(session: Session, sandbox: SandboxClient, settings: Settings) -> Office:
    return Office(session, sandbox, settings, database_now())


def held(office: Office, earner: Distributor) -> Balances:
    return balances(office.session, earner.member_id)


def payout_state(office: Office) -> PayoutState:
    return office.session.execute(sa.select(Payout.state)).scalar_one()


def test_a_payout_is_sent_confirmed_and_booked(office: Office) -> None:
    earner = office.approve(45_000)

    assert send_payouts() == 3
    bills = office.bills()
    assert {bill.state for bill in bills} == {BillState.WAITING_USER}
    assert all(bill.package_info for bill in bills)

    office.confirm_all()
    office.now = database_now() + timedelta(minutes=2)
    assert office.work() == 3

    assert {bill.state for bill in office.bills()} == {BillState.SUCCEEDED}
    assert payout_state(office) is PayoutState.SUCCEEDED
    assert office.received_fen(earner) == 45_000
    assert held(office, earner) == Balances(0, 0, 0, 0)
    assert office.transfers() == [(bill.number, bill.amount_fen, "SUCCESS") for bill in bills]
    assert broken_invariants(office.session) == []


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fault", ON_A_SEND)
def test_whatever_happens_to_the_answers_the_amount_is_paid_once(
    office: Office, fault: str, times: int
) -> None:
    earner = office.approve(5_000)
    office.sandbox.fault(TRANSFERS, fault, times=times)

    office.work_until(BillState.WAITING_USER)
    office.confirm_all()
    office.work_until(BillState.SUCCEEDED)

    assert [one["hits"] > 0 for one in office.sandbox.faults()] == [True]
    [bill] = office.bills()
    assert office.transfers() == [(bill.number, 5_000, "SUCCESS")]
    assert office.received_fen(earner) == 5_000
    assert held(office, earner) == Balances(0, 0, 0, 0)
    assert broken_invariants(office.session) == []


def test_a_send_that_may_have_arrived_is_not_repeated_before_it_is_known_not_to_have(
    office: Office,
) -> None:
    office.approve(5_000)
    office.sandbox.fault(TRANSFERS, "drop_before", times=2)

    office.work()
    sent_at = office.now
    for _ in range(4):
        office.now += timedelta(minutes=1)
        office.work()
        assert [bill.attempts for bill in office.bills()] == [1]

    office.now = sent_at + timedelta(seconds=office.settings.payout_not_found_seconds)
    office.work()
    assert [bill.attempts for bill in office.bills()] == [2]
    assert [state for _, _, state in office.transfers()] == ["WAIT_USER_CONFIRM"]


def test_an_empty_balance_is_waited_for_under_the_same_number(office: Office) -> None:
    earner = office.approve(5_000)
    office.sandbox.balance(0)

    office.work()
    [bill] = office.bills()
    assert (bill.state, bill.last_error) == (BillState.SENDING, "NOT_ENOUGH")
    number = bill.number
    assert office.transfers() == []

    office.sandbox.balance(1_000_000)
    office.work_until(BillState.WAITING_USER)
    office.confirm_all()
    office.work_until(BillState.SUCCEEDED)
    assert office.transfers() == [(number, 5_000, "SUCCESS")]
    assert office.received_fen(earner) == 5_000


def test_a_receiver_unknown_to_wechat_gets_their_commission_back(office: Office) -> None:
    earner = office.approve(5_000, is_known=False)

    office.work()

    [bill] = office.bills()
    assert (bill.state, bill.fail_reason) == (BillState.FAILED, "PARAM_ERROR")
    assert payout_state(office) is PayoutState.FAILED
    assert held(office, earner) == Balances(0, 5_000, 0, 0)
    assert office.transfers() == []
    assert broken_invariants(office.session) == []


def test_wechats_own_limit_of_the_day_gives_the_rest_back(office: Office) -> None:
    earner = office.approve(40_000)
    office.sandbox.limits(user_day_fen=25_000)

    office.work()
    office.confirm_all()
    office.now += timedelta(minutes=2)
    office.work()

    assert {bill.state for bill in office.bills()} == {BillState.SUCCEEDED, BillState.FAILED}
    assert payout_state(office) is PayoutState.PARTLY_SUCCEEDED
    assert office.received_fen(earner) == 20_000
    assert held(office, earner) == Balances(0, 20_000, 0, 0)
    assert broken_invariants(office.session) == []


def test_a_day_without_confirmation_ends_by_wechats_word_and_not_by_our_clock(
    office: Office,
) -> None:
    earner = office.approve(5_000)
    office.work()
    office.now += 2 * DAY
    office.work()
    assert [bill.state for bill in office.bills()] == [BillState.WAITING_USER]
    assert held(office, earner) == Balances(0, 0, 5_000, 0)

    office.sandbox.advance(24 * 3600 + 60)
    office.now += timedelta(hours=1)
    office.work()

    [bill] = office.bills()
    assert (bill.state, bill.fail_reason) == (BillState.FAILED, "OVERDUE_CLOSE")
    assert held(office, earner) == Balances(0, 5_000, 0, 0)
    assert office.received_fen(earner) == 0
    assert broken_invariants(office.session) == []


def test_a_failure_at_wechat_gives_the_money_back_and_it_can_be_asked_for_again(
    office: Office,
) -> None:
    earner = office.approve(5_000)
    office.work()
    [bill] = office.bills()
    office.sandbox.fail(bill.number, "PAYEE_ACCOUNT_ABNORMAL")
    office.now += timedelta(minutes=2)
    office.work()
    assert held(office, earner) == Balances(0, 5_000, 0, 0)

    make_approved(office.session, earner, 5_000, settings=office.settings, now=office.now)
    office.work()
    office.confirm_all()
    office.now += timedelta(minutes=2)
    office.work()

    assert office.received_fen(earner) == 5_000
    assert [state for _, _, state in office.transfers()] == ["FAIL", "SUCCESS"]
    assert len({number for number, _, _ in office.transfers()}) == 2
    assert broken_invariants(office.session) == []


@pytest.mark.parametrize("fault", [None, "error_before", "error_after", "drop", "drop_before"])
def test_a_transfer_is_taken_back_at_wechat(office: Office, fault: str | None) -> None:
    earner = office.approve(5_000)
    office.work()
    [bill] = office.bills()
    member = Actor("member", earner.member_id)
    services.ask_cancel_bill(office.session, bill.id, actor=member, now=office.now)
    office.session.commit()
    if fault is not None:
        office.sandbox.fault(f"{TRANSFERS}/mch-transfer/transfer-bills/out-bill-no", fault, times=2)

    office.work_until(BillState.CANCELLED)

    assert {one["hits"] for one in office.sandbox.faults()} == ({2} if fault else set())
    assert held(office, earner) == Balances(0, 5_000, 0, 0)
    assert office.received_fen(earner) == 0
    assert [state for _, _, state in office.transfers()] == ["CANCELLED"]
    assert broken_invariants(office.session) == []


def test_a_cancellation_that_comes_too_late_pays(office: Office) -> None:
    earner = office.approve(5_000)
    office.work()
    [bill] = office.bills()
    services.ask_cancel_bill(
        office.session, bill.id, actor=Actor("member", earner.member_id), now=office.now
    )
    office.session.commit()
    office.sandbox.confirm(bill.number)

    office.work_until(BillState.SUCCEEDED)

    assert office.received_fen(earner) == 5_000
    assert held(office, earner) == Balances(0, 0, 0, 0)


def test_a_large_transfer_reaches_only_the_person_of_that_name(office: Office) -> None:
    office.settings = replace(
        office.settings, transfer_max_fen=250_000, transfer_member_day_fen=1_000_000
    )
    office.sandbox.limits(max_fen=300_000, user_day_fen=1_000_000)
    earner = office.approve(250_000, real_name="欧阳丽")

    office.work_until(BillState.WAITING_USER)
    office.confirm_all()
    office.work_until(BillState.SUCCEEDED)

    assert office.received_fen(earner) == 250_000
    assert [amount for _, amount, _ in office.transfers()] == [250_000]


def test_the_job_finds_nothing_to_do_twice(office: Office) -> None:
    office.approve(5_000)

    assert send_payouts() == 1
    assert send_payouts() == 0
    assert len(office.transfers()) == 1


def test_a_worker_that_slept_through_its_lease_sends_nothing(office: Office) -> None:
    office.approve(5_000)
    errand = begin_next_bill(settings=office.settings, now=office.now)
    assert errand is not None

    report = carry_out(replace(errand, until=time.monotonic()))

    assert report.state is TransferState.UNKNOWN
    assert office.transfers() == []
