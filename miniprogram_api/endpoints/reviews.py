"""Reviews: what everybody may read about a product, and the caller's own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from flask import Response
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from app.access import settings
from app.interactions import reviews
from app.interactions.review_models import Review
from app.interactions.reviews import Opinion
from app.interactions.states import ReviewState
from app.kernel.db import db
from app.kernel.pictures import MEDIA_TYPE
from app.members.models import Member
from miniprogram_api import uploads
from miniprogram_api.acting import moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Body, RowId, View, example, printable
from miniprogram_api.routing import Group

group = Group("reviews", about="What customers think of what they received.")

Stars = Annotated[int, Field(ge=1, le=5)]
REVIEW_LENGTH_HERE: Final = 400
"""What people type on a phone."""
ReviewText = Annotated[str, Field(max_length=REVIEW_LENGTH_HERE), AfterValidator(printable)]
SHOWN: Final[dict[str, Any]] = {
    "id": 3,
    "product_id": 7,
    "stars": 5,
    "text": "手法很好，环境安静。",
    "author": "小***",
    "pictures": [12],
    "written_at": "2026-03-02T12:00:00Z",
    "reply": "谢谢您！",
    "replied_at": "2026-03-02T14:00:00Z",
}


class OpinionBody(Body):
    """Stars, a text that may be empty, and whether the name is left out."""

    model_config = Body.model_config | example(
        {"stars": 5, "text": "手法很好，环境安静。", "name": "shown"}
    )

    stars: Stars
    text: ReviewText = ""
    name: Annotated[
        Literal["shown", "left_out"], Field(description="Whether others see whose it is")
    ] = "shown"

    def opinion(self) -> Opinion:
        """Return it as the service takes it."""
        is_anonymous = self.name == "left_out"
        return Opinion(stars=self.stars, text=self.text, is_anonymous=is_anonymous)


class ReviewBody(OpinionBody):
    """A review of one line of an order that was received."""

    model_config = Body.model_config | example(
        {"order_line_id": 31, "stars": 5, "text": "手法很好，环境安静。", "name": "shown"}
    )

    order_line_id: RowId


class ReviewView(View):
    """A review as everybody reads it. Pictures are fetched by their ids."""

    model_config = View.model_config | example(SHOWN)

    id: int
    product_id: int
    stars: int
    text: str
    author: str | None
    pictures: list[int]
    written_at: datetime
    reply: str | None
    replied_at: datetime | None

    @classmethod
    def facts(cls, row: Review, pictures: Sequence[int]) -> dict[str, Any]:
        """Return what everybody may know."""
        return {
            "id": row.id,
            "product_id": row.product_id,
            "stars": row.stars,
            "text": row.text,
            "pictures": list(pictures),
            "written_at": row.written_at,
            "reply": row.reply or None,
            "replied_at": row.replied_at,
        }


class OwnReviewView(ReviewView):
    """One of the caller's own, with what others do not see."""

    model_config = View.model_config | example(
        {**SHOWN, "author": None, "state": "shown", "is_anonymous": True, "can_edit": True}
    )

    state: ReviewState
    is_anonymous: bool
    can_edit: bool

    @classmethod
    def of(cls, row: Review, pictures: Sequence[int]) -> Self:
        """Show a review to its author."""
        return cls(
            **cls.facts(row, pictures),
            author=None,
            state=row.state,
            is_anonymous=row.is_anonymous,
            can_edit=row.edited_at is None,
        )


class ReviewsView(View):
    """What the shown reviews come to, and a page of them, the newest first."""

    count: int
    mean_hundredths: Annotated[int | None, Field(description="Mean stars × 100, rounded down")]
    items: list[ReviewView]
    next_cursor: str | None


class OwnReviewsView(View):
    """A page of the caller's reviews, the newest first."""

    items: list[OwnReviewView]
    next_cursor: str | None


class PictureView(View):
    """The place of a picture among those of its review, from 1."""

    model_config = View.model_config | example({"position": 1})

    position: int


@group.operation("GET", "/products/<id:product_id>/reviews")
def list_product_reviews(product_id: int, query: PageQuery) -> ReviewsView:
    """List the reviews of a product that are shown."""
    session = db.session()
    rows = reviews.shown_of_product(session, product_id, after_id=query.after, limit=query.one_more)
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    pictures = reviews.pictures_of(session, [row.id for row in shown])
    rating = reviews.rating(session, product_id=product_id)
    return ReviewsView(
        count=rating.count,
        mean_hundredths=rating.mean_hundredths,
        items=[
            ReviewView(**ReviewView.facts(row, pictures[row.id]), author=_author(session, row))
            for row in shown
        ],
        next_cursor=next_cursor,
    )


@group.operation("GET", "/me/reviews")
def list_own_reviews(query: PageQuery) -> OwnReviewsView:
    """List the caller's reviews, the newest first."""
    session = db.session()
    rows = reviews.of_member(
        session, caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    pictures = reviews.pictures_of(session, [row.id for row in shown])
    return OwnReviewsView(
        items=[OwnReviewView.of(row, pictures[row.id]) for row in shown], next_cursor=next_cursor
    )


@group.operation("POST", "/me/reviews", status=201)
def write_review(body: ReviewBody) -> OwnReviewView:
    """Review one line of an order, once. WeChat looks at the text; a doubtful one waits for us."""
    review_id = reviews.write(
        caller().member_id, body.order_line_id, body.opinion(), settings=settings(), now=moment()
    )
    return _own(review_id)


@group.operation("PUT", "/me/reviews/<id:review_id>")
def change_review(review_id: int, body: OpinionBody) -> OwnReviewView:
    """Change a review; this can be done once."""
    reviews.edit(caller().member_id, review_id, body.opinion(), now=moment())
    return _own(review_id)


@group.operation("POST", "/me/reviews/<id:review_id>/pictures", status=201, takes_picture=True)
def add_review_picture(review_id: int) -> PictureView:
    """Add a picture to a review, six at most. Staff look at it before others do."""
    bytes_max = reviews.BOUNDS.bytes_max
    handed_in = uploads.picture(bytes_max=bytes_max)
    position = reviews.add_picture(caller().member_id, review_id, handed_in, now=moment())
    return PictureView(position=position)


@group.operation("GET", "/review-pictures/<id:picture_id>", produces=MEDIA_TYPE)
def show_review_picture(picture_id: int) -> Response:
    """Show a picture of a review that is shown, or of one's own."""
    content = reviews.picture(db.session(), picture_id, viewer_id=caller().member_id)
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(content, mimetype=MEDIA_TYPE, headers=headers)


def _own(review_id: int) -> OwnReviewView:
    session = db.session()
    row = reviews.own(session, caller().member_id, review_id)
    return OwnReviewView.of(row, reviews.pictures_of(session, [row.id])[row.id])


def _author(session: Session, row: Review) -> str | None:
    """Return the first sign of a name; nothing where the author wants none shown."""
    if row.is_anonymous:
        return None
    name = session.get_one(Member, row.member_id).nickname
    return f"{name[0]}***" if name else None
