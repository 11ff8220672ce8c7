"""Staff change settings: by unit and bounds, from a day on, with a reason, two where it counts."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from flask_security import hash_password
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import access
from app.approvals.models import Approval, ApprovalState
from app.kernel.audit import SYSTEM
from app.kernel.clock import SHANGHAI
from app.kernel.db import atomic, database_now
from app.preferences import services
from app.preferences.models import SettingChange
from app.preferences.services import Wish
from app.stores.models import Staff
from tests.admin.conftest import Desk
from tests.admin.pages import fields_of, text_of
from tests.factories.people import make_member, make_staff, make_store

SECRET = "KRSXG5DSNFXGOIDBKRSXG5DSNFXGOIDB"
PASSWORD = "a second pair of eyes"
CHANGE = "/settings/form/change/"


@pytest.fixture
def colleague(session: Session, redis: Redis) -> Staff:
    """Another owner who can prove both factors."""
    assert redis.ping()
    staff = make_staff(session, "owner", name="Second")
    staff.password = hash_password(PASSWORD)
    staff.tf_primary_method = "authenticator"
    staff.tf_totp_secret = json.dumps({"key": SECRET, "type": "totp", "v": 1})
    session.commit()
    return staff


def agrees(staff: Staff) -> dict[str, str]:
    return {
        "way": "together",
        "second_email": staff.email,
        "second_password": PASSWORD,
        "second_code": pyotp.TOTP(SECRET).at(datetime.now(UTC)),
    }


def send(desk: Desk, name: str, **fields: Any) -> TestResponse:
    """Open the form of a setting and send it back with some fields filled in."""
    begun = fields_of(desk.get(CHANGE, id=name).get_data(as_text=True))
    data = {**begun, "reason": "a new contract", **fields}
    data.pop("csrf_token")
    return desk.post(CHANGE, data, query_string={"id": name})


def changes(session: Session) -> list[SettingChange]:
    session.expire_all()
    return list(session.scalars(sa.select(SettingChange).order_by(SettingChange.id)))


def set_to(name: str, value: Any, *, effective_at: datetime | None = None) -> None:
    now = database_now()
    with atomic() as session:
        services.change(
            session,
            Wish(name=name, value=value, effective_at=effective_at, reason="as agreed"),
            environment=access.environment(),
            actor=SYSTEM,
            now=now,
        )


def test_the_page_shows_values_in_words_who_changed_them_and_what_is_planned(
    session: Session, owner: Desk
) -> None:
    set_to("code_misses_max", 9)
    set_to("payout_min_fen", 700, effective_at=database_now() + timedelta(days=3))

    page = text_of(owner.get("/settings/"))

    assert "30 days" in page
    assert "¥5,000.00" in page
    assert "¥7.00 from " in page
    assert "System" in page
    assert "How long a new customer belongs to whoever brought them, before paying." in page


def test_secrets_of_the_environment_are_named_and_not_shown(owner: Desk) -> None:
    page = text_of(owner.get("/settings/"))

    environment = access.environment()
    assert "SECRET_KEY" in page
    assert "Set, not shown" in page
    for secret in (
        environment.secret_key,
        environment.data_key,
        environment.database_url,
        environment.redis_url,
        environment.wechat_api_v3_key,
    ):
        assert secret not in page


@pytest.mark.parametrize(
    ("name", "fields", "value"),
    [
        ("code_misses_max", {"value": "9"}, 9),
        ("code_lock_seconds", {"value": "2", "measure": "3600"}, 7_200),
        ("order_pay_seconds", {"value": "90", "measure": "60"}, 5_400),
        ("risk_refund_bp", {"value": "12.5"}, 1_250),
        ("risk_refund_bp", {"value": "7.25%"}, 725),
    ],
)
def test_one_person_changes_what_only_protects(
    session: Session, owner: Desk, name: str, fields: dict[str, str], value: int
) -> None:
    answer = send(owner, name, **fields)

    assert answer.headers["Location"].endswith(f"/settings/details/?id={name}")
    (row,) = changes(session)
    assert (row.name, row.value, row.set_by) == (name, value, f"staff:{owner.staff_id}")
    assert getattr(access.settings(), name) == value


@pytest.mark.parametrize(
    ("name", "fields", "value"),
    [
        ("payout_min_fen", {"value": "7.50"}, 750),
        ("refund_auto_approve", {"value": "0"}, False),
        ("after_sale_seconds", {"value": "14", "measure": "86400"}, 14 * 86_400),
    ],
)
def test_two_people_at_one_desk_change_what_moves_money(
    session: Session,
    owner: Desk,
    colleague: Staff,
    name: str,
    fields: dict[str, str],
    value: Any,
) -> None:
    send(owner, name, **fields, **agrees(colleague))

    (row,) = changes(session)
    assert (row.value, row.second_by) == (value, f"staff:{colleague.id}")
    page = text_of(owner.get("/settings/details/", id=name))
    assert "Second" in page
    assert "a new contract" in page


def test_a_colleague_at_another_desk_is_asked_and_agrees(
    session: Session, owner: Desk, colleague: Staff, sit_down: Callable[..., Desk]
) -> None:
    send(owner, "payout_min_fen", value="7.50", way="ask")
    assert changes(session) == []
    (asked,) = session.scalars(sa.select(Approval)).all()

    other = sit_down(staff=colleague)
    other.decide("approvals", "approve", asked.id)

    session.refresh(asked)
    assert asked.state is ApprovalState.APPROVED
    (row,) = changes(session)
    assert (row.value, row.set_by, row.second_by) == (
        750,
        f"staff:{owner.staff_id}",
        f"staff:{colleague.id}",
    )


def test_a_request_about_a_setting_that_somebody_else_changed_meanwhile_does_nothing(
    session: Session, owner: Desk, colleague: Staff, sit_down: Callable[..., Desk]
) -> None:
    send(owner, "payout_min_fen", value="7.50", way="ask")
    (asked,) = session.scalars(sa.select(Approval)).all()
    set_to("payout_min_fen", 900)

    sit_down(staff=colleague).decide("approvals", "approve", asked.id)

    session.refresh(asked)
    assert asked.state is ApprovalState.VOID
    assert [row.value for row in changes(session)] == [900]


@pytest.mark.parametrize(
    ("name", "fields", "text"),
    [
        ("code_misses_max", {"value": "2"}, "must lie between 3 and 100"),
        ("code_misses_max", {"value": "101"}, "must lie between 3 and 100"),
        ("code_misses_max", {"value": "5"}, "has this value already"),
        ("code_misses_max", {"value": "nine"}, "Not a valid integer"),
        ("code_misses_max", {"value": ""}, "This field is required."),
        ("code_misses_max", {"value": "-1"}, "Number must be between"),
        ("code_misses_max", {"value": "9", "reason": ""}, "This field is required."),
        ("code_lock_seconds", {"value": "2", "measure": "7"}, "Not a valid choice"),
        ("code_lock_seconds", {"value": "2", "measure": "86400"}, "between 1 minute and 1 day"),
        ("risk_refund_bp", {"value": "12.345"}, "Please enter a percentage, such as 12.5."),
        (
            "code_misses_max",
            {"value": "9", "effective_at": "2020-01-01T00:00"},
            "A setting changes now or within a year, never in the past.",
        ),
        ("risk_binds_hour", {"value": "101"}, "which may not be above"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field_and_nothing_moves(
    session: Session, owner: Desk, name: str, fields: dict[str, str], text: str
) -> None:
    answer = send(owner, name, **fields)

    assert answer.status_code == 200
    assert text in text_of(answer)
    assert changes(session) == []


def test_a_change_may_begin_later_by_the_shops_clock_and_be_withdrawn(
    session: Session, owner: Desk
) -> None:
    later = (database_now() + timedelta(days=2)).astimezone(SHANGHAI).replace(second=0)
    later = later.replace(microsecond=0)
    send(owner, "code_misses_max", value="9", effective_at=later.strftime("%Y-%m-%dT%H:%M"))
    (row,) = changes(session)
    assert row.effective_at == later
    assert access.settings().code_misses_max == 5

    owner.post(
        "/settings/form/withdraw/",
        {"change_id": str(row.id), "reason": "no longer needed"},
        query_string={"id": "code_misses_max"},
    )

    (kept,) = changes(session)
    assert (kept.withdrawn_by, kept.withdrawal_reason) == (
        f"staff:{owner.staff_id}",
        "no longer needed",
    )
    assert "Withdrawn by" in text_of(owner.get("/settings/details/", id="code_misses_max"))


def test_a_change_of_another_setting_cannot_be_withdrawn_from_here(
    session: Session, owner: Desk
) -> None:
    set_to("risk_pair_orders", 5, effective_at=database_now() + timedelta(days=1))
    (row,) = changes(session)

    answer = owner.post(
        "/settings/form/withdraw/",
        {"change_id": str(row.id), "reason": "no"},
        query_string={"id": "code_misses_max"},
    )

    assert answer.status_code == 200
    (kept,) = changes(session)
    assert kept.withdrawn_at is None


def test_a_form_that_is_out_of_date_shows_both_values_and_can_be_sent_again(
    session: Session, owner: Desk
) -> None:
    begun = fields_of(owner.get(CHANGE, id="code_misses_max").get_data(as_text=True))
    begun.pop("csrf_token")
    set_to("code_misses_max", 7)

    late = owner.post(
        CHANGE,
        {**begun, "value": "9", "reason": "mine"},
        query_string={"id": "code_misses_max"},
    )

    page = text_of(late)
    assert "Somebody else changed" in page
    assert ">7<" in page
    again = fields_of(page)
    again.pop("csrf_token")
    assert (again["value"], again["reason"]) == ("9", "mine")
    assert [row.value for row in changes(session)] == [7]
    owner.post(CHANGE, again, query_string={"id": "code_misses_max"})
    assert [row.value for row in changes(session)] == [7, 9]


def test_a_name_that_is_no_setting_is_not_found(owner: Desk) -> None:
    for name in ("database_url", "nonsense", "__class__", "0", "99999999999999999999999"):
        assert owner.get("/settings/details/", id=name).status_code == 404
        assert owner.get(CHANGE, id=name).status_code == 404


def test_the_page_of_a_change_is_that_of_its_setting(session: Session, owner: Desk) -> None:
    set_to("code_misses_max", 9)
    (row,) = changes(session)

    assert "Wrong share codes" in text_of(owner.get("/settings/details/", id=row.id))


def test_reading_is_not_changing(session: Session, sit_down: Callable[..., Desk]) -> None:
    finance = sit_down("finance")

    assert finance.get("/settings/details/", id="code_misses_max").status_code == 200
    assert finance.get(CHANGE, id="code_misses_max").status_code == 403
    refused = finance.post(
        CHANGE, {"value": "9", "reason": "mine"}, query_string={"id": "code_misses_max"}
    )
    assert refused.status_code == 403
    assert changes(session) == []


def test_settings_of_the_brand_are_not_for_staff_of_one_store(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down("owner", make_store(session))

    page = text_of(desk.get("/settings/"))

    assert "Settings of the brand are for staff who see all stores." in page
    assert "SECRET_KEY" not in page
    assert desk.get(CHANGE, id="code_misses_max").status_code == 404


def test_no_text_of_a_change_becomes_markup(session: Session, owner: Desk) -> None:
    send(owner, "code_misses_max", value="9", reason="<script>alert(1)</script>")

    page = owner.get("/settings/details/", id="code_misses_max").get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_limit_of_phone_looks_is_the_one_staff_set(session: Session, owner: Desk) -> None:
    set_to("phone_looks_per_day", 0)
    member = make_member(session, phone="+8613800001111")
    session.commit()

    page = text_of(owner.post("/members/phone/", {"id": str(member.id), "reason": "calls back"}))

    assert "You have seen 0 phone numbers today; that is the limit." in page
    assert "13800001111" not in page


def test_a_request_about_a_setting_is_read_in_words(
    session: Session, owner: Desk, colleague: Staff
) -> None:
    send(owner, "binding_soft_seconds", value="14", measure="86400", way="ask")
    (asked,) = session.scalars(sa.select(Approval)).all()

    page = text_of(owner.get("/approvals/details/", id=asked.id))

    assert "How long a touch binds" in page
    assert "30 days" in page
    assert "14 days" in page
