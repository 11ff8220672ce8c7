"""Segments: choices of customers, and how many each means now."""

from collections.abc import Iterable
from typing import ClassVar

from flask_babel import lazy_gettext as _

from admin.actions import by_id, joined
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, sentences_section
from admin.directory import Reference
from admin.filters import OfStore, Options
from admin.form_pages import FormPage
from admin.i18n import gettext, ngettext
from admin.interaction_forms import (
    EDIT,
    OWNERS,
    NewSegmentForm,
    SegmentForm,
    begin_segment,
    store_of,
)
from admin.interaction_words import ASKED, asked_of
from admin.scopes import by_store
from admin.tables import Shape
from app.interactions import segments
from app.interactions.audience_models import Segment
from app.interactions.rules import SegmentRule
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.stores.permissions import Permission


def _create(_row: None, act: Act) -> str:
    form = act.form
    row = joined(
        segments.create_segment,
        name=form.name.data,
        store_id=store_of(form.store_id),
        document=form.document(),
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def _change(row: Segment, act: Act) -> str:
    form = act.form
    joined(
        segments.change_segment,
        row.id,
        name=form.name.data,
        document=form.document(),
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def _state(row: Segment) -> Badge:
    if row.retired_at is None:
        return Badge(gettext("In use"), "good")
    return Badge(gettext("Retired"), "calm")


class SegmentsView(ScopedView):
    """Whom campaigns and questionnaires are for."""

    permission = Permission.CAMPAIGNS_VIEW
    scope = by_store(Segment.store_id)
    icon = "chart-pie"
    intro = _("Choices of customers, asked anew each time they are used.")

    column_list = ("name", "store_id", "state", "created_by_id", "created_at")
    computed: ClassVar = {"state": _state}
    searched = (Segment.name,)
    tabs = Options(
        "state",
        _("State"),
        {
            "used": (_("In use"), lambda: Segment.retired_at.is_(None)),
            "retired": (_("Retired"), lambda: Segment.retired_at.is_not(None)),
        },
    )
    filters = (OfStore("store", _("Store"), Segment.store_id),)
    facts = ("store_id", "created_by_id", "created_at", "retired_at")
    badge = "state"
    lookups = (OWNERS,)
    form_pages = (
        FormPage(
            name="create",
            label=_("New segment"),
            button=_("Save"),
            title=_("Choose customers"),
            permission=EDIT,
            form=NewSegmentForm,
            run=_create,
            done=_("The segment was saved."),
            is_primary=True,
        ),
        FormPage(
            name="change",
            label=_("Edit"),
            button=_("Save"),
            title=_("Choose others"),
            permission=EDIT,
            form=SegmentForm,
            is_about_row=True,
            begin=begin_segment,
            run=_change,
            done=_("The segment was saved."),
        ),
    )
    decisions = (
        Decision(
            name="retire",
            label=_("Retire"),
            permission=EDIT,
            question=_("Offer these segments for nothing new?"),
            run=by_id(segments.retire_segment),
            possible=lambda row: row.retired_at is None,
            is_danger=True,
        ),
    )

    def sections(self, row: Segment) -> Iterable[Section | None]:
        """Tell how many the segment means now, and name a few of them."""
        rule = SegmentRule.read(row.rule)
        found = segments.preview(db.session(), rule, store_id=row.store_id, now=utc_now())
        count = ngettext("%(num)d customer", "%(num)d customers", found.people)
        told = [gettext("More than %(count)s", count=count) if found.is_cut else count]
        told.append(
            ngettext(
                "%(num)d of them may be told of offers.",
                "%(num)d of them may be told of offers.",
                found.reachable,
            )
        )
        yield sentences_section(_("At present"), told)
        few = [{"member_id": Reference("members", one)} for one in found.sample]
        yield rows_section(_("A few of them"), few, Shape(("member_id",)))
        yield rows_section(_("What is asked"), asked_of(row), ASKED)
