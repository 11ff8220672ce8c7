"""The account of whoever is signed in: password, sessions, second factor."""

from typing import Any

from flask import flash, redirect, session
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
from admin.demo_sign_ins import has_published_phone
from admin.forms import must_differ
from admin.i18n import gettext, say_error
from admin.passwords import LENGTH_MAX, LENGTH_MIN, hard_to_guess, require_new
from app.access import settings
from app.kernel.db import database_now
from app.kernel.errors import DomainError
from app.stores.models import Staff
from app.stores.permissions import Permission

SESSION_USER = "_user_id"
"""Where Flask-Login keeps whose session this is."""


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
        )
        return page

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
