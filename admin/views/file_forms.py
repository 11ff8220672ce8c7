"""What staff write into a customer's file, as forms and decisions of the page about them."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from admin.actions import joined
from admin.decisions import Act, Decision
from admin.form_pages import FormPage
from admin.forms import LookupField, ScopedLoader
from admin.scopes import StoreIds
from admin.views.attribution import visible_stores
from app.kernel.clock import business_day, utc_now
from app.kernel.db import db
from app.members import follow_ups, notes, tags
from app.members.file_models import NOTE_LENGTH_MAX, WHAT_LENGTH_MAX, Tag
from app.members.models import Member
from app.stores.models import Staff, staff_stores
from app.stores.permissions import Permission

WRITE: Final = Permission.NOTES_WRITE


def _of_stores(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    """Colleagues of the person's own stores."""
    works = sa.select(staff_stores.c.staff_id).where(staff_stores.c.store_id.in_(store_ids))
    return Staff.id.in_(works)


COLLEAGUES: Final = ScopedLoader(
    "colleagues",
    sa.select(Staff.id, Staff.name).where(Staff.active),
    (Staff.name,),
    scope=_of_stores,
    text=lambda row: str(row.name),
    permission=WRITE,
)


class NoteForm(FlaskForm):
    """What to write down."""

    text = TextAreaField(
        _("Note"),
        validators=[InputRequired(), Length(max=NOTE_LENGTH_MAX)],
        description=_("Colleagues who may see the customer read it. It cannot be edited later."),
        render_kw={"rows": 6},
    )


class FollowUpForm(FlaskForm):
    """What is to be done, by when, and whose it is."""

    what = TextAreaField(
        _("What is to be done"), validators=[InputRequired(), Length(max=WHAT_LENGTH_MAX)]
    )
    due_on = DateField(_("Due on"), validators=[InputRequired()])
    assignee_id = LookupField(
        _("Whose"), loader=COLLEAGUES, description=_("Leave empty to keep it yourself.")
    )
    store_id = SelectField(_("Or anybody of a store"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = [("", "–"), *visible_stores()]


class TagForm(FlaskForm):
    """Which tag is put on customers."""

    tag_id = SelectField(_("Tag"), validators=[InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the tags in use."""
        super().__init__(*args, **kwargs)
        found = tags.tags_in_use(db.session())
        self.tag_id.choices = [(str(one.id), one.name) for one in found]


class UntagForm(FlaskForm):
    """Which tag is taken off customers."""

    tag_id = SelectField(_("Tag"), validators=[InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer every tag, retired ones too."""
        super().__init__(*args, **kwargs)
        found = db.session.scalars(sa.select(Tag).order_by(Tag.name))
        self.tag_id.choices = [(str(one.id), one.name) for one in found]


def _write(row: Member, act: Act) -> str:
    joined(notes.write_note, row.id, text=act.form.text.data, actor=act.actor, now=act.now)
    return str(row.id)


def _plan(row: Member, act: Act) -> str:
    form = act.form
    joined(
        follow_ups.plan_follow_up,
        row.id,
        what=form.what.data,
        due_on=form.due_on.data,
        assignee_id=form.assignee_id.data,
        store_id=int(form.store_id.data) if form.store_id.data else None,
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def _tag(key: int, act: Act) -> None:
    tag_id = int(act.form.tag_id.data)
    joined(tags.put_tag, key, tag_id=tag_id, actor=act.actor, now=act.now)


def _untag(key: int, act: Act) -> None:
    tag_id = int(act.form.tag_id.data)
    joined(tags.take_tag, key, tag_id=tag_id, actor=act.actor, now=act.now)


def _tomorrow(_row: Member) -> Mapping[str, Any]:
    today = business_day(utc_now())
    return {"due_on": date.fromordinal(today.toordinal() + 1)}


def _is_there(row: Member) -> bool:
    return row.deleted_at is None


FILE_PAGES: Final = (
    FormPage(
        name="note",
        label=_("Write a note"),
        title=_("Write a note about this customer"),
        permission=WRITE,
        form=NoteForm,
        is_about_row=True,
        run=_write,
        done=_("The note is in the file."),
        possible=_is_there,
        is_primary=True,
    ),
    FormPage(
        name="follow-up",
        label=_("Plan a follow-up"),
        title=_("Plan what is to be done about this customer"),
        permission=WRITE,
        form=FollowUpForm,
        is_about_row=True,
        begin=_tomorrow,
        run=_plan,
        done=_("The follow-up is planned."),
        possible=_is_there,
    ),
)
TAGGING: Final = (
    Decision(
        name="tag",
        label=_("Add a tag"),
        permission=WRITE,
        question=_("Put a tag on these customers?"),
        run=_tag,
        form=TagForm,
        possible=_is_there,
    ),
    Decision(
        name="untag",
        label=_("Take a tag off"),
        permission=WRITE,
        question=_("Take a tag off these customers?"),
        run=_untag,
        form=UntagForm,
        possible=_is_there,
    ),
)
