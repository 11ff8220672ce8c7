from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app.distribution.models import Award, AwardState
from app.kernel.audit import Actor, AuditRecord
from app.kernel.inbox import InboxNotice, Received
from app.ledger.queries import Balances, balance, balances
from app.ledger.transfers import WECHAT_PAID_OUT
from app.members.models import Distributor
from app.payouts import services
from app.payouts.errors import PayoutNotInState
from app.payouts.models import BillStep, Payout, PayoutBill
from app.payouts.recording import Recorded, handle_transfer_notice, record_bill
from app.payouts.sending import Errand, begin_bill, begin_next_bill
from app.payouts.states import BillEvent, BillState, PayoutState
from app.settings import Settings
from app.wechat.values import Notice, PaymentReport, PaymentState, TransferReport, TransferState
from tests.factories.payouts import (
    broken_invariants,
    claw_back,
    make_actor,
    make_approved,
    make_award,
    make_earner,
    make_payout,
    report_on,
)

KNOWLEDGE = [TransferState.UNKNOWN, TransferState.NOT_FOUND, TransferState.NOT_NOW]


def bills_of(session: Session) -> Sequence[PayoutBill]:
    session.expire_all()
    return session.scalars(sa.select(PayoutBill).order_by(PayoutBill.id)).all()


def the_bill(session: Session) -> PayoutBill:
    [bill] = bills_of(session)
    return bill


def payout_state(session: Session) -> PayoutState:
    return session.execute(sa.select(Payout.state)).scalar_one()


def held(session: Session, earner: Distributor) -> Balances:
    return balances(session, earner.member_id)


def events_of(session: Session, bill: PayoutBill) -> list[BillEvent]:
    return list(
        session.scalars(
            sa.select(BillStep.event).where(BillStep.bill_id == bill.id).order_by(BillStep.id)
        )
    )


def award_rows(session: Session) -> list[tuple[int, AwardState]]:
    rows = session.execute(sa.select(Award.allocated_fen, Award.state).order_by(Award.id))
    return [(row.allocated_fen, row.state) for row in rows]


class Desk:
    """One bill or more of one earner, in the hands of a worker."""

    def __init__(self, session: Session, settings: Settings, now: datetime) -> None:
        self.session, self.settings, self.now = session, settings, now

    def open(self, *awards_fen: int, amount_fen: int) -> Distributor:
        earner = make_earner(self.session, *awards_fen)
        make_approved(self.session, earner, amount_fen, settings=self.settings)
        return earner

    def send(self) -> Errand:
        errand = begin_next_bill(settings=self.settings, now=self.now)
        assert errand is not None
        return errand

    def ask(self, bill: PayoutBill) -> Errand:
        errand = begin_bill(bill.id, settings=self.settings, now=self.now)
        assert errand is not None
        return errand

    def say(
        self, bill: PayoutBill, state: TransferState, errand: Errand | None = None, **facts: Any
    ) -> Recorded:
        report = report_on(bill, state, **facts)
        return record_bill(bill.id, report, errand=errand, settings=self.settings, now=self.now)

    def notify(self, notice_id: str, report: TransferReport) -> bool:
        notice = Notice(
            notice_id=notice_id,
            event_type="MCHTRANSFER.BILL.FINISHED",
            created_at=self.now,
            report=report,
        )
        return handle_transfer_notice(notice, settings=self.settings, now=self.now)


@pytest.fixture
def desk(session: Session, settings: Settings, now: datetime) -> Desk:
    return Desk(session, settings, now)


def test_a_bill_is_followed_to_its_end_and_the_money_has_left(
    session: Session, desk: Desk, now: datetime
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    bill = the_bill(session)

    assert desk.say(bill, TransferState.ACCEPTED, errand) is Recorded.MOVED
    assert desk.say(bill, TransferState.WAIT_USER_CONFIRM, package_info="pkg") is Recorded.MOVED
    assert desk.say(bill, TransferState.TRANSFERRING) is Recorded.MOVED
    assert held(session, earner) == Balances(0, 0, 5_000, 0)
    assert desk.say(bill, TransferState.SUCCESS) is Recorded.MOVED

    bill = the_bill(session)
    assert events_of(session, bill) == [
        BillEvent.SEND,
        BillEvent.ACCEPT,
        BillEvent.OFFER,
        BillEvent.TAKE,
        BillEvent.SUCCEED,
    ]
    assert (bill.state, bill.ended_at, bill.due_at) == (BillState.SUCCEEDED, now, None)
    assert (bill.wechat_bill_number, bill.package_info) == (f"1330{bill.number}", "pkg")
    assert payout_state(session) is PayoutState.SUCCEEDED
    assert held(session, earner) == Balances(0, 0, 0, 0)
    assert balance(session, WECHAT_PAID_OUT) == 5_000
    assert award_rows(session) == [(5_000, AwardState.WITHDRAWN)]
    assert broken_invariants(session) == []


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        (TransferState.FAIL, BillState.FAILED, "OVERDUE_CLOSE"),
        (TransferState.CANCELLED, BillState.CANCELLED, "MCH_CANCEL"),
    ],
)
def test_what_was_not_paid_may_be_withdrawn_again(
    session: Session, desk: Desk, said: TransferState, state: BillState, reason: str
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()

    desk.say(the_bill(session), said, errand, fail_reason=reason)

    bill = the_bill(session)
    assert (bill.state, bill.fail_reason) == (state, reason)
    assert payout_state(session) is PayoutState.FAILED
    assert held(session, earner) == Balances(0, 5_000, 0, 0)
    assert balance(session, WECHAT_PAID_OUT) == 0
    assert award_rows(session) == [(0, AwardState.MATURED)]
    assert broken_invariants(session) == []


def test_a_payout_ends_with_its_last_bill_and_the_last_awards_are_released(
    session: Session, desk: Desk
) -> None:
    earner = desk.open(15_000, 15_000, 20_000, amount_fen=45_000)
    errands = [desk.send() for _ in range(3)]
    first, second, third = bills_of(session)

    desk.say(first, TransferState.SUCCESS, errands[0])
    desk.say(third, TransferState.FAIL, errands[2], fail_reason="ACCOUNT_FROZEN")
    assert payout_state(session) is PayoutState.APPROVED
    assert held(session, earner) == Balances(0, 10_000, 20_000, 0)
    assert broken_invariants(session) == []

    desk.say(second, TransferState.SUCCESS, errands[1])
    assert payout_state(session) is PayoutState.PARTLY_SUCCEEDED
    assert held(session, earner) == Balances(0, 10_000, 0, 0)
    assert balance(session, WECHAT_PAID_OUT) == 40_000
    assert award_rows(session) == [
        (15_000, AwardState.WITHDRAWN),
        (15_000, AwardState.WITHDRAWN),
        (10_000, AwardState.MATURED),
    ]
    assert broken_invariants(session) == []


def test_an_award_is_withdrawn_only_when_all_of_it_was_paid(
    session: Session, desk: Desk, settings: Settings
) -> None:
    earner = desk.open(10_000, amount_fen=4_000)
    first = desk.send()
    make_approved(session, earner, 6_000, settings=settings)
    second = desk.send()
    one, two = bills_of(session)

    desk.say(one, TransferState.SUCCESS, first)
    assert award_rows(session) == [(10_000, AwardState.MATURED)]

    desk.say(two, TransferState.SUCCESS, second)
    assert award_rows(session) == [(10_000, AwardState.WITHDRAWN)]
    assert broken_invariants(session) == []


def test_what_comes_back_fills_a_debt_first(session: Session, desk: Desk) -> None:
    earner = make_earner(session)
    award = make_award(session, earner, 5_000)
    make_approved(session, earner, 5_000, settings=desk.settings)
    errand = desk.send()
    claw_back(session, award, 30_000)
    session.commit()
    assert held(session, earner) == Balances(0, 0, 5_000, 3_000)

    desk.say(the_bill(session), TransferState.FAIL, errand)

    assert held(session, earner) == Balances(0, 2_000, 0, 0)
    assert broken_invariants(session) == []


def test_a_clawback_after_the_payout_leaves_a_debt(session: Session, desk: Desk) -> None:
    earner = make_earner(session)
    award = make_award(session, earner, 5_000)
    make_approved(session, earner, 5_000, settings=desk.settings)
    errand = desk.send()
    desk.say(the_bill(session), TransferState.SUCCESS, errand)

    claw_back(session, award, 30_000)

    assert held(session, earner) == Balances(0, 0, 0, 3_000)
    assert broken_invariants(session) == []


@pytest.mark.parametrize("said", KNOWLEDGE)
def test_not_knowing_ends_nothing_however_often_it_is_said(
    session: Session, desk: Desk, said: TransferState
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()

    for _ in range(50):
        assert desk.say(the_bill(session), said, errand) is Recorded.UNCHANGED
        desk.now += timedelta(days=1)
        errand = desk.ask(the_bill(session))

    assert the_bill(session).state is BillState.SENDING
    assert held(session, earner) == Balances(0, 0, 5_000, 0)
    assert broken_invariants(session) == []


def test_a_refusal_of_the_only_send_that_counts_ends_the_bill(session: Session, desk: Desk) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()

    desk.say(the_bill(session), TransferState.REFUSED, errand, wechat_code="PARAM_ERROR")

    bill = the_bill(session)
    assert (bill.state, bill.fail_reason) == (BillState.FAILED, "PARAM_ERROR")
    assert held(session, earner) == Balances(0, 5_000, 0, 0)
    assert broken_invariants(session) == []


def test_a_refusal_in_answer_to_a_question_ends_nothing(session: Session, desk: Desk) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    desk.send()
    asked = desk.ask(the_bill(session))

    desk.say(the_bill(session), TransferState.REFUSED, asked, wechat_code="PARAM_ERROR")

    assert the_bill(session).state is BillState.SENDING
    assert held(session, earner) == Balances(0, 0, 5_000, 0)


def test_a_worker_that_slept_through_its_lease_cannot_give_money_back(
    session: Session, desk: Desk
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    asleep = desk.send()
    desk.ask(the_bill(session))

    outcome = desk.say(the_bill(session), TransferState.REFUSED, asleep, wechat_code="PARAM_ERROR")

    assert outcome is Recorded.STALE
    assert the_bill(session).state is BillState.SENDING
    assert held(session, earner) == Balances(0, 0, 5_000, 0)


def test_what_wechat_will_not_take_now_is_sent_again_later(session: Session, desk: Desk) -> None:
    desk.open(5_000, amount_fen=5_000)
    waits = []
    for _ in range(4):
        errand = desk.send()
        assert errand.order is not None
        desk.say(the_bill(session), TransferState.NOT_NOW, errand, wechat_code="NOT_ENOUGH")
        due_at = the_bill(session).due_at
        assert due_at is not None
        waits.append((due_at - desk.now).total_seconds())
        desk.now = due_at

    base = desk.settings.payout_query_seconds
    for wait, doublings in zip(waits, range(4), strict=True):
        assert base * 2**doublings <= wait < base * 2**doublings * 1.25
    assert the_bill(session).last_error == "NOT_ENOUGH"
    assert the_bill(session).attempts == 4


@pytest.mark.parametrize(
    "lie",
    [
        {"amount_fen": 5_001},
        {"openid": "someone-else"},
        {"out_bill_no": "B20260301XXXXXXXXXXXXXXXX"},
    ],
)
def test_a_report_that_contradicts_the_bill_changes_nothing_and_is_loud(
    session: Session, desk: Desk, lie: dict[str, Any]
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    before = the_bill(session).due_at

    with capture_logs() as logs:
        outcome = desk.say(the_bill(session), TransferState.SUCCESS, errand, **lie)

    assert outcome is Recorded.CONTRADICTED
    loud = [line for line in logs if line["log_level"] == "error"]
    assert [line["event"] for line in loud] == ["payout_report_contradicted"]
    bill = the_bill(session)
    assert (bill.state, bill.due_at) == (BillState.SENDING, before)
    assert held(session, earner) == Balances(0, 0, 5_000, 0)
    assert balance(session, WECHAT_PAID_OUT) == 0


def test_a_repeated_notice_acts_once(session: Session, desk: Desk) -> None:
    desk.open(5_000, amount_fen=5_000)
    desk.send()
    report = report_on(the_bill(session), TransferState.SUCCESS)

    for _ in range(15):
        assert desk.notify("notice-1", report)
    desk.notify("notice-2", report)

    kept = session.execute(
        sa.select(InboxNotice.notice_id, InboxNotice.outcome).order_by(InboxNotice.id)
    ).all()
    assert [tuple(row) for row in kept] == [
        ("notice-1", Recorded.MOVED),
        ("notice-2", Recorded.UNCHANGED),
    ]
    assert balance(session, WECHAT_PAID_OUT) == 5_000
    assert broken_invariants(session) == []


def test_a_notice_before_the_answer_to_the_send_is_believed_and_the_answer_is_late(
    session: Session, desk: Desk
) -> None:
    desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    bill = the_bill(session)

    desk.notify("notice-1", report_on(bill, TransferState.SUCCESS))
    outcome = desk.say(bill, TransferState.WAIT_USER_CONFIRM, errand, package_info="pkg")

    assert outcome is Recorded.UNCHANGED
    assert the_bill(session).state is BillState.SUCCEEDED
    assert the_bill(session).package_info is None
    assert broken_invariants(session) == []


def test_a_second_end_is_loud_and_moves_nothing(session: Session, desk: Desk) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    desk.say(the_bill(session), TransferState.SUCCESS, errand)

    outcome = desk.say(the_bill(session), TransferState.FAIL)

    assert outcome is Recorded.CONTRADICTED
    assert the_bill(session).state is BillState.SUCCEEDED
    assert held(session, earner) == Balances(0, 0, 0, 0)


def test_wechat_knowing_a_bill_whose_money_we_gave_back_is_loud(
    session: Session, desk: Desk
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    desk.say(the_bill(session), TransferState.REFUSED, errand, wechat_code="PARAM_ERROR")

    with capture_logs() as logs:
        outcome = desk.say(the_bill(session), TransferState.WAIT_USER_CONFIRM)

    assert outcome is Recorded.CONTRADICTED
    assert ("payout_report_contradicted", "given_back") in [
        (line["event"], line.get("contradiction")) for line in logs
    ]
    assert held(session, earner) == Balances(0, 5_000, 0, 0)


def test_a_notice_about_an_unknown_number_is_kept_and_loud(session: Session, desk: Desk) -> None:
    report = TransferReport(
        out_bill_no="B20260301UNKNOWN", state=TransferState.SUCCESS, amount_fen=1
    )

    with capture_logs() as logs:
        assert desk.notify("notice-1", report)
        assert desk.notify("notice-1", report)

    assert [line["event"] for line in logs] == ["payout_notice_unknown_bill"]
    kept = session.scalars(sa.select(InboxNotice)).one()
    assert (kept.outcome, kept.subject_number) == ("unknown_bill", "B20260301UNKNOWN")


def test_what_is_kept_of_a_notice_names_nobody(session: Session, desk: Desk) -> None:
    desk.open(5_000, amount_fen=5_000)
    desk.send()
    bill = the_bill(session)

    desk.notify("notice-1", report_on(bill, TransferState.FAIL, fail_reason="NAME_NOT_CORRECT"))

    kept = session.scalars(sa.select(InboxNotice)).one()
    assert kept.facts == {"state": "fail", "amount_fen": 5_000, "reason": "NAME_NOT_CORRECT"}
    assert kept.subject_number == bill.number


def test_a_notice_about_something_else_is_for_others(
    session: Session, desk: Desk, now: datetime
) -> None:
    payment = PaymentReport(out_trade_no="T1", state=PaymentState.PAID)
    notice = Notice(notice_id="n", event_type="TRANSACTION.SUCCESS", created_at=now, report=payment)

    assert not handle_transfer_notice(notice, settings=desk.settings, now=now)
    assert session.scalars(sa.select(InboxNotice)).all() == []


def test_a_waiting_bill_can_be_taken_back_and_ends_only_by_wechats_word(
    session: Session, desk: Desk, now: datetime
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    bill = the_bill(session)
    desk.say(bill, TransferState.WAIT_USER_CONFIRM, errand, package_info="pkg")

    member = Actor("member", earner.member_id)
    services.ask_cancel_bill(session, bill.id, actor=member, now=now)
    session.commit()

    bill = the_bill(session)
    assert (bill.state, bill.due_at) == (BillState.CANCELLING, now)
    assert held(session, earner) == Balances(0, 0, 5_000, 0)
    asked = desk.ask(bill)
    assert (asked.order, asked.wants_cancel) == (None, True)
    assert desk.say(bill, TransferState.CANCELING, asked) is Recorded.UNCHANGED
    desk.say(bill, TransferState.CANCELLED, fail_reason="MCH_CANCEL")
    assert held(session, earner) == Balances(0, 5_000, 0, 0)
    assert broken_invariants(session) == []


def test_the_receiver_may_be_faster_than_a_cancellation(
    session: Session, desk: Desk, now: datetime
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    bill = the_bill(session)
    desk.say(bill, TransferState.WAIT_USER_CONFIRM, errand, package_info="pkg")
    services.ask_cancel_bill(session, bill.id, actor=make_actor(session), now=now)
    session.commit()

    desk.say(bill, TransferState.SUCCESS)

    assert the_bill(session).state is BillState.SUCCEEDED
    assert held(session, earner) == Balances(0, 0, 0, 0)
    assert session.scalars(
        sa.select(AuditRecord.action).where(AuditRecord.action == "payout.bill_cancel_asked")
    ).all() == ["payout.bill_cancel_asked"]


def test_a_bill_that_was_not_sent_yet_is_dropped_at_once_and_the_others_go_on(
    session: Session, desk: Desk, now: datetime
) -> None:
    earner = desk.open(40_000, amount_fen=40_000)
    first, second = bills_of(session)
    actor = make_actor(session)

    services.ask_cancel_bill(session, second.id, actor=actor, now=now)
    session.commit()

    first, second = bills_of(session)
    assert (second.state, second.fail_reason) == (BillState.CANCELLED, "MCH_CANCEL")
    assert (second.due_at, second.ended_at) == (None, now)
    assert held(session, earner) == Balances(0, 20_000, 20_000, 0)
    assert payout_state(session) is PayoutState.APPROVED
    desk.say(first, TransferState.SUCCESS, desk.send())
    assert payout_state(session) is PayoutState.PARTLY_SUCCEEDED
    assert held(session, earner) == Balances(0, 20_000, 0, 0)
    assert broken_invariants(session) == []


def test_a_bill_of_a_payout_that_is_not_approved_is_not_taken_back_alone(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    make_payout(session, earner, 5_000, settings=settings)

    with pytest.raises(PayoutNotInState):
        services.ask_cancel_bill(
            session, the_bill(session).id, actor=Actor("member", earner.member_id), now=now
        )

    assert held(session, earner) == Balances(0, 0, 5_000, 0)


@pytest.mark.parametrize("said", [None, TransferState.TRANSFERRING, TransferState.SUCCESS])
def test_only_what_the_receiver_can_still_refuse_is_taken_back(
    session: Session, desk: Desk, now: datetime, said: TransferState | None
) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    bill = the_bill(session)
    if said is not None:
        desk.say(bill, said, errand)
    before = the_bill(session).state

    with pytest.raises(PayoutNotInState):
        services.ask_cancel_bill(session, bill.id, actor=Actor("member", earner.member_id), now=now)

    assert the_bill(session).state is before


def test_a_bill_that_wechat_forgot_stays_and_is_loud(session: Session, desk: Desk) -> None:
    earner = desk.open(5_000, amount_fen=5_000)
    errand = desk.send()
    desk.say(the_bill(session), TransferState.WAIT_USER_CONFIRM, errand, package_info="pkg")
    asked = desk.ask(the_bill(session))

    with capture_logs() as logs:
        desk.say(the_bill(session), TransferState.NOT_FOUND, asked)

    assert "payout_bill_vanished" in [line["event"] for line in logs]
    assert the_bill(session).state is BillState.WAITING_USER
    assert held(session, earner) == Balances(0, 0, 5_000, 0)


def test_an_unheard_of_state_in_a_notice_changes_nothing(session: Session, desk: Desk) -> None:
    desk.open(5_000, amount_fen=5_000)
    desk.send()
    before = the_bill(session).due_at
    report = replace(
        report_on(the_bill(session), TransferState.ACCEPTED), state=TransferState.UNKNOWN
    )

    desk.notify("notice-1", report)

    assert (the_bill(session).state, the_bill(session).due_at) == (BillState.SENDING, before)


def test_the_notice_and_its_effect_are_one_transaction(
    session: Session, desk: Desk, settings: Settings, now: datetime
) -> None:
    desk.open(5_000, amount_fen=5_000)
    desk.send()
    bill = the_bill(session)
    received = Received("notice-1", "MCHTRANSFER.BILL.FINISHED", bill.number)

    record_bill(
        bill.id,
        report_on(bill, TransferState.SUCCESS),
        received=received,
        settings=settings,
        now=now,
    )
    again = record_bill(
        bill.id,
        report_on(bill, TransferState.SUCCESS),
        received=received,
        settings=settings,
        now=now,
    )

    assert again is Recorded.REPEATED
    assert session.scalar(sa.select(sa.func.count()).select_from(InboxNotice)) == 1
