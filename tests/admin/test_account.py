"""One's own password, sessions and codes."""

import time
from collections.abc import Callable

import pytest
from flask_security import hash_password, verify_password
from sqlalchemy.orm import Session

from app.stores.models import Staff
from tests.admin.conftest import Desk
from tests.factories.people import make_staff

OLD = "the old password"
NEW = "a brand new password"


@pytest.fixture
def person(session: Session) -> Staff:
    staff = make_staff(session, "finance")
    staff.password = hash_password(OLD)
    session.commit()
    return staff


def change(desk: Desk, old: str = OLD, new: str = NEW, again: str | None = None) -> str:
    answer = desk.post(
        "/account/password/", {"old": old, "new": new, "again": new if again is None else again}
    )
    return answer.get_data(as_text=True)


def test_a_changed_password_ends_other_sessions_but_not_this_one(
    session: Session, person: Staff, sit_down: Callable[..., Desk]
) -> None:
    here, elsewhere = sit_down(staff=person), sit_down(staff=person)

    change(here)

    session.refresh(person)
    assert person.password is not None
    assert verify_password(NEW, person.password)
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"old": "wrong"}, "old"),
        ({"new": "short"}, "new"),
        ({"new": OLD}, "new"),
        ({"again": "something else"}, "again"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    session: Session,
    person: Staff,
    sit_down: Callable[..., Desk],
    fields: dict[str, str],
    field: str,
) -> None:
    page = change(sit_down(staff=person), **fields)

    assert f'id="{field}-errors"' in page
    session.refresh(person)
    assert person.password is not None
    assert verify_password(OLD, person.password)


def test_wrong_guesses_at_ones_own_password_count(
    session: Session, person: Staff, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down(staff=person)

    for _ in range(5):
        change(desk, old="wrong")

    session.refresh(person)
    assert person.locked_until_at is not None


def test_who_must_change_their_password_can_do_nothing_else_first(
    session: Session, person: Staff, sit_down: Callable[..., Desk]
) -> None:
    person.must_change_password = True
    desk = sit_down(staff=person)
    desk.known_token = ""

    assert desk.get("/payouts/").headers["Location"] == "/admin/account/password/"
    assert desk.get("/account/").headers["Location"] == "/admin/account/password/"
    page = desk.get("/account/password/").get_data(as_text=True)
    desk.known_token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    change(desk)

    assert desk.get("/payouts/").status_code == 200


def test_signing_out_everywhere_ends_this_session_too(
    session: Session, person: Staff, sit_down: Callable[..., Desk]
) -> None:
    here, elsewhere = sit_down(staff=person), sit_down(staff=person)

    here.post("/account/sign-out-everywhere/")

    assert here.get("/").status_code == 302
    assert elsewhere.get("/").status_code == 302


def test_recovery_codes_are_made_and_shown_once(
    session: Session, person: Staff, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down(staff=person)
    with desk.client.session_transaction() as cookie:
        cookie["fs_paa"] = time.time()

    page = desk.post("/mf-recovery-codes").get_data(as_text=True)

    session.refresh(person)
    assert person.mf_recovery_codes is not None
    assert len(person.mf_recovery_codes) == 8
    assert all(code in page for code in person.mf_recovery_codes)
    later = desk.get("/account/").get_data(as_text=True)
    assert "8 codes are left." in later
    assert not any(code in later for code in person.mf_recovery_codes)
