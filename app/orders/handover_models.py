"""Who handed an order over, with what they were allowed then; codes that were shown for it."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id


class HandoverProof(StrEnum):
    """What showed that the customer was there."""

    PICKUP_CODE = "pickup_code"
    """The one-time code on the customer's phone."""
    STAFF_WORD = "staff_word"
    """Nothing but the word of the staff."""


class Handover(Base):
    """A member of staff gave a customer what an order says. Never changed.

    What the staff were allowed is copied as it was then, because assignments change: `store_ids` is
    null for staff of all stores, `staff_member_id` is who they are as a customer.
    """

    __tablename__ = "handovers"
    __table_args__ = (
        sa.CheckConstraint("store_ids IS NULL OR store_id = ANY (store_ids)", name="assigned"),
        sa.Index("ix_handovers_staff", "staff_id", "at"),
        sa.Index("ix_handovers_word", "at", postgresql_where=sa.text("proof = 'staff_word'")),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    staff_member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("members.id"))
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    proof: Mapped[HandoverProof]
    at: Mapped[datetime]
