"""Gifts that plans granted instead of money: what is due, handed over or revoked."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import g
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.sql import Select

from admin import listing
from admin.actions import by_id, with_reason
from admin.base import ScopedView
from admin.decisions import Decision
from admin.details import Section, sentences_section
from admin.directory import Reference
from admin.filters import Choice, Days, Exactly, OfStore
from admin.forms import ReasonForm
from admin.i18n import gettext, say
from admin.scopes import by_order
from admin.story import kind_in_words, names_of, people_in
from app.distribution import gifts
from app.distribution.plan_records import Gift, GiftState
from app.engines.explaining import explain_facts
from app.kernel.db import db
from app.orders.models import Order
from app.stores.permissions import Permission


def _store(row: Gift) -> Reference | None:
    """Return the store of the order that brought a gift."""
    if row.order_id is None:
        return None
    known: dict[int, int] = g.setdefault("stores_of_gifts", {})
    if row.order_id not in known:
        _read_stores([row])
    return Reference("stores", known[row.order_id])


def _read_stores(rows: Iterable[Gift]) -> None:
    """Read the stores of several gifts at once and keep them for the page."""
    order_ids = [one.order_id for one in rows if one.order_id is not None]
    query = sa.select(Order.id, Order.store_id).where(Order.id.in_(order_ids))
    g.setdefault("stores_of_gifts", {}).update(dict(db.session.execute(query).all()))


def _is_due(row: Gift) -> bool:
    return row.state is GiftState.DUE


class GiftsView(ScopedView):
    """What plans granted besides money, at the store where it is handed over."""

    permission = Permission.GIFTS_VIEW
    scope = by_order(Gift.order_id)
    icon = "gift"
    intro = _("Coupons, points and services that a plan granted; staff hand them over once.")

    column_list = (
        "id",
        "beneficiary_id",
        "kind",
        "item",
        "amount",
        "state",
        "store_id",
        "created_at",
    )
    labels: ClassVar = {
        "beneficiary_id": _("For whom"),
        "kind": _("For what"),
        "item": _("Gift"),
        "amount": _("How many"),
        "ended_at": _("Handed over or revoked"),
    }
    references: ClassVar = {"beneficiary_id": "members"}
    computed: ClassVar = {
        "kind": lambda row: kind_in_words(row.explanation) or row.kind,
        "store_id": _store,
    }
    search_hint = _("Gift no.")
    tabs = Choice("state", _("State"), Gift.state, GiftState)
    filters = (
        OfStore("store", _("Store"), Order.store_id),
        Exactly("member", _("Customer no."), Gift.beneficiary_id, is_id=True),
        Exactly("order", _("Order no."), Gift.order_id, is_id=True),
        Days("created", _("Created"), Gift.created_at),
    )
    facts = (
        "beneficiary_id",
        "kind",
        "item",
        "amount",
        "order_id",
        "store_id",
        "plan_version_id",
        "created_at",
        "ended_at",
        "actor",
    )
    badge = "state"
    decisions = (
        Decision(
            name="give",
            label=lazy_pgettext("gift", "Hand over"),
            permission=Permission.GIFTS_GIVE,
            question=_("Hand over these gifts?"),
            warning=_("Do it when the customer has them in hand: it is noted once."),
            run=by_id(gifts.give),
            possible=_is_due,
            is_primary=True,
        ),
        Decision(
            name="revoke",
            label=_("Revoke"),
            permission=Permission.GIFTS_REVOKE,
            question=_("Revoke these gifts?"),
            warning=_("The customer no longer gets them. What was handed over stays theirs."),
            run=with_reason(gifts.revoke),
            form=ReasonForm,
            possible=_is_due,
            is_danger=True,
        ),
    )

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join the order, for its store."""
        return query.outerjoin(Order, Order.id == Gift.order_id)

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return one page, and read the stores of its gifts."""
        page = super().page_of(query, wish)
        _read_stores(page.rows)
        return page

    def title_of(self, row: Gift) -> str:
        """Return what it is."""
        return gettext("Gift %(id)s", id=row.id)

    def sections(self, row: Gift) -> Iterable[Section | None]:
        """Tell why it was granted."""
        names = names_of([row.beneficiary_id, *people_in(row.explanation)])
        told = explain_facts(row.explanation, names=names)
        yield sentences_section(_("Why"), [say(message) for message in told])
