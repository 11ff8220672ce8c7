"""Staff mode in the mini-program: the page where staff connect their WeChat account, or end it."""

from typing import Any

from flask import abort, flash, redirect
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from admin import staff
from admin.actions import joined
from admin.base import to_sign_in
from admin.decisions import Act, Decision
from admin.forms import ReasonForm
from admin.i18n import gettext, say_error
from admin.people import name_of
from app.kernel.db import database_now, db
from app.kernel.errors import DomainError
from app.members.models import Member
from app.stores import staff_mode
from app.stores.permissions import Permission
from app.stores.staff_mode import MadeCode

HALF = staff_mode.CODE_LENGTH // 2


class StaffModeView(BaseView):
    """Where staff make the code that their phone asks for."""

    icon = "smartphone"

    def is_accessible(self) -> bool:
        """Let in whoever may work in the mini-program."""
        return staff.may(Permission.STAFF_MODE)

    def is_visible(self) -> bool:
        """Stay out of the navigation: one's own account leads here."""
        return False

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page and tell others that this is not theirs."""
        return to_sign_in() if staff.current() is None else abort(403)

    @expose("/")
    def index(self) -> str:
        """Show which account is connected, or offer a code."""
        return self._page()

    @expose("/code/", methods=("POST",))
    def make_code(self) -> str:
        """Make a code and show it, once."""
        who, now = staff.actor(), database_now()
        made = None
        try:
            made = joined(staff_mode.make_code, who.id, actor=who, now=now)
        except DomainError as error:
            flash(say_error(error), "error")
        return self._page(made)

    @expose("/end/", methods=("POST",))
    def end(self) -> Response:
        """Disconnect one's own WeChat account."""
        who, now = staff.actor(), database_now()
        try:
            joined(staff_mode.unbind, who.id, actor=who, now=now)
        except DomainError as error:
            flash(say_error(error), "error")
        else:
            flash(gettext("Staff mode was ended on your phone."), "success")
        return redirect(self.get_url(".index"))

    def _page(self, made: MadeCode | None = None) -> str:
        me = staff.current()
        assert me is not None
        session = db.session()
        binding = staff_mode.binding_of(session, me.id)
        member = session.get(Member, binding.member_id) if binding is not None else None
        page: str = self.render(
            "backoffice/staff_mode.html",
            binding=binding,
            account=name_of(member) if member is not None else "",
            code=f"{made.text[:HALF]}-{made.text[HALF:]}" if made is not None else "",
            made=made,
            minutes=int(staff_mode.CODE_LASTS.total_seconds()) // 60,
        )
        return page


def is_connected(staff_id: int) -> bool:
    """Tell whether somebody works with the mini-program."""
    return staff_mode.binding_of(db.session(), staff_id) is not None


def _end(key: int, act: Act) -> None:
    reason = act.form.reason.data.strip()
    joined(staff_mode.unbind, key, actor=act.actor, reason=reason, now=act.now)


END_STAFF_MODE = Decision(
    name="end-staff-mode",
    label=_("End staff mode"),
    permission=Permission.STAFF_MODE,
    question=_("End staff mode on the phones of these people?"),
    warning=_("Their WeChat accounts are disconnected at once; they can connect again by a code."),
    run=_end,
    form=ReasonForm,
    possible=lambda row: is_connected(row.id),
)
"""For staff who see staff: the owner, and managers of the same store."""
