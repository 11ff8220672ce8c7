"""The level of a customer on the page about them, and the list of customers by level."""

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin import staff
from admin.actions import joined
from admin.decisions import Act
from admin.details import Section, rows_section, sentences_section
from admin.filters import Arguments, Control
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, moment
from admin.membership_forms import GrowthForm, SetLevelForm
from admin.tables import Shape
from admin.urls import as_id
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.loyalty import tasks
from app.members.models import Member
from app.membership import by_hand, growth, overview
from app.membership.by_hand import LevelWish
from app.membership.models import LevelHolding, Membership
from app.membership.queries import base, levels_at
from app.stores.permissions import Permission

EDIT: Final = Permission.MEMBERSHIP_EDIT
HOLDINGS_SHOWN: Final = 20
HOLDINGS: Final = Shape(
    ("level_id", "basis", "from_at", "until_at", "ended_at", "reason"),
    references={"level_id": "membership_levels"},
)
TASKS: Final = Shape(
    ("title", "kind", "count", "target", "done_at"),
    {"count": _("How far"), "done_at": _("Done")},
)


def _set_level(member: Member, act: Act) -> str:
    wish = LevelWish(
        level_id=act.form.level_id.data,
        until_at=act.form.until_at.data,
        reason=act.form.reason.data,
    )
    key = member.id
    joined(by_hand.set_level, key, wish, actor=act.actor, now=act.now)
    return str(key)


def _leave(member: Member, act: Act) -> str:
    key, reason = member.id, act.form.reason.data
    joined(by_hand.leave_to_growth, key, reason=reason, actor=act.actor, now=act.now)
    return str(key)


def _grow(member: Member, act: Act) -> str:
    key, amount, reason = member.id, act.form.amount.data, act.form.reason.data
    joined(growth.add_by_hand, key, amount, reason=reason, actor=act.actor, now=act.now)
    return str(key)


MEMBERSHIP_PAGES: Final = (
    FormPage(
        name="level",
        is_rare=True,
        label=_("Set level"),
        title=_("Set the level of this customer"),
        intro=_("Above what growth deserves it is a present; below, growth does not lift it."),
        permission=EDIT,
        form=SetLevelForm,
        is_about_row=True,
        run=_set_level,
        done=_("The level was set."),
    ),
    FormPage(
        name="free-level",
        is_rare=True,
        label=_("Leave level to growth"),
        title=_("End what was set by hand: growth decides again"),
        permission=EDIT,
        form=ReasonForm,
        is_about_row=True,
        run=_leave,
        done=_("Growth decides again."),
    ),
    FormPage(
        name="growth",
        is_rare=True,
        label=_("Change growth"),
        title=_("Give this customer growth, or take some"),
        permission=EDIT,
        form=GrowthForm,
        is_about_row=True,
        run=_grow,
        done=_("The growth was changed."),
    ),
)


def membership_sections(member: Member) -> Iterable[Section | None]:
    """Tell where a customer stands, what they hold, and how far their tasks are."""
    if not staff.may(Permission.MEMBERSHIP_VIEW):
        return
    now = utc_now()
    yield sentences_section(_("Membership"), _standing(member.id))
    held = db.session.scalars(
        sa.select(LevelHolding)
        .where(LevelHolding.member_id == member.id)
        .order_by(LevelHolding.id.desc())
        .limit(HOLDINGS_SHOWN)
    ).all()
    if held:
        yield rows_section(_("Levels held"), held, HOLDINGS)
    found = tasks.tasks_of(db.session(), member.id, now=now)
    if found:
        rows = [
            {
                "title": one.task.title,
                "kind": one.task.kind,
                "count": one.count,
                "target": one.task.target,
                "done_at": one.done_at,
            }
            for one in found
        ]
        yield rows_section(lazy_pgettext("task", "Tasks"), rows, TASKS)


def _standing(member_id: int) -> list[str]:
    now = utc_now()
    found = overview.progress_of(db.session(), member_id, now=now)
    said = [gettext("Level: %(name)s", name=found.standing.name or "–")]
    if found.standing.valid_until_at is not None:
        said.append(gettext("Until %(moment)s", moment=moment(found.standing.valid_until_at)))
    said.append(
        gettext(
            "Growth of the last year: %(growth)s; in all: %(total)s",
            growth=found.growth,
            total=found.growth_in_all,
        )
    )
    if found.next_level is not None:
        said.append(
            gettext(
                "%(count)s more for %(level)s",
                count=found.lacking,
                level=found.next_level.version.name,
            )
        )
    return said


class OfLevel:
    """Customers for whom one level counts."""

    name = "membership"
    label = _("Membership level")

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with every level, for those who may know them."""
        if not staff.may(Permission.MEMBERSHIP_VIEW):
            return []
        known = levels_at(db.session(), at=utc_now())
        choices = [(str(one.level_id), one.version.name) for one in known]
        value = arguments.get(self.name, "")
        return [Control("select", self.name, self.label, value, choices)] if choices else []

    def apply(self, query: sa.Select[Any], arguments: Arguments) -> sa.Select[Any]:
        """Keep customers of the level; whoever never grew stands at the one for everybody."""
        key = as_id(arguments.get(self.name, ""))
        if key is None or not staff.may(Permission.MEMBERSHIP_VIEW):
            return query
        ground = base(levels_at(db.session(), at=utc_now()))
        if ground is not None and ground.level_id == key:
            above = sa.select(Membership.member_id).where(
                Membership.member_id == Member.id, Membership.level_id.is_not(None)
            )
            return query.where(~above.exists())
        holds = sa.select(Membership.member_id).where(Membership.level_id == key)
        return query.where(Member.id.in_(holds))
