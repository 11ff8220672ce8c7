"""The forms that change a setting: one field by its unit, from when on, and why."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from admin.actions import SecondPersonForm, joined
from admin.approving import or_ask
from admin.decisions import Act
from admin.forms import MomentField, ReasonForm, YuanField
from admin.i18n import gettext, moment, say, say_error
from app.access import environment
from app.approvals.contract import Topic
from app.approvals.setting_kinds import SETTING_CHANGE, asked_for
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.preferences import services
from app.preferences.errors import (
    SettingChangedMeanwhile,
    SettingDateRefused,
    SettingOutOfRange,
    SettingPlannedTwice,
    SettingsOutOfOrder,
    SettingUnchanged,
    SettingValueInvalid,
)
from app.preferences.queries import Standing
from app.preferences.services import Wish
from app.preferences.specs import Spec
from app.preferences.units import SPANS, Unit, Value, measure_of, worded
from app.stores.permissions import Permission

COUNT_MAX: Final = 10**9
ABOUT_VALUE: Final = (
    SettingOutOfRange,
    SettingsOutOfOrder,
    SettingUnchanged,
    SettingValueInvalid,
)
ABOUT_DATE: Final = (SettingDateRefused, SettingPlannedTwice)


class PercentField(YuanField):
    """A share typed in percent and read as whole basis points, without ever being a float."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read `12`, `12.3` or `12.34`; anything else is refused."""
        text = (valuelist[0] if valuelist else "").strip().rstrip("%").strip()
        try:
            super().process_formdata([text])
        except ValueError:
            raise ValueError(gettext("Please enter a percentage, such as 12.5.")) from None


def _measures() -> list[tuple[int, str]]:
    names = (gettext("days"), gettext("hours"), gettext("minutes"), gettext("seconds"))
    return [(size, name) for (size, _one, _many), name in zip(SPANS, names, strict=True)]


class MeasureField(SelectField):
    """Days, hours, minutes or seconds; `data` is how many seconds one of them has."""

    def __init__(self, label: Any, **kwargs: Any) -> None:
        """Offer every measure there is."""
        super().__init__(label, coerce=int, choices=_measures, **kwargs)


def _switch() -> list[tuple[str, str]]:
    return [("1", gettext("Yes")), ("0", gettext("No"))]


def _fields_of(spec: Spec) -> dict[str, Any]:
    """Return the fields for a value of this unit, with its bounds said."""
    required = [InputRequired()]
    told: dict[str, Any] = {"description": bounds(spec)}
    match spec.unit:
        case Unit.SWITCH:
            return {"value": SelectField(_("New value"), choices=_switch)}
        case Unit.MONEY:
            return {"value": YuanField(_("New value"), validators=required, **told)}
        case Unit.RATE:
            return {"value": PercentField(_("New value (percent)"), validators=required, **told)}
        case Unit.COUNT | Unit.SPAN:
            whole = [InputRequired(), NumberRange(0, COUNT_MAX)]
            found: dict[str, Any] = {
                "value": IntegerField(_("New value"), validators=whole, **told)
            }
            if spec.unit is Unit.SPAN:
                found["measure"] = MeasureField(_("Measured in"))
            return found


def bounds(spec: Spec) -> str:
    """Return between what a setting may lie; nothing for a switch."""
    if spec.unit is Unit.SWITCH:
        return ""
    least, most = (say(worded(spec.unit, one)) for one in (spec.least, spec.most))
    return gettext("From %(least)s to %(most)s.", least=least, most=most)


def change_form(row: Standing) -> type[FlaskForm]:
    """Return the form that changes this setting; two people fill it in where money moves."""
    spec = row.spec
    parent = SecondPersonForm if spec.needs_second else ReasonForm
    members: dict[str, Any] = {
        **_fields_of(spec),
        "effective_at": MomentField(
            _("From when on"),
            validators=[Optional()],
            description=_("Leave empty to change it at once."),
        ),
        "seen": HiddenField(),
        "first": ("value", "measure", "effective_at"),
        "permission": Permission.SETTINGS_EDIT,
        "kind": SETTING_CHANGE.name,
    }
    return type("SettingForm", (parent,), members)


def begin_change(row: Standing) -> Mapping[str, Any]:
    """Return what the form holds at first: the value in force, and what its reader has seen."""
    held: dict[str, Any] = {"seen": services.version_of(db.session(), row.spec.name)}
    value = row.value
    if row.spec.unit is Unit.SWITCH:
        return {**held, "value": "1" if value else "0"}
    if row.spec.unit is Unit.SPAN:
        size = measure_of(int(value))
        return {**held, "value": int(value) // size, "measure": size}
    return {**held, "value": value}


def value_of(spec: Spec, form: Any) -> Value:
    """Return what was filled in, in the unit that is stored."""
    if spec.unit is Unit.SWITCH:
        return bool(form.value.data == "1")
    number = int(form.value.data)
    return number * int(form.measure.data) if spec.unit is Unit.SPAN else number


def _topic(row: Standing, form: Any) -> Topic:
    return asked_for(row.spec.name, value_of(row.spec, form), form.effective_at.data)


def _change(row: Standing, act: Act) -> str:
    form, name = act.form, row.spec.name
    joined(
        services.change,
        Wish(
            name=name,
            value=value_of(row.spec, form),
            effective_at=form.effective_at.data,
            reason=form.reason.data.strip(),
            seen=form.seen.data,
        ),
        environment=environment(),
        actor=act.actor,
        second=getattr(form, "second_actor", None),
        now=act.now,
    )
    return name


def change(row: Standing, act: Act) -> Any:
    """Change a setting, with a colleague beside or by a request that waits for one."""
    if row.spec.needs_second:
        return or_ask(_change, _topic)(row, act)
    return _change(row, act)


def explain(error: DomainError, form: Any) -> bool:
    """Put a refusal beside the field it is about; a form that is out of date may be sent again."""
    if isinstance(error, SettingChangedMeanwhile):
        form.seen.data = services.version_of(db.session(), error.name)
        form.seen.raw_data = None
        _add(form.value, say_error(error))
    elif isinstance(error, ABOUT_VALUE):
        _add(form.value, say_error(error))
    elif isinstance(error, ABOUT_DATE):
        _add(form.effective_at, say_error(error))
    else:
        return False
    return True


def _add(field: Field, text: str) -> None:
    field.errors = [*field.errors, text]


def withdrawal_form(row: Standing) -> type[FlaskForm]:
    """Return the form that takes a planned change back; its choices are those of this setting."""
    offered = [
        (str(one.id), f"{moment(one.effective_at)} · {say(worded(row.spec.unit, one.value))}")
        for one in row.planned
    ]
    return type(
        "WithdrawalForm",
        (SecondPersonForm if row.spec.needs_second else ReasonForm,),
        {
            "change_id": SelectField(_("Planned change"), choices=lambda: offered),
            "permission": Permission.SETTINGS_EDIT,
            "first": ("change_id",),
        },
    )


def withdraw(row: Standing, act: Act) -> str:
    """Take a planned change back."""
    joined(
        services.withdraw,
        int(act.form.change_id.data),
        environment=environment(),
        actor=act.actor,
        second=getattr(act.form, "second_actor", None),
        reason=act.form.reason.data.strip(),
        now=act.now,
    )
    return row.spec.name
