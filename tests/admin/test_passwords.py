"""Which passwords will do, and what becomes of those that everybody knows."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_security import hash_password, verify_password
from sqlalchemy.orm import Session

from admin.passwords import PasswordPersonal, PasswordTooEasy, require_good
from app.demo.staff import DEMO_PASSWORD
from app.settings import Settings
from app.stores.models import Staff
from app.stores.session_models import StaffPassword
from tests.admin.conftest import Desk
from tests.admin.test_sign_in import PASSWORD, code, enter, is_in, person, sign_in
from tests.factories.people import make_staff

__all__ = ["person"]

GOOD = [
    "umbrella pickle forty",
    "glacier tango mimosa",
    "seven purple walruses",
    "quiet harbour lantern",
    "bamboo ticket ocean",
    "velvet compass rain",
]


@pytest.mark.parametrize("password", [*GOOD, "雨伞·泡菜·四十二·灯塔·海"])
def test_several_words_will_do(app: Flask, password: str) -> None:
    with app.app_context():
        require_good(password, "Zhao Wei", "zhao@example.com")


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "123456789012",
        "qwertyuiop123",
        "aaaaaaaaaaaaaaaa",
        "passwordpassword",
        "iloveyouiloveyou",
        "abcdefghijklmnop",
        DEMO_PASSWORD,
        "a" * 200,
    ],
)
def test_what_is_guessed_soon_will_not_do(app: Flask, password: str) -> None:
    with app.app_context(), pytest.raises((PasswordTooEasy, PasswordPersonal)):
        require_good(password)


@pytest.mark.parametrize(
    "password",
    [
        "zhao@example.com",
        "Zhao Wei 2026",
        "ZHAO@EXAMPLE.COM1",
        "tuoketuoketuoke",
        "拓客拓客拓客拓客2026",
        "zhaoweizhaowei1",
    ],
)
def test_names_addresses_and_the_brand_will_not_do(app: Flask, password: str) -> None:
    with app.app_context(), pytest.raises(PasswordPersonal):
        require_good(password, "Zhao Wei", "zhao@example.com")


def change(desk: Desk, old: str, new: str) -> str:
    fields = {"old": old, "new": new, "again": new}
    return desk.post("/account/password/", fields).get_data(as_text=True)


def test_the_last_five_passwords_are_not_chosen_again_and_the_sixth_may_be(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    me = make_staff(session, "finance")
    me.password = hash_password(GOOD[0])
    desk = sit_down(staff=me)
    for old, new in pairwise(GOOD[:5]):
        change(desk, old, new)

    refused = [change(desk, GOOD[4], one) for one in GOOD[:4]]
    change(desk, GOOD[4], GOOD[5])
    change(desk, GOOD[5], GOOD[0])

    assert all("one of the last five passwords" in page for page in refused)
    session.refresh(me)
    assert me.password is not None
    assert verify_password(GOOD[0], me.password)
    kept = sa.select(sa.func.count()).where(StaffPassword.staff_id == me.id)
    assert session.scalar(kept) == 4


@pytest.mark.parametrize("new", ["password1234", "finance clerk Zhao", DEMO_PASSWORD])
def test_a_weak_new_password_is_refused_beside_its_field(
    session: Session, sit_down: Callable[..., Desk], new: str
) -> None:
    me = make_staff(session, "finance", name="finance clerk Zhao")
    me.password = hash_password(GOOD[0])

    page = change(sit_down(staff=me), GOOD[0], new)

    assert 'id="new-errors"' in page
    session.refresh(me)
    assert me.password is not None
    assert verify_password(GOOD[0], me.password)


@pytest.mark.parametrize("form", ["new", "reset"])
def test_a_weak_first_password_is_given_to_nobody(session: Session, owner: Desk, form: str) -> None:
    clerk = make_staff(session, "front_desk")
    session.commit()
    fields = {
        "name": "Wu",
        "email": "wu@example.com",
        "password": "password1234",
        "roles": ["front_desk"],
        "reason": "lost",
    }

    page = owner.post(f"/staff/form/{form}/", fields, query_string={"id": clerk.id})

    assert "This password is easy to guess." in page.get_data(as_text=True)
    session.refresh(clerk)
    assert clerk.password is None
    assert session.scalars(sa.select(Staff).where(Staff.email == "wu@example.com")).all() == []


def test_outside_the_demo_its_password_must_be_changed_before_anything_else(
    stranger: Desk, person: Staff, session: Session
) -> None:
    person.password = hash_password(DEMO_PASSWORD)
    session.commit()

    enter(stranger, person, DEMO_PASSWORD)
    stranger.post("/tf-validate", {"code": code()})

    for path in ("/", "/orders/", "/account/"):
        assert stranger.get(path).headers["Location"] == "/admin/account/password/"
    page = stranger.get("/account/password/").get_data(as_text=True)
    stranger.known_token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    again = change(stranger, DEMO_PASSWORD, DEMO_PASSWORD)
    assert 'id="new-errors"' in again
    change(stranger, DEMO_PASSWORD, GOOD[0])
    assert is_in(stranger)
    session.refresh(person)
    assert (person.must_change_password, person.tf_totp_secret) == (False, None)


def test_in_the_demo_its_password_stands(
    app: Flask,
    stranger: Desk,
    person: Staff,
    session: Session,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(settings, demo=True))
    person.password, person.must_change_password = hash_password(DEMO_PASSWORD), True
    session.commit()

    enter(stranger, person, DEMO_PASSWORD)
    stranger.post("/tf-validate", {"code": code()})

    assert is_in(stranger)


def test_a_second_factor_of_ones_own_stays_when_the_password_changes(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    me = make_staff(session, "finance")
    me.password = hash_password(GOOD[0])
    own = json.dumps({"key": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "type": "totp", "v": 1})
    me.tf_totp_secret = own

    change(sit_down(staff=me), GOOD[0], GOOD[1])

    session.refresh(me)
    assert verify_password(GOOD[1], me.password or "")
    assert me.tf_totp_secret == own


def test_each_lock_out_lasts_twice_as_long_up_to_four_hours(
    stranger: Desk, person: Staff, session: Session
) -> None:
    lasted = []
    for _ in range(6):
        for _ in range(5):
            enter(stranger, person, "guess")
        session.refresh(person)
        now = session.scalars(sa.select(sa.func.clock_timestamp())).one()
        assert person.locked_until_at is not None
        lasted.append(round((person.locked_until_at - now) / timedelta(minutes=15)))
        person.locked_until_at = now - timedelta(seconds=1)
        session.commit()

    assert lasted == [1, 2, 4, 8, 16, 16]
    sign_in(stranger, person)
    session.refresh(person)
    assert is_in(stranger)
    assert (person.lock_outs, person.failed_logins) == (0, 0)
    assert verify_password(PASSWORD, person.password or "")
