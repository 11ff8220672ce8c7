"""Sessions of staff: begun by signing in, over with the next request once anything ends them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from admin import staff_session
from app.kernel.audit import SYSTEM, AuditRecord
from app.kernel.clock import business_day
from app.settings import Settings
from app.stores import jobs, sessions
from app.stores import staff as services
from app.stores.models import Staff
from app.stores.session_models import SessionEnd, StaffSession
from tests.admin.conftest import Desk
from tests.admin.test_sign_in import enter, is_in, person, sign_in
from tests.factories.people import make_staff

__all__ = ["person"]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def clock(session: Session) -> Any:
    return session.scalars(sa.select(sa.func.clock_timestamp())).one()


def rows_of(session: Session, staff_id: int | None) -> list[StaffSession]:
    session.expire_all()
    query = sa.select(StaffSession).where(StaffSession.staff_id == staff_id)
    return list(session.scalars(query.order_by(StaffSession.id)))


def age(session: Session, desk: Desk, **columns: timedelta) -> None:
    """Put instants of the only session of a desk back."""
    row = rows_of(session, desk.staff_id)[0]
    for name, by in columns.items():
        setattr(row, name, getattr(row, name) - by)
    session.commit()


def test_signing_in_begins_a_session_of_its_own(
    stranger: Desk, person: Staff, session: Session
) -> None:
    stranger.client.environ_base.update({"HTTP_USER_AGENT": FIREFOX, "REMOTE_ADDR": "203.0.113.77"})

    sign_in(stranger, person)

    (row,) = rows_of(session, person.id)
    assert (row.browser, row.network) == ("Firefox · Linux", "203.0.113.0/24")
    assert (row.ended_at, row.is_new_device) == (None, False)
    with stranger.client.session_transaction() as cookie:
        assert cookie[staff_session.TOKEN] not in row.token_hash


def test_a_token_planted_before_signing_in_is_worth_nothing_afterwards(
    app: Flask, stranger: Desk, person: Staff, session: Session
) -> None:
    planted = "x" * 43
    with stranger.client.session_transaction() as cookie:
        cookie[staff_session.TOKEN] = planted

    sign_in(stranger, person)

    with stranger.client.session_transaction() as cookie:
        assert cookie[staff_session.TOKEN] != planted
    assert sessions.find_live(session, planted, idle_seconds=3600) is None
    assert is_in(stranger)


def test_an_identity_without_a_session_is_nobody(
    sit_down: Callable[..., Desk], session: Session
) -> None:
    desk, other = sit_down(), sit_down()

    for token in (None, "", "nonsense", 7):
        with desk.client.session_transaction() as cookie:
            cookie[staff_session.TOKEN] = token
        assert not is_in(desk)
    with other.client.session_transaction() as cookie:
        foreign = cookie[staff_session.TOKEN]
    with desk.client.session_transaction() as cookie:
        cookie[staff_session.TOKEN] = foreign
    assert not is_in(desk)
    assert is_in(other)


def test_idleness_ends_a_session(sit_down: Callable[..., Desk], session: Session) -> None:
    desk = sit_down()
    age(session, desk, created_at=timedelta(hours=9), last_seen_at=timedelta(hours=8, seconds=1))

    assert not is_in(desk)


def test_use_keeps_a_session_going_and_is_noted_once_a_minute(
    sit_down: Callable[..., Desk], session: Session
) -> None:
    desk = sit_down()
    age(session, desk, created_at=timedelta(hours=9), last_seen_at=timedelta(hours=7))

    assert is_in(desk)
    (seen,) = rows_of(session, desk.staff_id)
    noted = seen.last_seen_at
    assert clock(session) - noted < timedelta(minutes=1)
    assert is_in(desk)

    assert rows_of(session, desk.staff_id)[0].last_seen_at == noted


def test_a_session_ends_in_its_time_however_much_it_is_used(
    sit_down: Callable[..., Desk], session: Session
) -> None:
    desk = sit_down()
    age(session, desk, created_at=timedelta(hours=25), expires_at=timedelta(hours=25))

    assert not is_in(desk)


def test_the_times_are_settings(
    app: Flask,
    stranger: Desk,
    person: Staff,
    session: Session,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = replace(settings, staff_session_seconds=600, staff_idle_seconds=60)
    monkeypatch.setitem(app.extensions, "settings", short)

    sign_in(stranger, person)

    (row,) = rows_of(session, person.id)
    assert row.expires_at - row.created_at == timedelta(seconds=600)
    row.created_at = row.last_seen_at = row.last_seen_at - timedelta(seconds=61)
    session.commit()
    assert not is_in(stranger)


def test_signing_out_ends_the_row_so_that_a_stolen_cookie_is_worth_nothing(
    app: Flask, sit_down: Callable[..., Desk], session: Session
) -> None:
    desk = sit_down()
    with desk.client.session_transaction() as cookie:
        stolen = dict(cookie)

    desk.post("/logout")
    with desk.client.session_transaction() as cookie:
        cookie.update(stolen)

    assert not is_in(desk)
    assert [row.end_reason for row in rows_of(session, desk.staff_id)] == [SessionEnd.SIGNED_OUT]


def test_ones_own_sessions_are_listed_and_another_one_ended(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    me = make_staff(session, "finance")
    here, elsewhere = sit_down(staff=me), sit_down(staff=me)
    this, other = (row.id for row in rows_of(session, me.id))

    page = here.get("/account/").get_data(as_text=True)
    here.post("/account/sessions/end/", {"session_id": other})

    assert page.count("This one") == 1
    assert f'data-session="{this}"' in page
    assert f'data-session="{other}"' in page
    assert is_in(here)
    assert not is_in(elsewhere)
    assert rows_of(session, me.id)[1].end_reason is SessionEnd.ENDED


@pytest.mark.parametrize("session_id", ["", "abc", "9" * 30, "foreign"])
def test_nobody_ends_a_session_of_somebody_else_by_guessing_its_number(
    session: Session, sit_down: Callable[..., Desk], session_id: str
) -> None:
    desk, other = sit_down("front_desk"), sit_down("finance")
    foreign = rows_of(session, other.staff_id)[0].id

    desk.post(
        "/account/sessions/end/",
        {"session_id": foreign if session_id == "foreign" else session_id},
    )

    assert "This session has ended already." in desk.flashes()[0]
    assert is_in(other)


def test_all_others_end_and_this_one_goes_on(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    me = make_staff(session, "finance")
    here, *elsewhere = (sit_down(staff=me) for _ in range(3))
    foreign = sit_down("finance")

    here.post("/account/sessions/end-others/")

    assert is_in(here)
    assert is_in(foreign)
    assert not any(is_in(desk) for desk in elsewhere)
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "staff_sessions_ended")
    ).one()
    assert record.after == {"count": 2}


def test_an_owner_ends_the_session_of_a_colleague_at_once_and_on_record(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down("finance")
    row = rows_of(session, desk.staff_id)[0]

    owner.decide("staff_sessions", "end", row.id)

    assert not is_in(desk)
    ended = rows_of(session, desk.staff_id)[0]
    assert ended.end_reason is SessionEnd.ENDED_BY_OTHERS
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "staff_session_ended")
    ).one()
    assert (record.actor_id, record.subject_id) == (owner.staff_id, desk.staff_id)


def test_a_manager_ends_nobodys_session(
    session: Session, sit_down: Callable[..., Desk], owner: Desk
) -> None:
    manager = sit_down("store_manager")
    row = rows_of(session, owner.staff_id)[0]

    answer = manager.decide("staff_sessions", "end", row.id)

    assert answer.status_code == 403
    assert is_in(owner)


@pytest.mark.parametrize("what", ["disabled", "last day", "first day", "roles"])
def test_what_is_decided_about_somebody_holds_with_their_very_next_request(
    session: Session, owner: Desk, sit_down: Callable[..., Desk], what: str
) -> None:
    desk = sit_down("finance")
    colleague = session.get_one(Staff, desk.staff_id)
    today = business_day(clock(session))
    assert desk.get("/payouts/").status_code == 200

    if what == "disabled":
        owner.decide("staff", "disable", colleague.id, reason="left the brand")
    elif what == "last day":
        colleague.employed_until_on = today - timedelta(days=1)
    elif what == "first day":
        colleague.employed_from_on = today + timedelta(days=1)
    else:
        duties = services.Duties(roles=["front_desk"])
        services.set_duties(
            session, colleague.id, duties, actor=SYSTEM, reason="x", now=clock(session)
        )
    session.commit()

    assert desk.get("/payouts/").status_code == (403 if what == "roles" else 302)


def test_who_does_not_work_here_today_cannot_sign_in_whatever_they_enter(
    stranger: Desk, person: Staff, session: Session
) -> None:
    person.employed_until_on = business_day(clock(session)) - timedelta(days=1)
    session.commit()

    right, wrong = enter(stranger, person), enter(stranger, person, "guess")

    texts = [answer.get_data(as_text=True) for answer in (right, wrong)]
    assert all("E-mail or password is not right." in text for text in texts)
    assert rows_of(session, person.id) == []
    person.employed_until_on = business_day(clock(session))
    session.commit()
    sign_in(stranger, person)
    assert is_in(stranger)


def test_the_night_closes_what_leavers_left_open(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    leaver, stays = sit_down("finance"), sit_down("finance")
    now = clock(session)
    left = session.get_one(Staff, leaver.staff_id)
    left.employed_until_on = business_day(now) - timedelta(days=1)
    session.commit()

    first, again = (jobs.sign_out_leavers(session, now=now) for _ in range(2))

    assert (first, again) == (1, 0)
    assert rows_of(session, leaver.staff_id)[0].end_reason is SessionEnd.LEFT
    assert rows_of(session, stays.staff_id)[0].ended_at is None


def test_a_new_device_is_on_record_and_the_first_or_a_known_one_is_not(
    session: Session, person: Staff
) -> None:
    caller = sessions.Caller("203.0.113.77", FIREFOX)
    told = [
        (caller, False),
        (caller, False),
        (sessions.Caller("203.0.113.5", FIREFOX), False),
        (sessions.Caller("198.51.100.1", FIREFOX), True),
        (sessions.Caller("203.0.113.77", "Mozilla/5.0 (iPhone) Safari"), True),
    ]
    for one, _ in told:
        sessions.begin(session, person.id, one, lasts_seconds=60, now=clock(session))

    assert [row.is_new_device for row in rows_of(session, person.id)] == [new for _, new in told]
    records = session.scalars(
        sa.select(AuditRecord)
        .where(AuditRecord.action == "staff_new_device")
        .order_by(AuditRecord.id)
    ).all()
    assert [record.after["network"] for record in records] == ["198.51.100.0/24", "203.0.113.0/24"]


def test_sessions_of_long_ago_are_forgotten_and_others_kept(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    old, recent = sit_down(), sit_down()
    age(
        session,
        old,
        created_at=timedelta(days=200),
        last_seen_at=timedelta(days=200),
        expires_at=timedelta(days=200),
    )

    count = sessions.forget(session, now=clock(session))

    assert count == 1
    assert rows_of(session, old.staff_id) == []
    assert len(rows_of(session, recent.staff_id)) == 1
