"""Tickets of lucky draws with what they won, check-ins, and rounds of invitations."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.validators import InputRequired

from admin.actions import joined
from admin.base import ScopedView
from admin.cells import Who
from admin.coupon_forms import RedeemForm
from admin.decisions import Act, Decision
from admin.details import Section
from admin.draw_sections import friends_section
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.i18n import gettext
from admin.scopes import by_member
from admin.store_choices import visible_stores
from app.activities import draws, prizes
from app.activities.draw_models import CheckIn, DrawTicket, InviteRound
from app.activities.states import InviteState, TicketState
from app.stores.permissions import Permission


class HandOverForm(FlaskForm):
    """In which store prizes are handed over."""

    store_id = SelectField(_("Store"), validators=[InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who decides."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = visible_stores()


def _hand_over(key: int, act: Act) -> None:
    store_id = int(act.form.store_id.data)
    joined(prizes.redeem, key, code=None, store_id=store_id, actor=act.actor, now=act.now)


def _hand_over_shown(_row: Any, act: Act) -> str:
    code, store_id = act.form.code.data.strip(), int(act.form.store_id.data)
    ticket_id = prizes.ticket_id_of(code)
    joined(prizes.redeem, ticket_id, code=code, store_id=store_id, actor=act.actor, now=act.now)
    return str(ticket_id)


class DrawTicketsView(ScopedView):
    """Who drew what, and what still waits to be handed over."""

    permission = Permission.ACTIVITIES_VIEW
    scope = draws.seen_in
    icon = "dices"
    intro = _("Every draw with what it won. Things wait in a store until they are handed over.")
    is_counted = False

    column_list = ("id", "activity_id", "number", "member_id", "prize_id", "points", "state", "at")
    references: ClassVar = {"activity_id": "activities", "prize_id": "draw_prizes"}
    labels: ClassVar = {"number": _("Ticket"), "points": _("Points paid"), "at": _("Drawn")}
    computed: ClassVar = {
        "handed_over_by": lambda row: Who(row.handed_over_by) if row.handed_over_by else None
    }
    search_hint = _("No. of the draw")
    tabs = Choice("state", _("State"), DrawTicket.state, TicketState)
    filters = (
        Options(
            "won",
            _("Won"),
            {
                "yes": (_("Something"), lambda: DrawTicket.prize_id.is_not(None)),
                "no": (_("Nothing"), lambda: DrawTicket.prize_id.is_(None)),
            },
        ),
        OfStore("store", _("Handed over at"), DrawTicket.store_id),
        Exactly("activity", _("Activity no."), DrawTicket.activity_id, is_id=True),
        Exactly("member", _("Customer no."), DrawTicket.member_id, is_id=True),
        Days("at", _("Drawn"), DrawTicket.at),
    )
    facts = (
        "activity_id",
        "number",
        "member_id",
        "prize_id",
        "points",
        "at",
        "handed_over_at",
        "handed_over_by",
        "store_id",
    )
    badge = "state"
    form_pages = (
        FormPage(
            name="hand-over",
            icon="scan-line",
            is_at_counter=True,
            label=_("Hand over by code"),
            button=lazy_pgettext("exchange", "Hand over"),
            title=_("Hand over a prize"),
            intro=_("The customer shows the code of the prize. Nobody hands over their own."),
            permission=Permission.REDEEM,
            form=RedeemForm,
            run=_hand_over_shown,
            done=_("The prize was handed over."),
            is_primary=True,
        ),
    )
    decisions = (
        Decision(
            name="hand-over",
            label=lazy_pgettext("exchange", "Hand over"),
            permission=Permission.REDEEM,
            question=_("Hand over these prizes?"),
            warning=_("Do it when the customer has them in hand: it is noted once."),
            form=HandOverForm,
            run=_hand_over,
            possible=lambda row: row.state is TicketState.WAITING,
            is_primary=True,
        ),
    )

    def title_of(self, row: DrawTicket) -> str:
        """Return which ticket of which draw it is."""
        return gettext("Ticket %(number)s of draw %(id)s", number=row.number, id=row.activity_id)


class CheckInsView(ScopedView):
    """On which days customers came by."""

    permission = Permission.ACTIVITIES_VIEW
    scope = by_member(CheckIn.member_id)
    icon = "calendar-check"
    intro = _("Each day on which a customer checked in, and how many days in a row that made.")
    is_counted = False
    can_view_details = False

    column_list = ("id", "activity_id", "member_id", "day", "streak", "points", "at")
    references: ClassVar = {"activity_id": "activities"}
    search_hint = _("No. of the check-in")
    filters = (
        Exactly("activity", _("Activity no."), CheckIn.activity_id, is_id=True),
        Exactly("member", _("Customer no."), CheckIn.member_id, is_id=True),
        Days("at", _("When"), CheckIn.at),
    )


class InviteRoundsView(ScopedView):
    """Rounds of invitations: who invited, who accepted, who counted."""

    permission = Permission.ACTIVITIES_VIEW
    scope = by_member(InviteRound.member_id)
    icon = "user-plus"
    intro = _("A round is complete when enough new customers did what counts in time.")

    column_list = (
        "id",
        "activity_id",
        "member_id",
        "number",
        "arrived",
        "needed",
        "state",
        "begun_at",
        "expires_at",
    )
    references: ClassVar = {"activity_id": "activities"}
    labels: ClassVar = {"number": _("Round")}
    search_hint = _("Round no.")
    sortable = ("expires_at",)
    tabs = Choice("state", _("State"), InviteRound.state, InviteState)
    filters = (
        Exactly("activity", _("Activity no."), InviteRound.activity_id, is_id=True),
        Exactly("member", _("Customer no."), InviteRound.member_id, is_id=True),
        Days("begun", _("Begun"), InviteRound.begun_at),
    )
    facts = (
        "activity_id",
        "member_id",
        "number",
        "arrived",
        "needed",
        "begun_at",
        "expires_at",
        "ended_at",
    )
    badge = "state"

    def title_of(self, row: InviteRound) -> str:
        """Return which round it is."""
        return gettext("Round of invitations %(id)s", id=row.id)

    def sections(self, row: InviteRound) -> Iterable[Section | None]:
        """Show who accepted, and what became of it."""
        yield friends_section(row)
