"""What the timeline of a customer tells of reviews and messages."""

from collections.abc import Sequence

from admin.cells import Badge
from admin.directory import Reference
from admin.i18n import gettext
from admin.labels import label_of, tone_of
from admin.timeline import Item, Wanted, rows_of, scalars
from app.interactions.message_models import Message
from app.interactions.review_models import Review


def reviewed(wanted: Wanted) -> Sequence[Item]:
    """Return the reviews that a customer wrote."""
    query = rows_of("reviews", Review, Review.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.written_at,
            one.id,
            Badge(gettext("Review: %(stars)s of 5 stars", stars=one.stars), "busy"),
            Reference("reviews", one.id),
            None,
            one.text or None,
        )
        for one in scalars(wanted.page(query, Review.written_at, Review.id))
    ]


def written_to(wanted: Wanted) -> Sequence[Item]:
    """Return the messages to a customer."""
    query = rows_of("messages", Message, Message.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.created_at,
            one.id,
            Badge(
                gettext("Message: %(state)s", state=label_of(one.state)),
                str(tone_of(one.state) or "calm"),
            ),
            None,
            None,
            " · ".join(str(text) for text in one.data.values()) or None,
        )
        for one in scalars(wanted.page(query, Message.created_at, Message.id))
    ]
