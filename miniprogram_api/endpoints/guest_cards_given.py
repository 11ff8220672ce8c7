"""What a distributor gives: the quota of the month, guest cards on their way, what came of them."""

from datetime import datetime
from typing import Self

from sqlalchemy.orm import Session

from app.access import settings
from app.guest_cards import queries, settling, sharing
from app.guest_cards.models import GuestCard
from app.guest_cards.sharing import Allowance, month_of
from app.guest_cards.states import CardState
from app.kernel.clock import day_begins_at, utc_now
from app.kernel.db import db
from miniprogram_api import keyed
from miniprogram_api.acting import moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.guest_cards import ItemView
from miniprogram_api.fields import Body, RowId, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.routing import Group

group = Group("guest-cards-given", about="Guest cards that a distributor gives to friends.")


class ShareRequest(Body):
    """Which kind of card to give."""

    model_config = Body.model_config | example({"template_id": 5})

    template_id: RowId


class AllowanceView(View):
    """What the caller may give of a kind of card this month."""

    template_id: int
    title: str
    description: str
    face_value_fen: int
    granted: int
    taken: int
    left: int

    @classmethod
    def of(cls, one: Allowance) -> Self:
        """Show an allowance."""
        return cls(
            template_id=one.template.id,
            title=one.template.name,
            description=one.template.description,
            face_value_fen=one.template.face_value_fen,
            granted=one.granted,
            taken=one.taken,
            left=one.left,
        )


class AllowancesView(View):
    """What the caller may give, and what came of what they gave this month."""

    items: list[AllowanceView]
    issued: int
    claimed: int
    booked: int
    used: int
    converted: int


class GivenCardView(View):
    """A card that the caller gave. Who claimed it is not told."""

    id: int
    token: str
    title: str
    state: CardState
    items: list[ItemView]
    shared_at: datetime
    share_until_at: datetime
    claimed_at: datetime | None
    first_used_at: datetime | None
    has_converted: bool

    @classmethod
    def of(cls, card: GuestCard, *, has_converted: bool = False) -> Self:
        """Show a card whose items are loaded."""
        return cls(
            id=card.id,
            token=card.token,
            title=card.title,
            state=card.state,
            items=[ItemView.of(item) for item in card.items],
            shared_at=card.shared_at,
            share_until_at=card.share_until_at,
            claimed_at=card.claimed_at,
            first_used_at=card.first_used_at,
            has_converted=has_converted,
        )


class GivenCardsView(View):
    """A page of cards that the caller gave, the newest first."""

    items: list[GivenCardView]
    next_cursor: str | None


@group.operation("GET", "/guest-cards/quotas")
def list_card_quotas() -> AllowancesView:
    """List what the caller may give this month, with what came of what they gave in it."""
    session, now, giver_id = db.session(), utc_now(), caller().member_id
    allowances = sharing.allowances(session, giver_id, now=now)
    begins_at = day_begins_at(month_of(now))
    whole = settling.funnel(
        session, None, from_at=begins_at, until_at=now, only=GuestCard.giver_id == giver_id
    )
    names = ("issued", "claimed", "booked", "used", "converted")
    figures = {name: getattr(whole[0], name) if whole else 0 for name in names}
    return AllowancesView(items=[AllowanceView.of(one) for one in allowances], **figures)


@group.operation("POST", "/guest-cards/shares")
def share_card(body: ShareRequest) -> Kept[GivenCardView]:
    """Take a card out of the caller's quota for a friend; `token` is what the link says.

    The friend has a day to claim it, then it goes back to the quota.
    """
    now, who = moment(), caller()

    def act(session: Session) -> GivenCardView:
        card = sharing.share(
            session,
            giver_id=who.member_id,
            template_id=body.template_id,
            settings=settings(),
            now=now,
        )
        return GivenCardView.of(card)

    return keyed.once(act, body, now=now)


@group.operation("GET", "/guest-cards/given")
def list_given_cards(query: PageQuery) -> GivenCardsView:
    """List the cards that the caller gave, the newest first."""
    session = db.session()
    rows = queries.given_page(
        session, caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    converted = queries.conversions_of(session, [row.id for row in shown])
    items = [GivenCardView.of(row, has_converted=row.id in converted) for row in shown]
    return GivenCardsView(items=items, next_cursor=next_cursor)
