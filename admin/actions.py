"""Calling services from decisions and forms."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from flask_babel import lazy_gettext as _
from flask_security.utils import verify_password
from flask_wtf import FlaskForm
from wtforms import EmailField, Field, PasswordField, RadioField, StringField
from wtforms.validators import Length, StopValidation

from admin import lockout, staff
from admin.decisions import Act
from admin.forms import ReasonForm
from admin.i18n import gettext, say_error
from admin.sign_in import find_staff, verify_code
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now, db, retrying
from app.stores import queries
from app.stores.independence import require_independent
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.staff_errors import NotIndependent


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


TOGETHER: Final = "together"
ASK: Final = "ask"


class WhenTogether:
    """Demand a field where two people decide at one desk; the other way needs none of it."""

    def __call__(self, form: Any, field: Field) -> None:
        """Stop where nothing is asked for, and where it is missing."""
        if form.asks_colleague:
            raise StopValidation
        if not field.data:
            raise StopValidation(field.gettext("This field is required."))


class SecondPersonForm(ReasonForm):
    """A reason, and a colleague who agrees: here and now, or at their own desk.

    Together at one desk the second person proves with both factors that they agree; nothing is
    stored in between, and neither can decide alone. Where the form names a `kind` of request, the
    colleague can be asked instead, and decides when they find the request waiting.
    """

    way = RadioField(_("Who agrees?"), default=TOGETHER)
    second_email = EmailField(
        _("Second person: e-mail"), validators=[WhenTogether(), Length(max=200)]
    )
    second_password = PasswordField(
        _("Second person: password"), validators=[WhenTogether(), Length(max=200)]
    )
    second_code = StringField(
        _("Second person: code of the app"),
        validators=[WhenTogether(), Length(max=10)],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    permission: Permission
    """What the second person must be allowed as well."""
    kind: ClassVar[str] = ""
    """The kind of request that can wait for a colleague; none where both must be here."""

    second_actor: Actor | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer to ask a colleague where there is a kind of request for it."""
        super().__init__(*args, **kwargs)
        if not self.kind:
            del self.way
            return
        self.way.choices = [
            (TOGETHER, _("A colleague beside me, now")),
            (ASK, _("A colleague at their own desk: let the request wait for them")),
        ]

    @property
    def asks_colleague(self) -> bool:
        """Tell whether the request is to wait for somebody at another desk."""
        return bool(self.kind) and self.way.data == ASK

    def payload(self, _row: Any) -> Mapping[str, Any]:
        """Return what is asked for, as the kind of request takes it."""
        return {}

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the form, and then the second person's password and code."""
        if not super().validate(extra_validators):
            return False
        if self.asks_colleague:
            return True
        colleague = find_staff(self.second_email.data)
        if colleague is None or not _proves(colleague, self):
            self.second_password.errors = [
                gettext("The second person's e-mail, password or code is not right.")
            ]
            return False
        second = Actor("staff", colleague.id, staff.actor().request_id)
        refusal = _refusal(colleague, second, self.permission)
        if refusal:
            self.second_email.errors = [refusal]
            return False
        self.second_actor = second
        return True


def _refusal(colleague: Staff, second: Actor, permission: Permission) -> str:
    """Say why a colleague who proved to be here cannot agree; nothing where they can."""
    me = staff.current()
    if me is not None and colleague.id == me.id:
        return gettext("The second person must be somebody else.")
    now = database_now()
    if not (queries.is_employed(colleague, now=now) and queries.may(colleague, permission)):
        return gettext("The second person may not decide this.")
    try:
        require_independent(db.session(), [staff.actor(), second], now=now)
    except NotIndependent as error:
        return say_error(error)
    return ""


def _proves(colleague: Staff, form: FlaskForm) -> bool:
    """Check both factors of a colleague; a failure counts against their account.

    Whoever still has a first password, which somebody else chose, proves nothing with it.
    """
    if not colleague.password or colleague.must_change_password or lockout.is_shut(colleague):
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
