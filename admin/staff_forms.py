"""Forms about staff: who they are, what they may do and where; and the services that take them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_security.utils import hash_password
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Email, InputRequired, Length, Optional

from admin import staff
from admin.accounts import reset_sign_in
from admin.actions import SecondPersonForm, joined
from admin.approving import on_its_way, or_ask
from admin.decisions import Act
from admin.forms import ReasonForm, TicksField
from admin.passwords import LENGTH_MAX, LENGTH_MIN, hard_to_guess
from admin.role_names import role_name
from admin.scopes import works_with
from admin.store_choices import visible_regions, visible_stores
from app.approvals import services as approvals
from app.approvals.contract import Topic
from app.kernel.db import database_now, db
from app.kernel.secrecy import mask_phone, vault
from app.members.reassigning import hand_over_follow_ups
from app.stores import people
from app.stores import staff as services
from app.stores.granting import needs_another
from app.stores.models import Region, Role, Staff, Store
from app.stores.people import JOB_TITLE_LENGTH_MAX, NAME_LENGTH_MAX, NOTES_LENGTH_MAX, Person
from app.stores.permissions import Permission, RoleName
from app.stores.staff import Duties, NewStaff
from app.stores.staff_errors import OwnDuties

KIND: Final = "staff_duties"


class DutiesFields(FlaskForm):
    """What somebody may do, and where."""

    roles = TicksField(_("Roles"))
    sees_all_stores = BooleanField(_("Sees all stores"))
    region_ids = TicksField(
        _("Regions"),
        description=_("All stores of a region, also those that join it later."),
    )
    store_ids = TicksField(_("Stores"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the roles that can be given, regions and stores."""
        super().__init__(*args, **kwargs)
        own = sa.select(Role.name).where(Role.is_active, Role.name.not_in(list(RoleName)))
        names = [*RoleName, *db.session.scalars(own.order_by(Role.name))]
        self.roles.choices = [(str(name), role_name(name)) for name in names]
        self.region_ids.choices = visible_regions()
        self.store_ids.choices = visible_stores()

    def payload(self, row: Staff | None = None) -> dict[str, Any]:
        """Return what is asked for, as a request for a second person keeps it.

        Stores and regions of `row` that are not the reader's to offer stay as they are.
        """
        stores, regions = (row.stores, row.regions) if row is not None else ([], [])
        return {
            "roles": list(self.roles.data or ()),
            "store_ids": _chosen(self.store_ids, stores),
            "region_ids": _chosen(self.region_ids, regions),
            "sees_all_stores": bool(self.sees_all_stores.data),
        }


def _chosen(field: TicksField, held: Iterable[Store | Region]) -> list[int]:
    """Return what was ticked, and what is held but was not there to be ticked."""
    offered = {value for value, _label in field.choices}
    unseen = [one.id for one in held if str(one.id) not in offered]
    return [*(int(text) for text in field.data or ()), *unseen]


class DutiesForm(DutiesFields, SecondPersonForm):
    """Duties that a colleague agrees to."""

    permission = Permission.STAFF_EDIT
    kind = KIND


class DutiesAloneForm(DutiesFields, ReasonForm):
    """Duties where nobody else could agree."""


class NewStaffFields(DutiesFields):
    """Somebody to be appointed."""

    first = ("name", "email", "phone", "job_title", "employed_from_on", "password")
    name = StringField(
        lazy_pgettext("person", "Name"),
        validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)],
    )
    email = EmailField(_("E-mail"), validators=[InputRequired(), Email(), Length(max=200)])
    phone = StringField(_("Phone"), validators=[Length(max=20)], render_kw={"inputmode": "tel"})
    job_title = StringField(_("Job title"), validators=[Length(max=JOB_TITLE_LENGTH_MAX)])
    employed_from_on = DateField(_("First day"), validators=[Optional()])
    password = PasswordField(
        _("First password"),
        validators=[InputRequired(), Length(min=LENGTH_MIN, max=LENGTH_MAX), hard_to_guess],
        description=_("They have to change it when they sign in, and connect a phone."),
        render_kw={"autocomplete": "new-password"},
    )


class NewStaffForm(NewStaffFields, SecondPersonForm):
    """Somebody to be appointed, with a colleague who agrees to their duties."""

    permission = Permission.STAFF_EDIT
    kind = KIND


class NewStaffAloneForm(NewStaffFields):
    """Somebody to be appointed where nobody else could agree."""


class PersonForm(FlaskForm):
    """Who somebody is."""

    name = StringField(
        lazy_pgettext("person", "Name"),
        validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)],
    )
    phone = StringField(
        _("New phone number"),
        validators=[Length(max=20)],
        description=_("Left empty, the number on file stays."),
        render_kw={"inputmode": "tel", "autocomplete": "off"},
    )
    forgets_phone = BooleanField(_("Remove the phone number"))
    job_title = StringField(_("Job title"), validators=[Length(max=JOB_TITLE_LENGTH_MAX)])
    employed_from_on = DateField(_("First day"), validators=[Optional()])
    employed_until_on = DateField(
        _("Last day"),
        validators=[Optional()],
        description=_("From the day after they cannot sign in any more."),
    )
    notes = TextAreaField(_("Notes"), validators=[Length(max=NOTES_LENGTH_MAX)])


class ComesBackForm(PersonForm, SecondPersonForm):
    """Who somebody is who has left, with a colleague who agrees that they come back."""

    first = ("name",)
    permission = Permission.STAFF_EDIT


class EnableForm(SecondPersonForm):
    """Why somebody may sign in again, with a colleague who agrees."""

    permission = Permission.STAFF_EDIT


class PasswordForm(ReasonForm):
    """A new first password for somebody who lost theirs, or their phone."""

    password = PasswordField(
        _("New first password"),
        validators=[InputRequired(), Length(min=LENGTH_MIN, max=LENGTH_MAX), hard_to_guess],
        render_kw={"autocomplete": "new-password"},
    )


class HandOverForm(ReasonForm):
    """Who takes over what somebody still had to do."""

    to_staff_id = SelectField(_("Colleague"), validators=[InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the colleagues who work here, as far as the reader may know them."""
        super().__init__(*args, **kwargs)
        query = sa.select(Staff.id, Staff.name).where(Staff.active).order_by(Staff.name)
        store_ids = staff.visible_store_ids()
        if store_ids is not None:
            query = query.where(works_with(store_ids))
        rows = db.session.execute(query)
        self.to_staff_id.choices = [("", "–"), *((str(row.id), row.name) for row in rows)]


def needs_colleague(row: Staff | None) -> bool:
    """Tell whether there is somebody besides the person here, and the one concerned, to agree."""
    me = staff.current()
    return needs_another(
        db.session(),
        Permission.STAFF_EDIT,
        actor_id=me.id if me is not None else None,
        subject_id=row.id if row is not None else None,
        now=database_now(),
    )


def is_somebody_else(row: Staff) -> bool:
    """Tell whether a row is not the person here: nobody decides about themselves."""
    me = staff.current()
    return me is None or me.id != row.id


def duties_form(row: Staff) -> type[FlaskForm]:
    """Return the form for somebody's duties: with a colleague wherever there is one."""
    return DutiesForm if needs_colleague(row) else DutiesAloneForm


def new_staff_form(row: None) -> type[FlaskForm]:
    """Return the form for a new colleague: with another one wherever there is one."""
    return NewStaffForm if needs_colleague(row) else NewStaffAloneForm


def person_form(row: Staff) -> type[FlaskForm]:
    """Return the form for who somebody is: with a colleague where they may come back by it."""
    comes_back = people.has_left(row, now=database_now()) and needs_colleague(row)
    return ComesBackForm if comes_back else PersonForm


def enable_form(row: Staff) -> type[FlaskForm]:
    """Return the form that lets somebody in again: with a colleague wherever there is one."""
    return EnableForm if needs_colleague(row) else ReasonForm


def begin_duties(row: Staff) -> Mapping[str, Any]:
    """Return somebody's duties as the form holds them."""
    return {
        "roles": [role.name for role in row.roles],
        "store_ids": [str(store.id) for store in row.stores],
        "region_ids": [str(region.id) for region in row.regions],
        "sees_all_stores": row.sees_all_stores,
    }


def begin_person(row: Staff) -> Mapping[str, Any]:
    """Return what is known of somebody as the form holds it; the phone number is never shown."""
    names = ("name", "job_title", "employed_from_on", "employed_until_on", "notes")
    return {name: getattr(row, name) for name in names}


def phone_of(row: Staff) -> str | None:
    """Return somebody's phone number as everybody may see it."""
    if row.phone_sealed is None:
        return None
    return mask_phone(vault().open(row.phone_sealed).removeprefix(people.CHINA))


def _set_duties(row: Staff, act: Act) -> str:
    key, form = row.id, act.form
    joined(
        services.set_duties,
        key,
        Duties(**form.payload(row)),
        actor=act.actor,
        second_actor=getattr(form, "second_actor", None),
        reason=form.reason.data.strip(),
        now=act.now,
    )
    return str(key)


def _topic(row: Staff, form: Any) -> Topic:
    if not is_somebody_else(row):
        raise OwnDuties
    return Topic(row.id, form.payload(row))


def set_duties(row: Staff, act: Act) -> str | Response | None:
    """Set somebody's duties, or let a request for it wait."""
    if not isinstance(act.form, DutiesForm):
        return _set_duties(row, act)
    return or_ask(_set_duties, _topic)(row, act)


def create_staff(_row: None, act: Act) -> str | Response:
    """Appoint somebody; where a colleague is asked, they can do nothing before that one agrees."""
    form = act.form
    asks = getattr(form, "asks_colleague", False)
    person = Person(
        name=form.name.data,
        phone=form.phone.data,
        job_title=form.job_title.data or "",
        employed_from_on=form.employed_from_on.data,
    )
    duties = {} if asks else form.payload()
    new = NewStaff(
        name=form.name.data,
        email=form.email.data,
        password_hash=hash_password(form.password.data),
        person=person,
        **{"roles": (), **duties},
    )
    if asks:
        return on_its_way(joined(_enter_and_ask, new, form.payload(), act))
    reason = form.reason.data.strip() if "reason" in form else ""
    made = joined(
        services.create_staff,
        new,
        actor=act.actor,
        second_actor=getattr(form, "second_actor", None),
        reason=reason,
        now=act.now,
    )
    return str(made.id)


def _enter_and_ask(session: Session, new: NewStaff, duties: dict[str, Any], act: Act) -> int:
    made = services.create_staff(session, new, actor=act.actor, now=act.now)
    topic, reason = Topic(made.id, duties), act.form.reason.data.strip()
    asked = approvals.ask(session, KIND, topic, actor=act.actor, reason=reason, now=act.now)
    return int(asked.id)


def edit_person(row: Staff, act: Act) -> str:
    """Say anew who somebody is."""
    key, form = row.id, act.form
    phone = form.phone.data.strip() or None
    person = Person(
        name=form.name.data,
        phone="" if form.forgets_phone.data else phone,
        job_title=form.job_title.data or "",
        employed_from_on=form.employed_from_on.data,
        employed_until_on=form.employed_until_on.data,
        notes=form.notes.data or "",
    )
    joined(
        people.edit_person,
        key,
        person,
        actor=act.actor,
        second_actor=getattr(form, "second_actor", None),
        reason=form.reason.data.strip() if "reason" in form else "",
        now=act.now,
    )
    return str(key)


def enable(row: Staff, act: Act) -> str:
    """Let somebody sign in again."""
    key, form = row.id, act.form
    joined(
        services.enable_staff,
        key,
        actor=act.actor,
        second_actor=getattr(form, "second_actor", None),
        reason=form.reason.data.strip(),
        now=act.now,
    )
    return str(key)


def reset(row: Staff, act: Act) -> str:
    """Give somebody a first password, and let them connect a phone anew."""
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


def hand_over(row: Staff, act: Act) -> str:
    """Give what somebody still had to do about customers to a colleague."""
    key, form = row.id, act.form
    joined(
        hand_over_follow_ups,
        key,
        to_staff_id=int(form.to_staff_id.data),
        reason=form.reason.data.strip(),
        actor=act.actor,
        now=act.now,
    )
    return str(key)
