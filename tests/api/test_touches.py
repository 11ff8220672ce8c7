from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import Binding, CodeMiss, Touch
from app.kernel.ids import random_text
from app.settings import Settings
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.people import (
    make_distributor,
    make_member,
    make_share_code,
)


def test_a_new_customer_is_bound_to_the_owner_of_the_code(session: Session, phone: Phone) -> None:
    owner = make_distributor(session)
    code = make_share_code(session, distributor=owner, page="pages/offer/offer")

    response = phone.post(
        "/touches", {"code": code.code, "source": "poster", "device_id": "device-1"}
    )

    shown = response.get_json()
    binding = session.scalars(sa.select(Binding)).one()
    assert response.status_code == 200
    assert (shown["outcome"], shown["reason"]) == ("bound", "new_customer")
    assert set(shown["message"]) == {"zh", "en"}
    assert (shown["page"], shown["product_id"]) == ("pages/offer/offer", None)
    assert datetime.fromisoformat(shown["valid_until_at"]) == binding.valid_until_at
    assert (binding.customer_id, binding.owner_id) == (phone.member_id, owner.member_id)


def test_the_same_owners_touch_renews(session: Session, phone: Phone) -> None:
    code = make_share_code(session)
    phone.post("/touches", {"code": code.code})

    shown = phone.post("/touches", {"code": code.code}).get_json()

    assert (shown["outcome"], shown["reason"]) == ("renewed", "same_owner")


def test_ones_own_code_binds_nobody_and_is_no_error(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    owner = make_distributor(session)
    code = make_share_code(session, distributor=owner)

    response = phone_of(owner).post("/touches", {"code": code.code})

    shown = response.get_json()
    assert (response.status_code, shown["outcome"], shown["reason"]) == (200, "refused", "self")
    assert session.scalars(sa.select(Binding)).all() == []
    assert len(session.scalars(sa.select(Touch)).all()) == 1


def test_a_household_and_an_existing_customer_are_refused_for_what_they_are(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    owner = make_distributor(session, make_member(session, phone="+8613800001111"))
    code = make_share_code(session, distributor=owner)
    people = {
        "household": make_member(session, phone="+8613800001111"),
        "existing_customer": make_member(session, first_paid_at=datetime.now(UTC)),
    }

    for reason, member in people.items():
        shown = phone_of(member).post("/touches", {"code": code.code}).get_json()
        assert (shown["outcome"], shown["reason"]) == ("refused", reason)
        assert shown["valid_until_at"] is None
    assert session.scalars(sa.select(Binding)).all() == []


@pytest.mark.parametrize("source", ["staff_scan", "guest_card", "POSTER", "", None, 1])
def test_the_mini_program_cannot_claim_to_be_staff(
    session: Session, phone: Phone, source: object
) -> None:
    code = make_share_code(session)

    with nothing_moves(session):
        response = phone.post("/touches", {"code": code.code, "source": source})

    assert_problem(response, 422, "invalid_request", "/source")


def test_a_revoked_code_says_so(session: Session, phone: Phone) -> None:
    code = make_share_code(session, revoked_at=datetime.now(UTC))

    with nothing_moves(session):
        response = phone.post("/touches", {"code": code.code})

    assert_problem(response, 409, "share_code_revoked")


@pytest.mark.parametrize("code", ["", "x", "a" * 22, "a" * 23, "a" * 200, "' OR 1=1 --", "拓客"])
def test_an_unknown_or_malformed_code_is_a_miss_and_nothing_else(
    session: Session, phone: Phone, code: str
) -> None:
    response = phone.post("/touches", {"code": code})

    assert_problem(response, 404, "share_code_unknown")
    assert session.scalars(sa.select(Touch)).all() == []
    misses = session.scalars(sa.select(CodeMiss.misses)).all()
    assert misses == [1, 1]


def test_who_guesses_codes_is_locked_out_even_from_right_ones(
    session: Session, phone: Phone, settings: Settings
) -> None:
    right = make_share_code(session).code
    for _ in range(settings.code_misses_max):
        assert_problem(phone.post("/touches", {"code": random_text(22)}), 404, "share_code_unknown")

    with nothing_moves(session):
        response = phone.post("/touches", {"code": right})

    assert_problem(response, 429, "share_codes_locked")
    seconds = int(response.headers["Retry-After"])
    assert settings.code_lock_seconds - 60 <= seconds <= settings.code_lock_seconds
