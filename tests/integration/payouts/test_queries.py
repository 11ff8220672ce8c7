from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.i18n import Message
from app.payouts import queries, services
from app.payouts.errors import PayoutNotFound
from app.payouts.models import PayoutBill
from app.payouts.recording import record_bill
from app.payouts.sending import begin_next_bill
from app.payouts.states import PayoutEvent, PayoutState
from app.settings import Settings
from app.wechat.values import TransferState
from tests.factories.payouts import make_actor, make_approved, make_earner, make_payout, report_on


def the_bill(session: Session) -> PayoutBill:
    session.expire_all()
    return session.scalars(sa.select(PayoutBill)).one()


def say(
    session: Session, settings: Settings, now: datetime, state: TransferState, **facts: str
) -> None:
    bill = the_bill(session)
    report = report_on(bill, state, **facts)
    record_bill(bill.id, report, settings=settings, now=now)


def test_a_page_holds_the_latest_payouts_and_goes_on_where_it_ended(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session, 5_000)
    ids = [make_payout(session, earner, 1_000, settings=settings).id for _ in range(5)]
    make_payout(session, make_earner(session, 5_000), 5_000, settings=settings)

    first = queries.payouts_page(session, member_id=earner.member_id, limit=2)
    second = queries.payouts_page(session, member_id=earner.member_id, after=first[-1].id, limit=10)

    assert [payout.id for payout in first] == [ids[4], ids[3]]
    assert [payout.id for payout in second] == [ids[2], ids[1], ids[0]]
    assert [bill.amount_fen for payout in first for bill in payout.bills] == [1_000, 1_000]


def test_a_page_can_show_only_what_waits_for_a_decision(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 100_000)
    waiting = make_payout(session, earner, 1_000, settings=settings)
    half = make_payout(session, earner, 60_000, settings=settings)
    services.approve(session, half.id, actor=make_actor(session), settings=settings, now=now)
    make_approved(session, earner, 1_000, settings=settings)

    page = queries.payouts_page(session, states={PayoutState.REQUESTED, PayoutState.APPROVED_ONCE})

    assert {payout.id for payout in page} == {waiting.id, half.id}


def test_no_page_is_longer_than_a_hundred_and_the_one_that_tells_of_more(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session, 20_000)
    for _ in range(102):
        make_payout(session, earner, 100, settings=settings)

    assert len(queries.payouts_page(session, limit=10**6)) == 101


def test_a_member_sees_their_own_payout_only(session: Session, settings: Settings) -> None:
    earner, other = make_earner(session, 5_000), make_earner(session)
    payout = make_payout(session, earner, 5_000, settings=settings)

    mine = queries.payout_for_member(session, payout.id, member_id=earner.member_id)

    assert mine.id == payout.id
    with pytest.raises(PayoutNotFound):
        queries.payout_for_member(session, payout.id, member_id=other.member_id)
    with pytest.raises(PayoutNotFound):
        queries.payout_for_member(session, 4_711, member_id=other.member_id)


def test_the_mini_program_gets_what_it_needs_to_show_the_confirmation(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    begin_next_bill(settings=settings, now=now)
    assert queries.confirmation(the_bill(session)) is None

    say(session, settings, now, TransferState.WAIT_USER_CONFIRM, package_info="pkg")
    assert queries.confirmation(the_bill(session)) == {
        "mchId": settings.wechat_mch_id,
        "appId": settings.wechat_app_id,
        "package": "pkg",
    }

    say(session, settings, now, TransferState.SUCCESS)
    assert queries.confirmation(the_bill(session)) is None


def test_a_bill_says_why_it_was_not_paid_or_is_not_sent_yet(
    session: Session, settings: Settings, now: datetime
) -> None:
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)
    errand = begin_next_bill(settings=settings, now=now)
    bill = the_bill(session)
    assert queries.explain_bill(bill) is None

    waiting = report_on(bill, TransferState.NOT_NOW, wechat_code="NOT_ENOUGH")
    record_bill(bill.id, waiting, errand=errand, settings=settings, now=now)
    assert queries.explain_bill(the_bill(session)) == Message(
        "The brand is topping up its account; the transfer follows by itself."
    )

    say(session, settings, now, TransferState.FAIL, fail_reason="OVERDUE_CLOSE")
    assert queries.explain_bill(the_bill(session)) == Message(
        "The transfer was not accepted in WeChat within 24 hours."
    )


def test_the_story_of_a_payout_is_complete(
    session: Session, settings: Settings, now: datetime
) -> None:
    payout = make_approved(session, make_earner(session, 3_000, 2_000), 5_000, settings=settings)
    begin_next_bill(settings=settings, now=now)
    say(session, settings, now, TransferState.SUCCESS)

    story = queries.payout_story(session, payout.id)

    assert [step.event for step in story.steps] == [PayoutEvent.APPROVE, PayoutEvent.SUCCEED]
    assert [step.event for step in story.bill_steps] == ["send", "succeed"]
    assert [part.amount_fen for part in story.allocations] == [3_000, 2_000]
    with pytest.raises(PayoutNotFound):
        queries.payout_story(session, 4_711)


def test_what_waits_longest_is_known(session: Session, settings: Settings, now: datetime) -> None:
    assert queries.oldest_due_at(session) is None
    make_approved(session, make_earner(session, 5_000), 5_000, settings=settings)

    assert queries.oldest_due_at(session) == now
