"""How staff like their lists: named views, chosen columns, and files on their way."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id

NAME_MAX: Final = 40
VIEWS_MAX: Final = 20
"""Views of one list that one person may keep."""


class SavedView(Base):
    """Filters, search, order and columns of one list under a name.

    `wish` holds parameters as the address of the list does; what a list no longer knows is passed
    over when the view is opened. A view narrows what its reader sees anyway, and never widens it.
    `slot` counts a person's views of a list, so that the database itself keeps the limit.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        sa.UniqueConstraint("staff_id", "list", "name"),
        sa.UniqueConstraint("staff_id", "list", "slot"),
        sa.CheckConstraint(f"char_length(name) BETWEEN 1 AND {NAME_MAX}", name="name"),
        sa.CheckConstraint(f"slot BETWEEN 1 AND {VIEWS_MAX}", name="slot"),
        sa.CheckConstraint("jsonb_typeof(wish) = 'object'", name="wish"),
        sa.Index("ix_saved_views_shared", "list", postgresql_where=sa.text("is_shared")),
    )

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    list: Mapped[str]
    """The endpoint of the list."""
    name: Mapped[str]
    slot: Mapped[int]
    wish: Mapped[dict[str, Any]]
    columns: Mapped[Any | None] = mapped_column(ARRAY(sa.Text))
    """Names of columns in order, or None for those of the list itself."""
    is_shared: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether everybody who may open the list finds it there."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class ListChoice(Base):
    """How one person likes one list where no view says otherwise."""

    __tablename__ = "list_choices"
    __table_args__ = (
        sa.PrimaryKeyConstraint("staff_id", "list"),
        sa.Index("ix_list_choices_default_view_id", "default_view_id"),
    )

    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    list: Mapped[str]
    columns: Mapped[Any | None] = mapped_column(ARRAY(sa.Text))
    is_dense: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether rows are set close together."""
    default_view_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("saved_views.id", ondelete="SET NULL")
    )
    """The view that the list opens with."""
    changed_at: Mapped[datetime]


class ExportSlot(Base):
    """A file that is on its way to somebody, who gets no second one meanwhile."""

    __tablename__ = "export_slots"

    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"), primary_key=True)
    token: Mapped[str]
    """Tells the file that holds the slot from one that lost it."""
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """When the file last grew; one that did not for long is broken."""
