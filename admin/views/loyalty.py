"""Tasks for customers, and everything that customers were given."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms.validators import InputRequired

from admin.actions import by_id, joined
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, rows_section
from admin.filters import Choice, Days, Exactly
from admin.form_pages import FormPage
from admin.forms import LookupField
from admin.i18n import gettext, listed
from admin.lookups import customers
from admin.membership_forms import TaskForm, begin_task, require_brand
from admin.scopes import by_member, everybody
from admin.tables import Shape
from admin.views.membership import in_words
from app.kernel.db import db
from app.loyalty import rewards, tasks
from app.loyalty.models import (
    GivenReward,
    MemberTask,
    RewardKind,
    RewardSource,
    RewardState,
    TaskKind,
    TaskProgress,
)
from app.loyalty.rewards import rewards_of
from app.stores.permissions import Permission

EDIT = Permission.MEMBERSHIP_EDIT
WHO = customers(EDIT)


class MarkForm(FlaskForm):
    """Who has done the task."""

    member_id = LookupField(_("Customer"), loader=WHO, validators=[InputRequired()])


def _put(row: MemberTask | None, act: Act) -> str:
    require_brand()
    key = row.id if row is not None else None
    task = joined(tasks.put_task, key, act.form.spec(), actor=act.actor, now=act.now)
    return str(task.id)


def _mark(row: MemberTask, act: Act) -> str:
    key, member_id = row.id, act.form.member_id.data
    joined(tasks.mark_by_hand, key, member_id, actor=act.actor, now=act.now)
    return str(key)


def _end(key: int, act: Act) -> None:
    require_brand()
    joined(tasks.end_task, key, actor=act.actor, now=act.now)


class MemberTasksView(ScopedView):
    """What customers can do for a reward."""

    permission = Permission.MEMBERSHIP_VIEW
    scope = everybody
    icon = "target"
    intro = _("What customers can do once for a reward, such as bringing friends who buy.")
    is_counted_by_store = False

    column_list = ("title", "id", "kind", "target", "rewards", "starts_at", "ends_at")
    computed: ClassVar = {
        "rewards": lambda row: listed(in_words(one) for one in rewards_of(row.rewards))
    }
    searched = (MemberTask.title,)
    search_hint = _("Title or no.")
    filters = (Choice("kind", _("Kind"), MemberTask.kind, TaskKind),)
    facts = (*column_list, "title_en", "description", "created_at")
    lookups = (WHO,)
    form_pages = (
        FormPage(
            name="new",
            label=_("New task"),
            button=_("Save"),
            title=_("Set up a task"),
            permission=EDIT,
            form=TaskForm,
            run=_put,
            done=_("The task was set up."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this task"),
            intro=_("Who has done it keeps what it brought."),
            permission=EDIT,
            form=TaskForm,
            run=_put,
            begin=begin_task,
            is_about_row=True,
            done=_("The task was saved."),
        ),
        FormPage(
            name="mark",
            label=_("Somebody has done it"),
            button=_("Save"),
            title=_("Say who has done this task"),
            permission=EDIT,
            form=MarkForm,
            run=_mark,
            is_about_row=True,
            possible=lambda row: row.kind is TaskKind.FOLLOW,
            done=_("It counts."),
        ),
    )
    decisions = (
        Decision(
            name="end",
            label=_("End"),
            permission=EDIT,
            question=_("End these tasks?"),
            warning=_("Nothing counts for them any more. What they brought stays."),
            run=_end,
            is_danger=True,
            possible=lambda row: row.ends_at is None,
        ),
    )

    def title_of(self, row: MemberTask) -> str:
        """Return what it is called."""
        return row.title

    def sections(self, row: MemberTask) -> Iterable[Section | None]:
        """Show how many have begun and done it."""
        begun, done = db.session.execute(
            sa.select(sa.func.count(), sa.func.count(TaskProgress.done_at)).where(
                TaskProgress.task_id == row.id
            )
        ).one()
        shape = Shape(("begun", "done"), {"begun": _("Have begun"), "done": _("Have done it")})
        yield rows_section(_("Progress"), [{"begun": begun, "done": done}], shape)


def _what(row: GivenReward) -> Any:
    if row.kind is RewardKind.COUPON:
        return gettext("%(count)s × coupon no. %(id)s", count=row.amount, id=row.template_id)
    return row.amount


class GivenRewardsView(ScopedView):
    """What customers were given beside what they bought."""

    permission = Permission.MEMBERSHIP_VIEW
    scope = by_member(GivenReward.member_id)
    icon = "gift"
    intro = _(
        "Coupons, points and growth that levels, birthdays, tasks and activities brought. What was"
        " refused can be tried again."
    )
    is_counted = False

    column_list = ("id", "member_id", "kind", "amount", "source", "state", "refusal", "asked_at")
    computed: ClassVar = {"amount": _what}
    tabs = Choice("state", _("State"), GivenReward.state, RewardState)
    filters = (
        Choice("source", _("Source"), GivenReward.source, RewardSource),
        Choice("kind", _("Kind"), GivenReward.kind, RewardKind),
        Exactly("member", _("Customer no."), GivenReward.member_id, is_id=True),
        Days("asked", _("When"), GivenReward.asked_at),
    )
    facts = ("member_id", "kind", "amount", "source", "refusal", "asked_at", "given_at")
    badge = "state"
    decisions = (
        Decision(
            name="again",
            label=_("Try again"),
            permission=EDIT,
            question=_("Try to give these again?"),
            run=by_id(rewards.try_again),
            possible=lambda row: row.state is RewardState.REFUSED,
        ),
    )

    def title_of(self, row: GivenReward) -> str:
        """Return which reward it is."""
        return gettext("Reward %(id)s", id=row.id)
