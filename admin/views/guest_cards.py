"""Guest cards: kinds of them, each card with its story, bookings, uses, and what they bring."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.card_forms import CardTemplateForm, RedeemForm, begin_template, explain_template
from admin.card_redeeming import redeem
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, steps_section
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext, ngettext
from admin.scopes import touching_stores
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.guest_cards import ending, queries, settling, templates
from app.guest_cards.errors import CardNotFound
from app.guest_cards.models import (
    CardBooking,
    CardItem,
    CardTemplate,
    CardUse,
    GuestCard,
)
from app.guest_cards.settling import Funnel, KpiBy
from app.guest_cards.states import HELD, CardState
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.stores.permissions import Permission

FIGURE_DAYS: Final = 90
FIGURES = Shape(
    (
        "who",
        "issued",
        "claimed",
        "booked",
        "used",
        "converted",
        "new_customers",
        "cost_fen",
        "cost_per_new_fen",
        "revenue_fen",
        "revenue_per_card_fen",
    ),
    {
        "who": _("Given by"),
        "issued": lazy_pgettext("guest card", "Shared"),
        "claimed": lazy_pgettext("guest card", "Claimed"),
        "booked": lazy_pgettext("guest card", "Booked"),
        "used": lazy_pgettext("guest card", "Used"),
        "converted": _("Bought afterwards"),
        "new_customers": _("New customers"),
        "cost_fen": _("Cost"),
        "cost_per_new_fen": _("For each new customer"),
        "revenue_fen": _("First orders"),
        "revenue_per_card_fen": _("For each card"),
    },
)
SERVICES = Shape(("product_id", "granted"))
QUOTAS = Shape(("level", "count"), {"count": _("Cards a month")})
ITEMS = Shape(("product_id", "granted", "used", "remaining", "voided"))
STEPS = Shape(("event", "at", "actor", "reason"))


def _is_live(row: CardTemplate) -> bool:
    return row.ended_at is None


def _may_edit(row: CardTemplate) -> bool:
    return _is_live(row) and templates.may_edit(row, visible_store_ids())


def _stores(row: CardTemplate | GuestCard) -> str:
    """Say where a card is good."""
    if row.store_ids is None:
        return gettext("All stores")
    return ngettext("%(num)d store", "%(num)d stores", len(row.store_ids))


def _put(row: CardTemplate | None, act: Act) -> str:
    spec, scope = act.form.spec(), visible_store_ids()
    said: dict[str, Any] = {"scope": scope, "actor": act.actor, "now": act.now}
    if row is None:
        return str(joined(templates.create_template, spec, **said).id)
    return str(joined(templates.change_template, row.id, spec, **said).id)


def _end(key: int, act: Act) -> None:
    joined(
        templates.end_template,
        key,
        reason=act.form.reason.data.strip(),
        scope=visible_store_ids(),
        actor=act.actor,
        now=act.now,
    )


def _can_be_revoked(row: GuestCard) -> bool:
    return row.state is CardState.SHARED or row.state in HELD


def _is_given_here(row: GuestCard) -> bool:
    """Tell whether the reader's stores gave a card; where it was only used, it is another's."""
    store_ids = visible_store_ids()
    return store_ids is None or row.giver_store_id in store_ids


def _revoke(key: int, act: Act) -> None:
    if not _is_given_here(db.session.get_one(GuestCard, key)):
        raise CardNotFound
    with_reason(ending.revoke)(key, act)


def _figures(row: CardTemplate) -> list[dict[str, Any]]:
    """Return what came of its cards in the last months, in all and by giver."""
    now = utc_now()
    wanted: dict[str, Any] = {
        "from_at": now - timedelta(days=FIGURE_DAYS),
        "until_at": now,
        "store_ids": visible_store_ids(),
        "only": GuestCard.template_id == row.id,
    }
    whole = settling.funnel(db.session(), None, **wanted)
    givers = settling.funnel(db.session(), KpiBy.GIVER, **wanted)
    return [_shown(one, gettext("All givers")) for one in whole] + [_shown(one) for one in givers]


def _shown(one: Funnel, who: str = "") -> dict[str, Any]:
    names = [name for name in FIGURES.columns if name != "who"]
    return {"who": who or one.name} | {name: getattr(one, name) for name in names}


class CardTemplatesView(ScopedView):
    """What kinds of guest cards there are."""

    permission = Permission.CARDS_VIEW
    scope = touching_stores(CardTemplate.store_ids)
    icon = "wallet-cards"
    intro = _(
        "What distributors can give to friends, and how many in a month. A change counts for cards"
        " that are shared from then on."
    )

    column_list = (
        "name",
        "id",
        "face_value_fen",
        "store_ids",
        "valid_days",
        "ends_at",
        "ended_at",
    )
    computed: ClassVar = {"store_ids": _stores}
    labels: ClassVar = {"ends_at": _("Not good after")}
    searched = (CardTemplate.name,)
    search_hint = _("Name or no.")
    sortable = ("name", "face_value_fen")
    filters = (
        Options(
            "life",
            _("State"),
            {
                "live": (
                    lazy_pgettext("guest card", "Given"),
                    lambda: CardTemplate.ended_at.is_(None),
                ),
                "ended": (_("Ended"), lambda: CardTemplate.ended_at.is_not(None)),
            },
        ),
    )
    facts = (
        "description",
        "face_value_fen",
        "cost_fen",
        "settle_price_fen",
        "store_ids",
        "valid_days",
        "ends_at",
        "is_new_only",
        "slot_minutes",
        "slot_capacity",
        "reward_points",
        "reward_coupon_template_id",
        "created_at",
        "ended_at",
    )
    references: ClassVar = {"reward_coupon_template_id": "coupon_templates"}
    form_pages = (
        FormPage(
            name="new",
            label=_("New guest card"),
            button=_("Save"),
            title=_("Set up a guest card"),
            permission=Permission.CARDS_EDIT,
            form=CardTemplateForm,
            run=_put,
            explain=explain_template,
            done=_("The guest card was set up."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this guest card"),
            permission=Permission.CARDS_EDIT,
            form=CardTemplateForm,
            run=_put,
            begin=begin_template,
            explain=explain_template,
            is_about_row=True,
            possible=_may_edit,
            done=_("The guest card was saved."),
        ),
    )
    decisions = (
        Decision(
            name="end",
            label=_("End"),
            permission=Permission.CARDS_EDIT,
            question=_("End these guest cards?"),
            warning=_("Nobody can share them any more. Those that were shared stay good."),
            run=_end,
            form=ReasonForm,
            possible=_may_edit,
            is_danger=True,
        ),
    )

    def title_of(self, row: CardTemplate) -> str:
        """Return what it is called."""
        return row.name

    def sections(self, row: CardTemplate) -> Iterable[Section | None]:
        """Show what is on it, who may give how many, what it brought, and its newest cards."""
        found = db.session.scalars(templates.loaded().where(CardTemplate.id == row.id)).one()
        services = [{"product_id": one.product_id, "granted": one.count} for one in found.services]
        quotas = [{"level": one.level, "count": one.count} for one in found.level_quotas]
        yield rows_section(_("What it is good for"), services, SERVICES)
        yield rows_section(_("Cards a month by level"), quotas, QUOTAS)
        yield rows_section(_("What it brought in 90 days"), _figures(row), FIGURES)
        yield self.related(
            "guest_cards",
            GuestCard.template_id == row.id,
            without=("template_id",),
            template=row.id,
        )


class GuestCardsView(ScopedView):
    """Every card, from the moment it was shared."""

    permission = Permission.CARDS_VIEW
    scope = queries.tied_to
    icon = "ticket-check"
    intro = _(
        "Cards given by distributors of your stores, and those booked or used there. What a"
        " customer can use here is found by their code or phone number."
    )
    is_counted = False

    column_list = (
        "id",
        "template_id",
        "giver_id",
        "member_id",
        "state",
        "shared_at",
        "claimed_at",
        "expires_at",
    )
    references: ClassVar = {"template_id": "card_templates", "giver_id": "members"}
    labels: ClassVar = {
        "template_id": _("Guest card"),
        "giver_id": _("Given by"),
        "giver_store_id": _("Store of the giver"),
        "over_at": _("Over since"),
    }
    computed: ClassVar = {"store_ids": _stores}
    search_hint = _("Guest card no.")
    tabs = Choice("state", _("State"), GuestCard.state, CardState)
    filters = (
        OfStore("store", _("Store"), GuestCard.giver_store_id),
        Exactly("template", _("Kind no."), GuestCard.template_id, is_id=True),
        Exactly("giver", _("Giver no."), GuestCard.giver_id, is_id=True),
        Exactly("member", _("Customer no."), GuestCard.member_id, is_id=True),
        Days("shared", lazy_pgettext("guest card", "Shared"), GuestCard.shared_at),
    )
    facts = (
        "template_id",
        "giver_id",
        "giver_store_id",
        "member_id",
        "is_new",
        "face_value_fen",
        "store_ids",
        "shared_at",
        "share_until_at",
        "claimed_at",
        "expires_at",
        "first_used_at",
        "over_at",
    )
    badge = "state"
    form_pages = (
        FormPage(
            name="redeem",
            icon="scan-line",
            is_at_counter=True,
            label=_("Redeem"),
            button=_("Redeem"),
            title=_("Redeem a guest card"),
            intro=_("One time is used up. Nobody redeems their own card or one that they gave."),
            permission=Permission.REDEEM,
            form=RedeemForm,
            run=redeem,
            done=_("The guest card was redeemed."),
            is_primary=True,
        ),
    )
    decisions = (
        Decision(
            name="revoke",
            label=_("Revoke"),
            permission=Permission.CARDS_EDIT,
            question=_("Revoke these guest cards?"),
            warning=_("What is left of them is void, for good. The giver gets none back."),
            run=_revoke,
            form=ReasonForm,
            possible=lambda row: _can_be_revoked(row) and _is_given_here(row),
            is_danger=True,
        ),
    )

    def title_of(self, row: GuestCard) -> str:
        """Return which card it is."""
        return gettext("Guest card %(id)s", id=row.id)

    def sections(self, row: GuestCard) -> Iterable[Section | None]:
        """Show what is left, its uses and bookings, what followed, and its story."""
        items = db.session.scalars(
            sa.select(CardItem).where(CardItem.card_id == row.id).order_by(CardItem.id)
        ).all()
        yield rows_section(_("What it is good for"), items, ITEMS)
        yield self.related("card_uses", CardUse.card_id == row.id, without=("card_id", "member_id"))
        yield self.related(
            "card_bookings", CardBooking.card_id == row.id, without=("card_id", "member_id")
        )
        followed = queries.conversions_of(
            db.session(), [row.id], store_ids=visible_store_ids()
        ).values()
        if followed:
            columns = ("order_id", "store_id", "paid_fen", "refunded_fen", "paid_at")
            yield rows_section(_("Bought afterwards"), followed, Shape(columns))
        yield steps_section(_("Story"), queries.steps_of(db.session(), row.id), STEPS)
