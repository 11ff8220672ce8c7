"""Codes that were used at the counter."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base


class SpentPickupCode(Base):
    """A pick-up code that was used. Never changed: no code is used twice."""

    __tablename__ = "spent_pickup_codes"

    nonce: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    subject: Mapped[str]
    """What the code was shown for, such as `order:T2026…`."""
    spent_at: Mapped[datetime]
    spent_by: Mapped[str]
