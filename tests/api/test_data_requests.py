import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.db import database_now
from app.orders.states import OrderState
from app.privacy import services
from app.privacy.models import PrivacyRequest
from app.settings import Settings
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.orders import make_order
from tests.factories.people import make_member


def carried_out(session: Session, settings: Settings, *, later: timedelta = timedelta(0)) -> None:
    session.commit()
    now = database_now() + later
    for request_id in services.due_ids(session, now=now, limit=10):
        services.carry_out(session, request_id, settings=settings, now=now)
    session.commit()


def test_a_member_asks_for_a_copy_and_fetches_it(
    session: Session, settings: Settings, phone: Phone
) -> None:
    asked = phone.post("/me/data-requests", {"kind": "copy"}, key=new_key())
    assert asked.status_code == 201
    carried_out(session, settings)

    shown = phone.get("/me/data-requests").get_json()["items"][0]
    fetched = phone.post(f"/me/data-requests/{shown['id']}/copy")

    assert (shown["state"], shown["kind"]) == ("done", "copy")
    assert shown["copy_until_at"] is not None
    assert fetched.mimetype == "application/zip"
    assert fetched.headers["Cache-Control"] == "no-store"
    names = zipfile.ZipFile(io.BytesIO(fetched.get_data())).namelist()
    assert {"README.txt", "data.json", "members.csv"} <= set(names)


def test_the_same_key_asks_once(session: Session, phone: Phone) -> None:
    key = new_key()

    first = phone.post("/me/data-requests", {"kind": "erasure"}, key=key)
    again = phone.post("/me/data-requests", {"kind": "erasure"}, key=key)

    assert first.get_data() == again.get_data()
    assert session.scalar(sa.select(sa.func.count()).select_from(PrivacyRequest)) == 1


def test_an_erasure_is_refused_with_what_is_to_be_settled(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    member = make_member(session)
    make_order(session, member=member, state=OrderState.PAID)
    phone = phone_of(member)

    with nothing_moves(session):
        answer = phone.post("/me/data-requests", {"kind": "erasure"}, key=new_key())

    body = assert_problem(answer, 409, "erasure_obstructed")
    assert "an order has not come to its end" in body["detail"]


def test_an_erasure_is_withdrawn_in_time_and_after_it_nobody_is_signed_in(
    session: Session, settings: Settings, phone: Phone
) -> None:
    first = phone.post("/me/data-requests", {"kind": "erasure"}, key=new_key()).get_json()
    assert phone.delete(f"/me/data-requests/{first['id']}").status_code == 204
    assert_problem(phone.delete(f"/me/data-requests/{first['id']}"), 409, "data_request_ended")
    phone.post("/me/data-requests", {"kind": "erasure"}, key=new_key())

    carried_out(session, settings, later=timedelta(days=8))

    assert_problem(phone.get("/me"), 401, "session_invalid")


def test_a_stale_sign_in_can_neither_ask_nor_fetch(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    phone = phone_of(make_member(session), signed_in_at=datetime.now(UTC) - timedelta(days=1))

    with nothing_moves(session):
        answer = phone.post("/me/data-requests", {"kind": "copy"}, key=new_key())

    assert_problem(answer, 403, "fresh_sign_in_required")


def test_a_request_of_somebody_else_is_not_found(
    session: Session, phone: Phone, phone_of: Callable[..., Phone]
) -> None:
    theirs = phone.post("/me/data-requests", {"kind": "copy"}, key=new_key()).get_json()
    other = phone_of(make_member(session))

    with nothing_moves(session):
        copy = other.post(f"/me/data-requests/{theirs['id']}/copy")
        gone = other.delete(f"/me/data-requests/{theirs['id']}")

    assert_problem(copy, 404, "data_request_not_found")
    assert_problem(gone, 404, "data_request_not_found")
