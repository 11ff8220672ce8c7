"""Coupons there are to get: set up, changed, given, pushed, ended, and what each has brought."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.coupon_forms import (
    RECIPIENTS,
    GiveForm,
    PushForm,
    StockForm,
    TemplateEditForm,
    TemplateForm,
    begin_template,
    explain_template,
)
from admin.decisions import Act, Decision
from admin.details import Section, rows_section
from admin.filters import Choice, Days, Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, ngettext
from admin.labels import label_of
from admin.scopes import by_member, touching_stores
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.coupons import pushing, queries, services, templates
from app.coupons.models import (
    Coupon,
    CouponChannel,
    CouponPush,
    CouponTemplate,
)
from app.coupons.states import CouponKind, CouponState
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.kernel.money import percent
from app.orders.models import Order
from app.stores.permissions import Permission

FIGURES = Shape(
    ("channel", "issued", "used", "reserved", "expired", "revoked", "discount_fen", "gross_fen"),
    {
        "used": _("Used"),
        "reserved": _("In an order"),
        "expired": _("Expired"),
        "revoked": _("Revoked"),
        "gross_fen": _("Paid in these orders"),
    },
)


def worth(row: CouponTemplate) -> str:
    """Say in a few words what a coupon takes off."""
    if row.kind is CouponKind.EXCHANGE:
        return gettext("One piece free")
    if row.kind is CouponKind.AMOUNT_OFF:
        off = gettext("%(amount)s off", amount=yuan(row.amount_fen or 0))
    else:
        off = gettext("%(share)s off", share=percent(row.percent_bp or 0))
    if row.threshold_fen:
        return gettext("%(off)s from %(least)s on", off=off, least=yuan(row.threshold_fen))
    return off


def _stores(row: CouponTemplate) -> str:
    """Say where a coupon is good."""
    if row.store_ids is None:
        return gettext("All stores")
    count = len(row.store_ids)
    return ngettext("%(num)d store", "%(num)d stores", count)


def _products(row: CouponTemplate) -> str:
    if row.product_ids is None:
        return gettext("All products")
    count = len(row.product_ids)
    return ngettext("%(num)d product", "%(num)d products", count)


def _ways(row: CouponTemplate) -> str:
    return ", ".join(str(label_of(CouponChannel(one))) for one in row.ways)


def _days(row: CouponTemplate) -> str | None:
    if row.valid_seconds is None:
        return None
    count = row.valid_seconds // 86_400
    return ngettext("%(num)d day from the claim on", "%(num)d days from the claim on", count)


def _is_live(row: CouponTemplate) -> bool:
    return row.ended_at is None


def _is_pushed(row: CouponTemplate) -> bool:
    return row.ended_at is None and CouponChannel.PUSH in row.ways


def _put(row: CouponTemplate | None, act: Act) -> str:
    spec = act.form.spec(row)
    key = row.id if row is not None else None
    found = joined(templates.put_template, spec, template_id=key, actor=act.actor, now=act.now)
    return str(found.id)


def _restock(row: CouponTemplate, act: Act) -> str:
    joined(
        templates.change_stock,
        row.id,
        act.form.stock.data,
        reason=act.form.reason.data.strip(),
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def _give(row: CouponTemplate, act: Act) -> str:
    joined(
        services.give_by_staff,
        row.id,
        act.form.member_id.data,
        reason=act.form.reason.data.strip(),
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def _push(row: CouponTemplate, act: Act) -> str:
    members, title = act.form.members(), act.form.title.data.strip()
    joined(pushing.push, row.id, members, title=title, actor=act.actor, now=act.now)
    return str(row.id)


class CouponTemplatesView(ScopedView):
    """What coupons there are."""

    permission = Permission.COUPONS_VIEW
    scope = touching_stores(CouponTemplate.store_ids)
    icon = "ticket-percent"
    intro = _(
        "What customers can get off, where and how many times. What a coupon promises never"
        " changes once somebody holds one; end it and make another."
    )

    column_list = (
        "title",
        "id",
        "kind",
        "worth",
        "store_ids",
        "issued",
        "stock",
        "claim_until_at",
        "ended_at",
    )
    labels: ClassVar = {"worth": _("Worth"), "valid_seconds": _("Good for")}
    computed: ClassVar = {
        "worth": worth,
        "store_ids": _stores,
        "product_ids": _products,
        "ways": _ways,
        "valid_seconds": _days,
    }
    searched = (CouponTemplate.title, CouponTemplate.title_en)
    search_hint = _("Title or no.")
    sortable = ("title", "issued", "stock", "claim_until_at")
    filters = (
        Choice("kind", _("Kind"), CouponTemplate.kind, CouponKind),
        Options(
            "life",
            _("State"),
            {
                "live": (_("Given out"), lambda: CouponTemplate.ended_at.is_(None)),
                "ended": (_("Ended"), lambda: CouponTemplate.ended_at.is_not(None)),
            },
        ),
        Days("until", _("Can be claimed until"), CouponTemplate.claim_until_at),
    )
    facts = (
        "kind",
        "worth",
        "most_fen",
        "product_ids",
        "store_ids",
        "is_stackable",
        "is_given_back",
        "per_member",
        "issued",
        "stock",
        "ways",
        "code",
        "claim_from_at",
        "claim_until_at",
        "valid_from_at",
        "valid_until_at",
        "valid_seconds",
        "created_at",
        "ended_at",
        "terms",
    )
    lookups = (RECIPIENTS,)
    form_pages = (
        FormPage(
            name="new",
            label=_("New coupon"),
            button=_("Save"),
            title=_("Set up a coupon"),
            permission=Permission.COUPONS_EDIT,
            form=TemplateForm,
            run=_put,
            explain=explain_template,
            done=_("The coupon was set up."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this coupon"),
            permission=Permission.COUPONS_EDIT,
            form=TemplateEditForm,
            run=_put,
            begin=begin_template,
            explain=explain_template,
            is_about_row=True,
            possible=_is_live,
            done=_("The coupon was saved."),
        ),
        FormPage(
            name="stock",
            label=_("Change number"),
            button=_("Save"),
            title=_("Say how many of these coupons there are"),
            permission=Permission.COUPONS_EDIT,
            form=StockForm,
            run=_restock,
            begin=lambda row: {"stock": row.stock},
            explain=explain_template,
            is_about_row=True,
            possible=_is_live,
            done=_("The number was changed."),
        ),
        FormPage(
            name="give",
            label=_("Give to a customer"),
            button=_("Give"),
            title=_("Give this coupon to a customer"),
            permission=Permission.COUPONS_GIVE,
            form=GiveForm,
            run=_give,
            is_about_row=True,
            possible=_is_live,
            done=_("The coupon was given."),
            is_primary=True,
        ),
        FormPage(
            name="push",
            label=_("Push to many"),
            button=lazy_pgettext("background", "Begin"),
            title=_("Give this coupon to many customers"),
            intro=_(
                "It runs in the background. Whoever has as many as one may is passed over, and it"
                " ends when none are left."
            ),
            permission=Permission.COUPONS_GIVE,
            form=PushForm,
            run=_push,
            is_about_row=True,
            possible=_is_pushed,
            done=_("The push has begun."),
        ),
    )
    decisions = (
        Decision(
            name="end",
            label=_("End"),
            permission=Permission.COUPONS_EDIT,
            question=_("End these coupons?"),
            warning=_("No more are given out, for good. Those that customers hold stay good."),
            run=with_reason(templates.end_template),
            form=ReasonForm,
            possible=_is_live,
            is_danger=True,
        ),
    )

    def title_of(self, row: CouponTemplate) -> str:
        """Return what it is called."""
        return str(row.title)

    def sections(self, row: CouponTemplate) -> Iterable[Section | None]:
        """Show what it brought, its pushes and its newest coupons."""
        yield rows_section(_("What it brought"), _figures(row), FIGURES)
        yield self.related(
            "coupon_pushes", CouponPush.template_id == row.id, without=("template_id",)
        )
        yield self.related(
            "coupons",
            Coupon.template_id == row.id,
            without=("template_id",),
            template=row.id,
        )


def _figures(row: CouponTemplate) -> list[dict[str, Any]]:
    """Return what its coupons did by channel, with what was paid in the orders they went into.

    Those of the reader's customers alone, and of the money what was paid in the reader's stores.
    """
    store_ids = visible_store_ids()
    theirs = sa.true() if store_ids is None else by_member(Coupon.member_id)(store_ids)
    here = sa.true() if store_ids is None else Order.store_id.in_(store_ids)
    paid = db.session.execute(
        sa.select(Coupon.channel, sa.func.sum(Order.paid_fen - Order.refunded_fen))
        .join(Order, Order.id == Coupon.order_id)
        .where(Coupon.template_id == row.id, Coupon.state == CouponState.USED, theirs, here)
        .group_by(Coupon.channel)
    )
    gross = {channel: int(fen) for channel, fen in paid}
    return [
        {
            "channel": one.channel,
            "issued": one.issued,
            "used": one.used,
            "reserved": one.reserved,
            "expired": one.expired,
            "revoked": one.revoked,
            "discount_fen": one.discount_fen,
            "gross_fen": gross.get(one.channel, 0),
        }
        for one in queries.figures(db.session(), row.id, only=theirs)
    ]
