"""Stores: what they are like, what goes on there, closing and opening them."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import joined
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, sentences_section, steps_section
from admin.filters import Choice
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.scopes import by_store, works_with
from admin.store_form import (
    ClosingForm,
    NewStoreForm,
    RegionChoiceForm,
    StoreForm,
    begin_store,
    chosen_region,
    explain_store,
    hours_in_words,
    write_degrees,
)
from admin.store_matters import open_matters, today_section
from admin.tables import Shape
from admin.views.regions import OfRegion
from app.attribution.models import Channel, ShareCode
from app.catalog.models import StockLevel
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.orders.models import Order
from app.orders.states import OrderState
from app.stores import places
from app.stores.models import Store, StoreStep
from app.stores.permissions import Permission
from app.stores.states import StoreEvent, StoreState, after_store

STEPS = Shape(("to_state", "at", "actor", "reason"))


def _create(_row: None, act: Act) -> str:
    spec = act.form.spec(region_id=chosen_region(act.form))
    return str(joined(places.create_store, spec, actor=act.actor, now=act.now).id)


def _edit(row: Store, act: Act) -> str:
    key = row.id
    joined(places.edit_store, key, act.form.spec(), actor=act.actor, now=act.now)
    return str(key)


def _close(row: Store, act: Act) -> str:
    key = row.id
    event, reason = StoreEvent(act.form.event.data), act.form.reason.data.strip()
    joined(places.change_state, key, event, actor=act.actor, reason=reason, now=act.now)
    return str(key)


def _reopen(key: int, act: Act) -> None:
    reason = act.form.reason.data.strip()
    joined(places.change_state, key, StoreEvent.REOPEN, actor=act.actor, reason=reason, now=act.now)


def _move(key: int, act: Act) -> None:
    region_id = chosen_region(act.form)
    joined(places.move_store, key, region_id=region_id, actor=act.actor, now=act.now)


def _coordinates(row: Store) -> str | None:
    if row.latitude_udeg is None or row.longitude_udeg is None:
        return None
    return f"{write_degrees(row.latitude_udeg)}, {write_degrees(row.longitude_udeg)}"


def _works_at(row: Store) -> sa.ColumnElement[bool]:
    """Staff of a store, by itself or by its region."""
    return works_with(frozenset({row.id}))


class StoresView(ScopedView):
    """Shops of the chain."""

    permission = Permission.STORES_VIEW
    scope = by_store(Store.id)
    icon = "store"
    intro = _("The shops of the chain. Staff see the rows of their own shops only.")

    column_list = ("name", "code", "state", "region_id", "city", "district", "address")
    labels: ClassVar = {"code": _("Short code"), "phone": lazy_pgettext("store", "Phone")}
    searched = (Store.name, Store.code, Store.city, Store.district, Store.address)
    search_hint = _("Name, code or address")
    sortable = ("name", "code")
    tabs = Choice("state", _("State"), Store.state, StoreState)
    filters = (OfRegion("region", _("Region"), Store.region_id),)
    facts = ("code", "region_id", "city", "district", "address", "phone", "spot", "created_at")
    details_labels: ClassVar = {"spot": _("Coordinates")}
    details_computed: ClassVar = {"spot": _coordinates}
    badge = "state"
    exported = (
        "name",
        "code",
        "state",
        "region_id",
        "city",
        "district",
        "address",
        "phone",
        "created_at",
    )
    decisions = (
        Decision(
            name="reopen",
            label=_("Open again"),
            permission=Permission.STORES_EDIT,
            question=_("Open these stores again?"),
            warning=_("Customers can order there at once."),
            run=_reopen,
            form=ReasonForm,
            possible=lambda row: after_store(row.state, StoreEvent.REOPEN) is not None,
            is_primary=True,
        ),
        Decision(
            name="move",
            label=_("Move to a region"),
            permission=Permission.REGIONS_EDIT,
            question=_("Move these stores to another region?"),
            warning=_("Staff of a region see its stores from the next page on."),
            run=_move,
            form=RegionChoiceForm,
        ),
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("Open a store"),
            title=_("Open a store"),
            permission=Permission.STORES_EDIT,
            form=NewStoreForm,
            run=_create,
            explain=explain_store,
            done=_("The store was opened."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this store"),
            permission=Permission.STORES_EDIT,
            form=StoreForm,
            run=_edit,
            begin=begin_store,
            explain=explain_store,
            is_about_row=True,
            done=_("The store was saved."),
        ),
        FormPage(
            name="close",
            label=_("Close"),
            title=_("Close this store"),
            intro=_(
                "A closed store takes no new orders. What customers have bought there is still "
                "handed over and refunded."
            ),
            permission=Permission.STORES_EDIT,
            form=ClosingForm,
            run=_close,
            is_about_row=True,
            possible=lambda row: row.state is not StoreState.CLOSED,
            template="backoffice/store_close.html",
            done=_("The store was closed."),
        ),
    )

    def open_matters(self, row: Store) -> list[str]:
        """Return what is open at a store, for the page that closes it."""
        return open_matters(db.session(), row.id, works_here=_works_at(row))

    def sections(self, row: Store) -> Iterable[Section | None]:
        """Show the day of a store, what waits there, who works there and what it shares."""
        session = db.session()
        yield today_section(session, row.id, now=utc_now())
        yield sentences_section(_("Open here"), self.open_matters(row))
        yield self.related(
            "orders",
            sa.and_(Order.store_id == row.id, Order.state == OrderState.PAID),
            title=_("Orders to hand over"),
            without=("store_id", "state"),
            store=row.id,
            state=OrderState.PAID.value,
        )
        yield self.related(
            "stock",
            sa.and_(
                StockLevel.store_id == row.id,
                StockLevel.on_hand - StockLevel.reserved <= StockLevel.low_at,
            ),
            title=_("Low stock"),
            without=("store_id",),
            store=row.id,
            left="low",
        )
        yield sentences_section(_("Opening hours"), hours_in_words(row))
        yield from self._people_and_codes(row)

    def _people_and_codes(self, row: Store) -> Iterable[Section | None]:
        yield self.related("staff", _works_at(row), title=_("Staff"))
        yield self.related(
            "share_codes",
            sa.and_(ShareCode.owner_store_id == row.id, ShareCode.revoked_at.is_(None)),
            hides_empty=True,
            store=row.id,
            state="live",
        )
        yield self.related("channels", Channel.store_id == row.id, hides_empty=True)
        steps: Any = db.session.scalars(
            sa.select(StoreStep).where(StoreStep.store_id == row.id).order_by(StoreStep.id)
        ).all()
        if steps:
            yield steps_section(_("What happened"), steps, STEPS)
