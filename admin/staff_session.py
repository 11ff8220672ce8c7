"""The session of whoever sits at this browser: begun at sign-in, asked for with every request.

The cookie says who it is (`fs_uniquifier`, which changes when everything of a person must end) and
which session it is. Both have to hold. Nothing of it is cached: what is ended is over with the next
request.
"""

from typing import Final

import sqlalchemy as sa
from flask import Flask, current_app, g, request, session
from flask_login import LoginManager, user_logged_out
from flask_security import user_authenticated
from flask_security.utils import set_request_attr

from admin import lockout, staff
from app.access import settings
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, database_now, db
from app.stores import sessions
from app.stores.models import Staff
from app.stores.queries import is_employed
from app.stores.session_models import SessionEnd
from app.stores.sessions import Caller, LiveSession

TOKEN: Final = "staff_session"  # noqa: S105 - where the cookie keeps it
AGENT_LENGTH_MAX: Final = 400


def init_app(app: Flask, login_manager: LoginManager) -> None:
    """Let sign-in begin sessions, requests need one, and signing out end it."""
    login_manager.user_loader(load)
    user_authenticated.connect(_begin, app)
    user_logged_out.connect(_leave, app)

    @app.before_request
    def note_use() -> None:
        if staff.current() is None:
            return
        live = current()
        if live is not None and live.is_due:
            with atomic() as transaction:
                sessions.touch(transaction, live.id, now=live.now)


def load(uniquifier: str) -> Staff | None:
    """Return who a cookie belongs to, while their session goes on and they work here."""
    token = session.get(TOKEN)
    if not isinstance(token, str) or not uniquifier:
        return None
    live = sessions.find_live(db.session(), token, idle_seconds=settings().staff_idle_seconds)
    if live is None:
        return None
    person: Staff | None = current_app.extensions["security"].datastore.find_user(
        fs_uniquifier=uniquifier
    )
    if person is None or person.id != live.staff_id or not is_employed(person, now=live.now):
        return None
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", session.get("fs_paa", 0))
    g.staff_session = live
    return person


def current() -> LiveSession | None:
    """Return the session of this request, once somebody was found to be signed in."""
    found: LiveSession | None = g.get("staff_session")
    return found


def current_id() -> int | None:
    """Return the number of the session of this request."""
    live = current()
    return live.id if live is not None else None


def _begin(_app: Flask, user: Staff, **_extra: object) -> None:
    """Begin a session of its own for this sign-in, and end what this browser had before.

    Flask-Security has changed the account in this database session by now - a used recovery code,
    a newly connected phone - and that is committed along. A token is never taken from the browser,
    so planting one before somebody signs in gains nothing.
    """
    before = session.pop(TOKEN, None)
    caller = Caller(request.remote_addr or "", request.user_agent.string[:AGENT_LENGTH_MAX])
    with atomic() as transaction:
        transaction.flush()
        now = transaction.scalars(sa.select(sa.func.clock_timestamp())).one()
        person = transaction.get_one(Staff, user.id, with_for_update=True, populate_existing=True)
        lockout.forget_failures(person)
        who, subject = Actor("staff", person.id), Subject("staff", person.id)
        audit.record(transaction, who, "staff_signed_in", subject, Change(), now=now)
        if isinstance(before, str):
            sessions.replace(transaction, before, now=now)
        session[TOKEN] = sessions.begin(
            transaction,
            person.id,
            caller,
            lasts_seconds=settings().staff_session_seconds,
            now=now,
        )


def _leave(_app: Flask, **_extra: object) -> None:
    token = session.pop(TOKEN, None)
    live = current()
    if isinstance(token, str) and live is not None:
        now = database_now()
        with atomic() as transaction:
            sessions.leave(transaction, live.id, why=SessionEnd.SIGNED_OUT, now=now)
