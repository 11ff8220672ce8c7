from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.ledger.queries import balances
from app.members.models import Standing
from app.payouts import holds
from app.payouts.models import Payout
from app.payouts.states import BillState
from app.settings import Settings
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.payouts import make_approved, make_award, make_earner, make_payout
from tests.factories.people import make_distributor


def test_a_withdrawal_reserves_its_amount_and_waits_for_approval(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    earner = make_earner(session, 30_000)

    response = phone_of(earner).post("/distributor/payouts", {"amount_fen": 25_000}, key=new_key())

    shown = response.get_json()
    assert response.status_code == 201
    assert (shown["amount_fen"], shown["state"]) == (25_000, "requested")
    assert sum(bill["amount_fen"] for bill in shown["bills"]) == 25_000
    assert all(bill["confirmation"] is None for bill in shown["bills"])
    assert "openid" not in response.get_data(as_text=True)
    held = balances(session, earner.member_id)
    assert (held.available_fen, held.in_transit_fen) == (5_000, 25_000)


def test_a_withdrawal_sent_twice_happens_once(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    earner = make_earner(session, 30_000)
    phone, key = phone_of(earner), new_key()
    first = phone.post("/distributor/payouts", {"amount_fen": 10_000}, key=key)

    with nothing_moves(session):
        again = phone.post("/distributor/payouts", {"amount_fen": 10_000}, key=key)
        other = phone.post("/distributor/payouts", {"amount_fen": 10_001}, key=key)

    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert_problem(other, 422, "idempotency_key_reused")


def test_money_moves_only_shortly_after_signing_in(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    earner = make_earner(session, 30_000)
    stale = datetime.now(UTC) - timedelta(seconds=settings.fresh_sign_in_seconds + 1)
    phone = phone_of(earner, signed_in_at=stale)

    with nothing_moves(session):
        response = phone.post("/distributor/payouts", {"amount_fen": 10_000}, key=new_key())

    assert_problem(response, 403, "fresh_sign_in_required")


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [
        (0, 422, "invalid_request"),
        (-1, 422, "invalid_request"),
        (1.0, 422, "invalid_request"),
        ("100", 422, "invalid_request"),
        ("1e3", 422, "invalid_request"),
        (True, 422, "invalid_request"),
        (None, 422, "invalid_request"),
        (10**18, 422, "invalid_request"),
        (10**400, 422, "invalid_request"),
        (1, 422, "payout_amount_out_of_range"),
        (99, 422, "payout_amount_out_of_range"),
        (500_001, 422, "payout_amount_out_of_range"),
        (30_001, 409, "insufficient_balance"),
    ],
)
def test_an_amount_that_cannot_be_withdrawn_moves_nothing(
    session: Session, phone_of: Callable[..., Phone], amount: Any, status: int, code: str
) -> None:
    phone = phone_of(make_earner(session, 30_000))

    with nothing_moves(session):
        response = phone.post("/distributor/payouts", {"amount_fen": amount}, key=new_key())

    assert_problem(response, status, code, *(["/amount_fen"] if code == "invalid_request" else []))


def test_somebody_elses_payee_is_no_field(session: Session, phone_of: Callable[..., Phone]) -> None:
    phone = phone_of(make_earner(session, 30_000))
    body = {"amount_fen": 10_000, "payee_openid": "oSomebody", "member_id": 1}

    with nothing_moves(session):
        response = phone.post("/distributor/payouts", body, key=new_key())

    assert_problem(response, 422, "invalid_request", "/member_id", "/payee_openid")


def test_who_is_no_distributor_or_is_frozen_withdraws_nothing(
    session: Session, phone: Phone, phone_of: Callable[..., Phone]
) -> None:
    frozen = phone_of(make_earner(session, 30_000, standing=Standing.FROZEN))

    with nothing_moves(session):
        stranger = phone.post("/distributor/payouts", {"amount_fen": 10_000}, key=new_key())
        held = frozen.post("/distributor/payouts", {"amount_fen": 10_000}, key=new_key())

    assert_problem(stranger, 403, "not_a_distributor")
    assert_problem(held, 409, "payout_on_hold")


def test_withdrawals_are_listed_newest_first_by_state_and_page(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    earner = make_earner(session, 10_000)
    payouts = [make_payout(session, earner, 1_000, settings=settings) for _ in range(3)]
    other = make_earner(session, 10_000)
    make_payout(session, other, 1_000, settings=settings)
    phone = phone_of(earner)

    first = phone.get("/distributor/payouts?limit=2").get_json()
    rest = phone.get(f"/distributor/payouts?limit=2&cursor={first['next_cursor']}").get_json()

    pages = [[item["id"] for item in page["items"]] for page in (first, rest)]
    assert pages == [[payouts[2].id, payouts[1].id], [payouts[0].id]]
    assert phone.get("/distributor/payouts?state=succeeded").get_json()["items"] == []


def test_a_hundred_withdrawals_are_followed_by_the_next(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    earner = make_earner(session, 20_000)
    for _ in range(101):
        make_payout(session, earner, 100, settings=settings)
    phone = phone_of(earner)

    first = phone.get("/distributor/payouts?limit=100").get_json()
    rest = phone.get(f"/distributor/payouts?limit=100&cursor={first['next_cursor']}").get_json()

    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (100, 1, None)


def test_a_transfer_that_waits_for_the_receiver_shows_how_to_accept_it(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    earner = make_earner(session, 10_000)
    payout = make_approved(session, earner, 5_000, settings=settings)
    bill = payout.bills[0]
    bill.state, bill.package_info = BillState.WAITING_USER, "affffddafdfafddffda=="
    session.flush()

    shown = phone_of(earner).get(f"/distributor/payouts/{payout.id}").get_json()

    assert shown["bills"][0]["confirmation"] == {
        "mchId": settings.wechat_mch_id,
        "appId": settings.wechat_app_id,
        "package": "affffddafdfafddffda==",
    }


def test_a_withdrawal_is_taken_back_before_it_is_approved(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    earner = make_earner(session, 10_000)
    payout = make_payout(session, earner, 4_000, settings=settings)
    phone = phone_of(earner)

    shown = phone.post(f"/distributor/payouts/{payout.id}/cancel").get_json()

    assert shown["state"] == "cancelled"
    assert balances(session, earner.member_id).available_fen == 10_000
    with nothing_moves(session):
        again = phone.post(f"/distributor/payouts/{payout.id}/cancel")
    assert_problem(again, 409, "payout_not_in_state")


def test_an_approved_withdrawal_is_not_taken_back(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    earner = make_earner(session, 10_000)
    payout = make_approved(session, earner, 4_000, settings=settings)
    phone = phone_of(earner)

    with nothing_moves(session):
        response = phone.post(f"/distributor/payouts/{payout.id}/cancel")

    assert_problem(response, 409, "payout_not_in_state")


@pytest.mark.commits
def test_the_whole_balance_withdrawn_by_many_hands_at_once_leaves_once(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    earner = make_distributor(session)
    make_award(session, earner, 10_000)
    phone, member_id = phone_of(earner), earner.member_id
    session.commit()

    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(
            pool.map(
                lambda _: phone.post("/distributor/payouts", {"amount_fen": 10_000}, key=new_key()),
                range(8),
            )
        )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    for answer in answers:
        if answer.status_code == 409:
            assert_problem(answer, 409, "insufficient_balance")
    session.rollback()
    assert session.scalar(sa.select(sa.func.count()).select_from(Payout)) == 1
    held = balances(session, member_id)
    assert (held.available_fen, held.in_transit_fen) == (0, 10_000)


def test_a_withdrawal_under_a_hold_is_taken_and_says_that_it_waits(
    session: Session, phone_of: Callable[..., Phone], now: datetime
) -> None:
    earner = make_earner(session, 30_000)
    holds.place(session, earner.member_id, cause="risk_flag:1", now=now)
    phone = phone_of(earner)

    made = phone.post("/distributor/payouts", {"amount_fen": 10_000}, key=new_key())
    holds.lift(session, cause="risk_flag:1", now=now)
    session.commit()
    listed = phone.get("/distributor/payouts").get_json()["items"]

    assert (made.status_code, made.get_json()["state"]) == (201, "requested")
    assert made.get_json()["on_hold"] is True
    assert [one["on_hold"] for one in listed] == [False]
