"""Who is signed in to the back office, since when and from where."""

from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin.actions import by_id
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Decision
from admin.filters import Exactly, Options
from admin.i18n import gettext
from admin.labels import label_of
from admin.scopes import StoreIds, works_with
from app.access import settings
from app.kernel.clock import utc_now
from app.stores import sessions
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.session_models import StaffSession


def _live() -> sa.ColumnElement[bool]:
    return sessions.live_sessions(idle_seconds=settings().staff_idle_seconds, now=utc_now())


def session_state(row: StaffSession) -> Badge:
    """Return whether a session goes on, or why it is over."""
    if row.end_reason is not None:
        return Badge(str(label_of(row.end_reason)), "calm")
    if is_over(row):
        return Badge(gettext("Ran out"), "calm")
    return Badge(gettext("Goes on"), "good")


def is_over(row: StaffSession) -> bool:
    """Tell whether a session has ended, was idle too long or is past its time."""
    now = utc_now()
    idle = (now - row.last_seen_at).total_seconds() >= settings().staff_idle_seconds
    return row.ended_at is not None or row.expires_at <= now or idle


def _of_colleagues(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    return StaffSession.staff_id.in_(sa.select(Staff.id).where(works_with(store_ids)))


class StaffSessionsView(ScopedView):
    """Sign-ins of staff; owners can end them."""

    permission = Permission.AUDIT_VIEW
    scope = _of_colleagues
    icon = "key-round"
    intro = _("Who is signed in here, from where, and since when. What is ended is over at once.")
    can_view_details = False

    column_list = (
        "staff_id",
        "browser",
        "network",
        "is_new_device",
        "created_at",
        "last_seen_at",
        "state",
    )
    references: ClassVar = {"staff_id": "staff"}
    labels: ClassVar = {"created_at": _("Signed in at")}
    computed: ClassVar[dict[str, Any]] = {"state": session_state}
    tabs = Options(
        "state",
        _("State"),
        {
            "live": (_("Going on"), _live),
            "new": (_("From a new device"), lambda: StaffSession.is_new_device.is_(True)),
        },
    )
    filters = (Exactly("staff", _("Staff"), StaffSession.staff_id, is_id=True),)
    decisions = (
        Decision(
            name="end",
            label=_("End"),
            permission=Permission.STAFF_EDIT,
            question=_("End these sessions?"),
            warning=_("Whoever sits there has to sign in again."),
            run=by_id(sessions.end_one),
            possible=lambda row: not is_over(row),
            is_danger=True,
        ),
    )

    def title_of(self, row: StaffSession) -> str:
        """Return what a session is called in a message."""
        return row.browser or f"#{row.id}"
