"""Points: every line of every statement, the lots behind them, the mall and what came of it."""

from collections.abc import Iterable
from typing import ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, steps_section
from admin.directory import Reference
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, ngettext
from admin.point_forms import ItemEditForm, ItemForm, begin_item, explain_item
from admin.scopes import by_member, by_store_else_member, touching_stores
from admin.tables import Shape
from app.kernel.db import db
from app.loyalty import exchanging as loyalty
from app.points import exchanging, mall, redeeming
from app.points.mall_models import MallExchange, MallItem
from app.points.models import PointEntry, PointLot, PointSpend, PointUse
from app.points.states import EntryKind, ExchangeKind, ExchangeState, PointSource
from app.stores.permissions import Permission

USES = Shape(
    ("order_id", "points", "returned_points", "renewed_points", "reserved_at", "state"),
    {"reserved_at": _("Set aside")},
)
STEPS = Shape(("to_state", "at", "actor", "store_id", "reason"), {"to_state": _("State")})


class PointEntriesView(ScopedView):
    """How the points of customers came and went."""

    permission = Permission.POINTS_VIEW
    scope = by_member(PointEntry.member_id)
    icon = "coins"
    intro = _("Every line of every customer's statement; together they are what each has.")
    is_counted = False

    column_list = (
        "id",
        "member_id",
        "kind",
        "source",
        "available_change",
        "pending_change",
        "debt_change",
        "order_id",
        "at",
    )
    search_hint = _("No. of the line")
    tabs = Choice("kind", _("Kind"), PointEntry.kind, EntryKind)
    filters = (
        Choice("source", _("Where from"), PointEntry.source, PointSource),
        Exactly("member", _("Customer no."), PointEntry.member_id, is_id=True),
        Exactly("order", _("Order no."), PointEntry.order_id, is_id=True),
        Days("at", _("When"), PointEntry.at),
    )
    facts = (
        "member_id",
        "kind",
        "source",
        "available_change",
        "pending_change",
        "debt_change",
        "order_id",
        "at",
        "actor",
        "reason",
    )

    def title_of(self, row: PointEntry) -> str:
        """Return which line it is."""
        return gettext("Points, line %(id)s", id=row.id)


class PointLotsView(ScopedView):
    """Points that came in together and run out together."""

    permission = Permission.POINTS_VIEW
    scope = by_member(PointLot.member_id)
    icon = "boxes"
    intro = _("What came in together runs out together; what runs out first is spent first.")
    is_counted = False

    column_list = (
        "id",
        "member_id",
        "source",
        "granted_points",
        "left_points",
        "expired_points",
        "taken_points",
        "granted_at",
        "expires_at",
    )
    labels: ClassVar = {
        "granted_at": _("Came in on"),
        "expires_at": _("Run out on"),
        "expired_at": _("Ran out"),
    }
    search_hint = _("No. of the lot")
    sortable = ("expires_at",)
    filters = (
        Choice("source", _("Where from"), PointLot.source, PointSource),
        Options(
            "left",
            lazy_pgettext("left", "Left"),
            {
                "yes": (_("Some"), lambda: PointLot.left_points > 0),
                "no": (_("None"), lambda: PointLot.left_points == 0),
            },
        ),
        Exactly("member", _("Customer no."), PointLot.member_id, is_id=True),
        Days("granted", _("Given"), PointLot.granted_at),
        Days("expires", _("Run out"), PointLot.expires_at),
    )
    facts = (
        "member_id",
        "source",
        "granted_points",
        "left_points",
        "expired_points",
        "taken_points",
        "granted_at",
        "expires_at",
        "expired_at",
        "notified_at",
        "reason",
    )

    def title_of(self, row: PointLot) -> str:
        """Return which lot it is."""
        return gettext("Lot of points %(id)s", id=row.id)

    def sections(self, row: PointLot) -> Iterable[Section | None]:
        """Tell what was spent out of it."""
        uses = db.session.execute(
            sa.select(
                PointSpend.order_id,
                PointUse.points,
                PointUse.returned_points,
                PointUse.renewed_points,
                PointSpend.reserved_at,
                PointSpend.state,
            )
            .join(PointSpend, PointSpend.id == PointUse.spend_id)
            .where(PointUse.lot_id == row.id)
            .order_by(PointSpend.id)
        )
        yield rows_section(_("Spent out of it"), [dict(one) for one in uses.mappings()], USES)


def _stores(row: MallItem) -> str:
    """Say where an item is handed over."""
    if row.store_ids is None:
        return gettext("All stores")
    return ngettext("%(num)d store", "%(num)d stores", len(row.store_ids))


def _put(row: MallItem | None, act: Act) -> str:
    spec = act.form.spec(row)
    if row is None:
        item = joined(loyalty.create_item, spec, actor=act.actor, now=act.now)
    else:
        item = joined(mall.edit_item, row.id, spec, actor=act.actor, now=act.now)
    return str(item.id)


def _show(key: int, act: Act) -> None:
    joined(mall.set_published, key, is_published=True, actor=act.actor, now=act.now)


def _hide(key: int, act: Act) -> None:
    joined(mall.set_published, key, is_published=False, actor=act.actor, now=act.now)


def _template(row: MallItem) -> Reference | None:
    return None if row.template_id is None else Reference("coupon_templates", row.template_id)


class MallItemsView(ScopedView):
    """What can be had for points."""

    permission = Permission.POINTS_VIEW
    scope = touching_stores(MallItem.store_ids)
    icon = "gift"
    intro = _(
        "What customers can have for points. A product is fetched in a store, a coupon is there"
        " at once."
    )

    column_list = (
        "title",
        "id",
        "kind",
        "points",
        "exchanged",
        "stock",
        "limit_per_member",
        "store_ids",
        "is_published",
    )
    labels: ClassVar = {"store_ids": _("Stores"), "limit_per_member": _("For each customer")}
    computed: ClassVar = {"store_ids": _stores, "template_id": _template}
    searched = (MallItem.title, MallItem.title_en)
    search_hint = _("Title or no.")
    sortable = ("points", "stock")
    filters = (
        Choice("kind", _("Kind"), MallItem.kind, ExchangeKind),
        Options(
            "shown",
            _("In the mall"),
            {
                "yes": (_("Yes"), lambda: MallItem.is_published.is_(True)),
                "no": (_("No"), lambda: MallItem.is_published.is_(False)),
            },
        ),
    )
    facts = (
        "kind",
        "title_en",
        "product_id",
        "template_id",
        "points",
        "exchanged",
        "stock",
        "limit_per_member",
        "store_ids",
        "is_published",
        "created_at",
        "description",
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("New item"),
            button=_("Save"),
            title=_("Put something into the mall"),
            permission=Permission.MALL_EDIT,
            form=ItemForm,
            run=_put,
            explain=explain_item,
            done=_("The item was saved."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this item"),
            intro=_("Exchanges made before keep title and points as they were."),
            permission=Permission.MALL_EDIT,
            form=ItemEditForm,
            run=_put,
            begin=begin_item,
            explain=explain_item,
            is_about_row=True,
            done=_("The item was saved."),
        ),
    )
    decisions = (
        Decision(
            name="publish",
            label=_("Show in the mall"),
            permission=Permission.MALL_EDIT,
            question=_("Show these items in the mall?"),
            run=_show,
            possible=lambda row: not row.is_published,
            is_primary=True,
        ),
        Decision(
            name="withdraw",
            label=_("Take out of the mall"),
            permission=Permission.MALL_EDIT,
            question=_("Take these items out of the mall?"),
            warning=_("Nobody gets one any more. Exchanges that wait in a store stay."),
            run=_hide,
            possible=lambda row: row.is_published,
            is_danger=True,
        ),
    )

    def title_of(self, row: MallItem) -> str:
        """Return what it is called."""
        return str(row.title)

    def sections(self, row: MallItem) -> Iterable[Section | None]:
        """Show who had it."""
        yield self.related(
            "mall_exchanges", MallExchange.item_id == row.id, without=("title",), item=row.id
        )


def _waits(row: MallExchange) -> bool:
    return row.state is ExchangeState.WAITING


def _hand_over(key: int, act: Act) -> None:
    row = db.session.get_one(MallExchange, key)
    joined(redeeming.redeem, key, code=None, store_id=row.store_id, actor=act.actor, now=act.now)


class MallExchangesView(ScopedView):
    """What customers had for points."""

    permission = Permission.POINTS_VIEW
    scope = by_store_else_member(MallExchange.store_id, MallExchange.member_id)
    icon = "package"
    intro = _("What customers had for points, and what still waits for them in a store.")

    column_list = (
        "number",
        "title",
        "member_id",
        "kind",
        "points",
        "store_id",
        "state",
        "created_at",
    )
    searched = (MallExchange.number,)
    search_hint = _("Exchange no.")
    tabs = Choice("state", _("State"), MallExchange.state, ExchangeState)
    filters = (
        OfStore("store", _("Store"), MallExchange.store_id),
        Exactly("member", _("Customer no."), MallExchange.member_id, is_id=True),
        Exactly("item", _("Item no."), MallExchange.item_id, is_id=True),
        Days("created", _("Created"), MallExchange.created_at),
    )
    facts = (
        "title",
        "member_id",
        "kind",
        "points",
        "product_id",
        "store_id",
        "coupon_id",
        "created_at",
        "ended_at",
    )
    references: ClassVar = {"coupon_id": "coupons"}
    badge = "state"
    decisions = (
        Decision(
            name="hand-over",
            label=lazy_pgettext("exchange", "Hand over"),
            permission=Permission.REDEEM,
            question=_("Hand over these items?"),
            warning=_("Do it when the customer has them in hand: it is noted once."),
            run=_hand_over,
            possible=_waits,
            is_primary=True,
        ),
        Decision(
            name="cancel",
            label=_("Cancel"),
            permission=Permission.MALL_EDIT,
            question=_("Cancel these exchanges?"),
            warning=_("The points go back to where they came from; the pieces are free again."),
            run=with_reason(exchanging.cancel),
            form=ReasonForm,
            possible=_waits,
            is_danger=True,
        ),
    )

    def sections(self, row: MallExchange) -> Iterable[Section | None]:
        """Tell what happened to it."""
        yield steps_section(_("What happened"), exchanging.steps_of(db.session(), row.id), STEPS)
