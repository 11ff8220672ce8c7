"""Staff who work with the mini-program: the code that ties a phone to them, and the tie."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id


class StaffBindingCode(Base):
    """The last code that was made for a member of staff; only its keyed hash is kept.

    A new one takes the place of the one before, so that at most one is good at any time.
    """

    __tablename__ = "staff_binding_codes"

    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    binding_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff_bindings.id"))
    """What came of it; a code is good for one binding."""


class StaffBinding(Base):
    """A member of staff works in the mini-program as this member, from when until when."""

    __tablename__ = "staff_bindings"
    __table_args__ = (
        sa.CheckConstraint("bound_at <= ended_at", name="period"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_whole"),
        sa.Index(
            "uq_staff_bindings_staff",
            "staff_id",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(
            "uq_staff_bindings_member",
            "member_id",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("ix_staff_bindings_staff_id", "staff_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    bound_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
