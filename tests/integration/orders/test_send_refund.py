"""A refund goes out under one number, however often it is tried and whatever WeChat answers."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.db import database_now
from app.orders import refund_sending, services
from app.orders.models import Order, Refund
from app.orders.queries import order_story
from app.orders.refund_sending import claim_refund
from app.orders.services import RefundWish
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from app.wechat.values import RefundReport
from app.wechat.values import RefundState as Reported
from scripts.sandbox.client import SandboxClient
from tests.factories.orders import make_order, pay_at_wechat
from tests.factories.people import make_member

REFUNDS = "/v3/refund/domestic/refunds"
MINUTE = timedelta(minutes=1)
LATER = timedelta(minutes=6)


@pytest.fixture
def now(session: Session) -> datetime:
    """WeChat has a clock of its own, so these tests use the present."""
    return database_now()


@pytest.fixture
def order(session: Session, sandbox: SandboxClient, settings: Settings, now: datetime) -> Order:
    member = make_member(session, openid=sandbox.user())
    order = make_order(session, member=member, state=OrderState.CREATED, now=now)
    pay_at_wechat(session, sandbox, order, settings=settings, now=now)
    return order


@pytest.fixture
def refund(session: Session, settings: Settings, order: Order, now: datetime) -> Refund:
    refund = services.request_refund(
        session, order.id, wish=RefundWish(), actor=SYSTEM, settings=settings, now=now
    )
    session.commit()
    return refund


def send(refund: Refund, settings: Settings, now: datetime) -> bool:
    return services.send_refund(refund.id, settings=settings, now=now)


def given_back(sandbox: SandboxClient) -> list[tuple[str, int]]:
    return [(one["out_refund_no"], one["refund"]) for one in sandbox.books()["refunds"]]


def steps(session: Session, refund: Refund) -> list[str]:
    story = order_story(session, refund.order_id)
    return [step.to_state.value for one in story.refunds for step in one.steps]


def test_a_refund_goes_out_and_its_end_is_found_by_asking(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    order: Order,
    refund: Refund,
    now: datetime,
) -> None:
    sent = send(refund, settings, now)
    sandbox.settle_refund(refund.number)
    asked = send(refund, settings, now + MINUTE)

    assert (sent, asked) == (True, True)
    assert steps(session, refund) == ["approved", "sent", "succeeded"]
    assert order.state is OrderState.REFUNDED
    assert given_back(sandbox) == [(refund.number, 10_000)]


def test_each_try_goes_back_in_line_before_wechat_is_called(
    session: Session, settings: Settings, refund: Refund, now: datetime
) -> None:
    first = claim_refund(settings=settings, now=now)
    second = claim_refund(settings=settings, now=now)

    assert (first, second) == (refund.id, None)
    assert refund.due_at == now + timedelta(seconds=settings.refund_query_seconds)


def test_nothing_is_sent_that_nobody_agreed_to(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, now: datetime
) -> None:
    services.complete(session, order.id, actor=SYSTEM, settings=settings, now=now)
    refund = services.request_refund(
        session, order.id, wish=RefundWish(), actor=SYSTEM, settings=settings, now=now
    )
    session.commit()

    send(refund, settings, now)

    assert refund.state is RefundState.REQUESTED
    assert claim_refund(settings=settings, now=now + LATER) is None
    assert given_back(sandbox) == []


@pytest.mark.parametrize("fault", ["error_after", "drop", "bad_signature"])
def test_an_answer_lost_after_wechat_booked_is_found_by_asking(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    refund: Refund,
    now: datetime,
    fault: str,
) -> None:
    sandbox.fault(REFUNDS, fault, times=2)

    silent = send(refund, settings, now)
    after_silence = (refund.state, refund.sent_at)
    answered = send(refund, settings, now + MINUTE)

    assert (silent, answered) == (False, True)
    assert after_silence == (RefundState.SENT, now)
    assert given_back(sandbox) == [(refund.number, 10_000)]


@pytest.mark.parametrize("fault", ["error_before", "drop_before"])
def test_what_never_arrived_is_sent_again_only_after_a_while_and_under_the_same_number(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    refund: Refund,
    now: datetime,
    fault: str,
) -> None:
    sandbox.fault(REFUNDS, fault, times=1)

    send(refund, settings, now)
    soon = send(refund, settings, now + MINUTE)
    booked_soon = given_back(sandbox)
    send(refund, settings, now + LATER)

    assert soon is False
    assert booked_soon == []
    assert given_back(sandbox) == [(refund.number, 10_000)]
    assert refund.sent_at == now + LATER
    assert steps(session, refund) == ["approved", "sent"]


def test_an_empty_account_holds_a_refund_up_and_fails_it_never(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    order: Order,
    refund: Refund,
    now: datetime,
) -> None:
    sandbox.fault(REFUNDS, "refuse", changes={"status": 403, "code": "NOT_ENOUGH"})

    held_up = send(refund, settings, now)
    while_held_up = (refund.state, refund.sent_at, order.refunding_fen)
    send(refund, settings, now + MINUTE)

    assert held_up is False
    assert while_held_up == (RefundState.SENT, None, 10_000)
    assert given_back(sandbox) == [(refund.number, 10_000)]


def test_a_refund_that_wechat_refuses_ends_and_frees_its_amount(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    order: Order,
    refund: Refund,
    now: datetime,
) -> None:
    sandbox.fault(REFUNDS, "refuse", changes={"status": 400, "code": "INVALID_REQUEST"})

    send(refund, settings, now)

    story = order_story(session, order.id)
    assert (refund.state, refund.due_at, order.refunding_fen) == (RefundState.FAILED, None, 0)
    assert story.refunds[0].steps[-1].note == "INVALID_REQUEST"
    assert given_back(sandbox) == []


def test_a_refusal_of_what_exists_with_other_contents_is_no_refusal(
    session: Session, sandbox: SandboxClient, settings: Settings, refund: Refund, now: datetime
) -> None:
    send(refund, settings, now)
    refund.sent_at = None
    session.commit()
    sandbox.fault(REFUNDS, "refuse", changes={"status": 400, "code": "INVALID_REQUEST"})

    send(refund, settings, now + MINUTE)

    assert refund.state is RefundState.SENT
    assert given_back(sandbox) == [(refund.number, 10_000)]


def test_a_refusal_that_comes_after_somebody_turned_to_wechat_again_concludes_nothing(
    session: Session, sandbox: SandboxClient, settings: Settings, refund: Refund, now: datetime
) -> None:
    old = refund_sending._begin(refund.id, settings=settings, now=now)
    assert old is not None
    refund_sending._begin(refund.id, settings=settings, now=now + MINUTE)
    refused = RefundReport(
        out_refund_no=refund.number,
        state=Reported.REFUSED,
        wechat_code="INVALID_REQUEST",
    )

    refund_sending._note_nothing_done(old, refused, now=now + MINUTE)

    assert refund.state is RefundState.SENT


@pytest.mark.parametrize(
    ("end", "state"), [("ABNORMAL", RefundState.ABNORMAL), ("CLOSED", RefundState.FAILED)]
)
def test_bad_ends_at_wechat_are_found_by_asking(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    refund: Refund,
    now: datetime,
    end: str,
    state: RefundState,
) -> None:
    send(refund, settings, now)
    sandbox.settle_refund(refund.number, end)

    send(refund, settings, now + MINUTE)

    assert refund.state is state


def test_an_ended_refund_is_not_touched_again(
    session: Session, sandbox: SandboxClient, settings: Settings, refund: Refund, now: datetime
) -> None:
    send(refund, settings, now)
    sandbox.settle_refund(refund.number)
    send(refund, settings, now + MINUTE)
    calls = sandbox.calls()

    send(refund, settings, now + LATER)

    assert sandbox.calls() == calls
    assert claim_refund(settings=settings, now=now + LATER) is None
