"""Reviews of what was bought, and their pictures."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, deferred, mapped_column, relationship

from app.interactions.states import ReviewState
from app.kernel.db import Base, Id

REVIEW_LENGTH_MAX = 500
REPLY_LENGTH_MAX = 500
PICTURES_MAX = 6


class Review(Base):
    """What a customer thinks of one line of a completed order. Hidden, never deleted.

    An erasure empties the text and removes the pictures; the stars stay, without a name.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        sa.CheckConstraint(f"char_length(text) <= {REVIEW_LENGTH_MAX}", name="text"),
        sa.CheckConstraint(f"char_length(reply) <= {REPLY_LENGTH_MAX}", name="reply"),
        sa.CheckConstraint("(reply = '') = (replied_at IS NULL)", name="replied"),
        sa.CheckConstraint("(replied_at IS NULL) = (replied_by_id IS NULL)", name="replied_whole"),
        sa.CheckConstraint("(state = 'hidden') = (hidden_reason <> '')", name="hidden"),
        sa.Index(
            "ix_reviews_product_shown",
            "product_id",
            sa.text("id DESC"),
            postgresql_include=["stars"],
            postgresql_where=sa.text("state = 'shown'"),
        ),
        sa.Index(
            "ix_reviews_store_shown",
            "store_id",
            sa.text("id DESC"),
            postgresql_include=["stars"],
            postgresql_where=sa.text("state = 'shown'"),
        ),
        sa.Index("ix_reviews_store", "store_id", sa.text("id DESC")),
        sa.Index("ix_reviews_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_reviews_waiting", "id", postgresql_where=sa.text("state = 'waiting'")),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    stars: Mapped[int]
    text: Mapped[str] = mapped_column(server_default="")
    is_anonymous: Mapped[bool]
    state: Mapped[ReviewState]
    wechat_label: Mapped[int | None]
    """Why WeChat wants somebody to look at the text."""
    written_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    """A review is edited once."""
    reply: Mapped[str] = mapped_column(server_default="")
    replied_at: Mapped[datetime | None]
    replied_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    hidden_reason: Mapped[str] = mapped_column(server_default="")

    pictures: WriteOnlyMapped["ReviewPicture"] = relationship(order_by="ReviewPicture.position")


class ReviewPicture(Base):
    """A picture of a review, drawn anew from what was sent, so that nothing else is in it."""

    __tablename__ = "review_pictures"
    __table_args__ = (
        sa.UniqueConstraint("review_id", "position"),
        sa.CheckConstraint(f"position BETWEEN 1 AND {PICTURES_MAX}", name="position"),
    )

    id: Mapped[Id]
    review_id: Mapped[int] = mapped_column(sa.ForeignKey("reviews.id"))
    position: Mapped[int]
    content: Mapped[bytes] = deferred(mapped_column(sa.LargeBinary))
    added_at: Mapped[datetime]
