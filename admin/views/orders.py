"""Orders with their whole story, and refunds."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import aliased
from sqlalchemy.sql import Select
from wtforms import BooleanField

from admin import staff
from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, pairs_of, rows_section, steps_section
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.order_discounts import OfCoupon, deal_title, discounts_section, has_kind
from admin.refund_form import refund_form
from admin.scopes import by_order, by_store
from admin.story import decisions_of, entries_about
from admin.tables import Shape
from admin.words import outcome_name
from app.access import settings
from app.kernel.audit import SYSTEM
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.orders import queries, services
from app.orders.models import Fulfilment, Order, OrderLine, Payment, Refund, RefundLine, RefundStep
from app.orders.pricing import DiscountKind
from app.orders.states import REFUNDABLE, OrderState, RefundState
from app.risk import by_word
from app.stores.permissions import Permission

STEPS = Shape(("event", "at", "actor", "note"))
ACTIVITY_ID = sa.cast(Order.deal["activity_id"].astext, sa.BigInteger)
LINE_COLUMNS = (
    "title",
    "unit_price_fen",
    "quantity",
    "net_fen",
    "refunding_fen",
    "refunded_fen",
    "is_distributable",
    "plan_version_id",
)


def _by_word() -> sa.ColumnElement[bool]:
    least = settings().risk_by_word_day
    return by_word.unusual_orders(Order.id, least=least, now=utc_now())


def _request_refund(row: Order, act: Act) -> str:
    key = row.id
    joined(
        services.request_refund,
        key,
        wish=act.form.wish(),
        actor=act.actor,
        settings=settings(),
        now=act.now,
    )
    return str(key)


def _complete(key: int, act: Act) -> None:
    joined(services.complete, key, actor=act.actor, settings=settings(), now=act.now)


class OrdersView(ScopedView):
    """Purchases."""

    permission = Permission.ORDERS_VIEW
    scope = by_store(Order.store_id)
    icon = "shopping-bag"
    intro = _("Every purchase with its whole story: payment, hand-over, refunds, commission.")

    column_list = (
        "number",
        "state",
        "member_id",
        "store_id",
        "payable_fen",
        "refunded_fen",
        "owner_id",
        "created_at",
    )
    labels: ClassVar = {"owner_id": _("Distributor")}
    search_hint = _("Order number")
    sortable = ("payable_fen",)
    tabs = Choice("state", _("State"), Order.state, OrderState)
    filters = (
        OfStore("store", _("Store"), Order.store_id),
        Choice("fulfilment", _("Fulfilment"), Order.fulfilment, Fulfilment),
        Exactly("member", _("Customer no."), Order.member_id, is_id=True),
        Exactly("owner", _("Distributor no."), Order.owner_id, is_id=True),
        Options("word", _("Without a code"), {"often": (_("Unusually often"), _by_word)}),
        Options(
            "lowered",
            _("Lowered by"),
            {
                "deal": (_("Activity price"), lambda: Order.deal.is_not(None)),
                "level": (_("Level price"), has_kind(DiscountKind.LEVEL)),
                "coupon": (_("Coupon"), has_kind(DiscountKind.COUPON)),
                "points": (_("Points"), has_kind(DiscountKind.POINTS)),
            },
        ),
        OfCoupon("coupon", _("Coupon no.")),
        Exactly("activity", _("Activity no."), ACTIVITY_ID, is_id=True),
        Days("created", _("Created"), Order.created_at),
        Days("paid", lazy_pgettext("time", "Paid"), Order.paid_at),
    )
    facts = (
        "member_id",
        "store_id",
        "fulfilment",
        "deal_title",
        "held_for",
        "let_go_at",
        "goods_fen",
        "discount_fen",
        "payable_fen",
        "paid_fen",
        "refunding_fen",
        "refunded_fen",
        "owner_id",
        "binding_id",
        "created_at",
        "paid_at",
        "completed_at",
        "after_sale_until_at",
        "settled_at",
        "closed_at",
    )
    badge = "state"
    computed: ClassVar = {"deal_title": deal_title}
    exported = (
        "number",
        "state",
        "member_id",
        "store_id",
        "fulfilment",
        "goods_fen",
        "discount_fen",
        "shipping_fen",
        "payable_fen",
        "paid_fen",
        "refunded_fen",
        "deal_title",
        "owner_id",
        "created_at",
        "paid_at",
        "completed_at",
        "settled_at",
    )
    decisions = (
        Decision(
            name="complete",
            label=_("Redeem / hand over"),
            permission=Permission.ORDERS_COMPLETE,
            question=_("Did the customer get what they bought?"),
            warning=_("From now on the after-sale window runs; then commission can be withdrawn."),
            run=_complete,
            possible=lambda row: row.state is OrderState.PAID and row.held_for is None,
            is_primary=True,
            total="paid_fen",
        ),
    )
    form_pages = (
        FormPage(
            name="refund",
            label=_("Refund"),
            title=_("Ask for a refund"),
            intro=_(
                "Money goes back the way it came. While the order is still in our hands it is "
                "approved at once; otherwise finance decides."
            ),
            permission=Permission.REFUNDS_REQUEST,
            form_for=refund_form,
            is_about_row=True,
            possible=lambda row: (
                row.state in REFUNDABLE and row.refunded_fen + row.refunding_fen < row.paid_fen
            ),
            run=_request_refund,
            done=_("The refund was asked for."),
        ),
    )

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Find an order by the beginning of its number, which an index serves."""
        return query.where(Order.number.startswith(text.strip(), autoescape=True))

    def sections(self, row: Order) -> Iterable[Section | None]:
        """Tell the whole story of an order."""
        story = queries.order_story(db.session(), row.id, store_ids=staff.visible_store_ids())
        yield rows_section(_("Lines"), story.order.lines, Shape(LINE_COLUMNS))
        yield discounts_section(story.order)
        yield decisions_of(row.id)
        yield self.related("refunds", Refund.order_id == row.id, without=("order_id",))
        yield steps_section(_("What happened"), story.steps, STEPS)
        yield _payment(story.payment)
        yield entries_about(order_id=row.id)
        yield self._notices(story.notices)

    def _notices(self, notices: Any) -> Section | None:
        if not staff.may(Permission.OPERATIONS_VIEW):
            return None
        columns = ("received_at", "event_type", "subject_number", "outcome")
        labels = {
            "received_at": _("Time"),
            "event_type": _("Notice"),
            "subject_number": _("Number"),
        }
        words = {"outcome": lambda one: outcome_name(one.outcome)}
        return rows_section(_("What WeChat told us"), notices, Shape(columns, labels, {}, words))


def _payment(payment: Payment | None) -> Section | None:
    if payment is None:
        return None
    names = ("wechat_transaction_id", "offered_at", "succeeded_at", "prepay_expires_at", "due_at")
    labels = {
        "offered_at": _("Offered"),
        "succeeded_at": _("Paid at"),
        "prepay_expires_at": _("Offer ends"),
        "due_at": _("Ask WeChat next"),
    }
    values = {name: getattr(payment, name) for name in names}
    return Section(_("Payment"), "facts", facts=pairs_of(values, labels))


class ApproveRefundForm(FlaskForm):
    """Whether the goods go back on the shelf."""

    returns_stock = BooleanField(
        _("The goods are back and go on the shelf again"),
        description=_("Leave off where the customer keeps them."),
    )


def _approve_refund(key: int, act: Act) -> None:
    joined(
        services.approve_refund,
        key,
        actor=act.actor,
        returns_stock=act.form.returns_stock.data,
        now=act.now,
    )


def _waits(row: Refund) -> bool:
    return row.state is RefundState.REQUESTED


def _is_owed() -> sa.ColumnElement[bool]:
    """Return the condition for refunds of ours that failed and that nothing has followed.

    What the house gives back by itself, as to a group that was not complete or for money that came
    too late, nobody asks for again.
    """
    next_one = aliased(Refund)
    is_left = sa.exists().where(
        Order.id == Refund.order_id, Order.refunded_fen + Order.refunding_fen < Order.paid_fen
    )
    return sa.and_(
        Refund.state == RefundState.FAILED,
        Refund.requested_by == str(SYSTEM),
        is_left,
        ~sa.exists().where(next_one.order_id == Refund.order_id, next_one.id > Refund.id),
    )


class RefundsView(ScopedView):
    """Money on its way back to customers."""

    permission = Permission.ORDERS_VIEW
    scope = by_order(Refund.order_id)
    icon = "undo-2"
    intro = _("Money that goes back to customers, through WeChat, the way it came.")

    column_list = (
        "number",
        "state",
        "order_id",
        "amount_fen",
        "reason",
        "requested_by",
        "requested_at",
    )
    search_hint = _("Refund number")
    tabs = Choice("state", _("State"), Refund.state, RefundState)
    filters = (
        Days("requested", _("Requested"), Refund.requested_at),
        Options("owed", _("Still owed"), {"yes": (_("We owe it, and it failed"), _is_owed)}),
    )
    facts = (
        "order_id",
        "amount_fen",
        "points_back",
        "coupons_back",
        "reason",
        "requested_by",
        "requested_at",
        "returns_stock",
        "wechat_refund_id",
        "sent_at",
        "ended_at",
        "due_at",
        "attempts",
    )
    details_labels: ClassVar = {"returns_stock": _("Goods go back on the shelf")}
    badge = "state"
    decisions = (
        Decision(
            name="approve",
            label=_("Approve"),
            permission=Permission.REFUNDS_DECIDE,
            question=_("Approve these refunds?"),
            warning=_("The money goes back to the customers; it cannot be called back."),
            run=_approve_refund,
            form=ApproveRefundForm,
            possible=_waits,
            is_primary=True,
            total="amount_fen",
        ),
        Decision(
            name="reject",
            label=_("Reject"),
            permission=Permission.REFUNDS_DECIDE,
            question=_("Reject these refunds?"),
            warning=_("The customer keeps what they bought; they can ask again."),
            run=with_reason(services.reject_refund),
            form=ReasonForm,
            possible=_waits,
            is_danger=True,
            total="amount_fen",
        ),
    )

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Find a refund by the beginning of its number, which an index serves."""
        return query.where(Refund.number.startswith(text.strip(), autoescape=True))

    def sections(self, row: Refund) -> Iterable[Section | None]:
        """Show what goes back of which line, and every step."""
        session = db.session()
        lines = session.execute(
            sa.select(OrderLine.title, RefundLine.quantity, RefundLine.amount_fen)
            .join(OrderLine, OrderLine.id == RefundLine.order_line_id)
            .where(RefundLine.refund_id == row.id)
            .order_by(RefundLine.id)
        ).all()
        yield rows_section(_("Lines"), lines, Shape(("title", "quantity", "amount_fen")))
        steps = session.scalars(
            sa.select(RefundStep).where(RefundStep.refund_id == row.id).order_by(RefundStep.id)
        ).all()
        yield steps_section(_("What happened"), steps, STEPS)
        yield entries_about(refund_id=row.id)
