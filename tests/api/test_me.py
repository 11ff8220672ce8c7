from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import BindingState
from app.members.models import Member
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.people import make_binding, make_distributor, make_member, make_store


def test_a_member_sees_themselves_with_the_phone_masked(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    member = make_member(session, nickname="小美", phone="+8613800001111")

    response = phone_of(member).get("/me")

    assert response.get_json() == {
        "id": member.id,
        "nickname": "小美",
        "phone": "+86****1111",
        "birthday_on": None,
        "registered_at": "2025-01-25T12:00:00Z",
        "avatar": None,
        "distributor_standing": None,
        "consents": [
            {"purpose": purpose, "version": "2026-11", "granted_at": "2025-01-25T12:00:00Z"}
            for purpose in ("phone", "service")
        ],
    }
    assert "13800001111" not in response.get_data(as_text=True)


def test_a_profile_is_changed_where_it_is_given_and_left_elsewhere(phone: Phone) -> None:
    changed = phone.patch("/me", {"birthday_on": "1998-05-20"}).get_json()

    assert (changed["nickname"], changed["birthday_on"]) == ("Mei", "1998-05-20")
    assert phone.get("/me").get_json() == changed


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"nickname": "   "}, 422, "profile_invalid"),
        ({"nickname": "字" * 41}, 422, "profile_invalid"),
        ({"birthday_on": "2999-01-01"}, 422, "profile_invalid"),
        ({"birthday_on": "1899-12-31"}, 422, "profile_invalid"),
        ({"birthday_on": "2020-01-01"}, 403, "too_young"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(
    session: Session, phone: Phone, body: dict[str, str], status: int, code: str
) -> None:
    with nothing_moves(session):
        response = phone.patch("/me", body)

    assert_problem(response, status, code)


def test_the_phone_number_is_kept_with_its_own_consent_and_erased_without_it(
    session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone]
) -> None:
    member = make_member(session, openid=sandbox.user(phone="13800138000"))
    phone = phone_of(member)

    kept = phone.post(
        "/me/phone",
        {"code": sandbox.phone_code(member.wechat_openid), "consent_version": "2026-11"},
    ).get_json()

    assert kept["phone"] == "+86****8000"
    assert [consent["purpose"] for consent in kept["consents"]] == ["phone", "service"]
    assert phone.delete("/me/consents/phone").status_code == 204
    session.expire_all()
    assert session.scalars(sa.select(Member.phone_sealed)).all() == [None]
    assert phone.get("/me").get_json()["phone"] is None


def test_a_phone_code_that_is_unknown_keeps_nothing(
    session: Session, sandbox: SandboxClient, phone: Phone
) -> None:
    sandbox.user()

    with nothing_moves(session):
        response = phone.post("/me/phone", {"code": "e31968a7f94c", "consent_version": "2026-11"})

    assert_problem(response, 422, "phone_code_invalid")


def test_a_consent_is_given_once_and_taken_back_as_easily(session: Session, phone: Phone) -> None:
    first = phone.put("/me/consents/marketing", {"version": "2026-11"})
    with nothing_moves(session):
        again = phone.put("/me/consents/marketing", {"version": "2026-11"})

    assert first.get_json() == again.get_json()
    assert first.get_json()["purpose"] == "marketing"
    for _ in range(2):
        assert phone.delete("/me/consents/marketing").status_code == 204
    assert [one["purpose"] for one in phone.get("/me").get_json()["consents"]] == ["service"]


def test_a_consent_to_something_unknown_is_nowhere(phone: Phone) -> None:
    assert_problem(phone.put("/me/consents/everything", {"version": "1"}), 404, "not_found")


def test_a_customer_sees_who_looks_after_them(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    customer = make_member(session)
    owner = make_distributor(session, make_member(session, nickname="Lan"))
    since = datetime.now(UTC) - timedelta(days=1)
    make_binding(session, customer=customer, owner=owner, valid_from_at=since)

    shown = phone_of(customer).get("/me/ownership").get_json()["owner"]

    assert shown == {
        "kind": "distributor",
        "name": "Lan",
        "state": "soft",
        "source": "poster",
        "since_at": since.isoformat().replace("+00:00", "Z"),
        "until_at": (since + timedelta(days=30)).isoformat().replace("+00:00", "Z"),
    }


def test_a_customer_of_a_store_sees_the_store(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    customer = make_member(session)
    make_binding(
        session,
        customer=customer,
        store=make_store(session, "West Lake"),
        state=BindingState.LOCKED,
        valid_from_at=datetime.now(UTC) - timedelta(days=1),
    )

    shown = phone_of(customer).get("/me/ownership").get_json()["owner"]

    assert (shown["kind"], shown["name"], shown["state"]) == ("store", "West Lake", "locked")


def test_a_customer_of_nobody_belongs_to_nobody(phone: Phone) -> None:
    assert phone.get("/me/ownership").get_json() == {"owner": None}


@pytest.mark.parametrize("path", ["/me/phone", "/me/consents/marketing"])
def test_agreeing_to_a_text_that_is_not_in_force_keeps_nothing(
    session: Session, phone: Phone, path: str
) -> None:
    before = phone.get("/me").get_json()

    if path == "/me/phone":
        answer = phone.post(path, {"code": "a" * 32, "consent_version": "2019-01"})
    else:
        answer = phone.put(path, {"version": "2019-01"})

    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (422, "consent_required")
    assert problem["facts"]["version"] == "2026-11"
    assert phone.get("/me").get_json() == before
