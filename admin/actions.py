"""Calling services from decisions and forms."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _
from flask_security.utils import verify_password
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from admin import lockout, staff
from admin.decisions import Act
from admin.forms import ReasonForm
from admin.i18n import gettext
from admin.sign_in import find_staff, verify_code
from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.stores import queries
from app.stores.models import Staff
from app.stores.permissions import Permission


def joined(service: Callable[..., Any], *positional: Any, **named: Any) -> Any:
    """Call a service that joins its caller's transaction, in a transaction of its own.

    A deadlock or a lock that came too late is tried again, as PostgreSQL asks for.
    """

    def act() -> Any:
        with atomic() as session:
            return service(session, *positional, **named)

    return retrying(act)


def by_id(service: Callable[..., Any]) -> Callable[[int, Act], object]:
    """Make a decision of a service that takes an id, the actor and the time."""
    return lambda key, act: joined(service, key, actor=act.actor, now=act.now)


def with_reason(service: Callable[..., Any]) -> Callable[[int, Act], object]:
    """Make a decision of a service that takes a reason as well."""
    return lambda key, act: joined(
        service, key, actor=act.actor, reason=act.form.reason.data.strip(), now=act.now
    )


class SecondPersonForm(ReasonForm):
    """A reason, and a colleague who proves with both factors that they agree.

    Two people at one desk: the second enters their own password and code, nothing is stored in
    between, and neither can decide alone.
    """

    second_email = EmailField(
        _("Second person: e-mail"), validators=[InputRequired(), Length(max=200)]
    )
    second_password = PasswordField(
        _("Second person: password"), validators=[InputRequired(), Length(max=200)]
    )
    second_code = StringField(
        _("Second person: code of the app"),
        validators=[InputRequired(), Length(max=10)],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    permission: Permission
    """What the second person must be allowed as well."""

    second_actor: Actor | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the form, and then the second person's password and code."""
        if not super().validate(extra_validators):
            return False
        colleague = find_staff(self.second_email.data)
        if colleague is None or not _proves(colleague, self):
            self.second_password.errors = [
                gettext("The second person's e-mail, password or code is not right.")
            ]
            return False
        me = staff.current()
        if me is not None and colleague.id == me.id:
            self.second_email.errors = [gettext("The second person must be somebody else.")]
            return False
        if not queries.may(colleague, self.permission):
            self.second_email.errors = [gettext("The second person may not decide this.")]
            return False
        self.second_actor = Actor("staff", colleague.id, staff.actor().request_id)
        return True


def _proves(colleague: Staff, form: FlaskForm) -> bool:
    """Check both factors of a colleague; a failure counts against their account."""
    if not colleague.password or lockout.is_shut(colleague):
        return False
    is_right = verify_password(form.second_password.data, colleague.password) and verify_code(
        colleague, form.second_code.data
    )
    if not is_right:
        lockout.record_failure(colleague.id)
    return is_right


def at_once(instant: datetime | None, now: datetime) -> datetime:
    """Return an instant typed in a form, or now where none was."""
    return instant if instant is not None else now
