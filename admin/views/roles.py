"""What each role may do."""

from dataclasses import dataclass

from flask_admin import expose
from flask_babel import lazy_gettext as _

from admin.base import ScopedView
from admin.i18n import say
from admin.role_names import permission_names, role_name
from admin.scopes import everybody
from app.stores.permissions import ROLE_DESCRIPTIONS, Permission, RoleName, permissions_of


@dataclass(frozen=True, slots=True)
class RoleColumn:
    """One role in the table of permissions."""

    name: str
    description: str
    allowed: frozenset[Permission]


class RolesView(ScopedView):
    """What each role may do."""

    permission = Permission.STAFF_VIEW
    scope = everybody
    icon = "shield-check"
    intro = _("What each role may do. Stores say where; the second person is a rule of its own.")
    can_view_details = False
    can_export = False
    list_template = "backoffice/roles.html"

    @expose("/")
    def index_view(self) -> str:
        """Show every permission against every role."""
        roles = [
            RoleColumn(role_name(one), say(ROLE_DESCRIPTIONS[one]), permissions_of([one]))
            for one in RoleName
        ]
        names = permission_names()
        permissions = [(one, names.get(one, one.value)) for one in Permission]
        return self.render(self.list_template, roles=roles, permissions=permissions)
