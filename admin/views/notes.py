"""What staff write about customers: notes, tags, and what is still to be done."""

from collections.abc import Iterable
from typing import ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from admin import staff
from admin.actions import by_id, joined
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.details import Section, sentences_section
from admin.filters import Days, Exactly, Options
from admin.form_pages import FormPage
from admin.i18n import gettext
from admin.scopes import by_member, everybody
from app.members import notes, tags
from app.members.file_models import TAG_LENGTH_MAX, MemberNote, MemberTag, Tag
from app.members.models import Member
from app.stores.permissions import Permission


def _is_mine(row: MemberNote) -> bool:
    me = staff.current()
    return row.struck_at is None and me is not None and row.author_id == me.id


def _note_state(row: MemberNote) -> Badge:
    if row.struck_at is None:
        return Badge(gettext("Stands"), "good")
    return Badge(gettext("Struck out"), "calm")


class NotesView(ScopedView):
    """Notes of staff about customers."""

    permission = Permission.MEMBERS_VIEW
    scope = by_member(MemberNote.member_id)
    icon = "scroll-text"
    intro = _("What colleagues wrote about customers. Never edited; its author may strike it out.")
    is_counted = False

    column_list = ("note", "member_id", "author_id", "written_at", "state")
    computed: ClassVar = {"note": lambda row: row.text, "state": _note_state}
    tabs = Options(
        "state",
        _("State"),
        {
            "stands": (_("Stands"), lambda: MemberNote.struck_at.is_(None)),
            "struck": (_("Struck out"), lambda: MemberNote.struck_at.is_not(None)),
        },
    )
    filters = (
        Exactly("member", _("Customer no."), MemberNote.member_id, is_id=True),
        Exactly("author", _("Staff no."), MemberNote.author_id, is_id=True),
        Days("written", _("Written at"), MemberNote.written_at),
    )
    facts = ("member_id", "author_id", "written_at", "struck_at")
    badge = "state"
    decisions = (
        Decision(
            name="strike",
            label=_("Strike out"),
            permission=Permission.NOTES_WRITE,
            question=_("Strike these notes out?"),
            warning=_("They stay readable as struck out."),
            run=by_id(notes.strike_note),
            possible=_is_mine,
            is_danger=True,
        ),
    )

    def title_of(self, row: MemberNote) -> str:
        """Return what it is and its number."""
        return gettext("Note %(id)s", id=row.id)

    def sections(self, row: MemberNote) -> Iterable[Section | None]:
        """Show every line of it."""
        yield sentences_section(_("Text"), row.text.split("\n"))


class TagForm(FlaskForm):
    """What a tag is called."""

    name = StringField(
        _("Tag"),
        validators=[InputRequired(), Length(max=TAG_LENGTH_MAX)],
        description=_("A word or two that everybody here understands, such as “Bridal”."),
    )


def _create(_row: None, act: Act) -> str:
    name = act.form.name.data
    return str(joined(tags.create_tag, name, actor=act.actor, now=act.now).id)


def _rename(row: Tag, act: Act) -> str:
    joined(tags.rename_tag, row.id, act.form.name.data, actor=act.actor, now=act.now)
    return str(row.id)


def _tag_state(row: Tag) -> Badge:
    if row.retired_at is None:
        return Badge(gettext("In use"), "good")
    return Badge(gettext("Retired"), "calm")


class TagsView(ScopedView):
    """The brand's tags; who keeps the lists of the brand keeps this one."""

    permission = Permission.MEMBERS_VIEW
    scope = everybody
    icon = "badge-check"
    intro = _("Words that staff put on customers, one list for the whole brand.")

    column_list = ("name", "state", "created_at", "retired_at")
    labels: ClassVar = {"name": _("Tag")}
    computed: ClassVar = {"state": _tag_state}
    searched = (Tag.name,)
    tabs = Options(
        "state",
        _("State"),
        {
            "used": (_("In use"), lambda: Tag.retired_at.is_(None)),
            "retired": (_("Retired"), lambda: Tag.retired_at.is_not(None)),
        },
    )
    facts = ("id", "created_at", "retired_at")
    badge = "state"
    decisions = (
        Decision(
            name="retire",
            label=_("Retire"),
            permission=Permission.CATALOG_EDIT,
            question=_("Put these tags on nobody any more?"),
            warning=_("Whoever bears them keeps them, and can still be found by them."),
            run=by_id(tags.retire_tag),
            possible=lambda row: row.retired_at is None,
            is_danger=True,
        ),
    )
    form_pages = (
        FormPage(
            name="create",
            label=_("New tag"),
            title=_("Add a tag to the list"),
            permission=Permission.CATALOG_EDIT,
            form=TagForm,
            run=_create,
            done=_("The tag is on the list."),
            is_primary=True,
        ),
        FormPage(
            name="rename",
            label=_("Rename"),
            title=_("Call this tag something else"),
            intro=_("Wherever it was put, it is called so from now on."),
            permission=Permission.CATALOG_EDIT,
            form=TagForm,
            is_about_row=True,
            begin=lambda row: {"name": row.name},
            run=_rename,
            done=_("The tag was renamed."),
        ),
    )

    def sections(self, row: Tag) -> Iterable[Section | None]:
        """Show the newest customers who bear it."""
        bears = sa.exists().where(MemberTag.tag_id == row.id, MemberTag.member_id == Member.id)
        yield self.related("members", bears, tag=row.id)
