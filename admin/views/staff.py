"""People who sign in here."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_security.utils import hash_password
from flask_wtf import FlaskForm
from sqlalchemy.orm import selectinload
from wtforms import BooleanField, EmailField, PasswordField, StringField
from wtforms.validators import Email, InputRequired, Length

from admin.accounts import end_sessions, reset_sign_in
from admin.actions import by_id, joined, with_reason
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.details import Section, sentences_section
from admin.filters import Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm, TicksField
from admin.i18n import gettext, say
from admin.passwords import LENGTH_MAX, LENGTH_MIN, hard_to_guess
from admin.people import yes_no
from admin.role_names import role_name
from admin.scopes import StoreIds
from admin.views.attribution import visible_stores
from app.kernel.audit import AuditRecord
from app.kernel.clock import utc_now
from app.stores import staff as services
from app.stores.models import Staff, staff_stores
from app.stores.permissions import ROLE_DESCRIPTIONS, Permission, RoleName, permissions_of


class StaffForm(FlaskForm):
    """What staff may do, and where."""

    roles = TicksField(_("Roles"), validators=[InputRequired()])
    sees_all_stores = BooleanField(_("Sees all stores"))
    store_ids = TicksField(_("Stores"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer roles and stores."""
        super().__init__(*args, **kwargs)
        self.roles.choices = [(one.value, role_name(one.value)) for one in RoleName]
        self.store_ids.choices = visible_stores()


class DutiesForm(StaffForm, ReasonForm):
    """What somebody may do from now on, and where, with the reason."""


class NewStaffForm(StaffForm):
    """Somebody to be appointed."""

    first = ("name", "email", "password")
    name = StringField(
        lazy_pgettext("person", "Name"), validators=[InputRequired(), Length(max=60)]
    )
    email = EmailField(_("E-mail"), validators=[InputRequired(), Email(), Length(max=200)])
    password = PasswordField(
        _("First password"),
        validators=[InputRequired(), Length(min=LENGTH_MIN, max=LENGTH_MAX), hard_to_guess],
        description=_("They have to change it when they sign in, and connect a phone."),
        render_kw={"autocomplete": "new-password"},
    )


class PasswordForm(ReasonForm):
    """A new first password for somebody who lost theirs, or their phone."""

    password = PasswordField(
        _("New first password"),
        validators=[InputRequired(), Length(min=LENGTH_MIN, max=LENGTH_MAX), hard_to_guess],
        render_kw={"autocomplete": "new-password"},
    )


def _store_ids(form: Any) -> list[int]:
    return [int(text) for text in form.store_ids.data or ()]


def _create_staff(_row: None, act: Act) -> str:
    form = act.form
    new = services.NewStaff(
        name=form.name.data,
        email=form.email.data,
        roles=form.roles.data,
        store_ids=_store_ids(form),
        sees_all_stores=form.sees_all_stores.data,
        password_hash=hash_password(form.password.data),
    )
    return str(joined(services.create_staff, new, actor=act.actor, now=act.now).id)


def _set_duties(row: Staff, act: Act) -> str:
    key, form = row.id, act.form
    duties = services.Duties(
        roles=form.roles.data,
        store_ids=_store_ids(form),
        sees_all_stores=form.sees_all_stores.data,
    )
    reason = form.reason.data.strip()
    joined(services.set_duties, key, duties, actor=act.actor, reason=reason, now=act.now)
    return str(key)


def _begin_duties(row: Staff) -> dict[str, Any]:
    return {
        "roles": [role.name for role in row.roles],
        "store_ids": [str(store.id) for store in row.stores],
        "sees_all_stores": row.sees_all_stores,
    }


def _reset(row: Staff, act: Act) -> str:
    key = row.id
    joined(
        reset_sign_in,
        key,
        password_hash=hash_password(act.form.password.data),
        reason=act.form.reason.data.strip(),
        actor=act.actor,
        now=act.now,
    )
    return str(key)


def _sign_in_state(row: Staff) -> Badge:
    if not row.active:
        return Badge(gettext("Disabled"), "calm")
    if row.locked_until_at is not None and row.locked_until_at > utc_now():
        return Badge(gettext("Locked out"), "bad")
    if not row.tf_totp_secret:
        return Badge(gettext("Has not connected a phone"), "wait")
    return Badge(gettext("Can sign in"), "good")


def _works_with(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    """Staff of the reader's stores; staff of the brand as a whole are not theirs to see."""
    ours = sa.select(staff_stores.c.staff_id).where(staff_stores.c.store_id.in_(store_ids))
    return sa.and_(Staff.id.in_(ours), sa.not_(Staff.sees_all_stores))


class StaffView(ScopedView):
    """People who sign in here."""

    permission = Permission.STAFF_VIEW
    scope = _works_with
    icon = "user-cog"
    loads = (selectinload(Staff.stores),)
    intro = _("Who works in the back office, what they may do and where. Everything is audited.")

    column_list = ("name", "email", "roles", "stores", "state")
    labels: ClassVar = {"name": lazy_pgettext("person", "Name"), "state": _("Sign-in")}
    computed: ClassVar = {
        "roles": lambda row: ", ".join(role_name(role.name) for role in row.roles),
        "stores": lambda row: _stores_of(row),
        "state": _sign_in_state,
        "phone_connected": lambda row: yes_no(row.tf_totp_secret),
    }
    searched = (Staff.name, Staff.email)
    filters = (
        Options(
            "active",
            _("Active"),
            {
                "yes": (_("Yes"), lambda: Staff.active.is_(True)),
                "no": (_("No"), lambda: Staff.active.is_(False)),
            },
        ),
    )
    facts = (
        "email",
        "roles",
        "stores",
        "phone_connected",
        "must_change_password",
        "locked_until_at",
        "created_at",
    )
    details_labels: ClassVar = {"phone_connected": _("Phone connected")}
    badge = "state"
    decisions = (
        Decision(
            name="disable",
            label=_("Disable"),
            permission=Permission.STAFF_EDIT,
            question=_("Disable these people?"),
            warning=_("They are signed out everywhere at once and cannot sign in."),
            run=with_reason(services.disable_staff),
            form=ReasonForm,
            possible=lambda row: row.active,
            is_danger=True,
        ),
        Decision(
            name="enable",
            label=_("Enable"),
            permission=Permission.STAFF_EDIT,
            question=_("Let these people sign in again?"),
            run=with_reason(services.enable_staff),
            form=ReasonForm,
            possible=lambda row: not row.active,
            is_primary=True,
        ),
        Decision(
            name="sign-out",
            label=_("Sign out everywhere"),
            permission=Permission.STAFF_EDIT,
            question=_("Sign these people out everywhere?"),
            warning=_("They can sign in again at once."),
            run=by_id(end_sessions),
            possible=lambda row: row.active,
        ),
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("Appoint somebody"),
            title=_("Appoint somebody"),
            permission=Permission.STAFF_EDIT,
            form=NewStaffForm,
            run=_create_staff,
            done=_("They can sign in now."),
            is_primary=True,
        ),
        FormPage(
            name="duties",
            label=_("Roles and stores"),
            button=_("Save"),
            title=_("Roles and stores"),
            permission=Permission.STAFF_EDIT,
            form=DutiesForm,
            begin=_begin_duties,
            run=_set_duties,
            is_about_row=True,
            done=_("Roles and stores were saved."),
            is_primary=True,
        ),
        FormPage(
            name="reset",
            label=_("Reset sign-in"),
            title=_("Reset password and second factor"),
            intro=_("For somebody who lost their password or their phone. Ends their sessions."),
            permission=Permission.STAFF_EDIT,
            form=PasswordForm,
            run=_reset,
            is_about_row=True,
            done=_("They can sign in with the new password and connect a phone again."),
        ),
    )

    def sections(self, row: Staff) -> Iterable[Section | None]:
        """Show what they may do, and what they did."""
        allowed = permissions_of([role.name for role in row.roles])
        names = [role_name(role.name) for role in row.roles]
        texts = [
            f"{name}: {say(ROLE_DESCRIPTIONS[RoleName(role.name)])}"
            for name, role in zip(names, row.roles, strict=True)
            if role.name in set(RoleName)
        ]
        count = gettext("%(count)s permissions in all", count=len(allowed))
        yield sentences_section(_("What they may do"), [*texts, count])
        yield self.related(
            "audit",
            sa.and_(AuditRecord.actor_kind == "staff", AuditRecord.actor_id == row.id),
            title=_("What they did"),
            without=("actor",),
            staff=row.id,
        )


def _stores_of(row: Staff) -> str:
    if row.sees_all_stores:
        return gettext("All stores")
    return ", ".join(store.name for store in row.stores)
