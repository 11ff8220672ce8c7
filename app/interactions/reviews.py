"""Reviews: written by who received something and kept it, read by everybody, answered by staff.

A text is shown to WeChat before it is kept: what must not be published is refused, what is doubtful
waits for staff, and so does everything while WeChat is silent. Bad reviews are not deleted: hiding
one needs a reason, which is on record.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.interactions.errors import (
    InteractionNotFound,
    ReviewEdited,
    ReviewExists,
    ReviewNotAllowed,
    TextUnfit,
    TooManyPictures,
)
from app.interactions.review_models import (
    PICTURES_MAX,
    REPLY_LENGTH_MAX,
    REVIEW_LENGTH_MAX,
    Review,
    ReviewPicture,
)
from app.interactions.states import ReviewState
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, retrying
from app.kernel.outbox import emit
from app.kernel.pictures import MEGA, MEGABYTE, Bounds, redraw
from app.members.decisions import require_reason
from app.members.profiles import has_controls
from app.members.texts import may_be_shown
from app.orders.models import Order, OrderLine
from app.orders.states import OrderState
from app.settings import Settings
from app.wechat.texts import TextScene

RECEIVED: Final = frozenset({OrderState.COMPLETED, OrderState.SETTLED})
BOUNDS: Final = Bounds(bytes_max=8 * MEGABYTE, pixels_max=40 * MEGA, side_max=1_600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a customer thinks: 1 to 5 stars, a text that may be empty, whether with their name."""

    stars: int
    text: str = ""
    is_anonymous: bool = False


def write(
    member_id: int, order_line_id: int, opinion: Opinion, *, settings: Settings, now: datetime
) -> int:
    """Keep a review of something received; return its number.

    Raises `ReviewNotAllowed`, `ReviewExists`, `TextUnfit`, `ContentRefused`.
    """
    text = _clean(opinion.text)
    with atomic() as session:
        _require_received(session, member_id, order_line_id, settings=settings, now=now)
    state = _first_state(member_id, text)

    def act() -> int:
        with atomic() as session:
            line = _require_received(session, member_id, order_line_id, settings=settings, now=now)
            order = session.get_one(Order, line.order_id)
            row = Review(
                member_id=member_id,
                order_line_id=line.id,
                order_id=order.id,
                product_id=line.product_id,
                store_id=order.store_id,
                stars=opinion.stars,
                text=text,
                is_anonymous=opinion.is_anonymous,
                state=state,
                written_at=now,
            )
            session.add(row)
            session.flush()
            return row.id

    try:
        return retrying(act)
    except IntegrityError:
        raise ReviewExists from None


def edit(member_id: int, review_id: int, opinion: Opinion, *, now: datetime) -> None:
    """Think differently, once. A hidden review stays hidden, new pictures wait for staff still.

    Raises `InteractionNotFound`, `ReviewEdited`, `TextUnfit`, `ContentRefused`.
    """
    text = _clean(opinion.text)
    with atomic() as session:
        _require_editable(own(session, member_id, review_id))
    state = _first_state(member_id, text)

    def act() -> None:
        with atomic() as session:
            row = own(session, member_id, review_id, locks=True)
            _require_editable(row)
            row.stars, row.text, row.is_anonymous = opinion.stars, text, opinion.is_anonymous
            row.edited_at = now
            if row.state is not ReviewState.HIDDEN:
                is_unseen = row.state is ReviewState.WAITING and bool(
                    pictures_of(session, [row.id])[row.id]
                )
                row.state = ReviewState.WAITING if is_unseen else state

    retrying(act)


def add_picture(member_id: int, review_id: int, handed_in: bytes, *, now: datetime) -> int:
    """Add a picture, drawn anew; return its place, from 1. Staff look at it before others do.

    Raises `InteractionNotFound`, `TooManyPictures` and what `pictures.redraw` raises.
    """
    with atomic() as session:
        own(session, member_id, review_id)
    drawn = redraw(handed_in, BOUNDS)

    def act() -> int:
        with atomic() as session:
            row = own(session, member_id, review_id, locks=True)
            last = session.scalar(
                sa.select(sa.func.max(ReviewPicture.position)).where(
                    ReviewPicture.review_id == row.id
                )
            )
            position = (last or 0) + 1
            if position > PICTURES_MAX:
                raise TooManyPictures(PICTURES_MAX)
            session.add(
                ReviewPicture(
                    review_id=row.id, position=position, content=drawn.content, added_at=now
                )
            )
            if row.state is ReviewState.SHOWN:
                row.state = ReviewState.WAITING
            return position

    return retrying(act)


def own(session: Session, member_id: int, review_id: int, *, locks: bool = False) -> Review:
    """Return a customer's own review. Raises `InteractionNotFound`."""
    row = session.get(Review, review_id, with_for_update=locks, populate_existing=locks)
    if row is None or row.member_id != member_id:
        raise InteractionNotFound
    return row


def reply(session: Session, review_id: int, *, text: str, actor: Actor, now: datetime) -> None:
    """Answer a review in public; a later answer takes the place of the former."""
    answer = _clean(text, length_max=REPLY_LENGTH_MAX, least=1)
    row = _locked(session, review_id)
    before = {"reply": row.reply}
    row.reply, row.replied_at, row.replied_by_id = answer, now, actor.id
    session.flush()
    _record(session, actor, "review_replied", row, Change(before, {"reply": answer}), now=now)
    emit(session, "review_replied", row.id, now=now)


def hide(session: Session, review_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Show a review to nobody but its author and staff, saying why; on record."""
    require_reason(reason)
    row = _locked(session, review_id)
    if row.state is ReviewState.HIDDEN:
        return
    before = {"state": row.state.value}
    row.state, row.hidden_reason = ReviewState.HIDDEN, reason.strip()
    session.flush()
    change = Change(before, {"state": "hidden", "stars": row.stars}, row.hidden_reason)
    _record(session, actor, "review_hidden", row, change, now=now)


def show(session: Session, review_id: int, *, actor: Actor, now: datetime) -> None:
    """Let everybody see a review that waited or was hidden."""
    row = _locked(session, review_id)
    if row.state is ReviewState.SHOWN:
        return
    before = {"state": row.state.value, "hidden_reason": row.hidden_reason}
    row.state, row.hidden_reason = ReviewState.SHOWN, ""
    session.flush()
    _record(session, actor, "review_shown", row, Change(before, {"state": "shown"}), now=now)


def picture(session: Session, picture_id: int, *, viewer_id: int | None) -> bytes:
    """Return a picture as JPEG: of a review that is shown, or of the viewer's own.

    Staff look with None, at all. Raises `InteractionNotFound`.
    """
    row = session.get(ReviewPicture, picture_id)
    review = None if row is None else session.get_one(Review, row.review_id)
    if row is None or review is None:
        raise InteractionNotFound
    may_look = viewer_id is None or review.member_id == viewer_id
    if not may_look and review.state is not ReviewState.SHOWN:
        raise InteractionNotFound
    return row.content


def pictures_of(session: Session, review_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the ids of the pictures of reviews, in their order."""
    rows = session.execute(
        sa.select(ReviewPicture.review_id, ReviewPicture.id)
        .where(ReviewPicture.review_id.in_(review_ids))
        .order_by(ReviewPicture.review_id, ReviewPicture.position)
    )
    found: dict[int, list[int]] = {one: [] for one in review_ids}
    for review_id, picture_id in rows:
        found[review_id].append(picture_id)
    return found


def shown_of_product(
    session: Session, product_id: int, *, after_id: int | None, limit: int
) -> Sequence[Review]:
    """Return a page of what everybody may read about a product, the newest first."""
    query = sa.select(Review).where(
        Review.product_id == product_id, Review.state == ReviewState.SHOWN
    )
    if after_id is not None:
        query = query.where(Review.id < after_id)
    return session.scalars(query.order_by(Review.id.desc()).limit(limit)).all()


def of_member(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> Sequence[Review]:
    """Return a page of a customer's own reviews, the newest first."""
    query = sa.select(Review).where(Review.member_id == member_id)
    if after_id is not None:
        query = query.where(Review.id < after_id)
    return session.scalars(query.order_by(Review.id.desc()).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class Rating:
    """How many shown reviews, and their mean in hundredths of a star, rounded down."""

    count: int
    mean_hundredths: int | None


def rating(
    session: Session, *, product_id: int | None = None, store_id: int | None = None
) -> Rating:
    """Return what the shown reviews of a product or of a store come to."""
    query = sa.select(sa.func.count(), sa.func.sum(Review.stars)).where(
        Review.state == ReviewState.SHOWN
    )
    if product_id is not None:
        query = query.where(Review.product_id == product_id)
    if store_id is not None:
        query = query.where(Review.store_id == store_id)
    count, stars = session.execute(query).one()
    return Rating(count, int(stars) * 100 // count if count else None)


def _first_state(member_id: int, text: str) -> ReviewState:
    is_fine = may_be_shown(member_id, scene=TextScene.COMMENT, text=text)
    return ReviewState.SHOWN if is_fine else ReviewState.WAITING


def _require_received(
    session: Session, member_id: int, order_line_id: int, *, settings: Settings, now: datetime
) -> OrderLine:
    """Return the line that may be reviewed. What is not the caller's is as if it were not there."""
    window = timedelta(seconds=settings.review_window_seconds)
    line = session.get(OrderLine, order_line_id)
    order = None if line is None else session.get(Order, line.order_id)
    if line is None or order is None or order.member_id != member_id:
        raise InteractionNotFound
    is_recent = order.completed_at is not None and now < order.completed_at + window
    if order.state not in RECEIVED or not is_recent or line.refunded_quantity >= line.quantity:
        raise ReviewNotAllowed(window.days)
    return line


def _require_editable(row: Review) -> None:
    if row.edited_at is not None:
        raise ReviewEdited


def _clean(text: str, *, length_max: int = REVIEW_LENGTH_MAX, least: int = 0) -> str:
    cleaned = text.strip()
    if has_controls(cleaned.replace("\n", " ")) or not least <= len(cleaned) <= length_max:
        raise TextUnfit(length_max)
    return cleaned


def _locked(session: Session, review_id: int) -> Review:
    row = session.get(Review, review_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise InteractionNotFound
    return row


def _record(
    session: Session, actor: Actor, action: str, row: Review, change: Change, *, now: datetime
) -> None:
    subject = Subject("review", row.id, row.store_id)
    audit.record(session, actor, action, subject, change, now=now)
