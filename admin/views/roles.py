"""What each role may do: those built in, and those of the brand's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_admin import expose
from flask_babel import lazy_gettext as _

from admin import role_forms as forms
from admin.actions import with_reason
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Decision
from admin.details import Section, sentences_section
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, say
from admin.role_names import AREAS, permission_names, role_name, said_by_area
from admin.scopes import everybody
from app.kernel.audit import AuditRecord
from app.kernel.db import db
from app.kernel.i18n import Message
from app.stores import roles
from app.stores.models import Role, Staff
from app.stores.permissions import ROLE_DESCRIPTIONS, Permission, RoleName
from app.stores.queries import role_permissions


@dataclass(frozen=True, slots=True)
class RoleColumn:
    """One role in the table of permissions."""

    name: str
    description: str
    allowed: frozenset[Permission]
    url: str
    is_active: bool


def description_of(row: Role) -> str:
    """Return what a role is for; of built-in ones in the reader's language."""
    if row.name in set(RoleName):
        return say(Message(ROLE_DESCRIPTIONS[RoleName(row.name)]))
    return row.description


def _state(row: Role) -> Badge:
    if not forms.is_own(row):
        return Badge(gettext("Built in"), "calm")
    if row.is_active:
        return Badge(gettext("In use"), "good")
    return Badge(gettext("Switched off"), "wait")


class RolesView(ScopedView):
    """What each role may do."""

    permission = Permission.STAFF_VIEW
    scope = everybody
    icon = "shield-check"
    intro = _("What each role may do. Stores say where; the second person is a rule of its own.")
    can_export = False
    list_template = "backoffice/roles.html"

    column_list = ("name", "description", "state")
    computed: ClassVar[dict[str, Any]] = {
        "name": lambda row: role_name(row.name),
        "description": description_of,
        "state": _state,
    }
    facts = ("description",)
    badge = "state"
    decisions = (
        Decision(
            name="retire",
            label=_("Switch off"),
            permission=Permission.ROLES_EDIT,
            question=_("Switch these roles off?"),
            warning=_("From now on they allow nothing. Changing them back takes two people."),
            run=with_reason(roles.retire_role),
            form=ReasonForm,
            possible=lambda row: forms.is_own(row) and row.is_active,
            is_danger=True,
        ),
        Decision(
            name="delete",
            label=_("Delete"),
            permission=Permission.ROLES_EDIT,
            question=_("Delete these roles?"),
            warning=_("Only roles that nobody holds can be deleted."),
            run=with_reason(roles.delete_role),
            form=ReasonForm,
            possible=forms.is_own,
            is_danger=True,
        ),
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("Make a role"),
            title=_("Make a role"),
            intro=_("Appointing staff and making roles stay with the owners."),
            permission=Permission.ROLES_EDIT,
            form_for=forms.role_form,
            begin=forms.begin_role,
            run=forms.put_role,
            done=_("The role was made."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit the role"),
            intro=_("Whoever holds it may do this from the next click on."),
            permission=Permission.ROLES_EDIT,
            form_for=forms.role_form,
            begin=forms.begin_role,
            run=forms.put_role,
            is_about_row=True,
            possible=forms.is_own,
            done=_("The role was saved."),
            is_primary=True,
        ),
    )

    @expose("/")
    def index_view(self) -> str:
        """Show every permission against every role."""
        names = permission_names()
        areas = [(area.title, [(one, names[one]) for one in area.permissions]) for area in AREAS]
        return self.render(self.list_template, roles=self._columns(), areas=areas)

    def _columns(self) -> Sequence[RoleColumn]:
        """Return the built-in roles in their order, then the brand's own by name."""
        rows = {row.name: row for row in db.session.scalars(sa.select(Role).order_by(Role.name))}
        built_in = [rows.pop(name) if name in rows else Role(name=name.value) for name in RoleName]
        return [
            RoleColumn(
                role_name(row.name),
                description_of(row),
                role_permissions(row),
                self.url_of(row) if sa.inspect(row).persistent else "",
                row.is_active is not False,
            )
            for row in (*built_in, *rows.values())
        ]

    def title_of(self, row: Role) -> str:
        """Return what people call a role."""
        return role_name(row.name)

    def sections(self, row: Role) -> Iterable[Section | None]:
        """Show what it allows, who holds it, and what became of it."""
        yield sentences_section(_("What it allows"), said_by_area(role_permissions(row)))
        yield self.related("staff", Staff.roles.any(Role.id == row.id), title=_("Who holds it"))
        yield self.related(
            "audit",
            sa.and_(AuditRecord.subject_type == "role", AuditRecord.subject_id == row.id),
            title=_("What became of it"),
            hides_empty=True,
        )
