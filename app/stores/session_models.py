"""What is kept of signing in to the back office: sessions, and the passwords somebody had."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.stores.models import Staff


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    ENDED = "ended"
    """By the person, from another session."""
    ENDED_BY_OTHERS = "ended_by_others"
    PASSWORD = "password"  # noqa: S105 - the reason, not a secret
    """The password was changed elsewhere."""
    RESET = "reset"
    DISABLED = "disabled"
    LEFT = "left"
    """The last day of employment has passed."""
    REPLACED = "replaced"
    """The same browser signed in again."""


class StaffSession(Base):
    """One sign-in of a member of staff with a browser.

    The browser holds a random token, we its hash. `expires_at` is when it ends whatever happens;
    idleness ends it earlier. `network` is the address without its last part, which is enough to
    recognise one's own and tells nobody's home.
    """

    __tablename__ = "staff_sessions"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    network: Mapped[str] = mapped_column(server_default="")
    browser: Mapped[str] = mapped_column(server_default="")
    is_new_device: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[SessionEnd | None]

    staff: Mapped[Staff] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", "end"),
        sa.CheckConstraint("last_seen_at >= created_at AND expires_at > created_at", "order"),
    )


class StaffPassword(Base):
    """A password that somebody has or had, as a hash, so that it is not chosen again at once."""

    __tablename__ = "staff_passwords"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    password_hash: Mapped[str]
    set_at: Mapped[datetime]
