"""The account of whoever is signed in: password, sessions, second factor."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, session
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _
from flask_security.utils import hash_password, logout_user, verify_password
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from admin import lockout, staff, staff_session
from admin.accounts import end_sessions, set_password
from admin.actions import joined
from admin.base import to_sign_in
from admin.decisions import NO_ID
from admin.demo_sign_ins import has_published_phone
from admin.forms import must_differ
from admin.i18n import gettext, moment, say_error
from admin.passwords import LENGTH_MAX, LENGTH_MIN, hard_to_guess, require_new
from admin.urls import as_id
from app.access import settings
from app.kernel.db import database_now, db
from app.kernel.errors import DomainError
from app.stores import sessions
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.session_models import StaffSession
from app.stores.staff_errors import SessionNotFound

SESSION_USER = "_user_id"
"""Where Flask-Login keeps whose session this is."""
SESSIONS_SHOWN = 50


class PasswordForm(FlaskForm):
    """The old password once, the new one twice."""

    old = PasswordField(
        _("Password now"),
        validators=[InputRequired()],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        _("New password"),
        validators=[
            InputRequired(),
            Length(min=LENGTH_MIN, max=LENGTH_MAX),
            must_differ("old"),
            hard_to_guess,
        ],
        description=_("At least 12 characters; several words are easiest to remember."),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _("New password again"),
        validators=[InputRequired(), EqualTo("new", _("The two are not the same."))],
        render_kw={"autocomplete": "new-password"},
    )

    @property
    def about(self) -> tuple[str, ...]:
        """Return what a password must not be made of."""
        me = staff.current()
        return (me.name, me.email) if me is not None else ()


class AccountView(BaseView):
    """What everybody can change about their own sign-in."""

    icon = "key-round"

    def is_accessible(self) -> bool:
        """Let in whoever is signed in."""
        return staff.may(None)

    def is_visible(self) -> bool:
        """Stay out of the navigation: the menu with the name leads here."""
        return False

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page."""
        return to_sign_in()

    @expose("/")
    def index(self) -> str:
        """Show the account."""
        me = staff.current()
        assert me is not None
        left = len(me.mf_recovery_codes or ())
        page: str = self.render(
            "backoffice/account.html",
            me=me,
            codes_left=left,
            may_work_by_phone=staff.may(Permission.STAFF_MODE),
            sessions=_own_sessions(me.id),
            this_id=staff_session.current_id(),
            moment=moment,
        )
        return page

    @expose("/sessions/end/", methods=("POST",))
    def end_session(self) -> Response:
        """End one session of one's own; another person's is answered like one that is over."""
        who, now = staff.actor(), database_now()
        key = as_id(request.form.get("session_id", "")) or NO_ID
        try:
            joined(sessions.end_one, key, staff_id=who.id, actor=who, now=now)
        except SessionNotFound as error:
            flash(say_error(error), "error")
        else:
            flash(gettext("The session was ended."), "success")
        return redirect(self.get_url(".index"))

    @expose("/sessions/end-others/", methods=("POST",))
    def end_other_sessions(self) -> Response:
        """End every session of one's own but this one."""
        who, now, this_id = staff.actor(), database_now(), staff_session.current_id()
        joined(sessions.end_others, who.id, but_id=this_id, actor=who, now=now)
        flash(gettext("You are signed in here only."), "success")
        return redirect(self.get_url(".index"))

    @expose("/password/", methods=("GET", "POST"))
    def password(self) -> Response | str:
        """Change one's own password; other sessions end, this one goes on."""
        me = staff.current()
        assert me is not None
        form = PasswordForm()
        if form.validate_on_submit() and self._is_old_right(form) and _is_new(form, me):
            session[SESSION_USER] = joined(
                set_password,
                me.id,
                password_hash=hash_password(form.new.data),
                but_session_id=staff_session.current_id(),
                forgets_phone=has_published_phone(me.tf_totp_secret),
                actor=staff.actor(),
                now=database_now(),
            )
            flash(gettext("The password was changed. Other devices were signed out."), "success")
            return redirect(self.get_url("admin.index"))
        page: str = self.render("backoffice/password.html", form=form, is_due=must_change())
        return page

    def _is_old_right(self, form: PasswordForm) -> bool:
        """Check the old password; failures count against the account."""
        me = staff.current()
        assert me is not None
        is_right = bool(me.password) and verify_password(form.old.data or "", me.password or "")
        if is_right and not lockout.is_locked(me):
            return True
        if not is_right:
            lockout.record_failure(me.id)
        form.old.errors = [gettext("This is not your password.")]
        return False

    @expose("/sign-out-everywhere/", methods=("POST",))
    def sign_out_everywhere(self) -> Response:
        """End every session of one's own, this one too."""
        who, now = staff.actor(), database_now()
        joined(end_sessions, who.id, actor=who, now=now)
        logout_user()
        flash(gettext("You were signed out on every device."), "success")
        return redirect("/admin/login")


def _own_sessions(staff_id: int) -> Sequence[StaffSession]:
    """Return where somebody is signed in at this moment, the latest first."""
    live = sessions.live_sessions(idle_seconds=settings().staff_idle_seconds, now=database_now())
    return db.session.scalars(
        sa.select(StaffSession)
        .where(StaffSession.staff_id == staff_id, live)
        .order_by(StaffSession.last_seen_at.desc(), StaffSession.id.desc())
        .limit(SESSIONS_SHOWN)
    ).all()


def _is_new(form: PasswordForm, me: Staff) -> bool:
    """Tell whether the new password was not in use lately; say so beside the field if it was."""
    try:
        require_new(form.new.data or "", me)
    except DomainError as error:
        form.new.errors = [say_error(error)]
        return False
    return True


def must_change() -> bool:
    """Tell whether the person here has to choose a password of their own first.

    The demo lets its published passwords stand.
    """
    me = staff.current()
    return me is not None and me.must_change_password and not settings().demo
