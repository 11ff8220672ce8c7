"""What a distributor's own tools bring: guest cards, share codes, rounds of invitations."""

from datetime import UTC, datetime
from typing import Final, Self

from sqlalchemy.orm import Session

from app.activities import invites
from app.attribution import queries as attribution
from app.guest_cards import settling, sharing
from app.guest_cards.models import GuestCard
from app.guest_cards.settling import Funnel
from app.guest_cards.sharing import month_of
from app.kernel.clock import day_begins_at
from app.members.models import Distributor, Standing
from miniprogram_api.fields import View

EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything of ours began."""


class CardFiguresView(View):
    """What became of the guest cards that the caller gave in a span of time."""

    issued: int
    claimed: int
    booked: int
    used: int
    converted: int

    @classmethod
    def of(cls, figures: Funnel | None) -> Self:
        """Show a funnel; there is none where nothing was given."""
        if figures is None:
            return cls(issued=0, claimed=0, booked=0, used=0, converted=0)
        return cls(
            issued=figures.issued,
            claimed=figures.claimed,
            booked=figures.booked,
            used=figures.used,
            converted=figures.converted,
        )


class ToolboxView(View):
    """What the caller's tools bring.

    A card counts in the month in which it was given. `cards_left` is what may still be given this
    month, of all kinds; nothing while the caller is no active distributor. `live_codes` are the
    share codes that links and posters carry and that work.
    """

    cards_this_month: CardFiguresView
    cards_in_all: CardFiguresView
    cards_left: int
    live_codes: int
    open_rounds: int


def of(session: Session, distributor: Distributor, *, now: datetime) -> ToolboxView:
    """Return what a distributor's tools bring: a few queries over their own rows."""
    mine = distributor.member_id
    return ToolboxView(
        cards_this_month=_given(session, mine, day_begins_at(month_of(now)), now=now),
        cards_in_all=_given(session, mine, EVER, now=now),
        cards_left=_cards_left(session, distributor, now=now),
        live_codes=attribution.live_codes(session, mine),
        open_rounds=invites.count_open(session, mine, now=now),
    )


def _given(session: Session, giver_id: int, from_at: datetime, *, now: datetime) -> CardFiguresView:
    mine = GuestCard.giver_id == giver_id
    rows = settling.funnel(session, None, from_at=from_at, until_at=now, only=mine)
    return CardFiguresView.of(rows[0] if rows else None)


def _cards_left(session: Session, distributor: Distributor, *, now: datetime) -> int:
    if distributor.standing is not Standing.ACTIVE:
        return 0
    allowances = sharing.allowances(session, distributor.member_id, now=now)
    return sum(max(0, one.left) for one in allowances)
