"""Follow-ups: what colleagues have to do about customers, by when."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import Length

from admin import staff
from admin.actions import joined
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, sentences_section
from admin.filters import Exactly, OfStore, Options
from admin.i18n import gettext
from admin.scopes import by_member
from app.kernel.clock import business_day, utc_now
from app.members import follow_ups
from app.members.file_models import NOTE_LENGTH_MAX, FollowUp, FollowUpState
from app.stores.permissions import Permission


class HowForm(FlaskForm):
    """How it went."""

    note = TextAreaField(_("How it went"), validators=[Length(max=NOTE_LENGTH_MAX)])


class WhyForm(FlaskForm):
    """Why it need not be done."""

    note = TextAreaField(
        lazy_pgettext("follow-up", "Why"), validators=[Length(max=NOTE_LENGTH_MAX)]
    )


def _done(key: int, act: Act) -> None:
    note = act.form.note.data or ""
    joined(follow_ups.finish_follow_up, key, note=note, actor=act.actor, now=act.now)


def _called_off(key: int, act: Act) -> None:
    note = act.form.note.data or ""
    joined(follow_ups.call_off_follow_up, key, note=note, actor=act.actor, now=act.now)


def _due() -> sa.ColumnElement[bool]:
    return sa.and_(_open(), FollowUp.due_on <= business_day(utc_now()))


def _overdue() -> sa.ColumnElement[bool]:
    return sa.and_(_open(), FollowUp.due_on < business_day(utc_now()))


def _open() -> sa.ColumnElement[bool]:
    return FollowUp.state == FollowUpState.OPEN


def _mine() -> sa.ColumnElement[bool]:
    me = staff.current()
    return FollowUp.assignee_id == (me.id if me is not None else None)


def _is_open(row: FollowUp) -> bool:
    return row.state is FollowUpState.OPEN


class FollowUpsView(ScopedView):
    """Tasks about customers, with a day and somebody whose they are."""

    permission = Permission.MEMBERS_VIEW
    scope = by_member(FollowUp.member_id)
    icon = "calendar-clock"
    intro = _("What is still to be done about customers. Plan one on the page of a customer.")
    is_counted_by_store = False

    column_list = ("what", "member_id", "due_on", "assignee_id", "store_id", "state")
    sortable = ("due_on",)
    tabs = Options(
        "due",
        _("Due"),
        {
            "today": (_("Due by today"), _due),
            "overdue": (_("Overdue"), _overdue),
            "open": (_("To be done"), _open),
            "done": (_("Done"), lambda: FollowUp.state == FollowUpState.DONE),
        },
    )
    filters = (
        Options("whose", _("Whose"), {"mine": (_("Mine"), _mine)}),
        OfStore("store", _("Store"), FollowUp.store_id),
        Exactly("member", _("Customer no."), FollowUp.member_id, is_id=True),
        Exactly("assignee", _("Staff no."), FollowUp.assignee_id, is_id=True),
    )
    facts = (
        "member_id",
        "due_on",
        "assignee_id",
        "store_id",
        "author_id",
        "created_at",
        "ended_at",
        "ended_by_id",
    )
    badge = "state"
    decisions = (
        Decision(
            name="done",
            label=lazy_pgettext("follow-up", "Done"),
            permission=Permission.NOTES_WRITE,
            question=_("Are these done?"),
            run=_done,
            form=HowForm,
            possible=_is_open,
            is_primary=True,
        ),
        Decision(
            name="call-off",
            label=lazy_pgettext("follow-up", "Call off"),
            permission=Permission.NOTES_WRITE,
            question=_("Need these not be done?"),
            run=_called_off,
            form=WhyForm,
            possible=_is_open,
            is_danger=True,
        ),
    )

    def title_of(self, row: FollowUp) -> str:
        """Return what it is and its number."""
        return gettext("Follow-up %(id)s", id=row.id)

    def sections(self, row: FollowUp) -> Iterable[Section | None]:
        """Tell what is to be done, and how it went."""
        told: list[Any] = row.what.split("\n")
        yield sentences_section(_("What is to be done"), told)
        if row.note:
            yield sentences_section(_("How it went"), row.note.split("\n"))
