"""Settings of the business: what they are, what they govern, how they came to be so."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from flask_admin import expose
from flask_babel import lazy_gettext as _
from markupsafe import Markup

from admin import setting_forms, staff
from admin.base import ScopedView
from admin.cells import Badge
from admin.details import Section, pairs_of, rows_section, sentences_section, steps_section
from admin.form_pages import FormPage
from admin.i18n import gettext, moment, say
from admin.scopes import brand_only
from admin.tables import Shape, Table
from admin.urls import as_id
from app.access import environment
from app.kernel.db import database_now, db
from app.preferences import queries, services
from app.preferences.models import SettingChange
from app.preferences.queries import Standing
from app.preferences.specs import GROUPS
from app.preferences.units import Unit, Value, worded
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.queries import visible_store_ids

HIDDEN: Final = frozenset({"database_url", "redis_url"})
"""Settings of the environment that hold a password without being called a secret."""


def _said(row: Standing, value: Value) -> Badge | str:
    """Return a value in the unit of its setting."""
    text = say(worded(row.spec.unit, value))
    if row.spec.unit is Unit.SWITCH:
        return Badge(text, "good" if value else "calm")
    return text


def _otherwise(row: Standing) -> Badge | str | None:
    """Return what would be without a change, where that is something else."""
    return None if row.default == row.value else _said(row, row.default)


def _name(row: Standing) -> Markup:
    return Markup("{}<span class='hint below'>{}</span>").format(
        say(row.spec.label), say(row.spec.governs)
    )


def _last(row: Standing) -> str | None:
    """Return when staff changed it last; who stands on its own page and in the next column."""
    return None if row.last is None else moment(row.last.effective_at)


def _planned(row: Standing) -> Badge | None:
    if not row.planned:
        return None
    nearest = row.planned[0]
    text = gettext(
        "%(value)s from %(when)s",
        value=say(worded(row.spec.unit, nearest.value)),
        when=moment(nearest.effective_at),
    )
    return Badge(text, "wait")


def _step(row: Standing, change: SettingChange) -> dict[str, Any]:
    """Return a change as a step of the history."""
    unit = row.spec.unit
    people = change.set_by if change.second_by is None else f"{change.set_by}+{change.second_by}"
    return {
        "event": f"{say(worded(unit, change.previous))} → {say(worded(unit, change.value))}",
        "at": change.set_at,
        "actor": people,
        "effective_at": change.effective_at,
        "reason": change.reason,
        "withdrawn_at": change.withdrawn_at,
        "requested_by": change.withdrawn_by,
        "withdrawal_reason": change.withdrawal_reason,
    }


STEPS: Final = Shape(
    (
        "event",
        "at",
        "actor",
        "effective_at",
        "reason",
        "withdrawn_at",
        "requested_by",
        "withdrawal_reason",
    ),
    {
        "effective_at": _("In force from"),
        "withdrawn_at": _("Withdrawn at"),
        "requested_by": _("Withdrawn by"),
        "withdrawal_reason": _("Why it was withdrawn"),
    },
)


class SettingsView(ScopedView):
    """Every setting that staff change, group by group, and those of the installation."""

    permission = Permission.SETTINGS_VIEW
    scope = brand_only
    icon = "settings"
    intro = _(
        "What the business decides by itself. A change counts from now or from a day on, never"
        " backwards, and everything that exists keeps what it was promised."
    )
    can_export = False
    list_template = "backoffice/settings.html"

    column_list = ("name", "value", "default", "last", "changed_by", "planned")
    labels: ClassVar = {
        "name": _("Setting"),
        "value": _("Now"),
        "default": _("Without a change"),
        "last": _("Changed"),
        "changed_by": _("By"),
        "planned": _("Planned"),
    }
    computed: ClassVar = {
        "name": _name,
        "value": lambda row: _said(row, row.value),
        "default": lambda row: _otherwise(row),
        "last": _last,
        "changed_by": lambda row: setting_changer(row),
        "planned": _planned,
    }
    form_pages = (
        FormPage(
            name="change",
            label=_("Change"),
            title=_("Change a setting"),
            permission=Permission.SETTINGS_EDIT,
            form_for=setting_forms.change_form,
            begin=setting_forms.begin_change,
            is_guarded=False,
            run=setting_forms.change,
            explain=setting_forms.explain,
            done=_("The setting was changed."),
            is_about_row=True,
            is_primary=True,
            template="backoffice/setting_form.html",
        ),
        FormPage(
            name="withdraw",
            label=_("Withdraw a planned change"),
            title=_("Withdraw a planned change"),
            permission=Permission.SETTINGS_EDIT,
            form_for=setting_forms.withdrawal_form,
            run=setting_forms.withdraw,
            done=_("The planned change was withdrawn."),
            is_about_row=True,
            possible=lambda row: bool(row.planned),
            template="backoffice/setting_form.html",
        ),
    )

    def rows(self) -> list[Standing]:
        """Return every setting as it stands; none for staff who do not see the whole brand."""
        if staff.visible_store_ids() is not None:
            return []
        return queries.standings(db.session(), environment=environment(), now=database_now())

    def get_one(self, id: Any) -> Standing | None:  # noqa: A002 - Flask-Admin's name
        """Return the setting of a name, or the one that a change of this number is about."""
        name = id
        if (key := as_id(id)) is not None:
            change = db.session.get(SettingChange, key)
            name = change.name if change is not None else ""
        return next((one for one in self.rows() if one.spec.name == name), None)

    def is_seen_by(self, staff_id: int, row: Standing) -> bool:  # noqa: ARG002 - settings are alike
        """Tell whether somebody else sees the whole brand, as settings need."""
        return visible_store_ids(db.session.get_one(Staff, staff_id)) is None

    def key_of(self, row: Standing) -> Any:
        """Return the name of a setting."""
        return row.spec.name

    def title_of(self, row: Standing) -> str:
        """Return what people call a setting."""
        return say(row.spec.label)

    @expose("/")
    def index_view(self) -> str:
        """Show every setting in its group, and what only the installation decides."""
        rows = self.rows()
        parts = [
            Section(
                say(title), "table", self._table(one for one in rows if one.spec.group is group)
            )
            for group, title in GROUPS.items()
        ]
        installed = _installed() if rows else None
        return self.render(self.list_template, sections=parts if rows else [], installed=installed)

    def _table(self, rows: Iterable[Standing]) -> Table:
        return Table(rows, self.shape, url=self.url_of)

    def details(self, row: Standing) -> dict[str, Any]:
        """Return everything that the page about a setting needs."""
        return {
            "title": self.title_of(row),
            "facts": facts_of(row),
            "badge": "",
            "sections": list(self.sections(row)),
            "decisions": [],
            "form_pages": self.forms_about(row),
            "row_id": row.spec.name,
        }

    def sections(self, row: Standing) -> Iterable[Section]:
        """Tell what the setting governs, what a change leaves alone, and its history."""
        told = [say(row.spec.governs), say(row.spec.keeps)]
        if row.spec.source:
            told.append(say(row.spec.source))
        yield sentences_section(_("What it decides"), told)
        steps = [_step(row, one) for one in queries.history(db.session(), row.spec.name)]
        yield steps_section(_("History"), steps, STEPS)

    def facts_of(self, row: Standing) -> list[tuple[Any, Any]]:
        """Return the facts of a setting, for the form that changes it."""
        return facts_of(row)


def setting_changer(row: Standing) -> Any:
    """Return who decided what is in force."""
    if row.last is None:
        return None
    people = [row.last.set_by, *([row.last.second_by] if row.last.second_by else [])]
    return STEPS.value({"actor": "+".join(people)}, "actor")


def facts_of(row: Standing) -> list[tuple[Any, Any]]:
    """Return what is in force, what else there could be, and who decides."""
    values: dict[str, Any] = {
        "value": _said(row, row.value),
        "default": _otherwise(row),
        "bounds": setting_forms.bounds(row.spec) or None,
        "planned": _planned(row),
        "last": _last(row),
        "changed_by": setting_changer(row),
        "people": gettext("Two people") if row.spec.needs_second else gettext("One person"),
        "variable": row.spec.name.upper(),
    }
    labels = {
        **SettingsView.labels,
        "bounds": _("Allowed"),
        "people": _("Decided by"),
        "variable": _("In the environment"),
    }
    return [pair for pair in pairs_of(values, labels) if values[pair[0].name] is not None]


def _installed() -> Section:
    """Return what the environment decides alone; secrets only as being there."""
    labels = {"variable": _("Variable"), "shown": _("Value")}
    return rows_section(
        _("Set by the installation"), list(_variables()), Shape(("variable", "shown"), labels)
    )


def _variables() -> Iterable[Mapping[str, Any]]:
    found = environment()
    for name, value, is_secret in services.environment_values(found):
        shown = value
        if is_secret or name in HIDDEN:
            shown = gettext("Set, not shown") if value else gettext("Not set")
        yield {"variable": name.upper(), "shown": _address(shown) if shown != "" else None}


def _address(value: Any) -> Any:
    """Write an address without what would make it a link to elsewhere."""
    if not isinstance(value, str) or "://" not in value:
        return value
    scheme, _sep, rest = value.partition("://")
    return f"{rest} ({scheme})"
