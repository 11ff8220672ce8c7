"""Who comes with a guest card, and who came: bookings, and uses with what stores owe for them."""

from datetime import timedelta
from typing import ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import joined
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.i18n import gettext
from admin.scopes import by_store, either
from admin.staff import visible_store_ids
from app.access import settings
from app.guest_cards import booking
from app.guest_cards.models import CardBooking, CardItem, CardUse
from app.guest_cards.states import BookingState
from app.kernel.clock import business_day, day_begins_at, utc_now
from app.kernel.db import db
from app.risk import by_word
from app.stores.permissions import Permission


def _miss(key: int, act: Act) -> None:
    joined(booking.miss, key, store_ids=visible_store_ids(), actor=act.actor, now=act.now)


def _booked_today() -> sa.ColumnElement[bool]:
    """Return the condition on those who come today, or should have come and were not noted."""
    today = business_day(utc_now())
    return sa.and_(
        CardBooking.state == BookingState.BOOKED,
        CardBooking.from_at >= day_begins_at(today),
        CardBooking.from_at < day_begins_at(today + timedelta(days=1)),
    )


def _by_word() -> sa.ColumnElement[bool]:
    return by_word.unusual_uses(least=settings().risk_by_word_day, now=utc_now())


class CardBookingsView(ScopedView):
    """Who comes when, with a guest card."""

    permission = Permission.CARDS_VIEW
    scope = by_store(CardBooking.store_id)
    icon = "calendar-check"
    intro = _("Times that customers booked with guest cards, at your stores.")

    column_list = ("id", "from_at", "until_at", "store_id", "member_id", "card_id", "state")
    references: ClassVar = {"card_id": "guest_cards"}
    labels: ClassVar = {
        "from_at": lazy_pgettext("time", "From"),
        "until_at": _("Until"),
        "card_id": _("Guest card"),
        "ended_by": _("Ended by"),
    }
    sortable = ("from_at",)
    search_hint = _("Booking no.")
    tabs = Choice("state", _("State"), CardBooking.state, BookingState)
    filters = (
        Options("when", _("Who comes"), {"today": (_("Booked for today"), _booked_today)}),
        Days("from", _("Day"), CardBooking.from_at),
        OfStore("store", _("Store"), CardBooking.store_id),
        Exactly("card", _("Guest card no."), CardBooking.card_id, is_id=True),
        Exactly("member", _("Customer no."), CardBooking.member_id, is_id=True),
    )
    facts = (
        "card_id",
        "member_id",
        "store_id",
        "from_at",
        "until_at",
        "booked_at",
        "ended_at",
        "ended_by",
    )
    badge = "state"
    decisions = (
        Decision(
            name="missed",
            label=_("Did not come"),
            permission=Permission.REDEEM,
            question=_("Did these customers not come?"),
            warning=_("Whoever misses two bookings can claim and book no card for a while."),
            run=_miss,
            possible=lambda row: row.state is BookingState.BOOKED,
        ),
    )

    def title_of(self, row: CardBooking) -> str:
        """Return which booking it is."""
        return gettext("Booking %(id)s", id=row.id)


class CardUsesView(ScopedView):
    """Each time that a guest card was used, and which store owes which for it."""

    permission = Permission.CARDS_VIEW
    scope = either(by_store(CardUse.store_id), by_store(CardUse.payer_store_id))
    icon = "check"
    intro = _(
        "Uses of guest cards. A card of another store's giver is settled between the two stores at"
        " the price set for it."
    )

    column_list = (
        "id",
        "at",
        "store_id",
        "member_id",
        "item_id",
        "staff_id",
        "is_by_code",
        "payer_store_id",
        "settle_fen",
    )
    references: ClassVar = {"card_id": "guest_cards", "payer_store_id": "stores"}
    labels: ClassVar = {
        "item_id": _("Service"),
        "is_by_code": _("By the customer's code"),
        "payer_store_id": _("Owed by"),
        "settle_fen": _("Settlement"),
        "cost_fen": _("Cost"),
        "card_id": _("Guest card"),
        "staff_id": _("Redeemed by"),
        "number": _("Which use of it"),
    }
    computed: ClassVar = {"item_id": lambda row: db.session.get_one(CardItem, row.item_id).title}
    search_hint = _("Use no.")
    tabs = Options(
        "settled",
        _("Settlement"),
        {"owed": (_("Owed between stores"), lambda: CardUse.payer_store_id.is_not(None))},
    )
    filters = (
        Days("at", _("Day"), CardUse.at),
        Options("word", _("Without a code"), {"often": (_("Unusually often"), _by_word)}),
        OfStore("store", _("Used at"), CardUse.store_id),
        OfStore("payer", _("Owed by"), CardUse.payer_store_id),
        Exactly("card", _("Guest card no."), CardUse.card_id, is_id=True),
        Exactly("member", _("Customer no."), CardUse.member_id, is_id=True),
    )
    facts = (
        "card_id",
        "member_id",
        "item_id",
        "number",
        "at",
        "store_id",
        "staff_id",
        "is_by_code",
        "cost_fen",
        "payer_store_id",
        "settle_fen",
    )

    def title_of(self, row: CardUse) -> str:
        """Return which use it is."""
        return gettext("Use %(id)s", id=row.id)
