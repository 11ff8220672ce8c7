from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.clock import next_day_begins_at
from app.members.models import Standing
from app.payouts.models import PayoutBill
from app.payouts.recording import Recorded, record_bill
from app.payouts.sending import Errand, begin_bill, begin_next_bill
from app.payouts.states import BillState
from app.settings import Settings
from app.wechat.values import TransferState
from tests.factories.payouts import (
    make_approved,
    make_earner,
    make_payout,
    openid_of,
    report_on,
)

BEFORE_MIDNIGHT = datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)
MIDNIGHT_IN_SHANGHAI = datetime(2026, 3, 1, 16, tzinfo=UTC)


def bills_of(session: Session) -> Sequence[PayoutBill]:
    session.expire_all()
    return session.scalars(sa.select(PayoutBill).order_by(PayoutBill.id)).all()


def the_bill(session: Session) -> PayoutBill:
    [bill] = bills_of(session)
    return bill


def begin_all(settings: Settings, now: datetime) -> list[Errand]:
    errands = []
    while errand := begin_next_bill(settings=settings, now=now):
        errands.append(errand)
    return errands


def test_what_is_sent_is_written_down_before_it_is_sent(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    make_approved(session, earner, 5_000, settings=settings)

    errand = begin_next_bill(settings=settings, now=now)

    bill = the_bill(session)
    assert (bill.state, bill.lease, bill.attempts, bill.sent_at) == (BillState.SENDING, 1, 1, now)
    assert bill.due_at == now + timedelta(seconds=3 * settings.wechat_timeout_seconds)
    assert bill.request == {
        "out_bill_no": bill.number,
        "openid": openid_of(session, earner),
        "amount_fen": 5_000,
        "remark": settings.wechat_transfer_pay_note,
        "user_name_sealed": None,
    }
    assert errand is not None
    assert errand.order is not None
    assert (errand.order.out_bill_no, errand.order.amount_fen) == (bill.number, 5_000)
    assert errand.order.openid == openid_of(session, earner)


def test_a_large_bill_names_its_receiver_and_keeps_the_name_sealed(
    session: Session, settings: Settings, now: datetime
) -> None:
    wide = replace(settings, transfer_max_fen=250_000, transfer_member_day_fen=1_000_000)
    earner = make_earner(session, 250_000, real_name="欧阳丽")
    make_approved(session, earner, 250_000, settings=wide)

    errand = begin_next_bill(settings=wide, now=now)

    assert errand is not None
    assert errand.order is not None
    assert errand.order.user_name == "欧阳丽"
    bill = the_bill(session)
    assert bill.request is not None
    assert "欧阳丽" not in str(bill.request)


def test_a_repeat_is_equal_to_the_letter_whatever_the_settings_say_now(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    first = begin_next_bill(settings=settings, now=now)
    assert first is not None
    not_now = report_on(the_bill(session), TransferState.NOT_NOW, wechat_code="NOT_ENOUGH")
    record_bill(first.bill_id, not_now, errand=first, settings=settings, now=now)
    changed = replace(settings, wechat_transfer_pay_note="something else")

    again = begin_bill(first.bill_id, settings=changed, now=now + timedelta(hours=1))

    assert again is not None
    assert again.order == first.order
    assert again.lease == 2


def test_a_claimed_bill_is_out_of_reach_until_its_lease_ends(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    first = begin_next_bill(settings=settings, now=now)
    ends_at = now + timedelta(seconds=3 * settings.wechat_timeout_seconds)

    assert begin_next_bill(settings=settings, now=ends_at - timedelta(microseconds=1)) is None
    second = begin_next_bill(settings=settings, now=ends_at)

    assert first is not None
    assert second is not None
    assert (first.lease, second.lease) == (1, 2)


def test_after_a_send_of_unknown_end_the_number_is_asked_about_and_not_sent(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    begin_next_bill(settings=settings, now=now)

    errand = begin_next_bill(settings=settings, now=now + timedelta(minutes=1))

    assert errand is not None
    assert errand.order is None
    assert errand.number == the_bill(session).number
    assert the_bill(session).attempts == 1


def test_not_found_counts_only_when_a_send_has_had_time_to_arrive(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    first = begin_next_bill(settings=settings, now=now)
    assert first is not None
    proven_at = now + timedelta(seconds=settings.payout_not_found_seconds)

    early = begin_bill(first.bill_id, settings=settings, now=now + timedelta(minutes=1))
    not_found = report_on(the_bill(session), TransferState.NOT_FOUND)
    record_bill(
        first.bill_id,
        not_found,
        errand=early,
        settings=settings,
        now=now + timedelta(minutes=1),
    )
    assert (the_bill(session).sent_at, the_bill(session).due_at) == (now, proven_at)

    late = begin_bill(first.bill_id, settings=settings, now=proven_at)
    assert late is not None
    assert late.order is None
    record_bill(first.bill_id, not_found, errand=late, settings=settings, now=proven_at)
    assert (the_bill(session).sent_at, the_bill(session).due_at) == (None, proven_at)

    again = begin_next_bill(settings=settings, now=proven_at)
    assert again is not None
    assert again.order == first.order
    assert (the_bill(session).state, the_bill(session).attempts) == (BillState.SENDING, 2)


def test_a_bill_waiting_without_its_package_is_sent_again_to_get_it(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    first = begin_next_bill(settings=settings, now=now)
    assert first is not None
    asked = begin_bill(first.bill_id, settings=settings, now=now)
    waiting = report_on(the_bill(session), TransferState.WAIT_USER_CONFIRM)
    record_bill(first.bill_id, waiting, errand=asked, settings=settings, now=now)

    again = begin_next_bill(settings=settings, now=now)

    assert again is not None
    assert again.order == first.order
    bill = the_bill(session)
    assert (bill.state, bill.attempts, bill.sent_at) == (BillState.WAITING_USER, 1, now)

    with_package = replace(waiting, package_info="package-1")
    record_bill(first.bill_id, with_package, errand=again, settings=settings, now=now)
    bill = the_bill(session)
    assert bill.package_info == "package-1"
    assert bill.due_at is not None
    assert bill.due_at >= now + timedelta(seconds=settings.payout_query_seconds)


def test_a_frozen_distributors_bills_wait_and_go_on_by_themselves(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    make_approved(session, earner, 5_000, settings=settings)
    earner.standing = Standing.FROZEN
    session.commit()

    assert begin_next_bill(settings=settings, now=now) is None
    bill = the_bill(session)
    assert (bill.state, bill.last_error, bill.attempts) == (BillState.CREATED, "on_hold", 0)
    assert bill.due_at == now + timedelta(minutes=10)

    earner.standing = Standing.ACTIVE
    session.commit()
    assert begin_next_bill(settings=settings, now=now + timedelta(minutes=10)) is not None


def test_a_member_gets_no_more_than_the_limit_of_a_day(
    session: Session, settings: Settings, now: datetime
) -> None:
    narrow = replace(settings, transfer_member_day_fen=40_000)
    make_approved(session, make_earner(session, 60_000), 60_000, settings=narrow)

    errands = begin_all(narrow, now)

    assert len(errands) == 2
    first, second, third = bills_of(session)
    assert (first.state, second.state) == (BillState.SENDING, BillState.SENDING)
    assert (third.state, third.last_error) == (BillState.CREATED, "member_day_limit")
    assert third.due_at == next_day_begins_at(now)
    assert [one.bill_id for one in begin_all(narrow, next_day_begins_at(now))][-1] == third.id


def test_the_brand_sends_no_more_than_its_limit_of_a_day(
    session: Session, settings: Settings, now: datetime
) -> None:
    narrow = replace(settings, transfer_merchant_day_fen=30_000)
    for _ in range(3):
        make_approved(session, make_earner(session, 15_000), 15_000, settings=narrow)

    errands = begin_all(narrow, now)

    assert len(errands) == 2
    assert bills_of(session)[2].last_error == "merchant_day_limit"


def test_the_day_begins_at_midnight_in_shanghai(session: Session, settings: Settings) -> None:
    narrow = replace(settings, transfer_member_day_fen=20_000)
    make_approved(session, make_earner(session, 40_000), 40_000, settings=narrow)

    before = begin_all(narrow, BEFORE_MIDNIGHT)
    first, second = bills_of(session)
    assert [one.bill_id for one in before] == [first.id]
    assert second.due_at == MIDNIGHT_IN_SHANGHAI

    after = begin_all(narrow, MIDNIGHT_IN_SHANGHAI)
    assert [one.bill_id for one in after] == [second.id]


def test_what_failed_or_was_never_taken_does_not_count_towards_the_day(
    session: Session, settings: Settings, now: datetime
) -> None:
    narrow = replace(settings, transfer_member_day_fen=20_000)
    make_approved(session, make_earner(session, 60_000), 60_000, settings=narrow)
    first = begin_next_bill(settings=narrow, now=now)
    assert first is not None
    failed = report_on(bills_of(session)[0], TransferState.FAIL, fail_reason="ACCOUNT_FROZEN")
    record_bill(first.bill_id, failed, errand=first, settings=narrow, now=now)

    second_id = bills_of(session)[1].id
    second = begin_bill(second_id, settings=narrow, now=now)
    assert second is not None
    assert second.order is not None
    not_now = report_on(bills_of(session)[1], TransferState.NOT_NOW, wechat_code="NOT_ENOUGH")
    record_bill(second_id, not_now, errand=second, settings=narrow, now=now)

    third = begin_bill(bills_of(session)[2].id, settings=narrow, now=now)
    assert third is not None
    assert third.order is not None


def test_the_repeat_of_a_send_does_not_count_twice(
    session: Session, settings: Settings, now: datetime
) -> None:
    narrow = replace(settings, transfer_member_day_fen=20_000)
    make_approved(session, make_earner(session, 20_000), 20_000, settings=narrow)
    first = begin_next_bill(settings=narrow, now=now)
    assert first is not None
    not_now = report_on(the_bill(session), TransferState.NOT_NOW, wechat_code="NOT_ENOUGH")
    record_bill(first.bill_id, not_now, errand=first, settings=narrow, now=now)

    again = begin_bill(first.bill_id, settings=narrow, now=now)

    assert again is not None
    assert again.order == first.order


@pytest.mark.parametrize(
    "said", [TransferState.SUCCESS, TransferState.FAIL, TransferState.CANCELLED]
)
def test_a_bill_that_has_ended_is_never_taken_up_again(
    session: Session, settings: Settings, now: datetime, said: TransferState
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    errand = begin_next_bill(settings=settings, now=now)
    assert errand is not None
    ended = report_on(the_bill(session), said)
    assert (
        record_bill(errand.bill_id, ended, errand=errand, settings=settings, now=now)
        is Recorded.MOVED
    )

    year = now + timedelta(days=365)
    assert begin_next_bill(settings=settings, now=year) is None
    assert begin_bill(errand.bill_id, settings=settings, now=year) is None


def test_a_bill_that_is_not_approved_is_never_taken_up(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_payout(session, make_earner(session, 5_000), 5_000, settings=settings)
    session.commit()

    assert begin_next_bill(settings=settings, now=now + timedelta(days=365)) is None
    assert begin_bill(the_bill(session).id, settings=settings, now=now) is None
