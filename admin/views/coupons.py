"""Coupons of customers and what became of them, and pushes to many."""

from collections.abc import Iterable
from typing import ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import selectinload

from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.cells import Who
from admin.coupon_forms import (
    RedeemForm,
)
from admin.decisions import Act, Decision
from admin.details import Section, steps_section
from admin.filters import Choice, Days, Exactly
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext
from admin.scopes import StoreIds, by_member, touching_stores
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.coupons import pushing, queries, redeeming, services
from app.coupons.models import (
    Coupon,
    CouponChannel,
    CouponPush,
    CouponTemplate,
    PushState,
)
from app.coupons.states import CouponState
from app.kernel.db import db
from app.stores.permissions import Permission

STEPS = Shape(("event", "at", "actor", "order_id", "store_id", "note"))


def _redeem(_row: None, act: Act) -> str | None:
    """Redeem what the code names; its page comes next where the person here may see it."""
    code = act.form.code.data.strip()
    coupon_id = redeeming.coupon_of(code)
    joined(
        redeeming.redeem,
        coupon_id,
        code=code,
        store_id=int(act.form.store_id.data),
        actor=act.actor,
        now=act.now,
    )
    store_ids = visible_store_ids()
    row = sa.select(Coupon.id).where(Coupon.id == coupon_id)
    if store_ids is not None:
        row = row.where(CouponsView.scope(store_ids))
    return None if db.session.scalar(row) is None else str(coupon_id)


class CouponsView(ScopedView):
    """Every coupon of every customer."""

    permission = Permission.COUPONS_VIEW
    scope = by_member(Coupon.member_id)
    icon = "tickets"
    intro = _("Who holds which coupon, how it was got, and what became of it.")
    is_counted = False

    column_list = (
        "id",
        "template_id",
        "member_id",
        "state",
        "channel",
        "claimed_at",
        "valid_until_at",
        "order_id",
        "amount_fen",
    )
    references: ClassVar = {"template_id": "coupon_templates"}
    labels: ClassVar = {
        "amount_fen": _("Taken off"),
        "order_id": _("Order"),
        "valid_from_at": _("Good from"),
        "valid_until_at": _("Good until"),
    }
    search_hint = _("Coupon no.")
    tabs = Choice("state", _("State"), Coupon.state, CouponState)
    filters = (
        Choice("channel", _("How it was got"), Coupon.channel, CouponChannel),
        Exactly("template", _("Coupon no."), Coupon.template_id, is_id=True),
        Exactly("member", _("Customer no."), Coupon.member_id, is_id=True),
        Days("claimed", _("Got"), Coupon.claimed_at),
    )
    facts = (
        "template_id",
        "member_id",
        "channel",
        "claimed_at",
        "valid_from_at",
        "valid_until_at",
        "extended_at",
        "order_id",
        "amount_fen",
        "used_at",
        "store_id",
    )
    badge = "state"
    loads = (selectinload(Coupon.template),)
    form_pages = (
        FormPage(
            name="redeem",
            icon="scan-line",
            is_at_counter=True,
            label=_("Redeem"),
            title=_("Redeem a coupon"),
            intro=_("Hand over what the coupon is for. Nobody redeems their own."),
            permission=Permission.REDEEM,
            form=RedeemForm,
            run=_redeem,
            done=_("The coupon was redeemed."),
            is_primary=True,
        ),
    )
    decisions = (
        Decision(
            name="revoke",
            label=_("Revoke"),
            permission=Permission.COUPONS_GIVE,
            question=_("Revoke these coupons?"),
            warning=_("Their customers can use them no longer. One in an order stays."),
            run=with_reason(services.revoke),
            form=ReasonForm,
            possible=lambda row: row.state is CouponState.UNUSED,
            is_danger=True,
        ),
    )

    def title_of(self, row: Coupon) -> str:
        """Return which coupon it is."""
        return gettext("Coupon %(id)s", id=row.id)

    def sections(self, row: Coupon) -> Iterable[Section | None]:
        """Tell what happened to it."""
        yield steps_section(_("What happened"), queries.story(db.session(), row.id), STEPS)


def _of_stores(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    """Pushes of coupons that are good in one of the person's stores."""
    reached = touching_stores(CouponTemplate.store_ids)(store_ids)
    return CouponPush.template_id.in_(sa.select(CouponTemplate.id).where(reached))


class CouponPushesView(ScopedView):
    """Coupons that went out to many customers at once."""

    permission = Permission.COUPONS_VIEW
    scope = _of_stores
    icon = "radio"
    intro = _("Coupons given to many customers at once, and how far each push is.")

    column_list = (
        "title",
        "id",
        "template_id",
        "state",
        "people",
        "given",
        "passed_over",
        "begun_at",
        "actor",
    )
    computed: ClassVar = {"actor": lambda row: Who(row.begun_by)}
    references: ClassVar = {"template_id": "coupon_templates"}
    searched = (CouponPush.title,)
    search_hint = _("Occasion or no.")
    tabs = Choice("state", _("State"), CouponPush.state, PushState)
    facts = (
        "template_id",
        "people",
        "given",
        "passed_over",
        "begun_at",
        "actor",
        "ended_at",
    )
    badge = "state"
    decisions = (
        Decision(
            name="stop",
            label=_("Stop"),
            permission=Permission.COUPONS_GIVE,
            question=_("Stop these pushes?"),
            warning=_("Nobody else gets one. What was given stays given."),
            run=with_reason(pushing.stop),
            form=ReasonForm,
            possible=lambda row: row.state is PushState.RUNNING,
            is_danger=True,
        ),
    )

    def title_of(self, row: CouponPush) -> str:
        """Return the occasion."""
        return str(row.title)
