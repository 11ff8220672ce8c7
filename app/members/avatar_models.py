"""The pictures that members show of themselves, and nicknames that staff should look at."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base
from app.members.models import Member

AVATAR_BYTES_MAX: Final = 262_144
"""What an avatar takes as we drew it: a square of a few hundred pixels."""


class MemberAvatar(Base):
    """A member's picture, square, as we drew it anew from what was handed in."""

    __tablename__ = "member_avatars"
    __table_args__ = (
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        sa.CheckConstraint(f"octet_length(content) BETWEEN 1 AND {AVATAR_BYTES_MAX}", name="size"),
    )

    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, autoincrement=False
    )
    content: Mapped[bytes] = mapped_column(deferred=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    changed_at: Mapped[datetime]


class DoubtfulNickname(Base):
    """A nickname that WeChat did not clear; nothing public shows it until staff say it is fine.

    The row goes when they do, and when the member takes another name.
    """

    __tablename__ = "doubtful_nicknames"

    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, autoincrement=False
    )
    found_at: Mapped[datetime]

    member: Mapped[Member] = relationship(lazy="raise_on_sql")
