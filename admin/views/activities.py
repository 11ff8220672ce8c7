"""Activities, the groups that people open in them, and their bargains."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin import activity_sections as told
from admin.actions import joined
from admin.activity_forms import (
    begin_activity,
    explain_activity,
    form_of,
    stock_form_of,
)
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section
from admin.draw_pages import DRAW_PAGES
from admin.draw_sections import own_sections
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, ngettext, say
from admin.scopes import by_store, touching_stores
from admin.staff import visible_store_ids
from app.activities import services
from app.activities.bargain_models import Bargain
from app.activities.errors import ActivityNotYours
from app.activities.group_models import BuyingGroup
from app.activities.kinds import KINDS
from app.activities.models import Activity
from app.activities.states import (
    EDITABLE,
    ActivityEvent,
    ActivityKind,
    ActivityState,
    BargainState,
    GroupState,
    after,
)
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.kernel.i18n import Message
from app.stores.permissions import Permission

ENDED = frozenset({ActivityState.ENDED, ActivityState.CANCELLED})
SOON: Final = timedelta(hours=3)
"""How long before its end a group is worth a call to those who could still join."""


def _stores(row: Activity) -> str:
    if row.store_ids is None:
        return gettext("All stores")
    return ngettext("%(num)d store", "%(num)d stores", len(row.store_ids))


def _is_mine(row: Activity) -> bool:
    return services.may_edit(row, visible_store_ids())


def _can(event: ActivityEvent) -> Callable[[Activity], bool]:
    return lambda row: after(row.state, event) is not None and _is_mine(row)


def _require_mine(key: int) -> None:
    if not _is_mine(db.session.get_one(Activity, key)):
        raise ActivityNotYours


def _decide(event: ActivityEvent, key: int, act: Act) -> None:
    _require_mine(key)
    reason = getattr(act.form, "reason", None)
    joined(
        services.decide,
        key,
        event,
        actor=act.actor,
        reason=reason.data.strip() if reason is not None else "",
        now=act.now,
    )


def _put(row: Activity | None, act: Act) -> str:
    key = row.id if row is not None else None
    if key is not None:
        _require_mine(key)
    found = joined(
        services.put_activity, act.form.spec(), activity_id=key, actor=act.actor, now=act.now
    )
    return str(found.id)


def _set_stock(row: Activity, act: Act) -> str:
    _require_mine(row.id)
    form = act.form
    joined(
        services.set_stock,
        row.id,
        form.item_id.data,
        stock=form.stock.data,
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def _new(kind: ActivityKind) -> FormPage:
    """Return the form that sets up an activity of a kind."""
    name = say_later(KINDS[kind].title)
    return FormPage(
        name=f"new-{kind.value.replace('_', '-')}",
        label=name,
        button=_("Save as draft"),
        title=name,
        intro=say_later(KINDS[kind].about),
        permission=Permission.ACTIVITIES_EDIT,
        form_for=lambda _row: form_of(kind),
        run=_put,
        explain=explain_activity,
        done=_("The draft was saved. Look it over, then schedule it."),
        is_primary=kind is ActivityKind.FLASH_SALE,
    )


def say_later(text: str) -> Any:
    """Return a text of the core that is put into the reader's language when it is shown."""
    return told.Later(lambda: say(Message(text)))


class ActivitiesView(ScopedView):
    """Every activity, with what it brought."""

    permission = Permission.ACTIVITIES_VIEW
    scope = touching_stores(Activity.store_ids)
    icon = "megaphone"
    intro = _(
        "Promotions with a beginning and an end. They begin and end by the clock; what has begun"
        " no longer changes, but for its stock."
    )

    column_list = ("name", "id", "kind", "state", "starts_at", "ends_at", "store_ids")
    computed: ClassVar = {"store_ids": _stores}
    searched = (Activity.name,)
    search_hint = _("Name or no.")
    sortable = ("name", "starts_at", "ends_at")
    tabs = Choice("state", _("State"), Activity.state, ActivityState)
    filters = (
        Choice("kind", _("Kind"), Activity.kind, ActivityKind),
        Days("starts", _("Begins"), Activity.starts_at),
    )
    facts = (
        "kind",
        "starts_at",
        "ends_at",
        "store_ids",
        "limit_per_member",
        "limit_total",
        "pays_commission",
        "created_at",
    )
    badge = "state"
    form_pages = (
        *(_new(kind) for kind in KINDS),
        *DRAW_PAGES,
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this activity"),
            permission=Permission.ACTIVITIES_EDIT,
            form_for=lambda row: form_of(row.kind),
            run=_put,
            begin=begin_activity,
            explain=explain_activity,
            is_about_row=True,
            possible=lambda row: row.state in EDITABLE and _is_mine(row),
            done=_("The activity was saved."),
        ),
        FormPage(
            name="stock",
            label=_("Change stock"),
            button=_("Save"),
            title=_("Say how many pieces this activity gives"),
            permission=Permission.ACTIVITIES_EDIT,
            form_for=stock_form_of,
            run=_set_stock,
            explain=explain_activity,
            is_about_row=True,
            possible=lambda row: KINDS[row.kind].sells and row.state not in ENDED and _is_mine(row),
            done=_("The stock was changed."),
        ),
    )
    decisions = (
        Decision(
            name="schedule",
            label=lazy_pgettext("activity", "Schedule"),
            permission=Permission.ACTIVITIES_EDIT,
            question=_("Schedule these activities?"),
            warning=_("They begin and end by themselves at their times."),
            run=partial(_decide, ActivityEvent.SCHEDULE),
            possible=_can(ActivityEvent.SCHEDULE),
            is_primary=True,
        ),
        Decision(
            name="start",
            label=lazy_pgettext("activity", "Start now"),
            permission=Permission.ACTIVITIES_EDIT,
            question=_("Start these activities now?"),
            warning=_("Customers see them at once."),
            run=partial(_decide, ActivityEvent.START),
            possible=_can(ActivityEvent.START),
        ),
        Decision(
            name="end",
            label=lazy_pgettext("activity", "End"),
            permission=Permission.ACTIVITIES_EDIT,
            question=_("End these activities?"),
            warning=_("They take nobody new. Groups and bargains that are open go on."),
            run=partial(_decide, ActivityEvent.END),
            form=ReasonForm,
            possible=_can(ActivityEvent.END),
            is_danger=True,
        ),
        Decision(
            name="cancel",
            label=lazy_pgettext("activity", "Cancel"),
            permission=Permission.ACTIVITIES_EDIT,
            question=_("Cancel these activities?"),
            warning=_("Open groups fail and everybody in them gets their money back."),
            run=partial(_decide, ActivityEvent.CANCEL),
            form=ReasonForm,
            possible=_can(ActivityEvent.CANCEL),
            is_danger=True,
        ),
    )

    def sections(self, row: Activity) -> Iterable[Section | None]:
        """Show what to look at, what it offers, what it brought, and what happened."""
        if row.state in EDITABLE:
            yield told.advice_section(row)
        yield told.items_section(row)
        yield told.rules_section(row)
        if KINDS[row.kind].sells:
            yield told.numbers_section(row)
            yield told.days_section(row)
        yield from own_sections(self, row)
        if row.kind is ActivityKind.GROUP_BUY:
            yield self.related(
                "buying_groups",
                BuyingGroup.activity_id == row.id,
                without=("activity_id",),
                activity=row.id,
            )
        if row.kind is ActivityKind.BARGAIN:
            yield self.related(
                "bargains",
                Bargain.activity_id == row.id,
                without=("activity_id",),
                activity=row.id,
            )
        yield told.activity_steps(row)


def _ends_soon() -> sa.ColumnElement[bool]:
    return sa.and_(BuyingGroup.state == GroupState.OPEN, BuyingGroup.expires_at <= utc_now() + SOON)


class BuyingGroupsView(ScopedView):
    """Groups of customers who buy together."""

    permission = Permission.ACTIVITIES_VIEW
    scope = by_store(BuyingGroup.store_id)
    icon = "users-round"
    intro = _("Who opened a group, who paid, and how it ended. Money of a failed one goes back.")

    column_list = (
        "id",
        "activity_id",
        "leader_id",
        "size",
        "state",
        "store_id",
        "opened_at",
        "expires_at",
    )
    references: ClassVar = {"leader_id": "members", "activity_id": "activities"}
    labels: ClassVar = {"leader_id": _("Opened by"), "size": _("People wanted")}
    search_hint = _("Group no.")
    sortable = ("expires_at",)
    tabs = Choice("state", _("State"), BuyingGroup.state, GroupState)
    filters = (
        Options("ends", _("Time left"), {"soon": (_("Less than three hours"), _ends_soon)}),
        OfStore("store", _("Store"), BuyingGroup.store_id),
        Exactly("activity", _("Activity no."), BuyingGroup.activity_id, is_id=True),
        Exactly("member", _("Customer no."), BuyingGroup.leader_id, is_id=True),
        Days("opened", _("Opened"), BuyingGroup.opened_at),
    )
    facts = (
        "activity_id",
        "leader_id",
        "size",
        "store_id",
        "opened_at",
        "expires_at",
        "ended_at",
    )
    badge = "state"

    def title_of(self, row: BuyingGroup) -> str:
        """Return which group it is."""
        return gettext("Group %(id)s", id=row.id)

    def sections(self, row: BuyingGroup) -> Iterable[Section | None]:
        """Tell who took which seat, and when."""
        yield told.seats_section(row)


class BargainsView(ScopedView):
    """Bargains of customers, and what their friends cut off."""

    permission = Permission.ACTIVITIES_VIEW
    scope = by_store(Bargain.store_id)
    icon = "scissors"
    intro = _("How far each price has come down, who helped, and what was bought.")

    column_list = (
        "id",
        "activity_id",
        "member_id",
        "start_fen",
        "cut_fen",
        "floor_fen",
        "state",
        "store_id",
        "expires_at",
    )
    references: ClassVar = {"activity_id": "activities"}
    search_hint = _("Bargain no.")
    sortable = ("expires_at", "cut_fen")
    tabs = Choice("state", _("State"), Bargain.state, BargainState)
    filters = (
        OfStore("store", _("Store"), Bargain.store_id),
        Exactly("activity", _("Activity no."), Bargain.activity_id, is_id=True),
        Exactly("member", _("Customer no."), Bargain.member_id, is_id=True),
        Days("begun", _("Begun"), Bargain.begun_at),
    )
    facts = (
        "activity_id",
        "member_id",
        "store_id",
        "start_fen",
        "cut_fen",
        "floor_fen",
        "parts_cut",
        "parts",
        "order_id",
        "begun_at",
        "expires_at",
        "ended_at",
        "commitment",
    )
    badge = "state"

    def title_of(self, row: Bargain) -> str:
        """Return which bargain it is."""
        return gettext("Bargain %(id)s", id=row.id)

    def sections(self, row: Bargain) -> Iterable[Section | None]:
        """Tell who cut how much."""
        yield told.cuts_section(row)
