"""Poster templates and their versions. Versions are written once and never changed."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id
from app.posters.states import PosterKind as PosterKind
from app.posters.states import PosterState as PosterState

NAME_LENGTH_MAX: Final = 40
PICTURE_BYTES_MAX: Final = 2 * 1024 * 1024
"""What a background may take as we drew it; what is handed in may be larger."""


class PosterTemplate(Base):
    """A kind of poster that distributors can have drawn with their own code.

    `store_ids` are the stores whose distributors are offered it, None stands for all. With a `page`
    it fits codes of that mini-program page only. `version` is the newest one, `published_version`
    the one that is drawn; what is edited shows once it is published.
    """

    __tablename__ = "poster_templates"
    __table_args__ = (
        sa.CheckConstraint(f"char_length(name) BETWEEN 1 AND {NAME_LENGTH_MAX}", name="name"),
        sa.CheckConstraint("store_ids IS NULL OR cardinality(store_ids) > 0", name="stores"),
        sa.CheckConstraint("page IS NULL OR page <> ''", name="page"),
        sa.CheckConstraint(
            "published_version BETWEEN 1 AND version AND version >= 1", name="versions"
        ),
        sa.CheckConstraint(
            "state = 'draft' OR published_version IS NOT NULL", name="published_whole"
        ),
        sa.Index("ix_poster_templates_state", "state", sa.text("id DESC")),
    )

    id: Mapped[Id]
    name: Mapped[str]
    kind: Mapped[PosterKind]
    state: Mapped[PosterState]
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    page: Mapped[str | None]
    version: Mapped[int]
    published_version: Mapped[int | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class PosterVersion(Base):
    """How a template looks: its picture as we drew it anew, and where everything goes.

    `layout` is what `layout.Layout` says. Never changed.
    """

    __tablename__ = "poster_versions"
    __table_args__ = (
        sa.UniqueConstraint("template_id", "version"),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.CheckConstraint("picture_sha256 ~ '^[0-9a-f]{64}$'", name="picture_sha256"),
        sa.CheckConstraint("height BETWEEN 375 AND 1500", name="height"),
        sa.CheckConstraint(
            f"octet_length(picture) BETWEEN 1 AND {PICTURE_BYTES_MAX}", name="picture"
        ),
    )

    id: Mapped[Id]
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("poster_templates.id"))
    version: Mapped[int]
    layout: Mapped[dict[str, Any]]
    height: Mapped[int]
    """In pixels; every poster is 750 wide."""
    picture: Mapped[bytes] = mapped_column(deferred=True)
    picture_sha256: Mapped[str] = mapped_column(sa.String(64))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
