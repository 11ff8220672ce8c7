"""The form for a role of the brand's own: what it is called, and what it allows, by area."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from admin import staff
from admin.actions import SecondPersonForm, joined
from admin.approving import or_ask
from admin.decisions import Act
from admin.forms import ReasonForm, TicksField
from admin.role_names import AREAS, permission_names
from app.approvals.contract import Topic
from app.kernel.db import database_now, db
from app.stores import roles
from app.stores.granting import needs_another
from app.stores.models import Role
from app.stores.permissions import CROWN, ROLE_NAME_LENGTH_MAX, Permission, RoleName
from app.stores.roles import DESCRIPTION_LENGTH_MAX, RoleSpec

KIND: Final = "role_permissions"
AREA: Final = "area_"


class RoleFields(FlaskForm):
    """A role of the brand's own, with one field of ticks for each area."""

    first = ("name", "description", "is_active")
    name = StringField(_("Name"), validators=[InputRequired(), Length(max=ROLE_NAME_LENGTH_MAX)])
    description = StringField(_("Description"), validators=[Length(max=DESCRIPTION_LENGTH_MAX)])
    is_active = BooleanField(
        _("In use"), default=True, description=_("Without the tick it allows nothing.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what the person here holds themselves, except what owners keep."""
        super().__init__(*args, **kwargs)
        names = permission_names()
        for area in AREAS:
            field = self[f"{AREA}{area.name}"]
            offered = [one for one in area.permissions if one not in CROWN and staff.may(one)]
            field.choices = [(one.value, names[one]) for one in offered]

    def payload(self, _row: Any = None) -> dict[str, Any]:
        """Return what is asked for, as a request for a second person keeps it."""
        ticked = [one for area in AREAS for one in self[f"{AREA}{area.name}"].data or ()]
        return {
            "name": " ".join((self.name.data or "").split()),
            "description": (self.description.data or "").strip(),
            "permissions": ticked,
            "is_active": bool(self.is_active.data),
        }


for _area in AREAS:
    setattr(RoleFields, f"{AREA}{_area.name}", TicksField(_area.title))


class RoleForm(RoleFields, SecondPersonForm):
    """A role that a colleague agrees to."""

    permission = Permission.ROLES_EDIT
    kind = KIND


class RoleAloneForm(RoleFields, ReasonForm):
    """A role where nobody else could agree."""


def role_form(_row: Role | None) -> type[FlaskForm]:
    """Return the form for a role: with a colleague wherever there is one."""
    me = staff.current()
    needs = needs_another(
        db.session(),
        Permission.ROLES_EDIT,
        actor_id=me.id if me is not None else None,
        subject_id=None,
        now=database_now(),
    )
    return RoleForm if needs else RoleAloneForm


def begin_role(row: Role | None) -> Mapping[str, Any]:
    """Return a role as the form holds it."""
    if row is None:
        return {"is_active": True}
    ticks = {
        f"{AREA}{area.name}": [one.value for one in area.permissions if one in row.permissions]
        for area in AREAS
    }
    return {
        "name": row.name,
        "description": row.description,
        "is_active": row.is_active,
        **ticks,
    }


def is_own(row: Role) -> bool:
    """Tell whether a role is the brand's own."""
    return row.name not in set(RoleName)


def _put_role(row: Role | None, act: Act) -> str:
    form = act.form
    put = joined(
        roles.put_role,
        row.id if row is not None else None,
        RoleSpec(**form.payload()),
        actor=act.actor,
        second_actor=getattr(form, "second_actor", None),
        reason=form.reason.data.strip(),
        now=act.now,
    )
    return str(put.id)


def _topic(row: Role | None, form: Any) -> Topic:
    payload = form.payload()
    return Topic(row.id if row is not None else None, payload, str(payload["name"]))


def put_role(row: Role | None, act: Act) -> str | Response | None:
    """Make or change a role, or let a request for it wait."""
    if not isinstance(act.form, RoleForm):
        return _put_role(row, act)
    return or_ask(_put_role, _topic)(row, act)
