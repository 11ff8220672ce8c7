"""What a customer's timeline tells of the guest cards they claimed."""

from collections.abc import Sequence

import sqlalchemy as sa

from admin.cells import Badge
from admin.directory import Reference
from admin.i18n import gettext
from admin.labels import label_of, tone_of
from admin.timeline import Item, Wanted, scalars, seen
from app.guest_cards.models import CardStep, GuestCard


def cards_moved(wanted: Wanted) -> Sequence[Item]:
    """Return what happened to the cards of a customer, where the reader may see them."""
    ids = seen("guest_cards", GuestCard.id)
    if ids is None:
        return ()
    query = sa.select(CardStep).where(
        CardStep.card_id.in_(ids.where(GuestCard.member_id == wanted.member_id))
    )
    return [
        Item(
            one.at,
            one.id,
            Badge(
                gettext("Guest card: %(event)s", event=label_of(one.event)),
                str(tone_of(one.to_state) or "calm"),
            ),
            Reference("guest_cards", one.card_id),
            one.actor,
            one.reason,
        )
        for one in scalars(wanted.page(query, CardStep.at, CardStep.id))
    ]
