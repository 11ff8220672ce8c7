"""People who sign in here."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.orm import selectinload

from admin import staff_forms as forms
from admin.accounts import end_sessions
from admin.actions import by_id, with_reason
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Decision
from admin.details import Section, sentences_section
from admin.filters import Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, listed
from admin.people import yes_no
from admin.role_names import role_name, said_by_area
from admin.scopes import works_with
from admin.staff_mode import END_STAFF_MODE
from app.approvals.models import Approval, ApprovalState
from app.kernel.audit import AuditRecord
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.members.file_models import FollowUp, FollowUpState
from app.stores import staff as services
from app.stores.models import Role, Staff, Store
from app.stores.permissions import Permission, RoleName
from app.stores.queries import is_employed, staff_permissions, visible_store_ids
from app.stores.session_models import StaffSession


def _sign_in_state(row: Staff) -> Badge:
    now = utc_now()
    if not row.active:
        return Badge(gettext("Disabled"), "calm")
    if not is_employed(row, now=now):
        return Badge(gettext("Does not work here today"), "calm")
    if row.locked_until_at is not None and row.locked_until_at > now:
        return Badge(gettext("Locked out"), "bad")
    if not row.tf_totp_secret:
        return Badge(gettext("Has not connected a phone"), "wait")
    return Badge(gettext("Can sign in"), "good")


def _stores_of(row: Staff) -> str:
    if row.sees_all_stores:
        return gettext("All stores")
    regions = [gettext("Region %(name)s", name=region.name) for region in row.regions]
    return listed([*regions, *(store.name for store in row.stores)])


def _has_role(name: RoleName) -> sa.ColumnElement[bool]:
    return Staff.roles.any(Role.name == name)


class StaffView(ScopedView):
    """People who sign in here."""

    permission = Permission.STAFF_VIEW
    scope = works_with
    icon = "user-cog"
    loads = (selectinload(Staff.stores), selectinload(Staff.regions))
    intro = _("Who works in the back office, what they may do and where. Everything is audited.")

    column_list = ("name", "email", "job_title", "roles", "stores", "state")
    labels: ClassVar = {"name": lazy_pgettext("person", "Name"), "state": _("Sign-in")}
    computed: ClassVar = {
        "roles": lambda row: listed(role_name(role.name) for role in row.roles),
        "stores": _stores_of,
        "phone": forms.phone_of,
        "state": _sign_in_state,
        "phone_connected": lambda row: yes_no(row.tf_totp_secret),
    }
    searched = (Staff.name, Staff.email, Staff.job_title)
    filters = (
        Options(
            "active",
            _("Active"),
            {
                "yes": (_("Yes"), lambda: Staff.active.is_(True)),
                "no": (_("No"), lambda: Staff.active.is_(False)),
            },
        ),
        Options(
            "role",
            _("Role"),
            {
                "owner": (lazy_pgettext("role", "Owner"), lambda: _has_role(RoleName.OWNER)),
                "operations": (_("Operations"), lambda: _has_role(RoleName.OPERATIONS)),
                "finance": (_("Finance"), lambda: _has_role(RoleName.FINANCE)),
                "store_manager": (_("Store manager"), lambda: _has_role(RoleName.STORE_MANAGER)),
                "front_desk": (_("Front desk"), lambda: _has_role(RoleName.FRONT_DESK)),
                "auditor": (_("Auditor"), lambda: _has_role(RoleName.AUDITOR)),
                "own": (
                    _("A role of our own"),
                    lambda: Staff.roles.any(Role.name.not_in(list(RoleName))),
                ),
            },
        ),
    )
    facts = (
        "email",
        "phone",
        "job_title",
        "roles",
        "stores",
        "employed_from_on",
        "employed_until_on",
        "notes",
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
            warning=_(
                "They are signed out everywhere at once and cannot sign in. "
                "Hand over first what their page shows as open."
            ),
            run=with_reason(services.disable_staff),
            form=ReasonForm,
            possible=lambda row: row.active,
            is_danger=True,
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
        END_STAFF_MODE,
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("Appoint somebody"),
            title=_("Appoint somebody"),
            permission=Permission.STAFF_EDIT,
            form_for=forms.new_staff_form,
            run=forms.create_staff,
            done=_("They can sign in now."),
            is_primary=True,
        ),
        FormPage(
            name="duties",
            label=_("Roles and stores"),
            button=_("Save"),
            title=_("Roles and stores"),
            intro=_("Takes two people, and holds from the next click on."),
            permission=Permission.STAFF_EDIT,
            form_for=forms.duties_form,
            begin=forms.begin_duties,
            run=forms.set_duties,
            is_about_row=True,
            possible=forms.is_somebody_else,
            done=_("Roles and stores were saved."),
            is_primary=True,
        ),
        FormPage(
            name="person",
            label=_("Edit"),
            button=_("Save"),
            title=_("Personal details"),
            permission=Permission.STAFF_EDIT,
            form_for=forms.person_form,
            begin=forms.begin_person,
            run=forms.edit_person,
            is_about_row=True,
            done=_("The details were saved."),
        ),
        FormPage(
            name="enable",
            label=_("Enable"),
            title=_("Let somebody sign in again"),
            intro=_("Takes two people: they can do and see again all that they could before."),
            permission=Permission.STAFF_EDIT,
            form_for=forms.enable_form,
            run=forms.enable,
            is_about_row=True,
            possible=lambda row: not row.active,
            done=_("They can sign in again."),
        ),
        FormPage(
            name="hand-over",
            label=_("Hand over follow-ups"),
            title=_("Hand over follow-ups"),
            intro=_("Everything they still had to do about customers goes to one colleague."),
            permission=Permission.STAFF_EDIT,
            form=forms.HandOverForm,
            run=forms.hand_over,
            is_about_row=True,
            done=_("The follow-ups were handed over."),
        ),
        FormPage(
            name="reset",
            label=_("Reset sign-in"),
            title=_("Reset password and second factor"),
            intro=_("For somebody who lost their password or their phone. Ends their sessions."),
            permission=Permission.STAFF_EDIT,
            form=forms.PasswordForm,
            run=forms.reset,
            is_about_row=True,
            done=_("They can sign in with the new password and connect a phone again."),
        ),
    )

    def sections(self, row: Staff) -> Iterable[Section | None]:
        """Show what they may do and see, what waits for them, where they are signed in."""
        allowed = staff_permissions(row)
        count = gettext("%(count)s permissions in all", count=len(allowed))
        yield sentences_section(_("What they may do"), [*said_by_area(allowed), count])
        yield sentences_section(_("Whose rows they see"), [self._whose_rows(row)])
        yield self.related(
            "follow_ups",
            sa.and_(FollowUp.assignee_id == row.id, FollowUp.state == FollowUpState.OPEN),
            title=_("Open follow-ups of theirs"),
            hides_empty=True,
        )
        yield self.related(
            "approvals",
            sa.and_(Approval.asked_by_id == row.id, Approval.state == ApprovalState.REQUESTED),
            title=_("Requests of theirs that wait"),
            hides_empty=True,
        )
        yield self.related(
            "staff_sessions",
            StaffSession.staff_id == row.id,
            title=_("Where they are or were signed in"),
            without=("staff_id",),
            staff=row.id,
        )
        yield self.related(
            "audit",
            sa.and_(AuditRecord.actor_kind == "staff", AuditRecord.actor_id == row.id),
            title=_("What they did"),
            without=("actor",),
            staff=row.id,
        )

    def _whose_rows(self, row: Staff) -> str:
        """Say which stores' rows somebody sees at this moment, whatever gives them that."""
        store_ids = visible_store_ids(row)
        if store_ids is None:
            return gettext("Of all stores, and of the brand as a whole")
        names: list[Any] = []
        if store_ids:
            query = sa.select(Store.name).where(Store.id.in_(store_ids)).order_by(Store.name)
            names = list(db.session.scalars(query))
        return listed(names) or gettext("Of no store")
