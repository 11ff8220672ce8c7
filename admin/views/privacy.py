"""What customers ask about their own data, and doing it on their behalf."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import RadioField
from wtforms.validators import InputRequired

from admin import phones, staff
from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, pairs_of
from admin.filters import Choice, Days, Exactly
from admin.form_pages import FormPage
from admin.forms import LookupField, ReasonForm, ScopedLoader
from admin.i18n import gettext, say, say_error
from admin.labels import label_of
from admin.scopes import by_member
from app.access import settings
from app.kernel.audit import Actor
from app.kernel.db import database_now, db
from app.kernel.errors import DomainError
from app.members.models import Member
from app.privacy import services
from app.privacy.erasure import OBSTACLES
from app.privacy.models import PrivacyCopy, PrivacyRequest
from app.privacy.states import RequestKind, RequestState
from app.stores.permissions import Permission

CUSTOMERS = ScopedLoader(
    "customers",
    sa.select(Member.id, Member.nickname).where(Member.deleted_at.is_(None)),
    (Member.nickname,),
    scope=by_member(Member.id),
    text=lambda row: gettext("%(name)s (no. %(id)s)", name=row.nickname or "–", id=row.id),
    permission=Permission.PRIVACY_DECIDE,
)


class AskForm(ReasonForm):
    """For whom, what, and how they asked."""

    first = ("member_id", "kind")
    member_id = LookupField(_("Customer"), loader=CUSTOMERS, validators=[InputRequired()])
    kind = RadioField(_("What they ask for"), validators=[InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what can be asked for."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [(one.value, label_of(one)) for one in RequestKind]


def _ask(_row: None, act: Act) -> str:
    form = act.form
    wish = services.Wish(form.member_id.data, RequestKind(form.kind.data), form.reason.data.strip())
    row = joined(services.ask, wish, actor=act.actor, settings=settings(), now=act.now)
    return str(row.id)


def _take_copy(session: Session, request_id: int, *, actor: Actor, now: datetime) -> bytes:
    """Return a copy, as one of the looks at whole phone numbers that a day allows."""
    phones.require_look(session, actor=actor, now=now)
    return services.take_copy(session, request_id, actor=actor, now=now)


def _is_waiting(row: PrivacyRequest) -> bool:
    return row.state is RequestState.WAITING


def obstacles_in_words(codes: Iterable[str]) -> str:
    """Return what stands in the way of an erasure, in the reader's language."""
    return gettext("; ").join(say(OBSTACLES[code][0]) for code in codes if code in OBSTACLES)


class PrivacyRequestsView(ScopedView):
    """Copies and erasures that people asked for."""

    permission = Permission.PRIVACY_VIEW
    scope = by_member(PrivacyRequest.member_id)
    icon = "shield-check"
    intro = _(
        "What customers ask about their own data. A copy is made at once; an erasure waits, can be "
        "taken back meanwhile, and needs everything owed to be settled."
    )
    can_export = False

    column_list = ("id", "member_id", "kind", "state", "requested_at", "due_at", "obstacles")
    labels: ClassVar = {
        "kind": _("What they ask for"),
        "requested_at": _("Asked"),
        "due_at": _("Carried out at"),
        "obstacles": _("To be settled first"),
        "requested_by": _("Asked by"),
        "ended_by": _("Ended by"),
    }
    computed: ClassVar = {"obstacles": lambda row: obstacles_in_words(row.obstacles)}
    search_hint = _("Request no.")
    tabs = Choice("state", _("State"), PrivacyRequest.state, RequestState)
    filters = (
        Choice("kind", _("What they ask for"), PrivacyRequest.kind, RequestKind),
        Exactly("member", _("Customer no."), PrivacyRequest.member_id, is_id=True),
        Days("requested", _("Asked"), PrivacyRequest.requested_at),
    )
    facts = (
        "member_id",
        "kind",
        "requested_by",
        "reason",
        "requested_at",
        "due_at",
        "obstacles",
        "ended_at",
        "ended_by",
    )
    badge = "state"
    lookups = (CUSTOMERS,)
    decisions = (
        Decision(
            name="withdraw",
            label=_("Take back"),
            permission=Permission.PRIVACY_DECIDE,
            question=_("Take these requests back?"),
            warning=_("Only if the customer has said so: the law gives them an answer in time."),
            run=with_reason(services.withdraw),
            form=ReasonForm,
            possible=_is_waiting,
            is_danger=True,
        ),
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("Ask for a customer"),
            title=_("Ask on behalf of a customer"),
            intro=_("For those who ask at the counter or by letter. Make sure that it is them."),
            permission=Permission.PRIVACY_DECIDE,
            form=AskForm,
            run=_ask,
            done=_("The request was noted."),
            is_primary=True,
        ),
    )

    def title_of(self, row: PrivacyRequest) -> str:
        """Return what it is and its number."""
        return gettext("Request %(id)s", id=row.id)

    def sections(self, row: PrivacyRequest) -> Iterable[Section | None]:
        """Tell about the copy, and offer it to those who may hand it over."""
        copy = db.session.get(PrivacyCopy, row.id)
        if copy is None:
            return
        facts = {"size_kb": -(-copy.size_bytes // 1000), "sha256": copy.sha256}
        labels = {"size_kb": _("Size in kB"), "sha256": _("Fingerprint (SHA-256)")}
        pairs = pairs_of({**facts, "expires_at": copy.expires_at}, labels)
        yield Section(_("Copy"), "facts", facts=pairs)
        if staff.may(Permission.PRIVACY_DECIDE):
            yield Section(
                lazy_pgettext("copy", "Hand over"), "copy", template="backoffice/data_copy.html"
            )

    @expose("/copy/", methods=("POST",))
    def copy_view(self) -> Response:
        """Send the archive to hand it over to the customer; it is recorded who took it."""
        if not staff.may(Permission.PRIVACY_DECIDE):
            abort(403)
        row = self.get_one(request.form.get("id", ""))
        if row is None:
            abort(404)
        key, who, now = row.id, staff.actor(), database_now()
        try:
            content = joined(_take_copy, key, actor=who, now=now)
        except DomainError as error:
            flash(say_error(error), "error")
            return redirect(self.get_url(".details_view", id=key))
        answer = Response(content, mimetype="application/zip")
        answer.headers["Content-Disposition"] = f'attachment; filename="customer-data-{key}.zip"'
        answer.headers["Cache-Control"] = "no-store"
        return answer
