import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.kernel.inbox import InboxNotice
from app.members.models import Member
from app.orders.models import Order, Payment
from app.orders.states import OrderState, RefundState
from app.payouts.states import BillState, PayoutState
from app.settings import Settings
from tests.api.conftest import nothing_moves
from tests.api.notifier import URL, Notifier
from tests.factories.orders import make_order, make_refund, offer
from tests.factories.payouts import make_approved, make_earner

PAID = "TRANSACTION.SUCCESS"


@pytest.fixture
def order(session: Session) -> Order:
    """An order that waits for its money."""
    order = make_order(session, state=OrderState.CREATED)
    offer(session, order)
    return order


@pytest.fixture
def paid(session: Session, notifier: Notifier, order: Order) -> dict[str, Any]:
    """What WeChat says when it was paid."""
    return notifier.payment(order, session.get_one(Member, order.member_id).wechat_openid)


def test_a_signed_notice_of_a_payment_pays_the_order_once(
    session: Session, notifier: Notifier, order: Order, paid: dict[str, Any]
) -> None:
    body = notifier.envelope(PAID, paid)

    first = notifier.send(body)
    session.expire_all()
    assert (first.status_code, first.data) == (204, b"")
    assert (order.state, order.paid_fen) == (OrderState.PAID, order.payable_fen)

    with nothing_moves(session):
        assert notifier.send(body).status_code == 204
    assert len(session.scalars(sa.select(InboxNotice)).all()) == 1


def test_an_amount_that_is_not_the_orders_pays_nothing_and_is_not_repeated(
    session: Session, notifier: Notifier, order: Order, paid: dict[str, Any]
) -> None:
    less = paid | {"amount": paid["amount"] | {"total": 1}}

    response = notifier.send(notifier.envelope(PAID, less))

    session.expire_all()
    assert response.status_code == 204
    assert (order.state, order.paid_fen) == (OrderState.CREATED, 0)
    assert session.scalars(sa.select(InboxNotice.outcome)).all() == ["mismatch"]


def test_a_signed_notice_of_a_refund_ends_it(session: Session, notifier: Notifier) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)
    payment = session.get_one(Payment, order.id)
    assert payment.wechat_transaction_id is not None
    contents = notifier.refund(refund, order, payment.wechat_transaction_id)

    response = notifier.send(notifier.envelope("REFUND.SUCCESS", contents))

    session.expire_all()
    assert response.status_code == 204
    assert (refund.state, order.state) == (RefundState.SUCCEEDED, OrderState.REFUNDED)


def test_a_signed_notice_of_a_transfer_ends_the_payout(
    session: Session, notifier: Notifier, settings: Settings
) -> None:
    payout = make_approved(session, make_earner(session, 10_000), 5_000, settings=settings)
    [bill] = payout.bills
    bill.state, bill.sent_at = BillState.WAITING_USER, payout.approved_at
    session.flush()
    contents = {
        "mch_id": settings.wechat_mch_id,
        "out_bill_no": bill.number,
        "transfer_bill_no": f"1330{bill.number}",
        "state": "SUCCESS",
        "transfer_amount": bill.amount_fen,
        "openid": bill.payee_openid,
        "create_time": "2026-03-01T20:00:00+08:00",
        "update_time": "2026-03-01T20:01:00+08:00",
    }

    response = notifier.send(notifier.envelope("MCHTRANSFER.BILL.FINISHED", contents))

    session.expire_all()
    assert response.status_code == 204
    assert (bill.state, payout.state) == (BillState.SUCCEEDED, PayoutState.SUCCEEDED)


def test_a_genuine_notice_of_a_kind_nobody_waits_for_is_taken(
    session: Session, notifier: Notifier
) -> None:
    body = notifier.envelope("COUPON.USE", {"coupon_id": "1"})

    with nothing_moves(session):
        assert notifier.send(body).status_code == 204


def refused(response: Any) -> None:
    assert response.status_code == 401
    assert response.get_json() == {"code": "FAIL", "message": "refused"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Serial", "0" * 40),
        ("Serial", "../../etc/passwd"),
        ("Serial", ""),
        ("Signature", "QUJD"),
        ("Signature", "not base64!"),
        ("Signature", ""),
        ("Timestamp", "x"),
        ("Timestamp", "9" * 400),
        ("Timestamp", ""),
        ("Nonce", ""),
        ("Nonce", "another"),
    ],
)
def test_a_notice_whose_headers_do_not_vouch_for_it_has_no_effect(
    session: Session, notifier: Notifier, paid: dict[str, Any], header: str, value: str
) -> None:
    body = notifier.envelope(PAID, paid)

    with nothing_moves(session):
        refused(notifier.send(body, {f"Wechatpay-{header}": value}))


@pytest.mark.parametrize("age_seconds", [301, 86_400, -302])
def test_a_notice_that_is_not_of_these_five_minutes_has_no_effect(
    session: Session, notifier: Notifier, paid: dict[str, Any], age_seconds: int
) -> None:
    with nothing_moves(session):
        refused(notifier.send(notifier.envelope(PAID, paid), age_seconds=age_seconds))


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"null", bytes(range(256)), b"[" * 60_000])
def test_a_signed_body_that_is_no_notice_has_no_effect(
    session: Session, notifier: Notifier, body: bytes
) -> None:
    with nothing_moves(session):
        refused(notifier.send(body))


def test_a_body_other_than_the_one_that_was_signed_has_no_effect(
    session: Session, notifier: Notifier, paid: dict[str, Any]
) -> None:
    body = notifier.envelope(PAID, paid)
    vouching = notifier.vouch(body)
    flipped = body[:-20] + bytes([body[-20] ^ 1]) + body[-19:]
    reordered = json.dumps(dict(reversed(json.loads(body).items()))).encode()

    for other in (flipped, reordered, body + b" "):
        with nothing_moves(session):
            refused(notifier.send(other, vouching))


def test_wechats_own_probe_with_a_bad_signature_is_refused(
    session: Session, notifier: Notifier, paid: dict[str, Any]
) -> None:
    body = notifier.envelope(PAID, paid)
    signature = "WECHATPAY/SIGNTEST/" + notifier.vouch(body)["Wechatpay-Signature"]

    with nothing_moves(session):
        refused(notifier.send(body, {"Wechatpay-Signature": signature}))


@pytest.mark.parametrize("changes", [{"mchid": "1900009999"}, {"appid": "wx0000000000000000"}])
def test_a_genuine_notice_for_somebody_else_has_no_effect(
    session: Session, notifier: Notifier, paid: dict[str, Any], changes: dict[str, str]
) -> None:
    with nothing_moves(session):
        refused(notifier.send(notifier.envelope(PAID, paid | changes)))


def test_a_bare_request_is_refused(session: Session, client: FlaskClient) -> None:
    with nothing_moves(session):
        refused(client.post(URL))
        refused(client.post(URL, json={"id": "x"}))
        refused(client.post(f"{URL}?x=1", data=b"\x00" * 1000))


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1_048_577])
def test_a_body_beyond_64_kilobytes_is_not_read(
    session: Session, notifier: Notifier, size: int
) -> None:
    with nothing_moves(session):
        response = notifier.send(b" " * size)

    assert response.status_code == 413


def test_a_body_of_just_64_kilobytes_is_read_and_refused(notifier: Notifier) -> None:
    refused(notifier.send(b" " * (64 * 1024)))
