"""Levels of membership with who would move, every change of a level, and growth."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import abort, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin import staff
from admin.actions import joined
from admin.base import ScopedView
from admin.cells import Who
from admin.decisions import Act
from admin.details import Section, rows_section
from admin.filters import Choice, Days, Exactly
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, listed, ngettext
from admin.membership_forms import LevelForm, begin_level, require_brand, terms_of
from admin.scopes import by_member, everybody
from admin.tables import Shape, Table
from admin.urls import as_id
from app.kernel.db import database_now, db
from app.kernel.money import percent
from app.loyalty.models import RewardKind
from app.loyalty.rewards import Reward, rewards_of
from app.membership import leveling, reviewing
from app.membership.models import GrowthEntry, LevelMove, LevelVersion, Membership, MembershipLevel
from app.membership.queries import levels_at
from app.membership.rules import Step
from app.membership.states import GrowthSource, MoveCause
from app.stores.permissions import Permission

EDIT: Final = Permission.MEMBERSHIP_EDIT
MOVES: Final = Shape(
    ("member_id", "from_level_id", "to_level_id", "growth"),
    {"from_level_id": _("From level"), "to_level_id": _("To level")},
    {
        "member_id": "members",
        "from_level_id": "membership_levels",
        "to_level_id": "membership_levels",
    },
)


def in_words(reward: Reward) -> str:
    """Say what a reward is."""
    if reward.kind is RewardKind.COUPON:
        return gettext("%(count)s × coupon no. %(id)s", count=reward.amount, id=reward.template_id)
    if reward.kind is RewardKind.POINTS:
        return ngettext("%(num)d point", "%(num)d points", reward.amount)
    return gettext("%(count)s growth", count=reward.amount)


def _rule(name: str) -> Any:
    return lambda row: getattr(terms_of(row).version, name)


def _gift(name: str) -> Any:
    return lambda row: listed(
        in_words(one) for one in rewards_of(getattr(terms_of(row).version, name))
    )


def _holders(row: MembershipLevel) -> int:
    """Return how many members this level counts for; those who never grew are not counted."""
    query = sa.select(sa.func.count()).where(Membership.level_id == row.id)
    return db.session.scalar(query) or 0


def _put(row: MembershipLevel | None, act: Act) -> str:
    require_brand()
    key = row.id if row is not None else None
    level = joined(
        leveling.put_level,
        key,
        act.form.spec(),
        actor=act.actor,
        reason=act.form.reason.data.strip(),
        now=act.now,
    )
    return str(level.id)


def _evaluate(_row: None, act: Act) -> None:
    require_brand()
    joined(
        leveling.ask_evaluation,
        actor=act.actor,
        reason=act.form.reason.data.strip(),
        now=act.now,
    )


class MembershipLevelsView(ScopedView):
    """What levels there are and what they bring."""

    permission = Permission.MEMBERSHIP_VIEW
    scope = everybody
    icon = "crown"
    intro = _(
        "What each level asks for and brings. New rules move nobody: who holds a level keeps it"
        " for the year they were promised, and rises when they are looked at again."
    )
    is_counted_by_store = False

    column_list = (
        "name",
        "rank",
        "growth_at_least",
        "discount",
        "points_multiplier",
        "holders",
        "is_retired",
    )
    sortable = ("rank",)
    labels: ClassVar = {"discount": _("Pays"), "points_multiplier": _("Points")}
    computed: ClassVar = {
        "name": _rule("name"),
        "growth_at_least": _rule("growth_at_least"),
        "discount": lambda row: percent(terms_of(row).version.discount_bp),
        "points_multiplier": lambda row: percent(terms_of(row).version.points_multiplier_bp),
        "holders": _holders,
        "is_retired": _rule("is_retired"),
        "benefits": _rule("benefits"),
        "upgrade_gift": _gift("upgrade_gift"),
        "birthday_gift": _gift("birthday_gift"),
        "paid_product_id": _rule("paid_product_id"),
        "paid_days": _rule("paid_days"),
    }
    facts = (
        "rank",
        "growth_at_least",
        "discount",
        "points_multiplier",
        "holders",
        "upgrade_gift",
        "birthday_gift",
        "paid_days",
        "is_retired",
        "evaluated_at",
        "benefits",
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("New level"),
            button=_("Save"),
            title=_("Set up a level"),
            permission=EDIT,
            form=LevelForm,
            run=_put,
            done=_("The level was set up."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Change rules"),
            button=_("Save"),
            title=_("Change the rules of this level from now on"),
            intro=_("Nobody moves by it. See beforehand who would, under “Who would move”."),
            permission=EDIT,
            form=LevelForm,
            run=_put,
            begin=begin_level,
            is_about_row=True,
            done=_("The rules were changed."),
        ),
        FormPage(
            name="evaluate",
            icon="trending-up",
            label=_("Look at everybody again"),
            button=lazy_pgettext("background", "Begin"),
            title=_("Look at every member again by the rules of now"),
            intro=_("Whoever deserves more rises. Nobody falls before their year is over."),
            permission=EDIT,
            form=ReasonForm,
            run=_evaluate,
            done=_("Everybody is being looked at, in the background."),
        ),
    )

    def title_of(self, row: MembershipLevel) -> str:
        """Return what it is called."""
        return terms_of(row).version.name

    def sections(self, row: MembershipLevel) -> Iterable[Section | None]:
        """Show who would move, how its rules came to be so, and who rose or fell."""
        if self._may_preview():
            yield Section(
                _("Who would move"), "preview", template="backoffice/membership_ask.html", facts=row
            )
        versions = db.session.scalars(
            sa.select(LevelVersion)
            .where(LevelVersion.level_id == row.id)
            .order_by(LevelVersion.id.desc())
        )
        yield rows_section(_("Rules over time"), [_told(one) for one in versions], _VERSIONS)
        yield self.related("level_moves", LevelMove.to_level_id == row.id, to=row.id)

    def preview_url(self) -> str:
        """Return the address of the preview."""
        return str(self.get_url(".preview_view"))

    def _may_preview(self) -> bool:
        return staff.may(EDIT) and staff.visible_store_ids() is None

    @expose("/preview/")
    def preview_view(self) -> str:
        """Show who would move if a level asked for another growth; nothing is changed."""
        if not self._may_preview():
            abort(403)
        now = database_now()
        level_id, growth = as_id(request.args.get("level", "")), request.args.get("growth", "")
        known = levels_at(db.session(), at=now)
        if level_id is not None and level_id not in {one.level_id for one in known}:
            abort(404)
        steps = [
            Step(one.rank, one.level_id, one.version.growth_at_least or 0)
            for one in known
            if one.is_reached_by_growth
        ]
        if level_id is not None and growth.isascii() and growth.isdigit() and len(growth) < 10:  # noqa: PLR2004 - within BIGINT
            rank = next(one.rank for one in known if one.level_id == level_id)
            others = [one for one in steps if one.level_id != level_id]
            steps = [*others, Step(rank, level_id, int(growth))]
        found = reviewing.preview(db.session(), steps, now=now)
        db.session.rollback()
        return self.render(
            "backoffice/membership_preview.html",
            found=found,
            moves=Table(found.shown, MOVES),
            levels=[(one.level_id, one.version.name) for one in known],
            level_id=level_id,
            growth=growth,
        )


def _told(version: LevelVersion) -> dict[str, Any]:
    return {
        "from_at": version.from_at,
        "name": version.name,
        "growth_at_least": version.growth_at_least,
        "discount": percent(version.discount_bp),
        "points_multiplier": percent(version.points_multiplier_bp),
        "actor": Who(version.actor),
        "reason": version.reason,
    }


_VERSIONS: Final = Shape(
    ("from_at", "name", "growth_at_least", "discount", "points_multiplier", "actor", "reason"),
    {"discount": _("Pays"), "points_multiplier": _("Points")},
)


class LevelMovesView(ScopedView):
    """Every change of a member's level, and why."""

    permission = Permission.MEMBERSHIP_VIEW
    scope = by_member(LevelMove.member_id)
    icon = "arrow-left-right"
    intro = _("Who rose or fell, when, and why.")
    is_counted = False

    column_list = (
        "id",
        "member_id",
        "from_level_id",
        "to_level_id",
        "cause",
        "growth",
        "at",
        "actor",
    )
    labels: ClassVar = {"from_level_id": _("From level"), "to_level_id": _("To level")}
    references: ClassVar = {
        "from_level_id": "membership_levels",
        "to_level_id": "membership_levels",
    }
    computed: ClassVar = {"actor": lambda row: Who(row.actor)}
    filters = (
        Choice("cause", _("Why"), LevelMove.cause, MoveCause),
        Exactly("member", _("Customer no."), LevelMove.member_id, is_id=True),
        Exactly("to", _("To level (no.)"), LevelMove.to_level_id, is_id=True),
        Days("moved", _("When"), LevelMove.at),
    )
    facts = (*column_list, "reason")

    def title_of(self, row: LevelMove) -> str:
        """Return which change it is."""
        return gettext("Change of level %(id)s", id=row.id)


class GrowthView(ScopedView):
    """Growth that came or was taken back."""

    permission = Permission.MEMBERSHIP_VIEW
    scope = by_member(GrowthEntry.member_id)
    icon = "trending-up"
    intro = _("Growth of customers: what brought it, what took it back. Never changed.")
    is_counted = False
    can_view_details = False

    column_list = (
        "id",
        "member_id",
        "amount",
        "source",
        "order_id",
        "counts_at",
        "at",
        "actor",
        "reason",
    )
    labels: ClassVar = {"amount": _("Growth"), "order_id": _("Order")}
    computed: ClassVar = {"actor": lambda row: Who(row.actor)}
    filters = (
        Choice("source", _("Source"), GrowthEntry.source, GrowthSource),
        Exactly("member", _("Customer no."), GrowthEntry.member_id, is_id=True),
        Days("came", _("When"), GrowthEntry.at),
    )
