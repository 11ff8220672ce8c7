"""The guest cards of a store of the world."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.access import settings
from app.guest_cards import claiming, queries, redeeming, sharing
from app.kernel.audit import Actor
from app.kernel.clock import utc_now
from tests.admin.place import Place
from tests.factories.guest_cards import friend_of, make_friend, make_template
from tests.factories.guest_cards import missable_booking as book
from tests.factories.people import make_staff


def put_cards(session: Session, place: Place, name: str) -> None:
    """A kind of card for this store alone, one card of a friend, used once and booked again."""
    template = make_template(session, store=place.store, name=f"{name} trial", uses=3)
    place.put("card_templates", template.id, template.name)
    giver = place.owner
    assert giver is not None, "a place has a distributor before its cards"
    friend = make_friend(session, nickname=f"{name} card friend")
    now = utc_now() - timedelta(minutes=1)
    card = sharing.share(
        session,
        giver_id=giver.member_id,
        template_id=template.id,
        settings=settings(),
        now=now,
    )
    claiming.claim(session, card.token, friend=friend_of(friend), settings=settings(), now=now)
    place.put("guest_cards", card.id, f"{name} card friend")
    staff = make_staff(session, "front_desk", stores=[place.store])
    redeeming.redeem(
        session,
        card.items[0].id,
        code=None,
        store_id=place.store.id,
        actor=Actor("staff", staff.id),
        now=now,
    )
    uses = queries.uses_of(session, card.id)
    place.put("card_uses", uses[0].id, f"{name} card friend")
    row = book(session, card, place.store, now=now)
    place.put("card_bookings", row.id, f"{name} card friend")
