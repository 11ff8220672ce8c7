"""Share codes, touches and bindings. Touches are written once and never changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.attribution.rules import BindingEvent as BindingEvent
from app.attribution.rules import BindingState as BindingState
from app.attribution.rules import TouchOutcome as TouchOutcome
from app.attribution.rules import TouchSource as TouchSource
from app.kernel.db import Base, Id


class ChannelKind(StrEnum):
    """Where customers come from."""

    PERSONAL = "personal"
    GROUP = "group"
    COUNTER = "counter"
    KOL = "kol"
    EVENT = "event"


class Channel(Base):
    """One place customers come from: a group, a counter, an opinion leader, an event.

    `owner_id` is the distributor who opened it; the brand's own have none.
    """

    __tablename__ = "channels"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "store_id", "name", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[ChannelKind]
    owner_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("distributors.member_id"), index=True
    )
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class ShareCode(Base):
    """An opaque token that stands for (owner, channel, target page).

    Exactly one of distributor and store owns it. A revoked code stays, so that old posters can be
    explained; at most one live code stands for the same three things.
    """

    __tablename__ = "share_codes"
    __table_args__ = (
        sa.CheckConstraint(
            "(distributor_id IS NULL) <> (owner_store_id IS NULL)", name="one_owner"
        ),
        sa.CheckConstraint("code ~ '^[0-9A-Za-z]{22}$'", name="code"),
        sa.Index(
            "uq_share_codes_live",
            "distributor_id",
            "owner_store_id",
            "channel_id",
            "page",
            "product_id",
            unique=True,
            postgresql_where=sa.text("revoked_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.Index("ix_share_codes_distributor", "distributor_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(22), unique=True)
    distributor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("distributors.member_id"))
    owner_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), index=True)
    page: Mapped[str]
    """Path of the mini-program page, without leading slash or query."""
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    channel: Mapped[Channel] = relationship(lazy="raise_on_sql")


class Touch(Base):
    """One scan or click of a share code by a member, with its evidence. Never changed."""

    __tablename__ = "touches"
    __table_args__ = (
        sa.Index("ix_touches_member", "member_id", "occurred_at"),
        sa.Index("ix_touches_occurred", "occurred_at"),
    )

    id: Mapped[Id]
    share_code_id: Mapped[int] = mapped_column(sa.ForeignKey("share_codes.id"), index=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    source: Mapped[TouchSource]
    device_hash: Mapped[str | None]
    ip_hash: Mapped[str | None]
    occurred_at: Mapped[datetime]
    outcome: Mapped[TouchOutcome]
    reason: Mapped[str]
    """Stable code that says why: `new_customer`, `same_owner`, `existing_customer` ..."""
    binding_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bindings.id"), index=True)


class Binding(Base):
    """Which distributor or store a customer belongs to, from when until when.

    `valid_until_at` is stored when it is set and never recomputed from settings. Periods of one
    customer cannot overlap: an exclusion constraint says so.
    """

    __tablename__ = "bindings"
    __table_args__ = (
        sa.CheckConstraint("(owner_id IS NULL) <> (owner_store_id IS NULL)", name="one_owner"),
        sa.CheckConstraint("owner_id <> customer_id", name="not_self"),
        sa.CheckConstraint("valid_from_at <= valid_until_at", name="period"),
        ExcludeConstraint(
            (sa.column("customer_id"), "="),
            (sa.text("tstzrange(valid_from_at, valid_until_at)"), "&&"),
            name="ex_bindings_one_owner_at_a_time",
            using="gist",
        ),
        sa.Index("ix_bindings_owner", "owner_id", sa.text("id DESC")),
        sa.Index("ix_bindings_state", "state", sa.text("id DESC")),
        sa.Index("ix_bindings_begun", "valid_from_at"),
        sa.Index("ix_bindings_owner_begun", "owner_id", "valid_from_at"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("distributors.member_id"))
    owner_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    state: Mapped[BindingState]
    source: Mapped[TouchSource]
    valid_from_at: Mapped[datetime]
    valid_until_at: Mapped[datetime]
    rule: Mapped[dict[str, Any]]
    """The periods and switches in force when it was made, by their setting names."""


class BindingStep(Base):
    """One event in the life of a binding, with what caused it. Never changed."""

    __tablename__ = "binding_steps"

    id: Mapped[Id]
    binding_id: Mapped[int] = mapped_column(sa.ForeignKey("bindings.id"), index=True)
    event: Mapped[BindingEvent]
    at: Mapped[datetime]
    valid_until_at: Mapped[datetime]
    touch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("touches.id"))
    order_id: Mapped[int | None]
    actor: Mapped[str]
    reason: Mapped[str]


class CodeMiss(Base):
    """Guesses at share codes by one caller; too many lock them out for a while."""

    __tablename__ = "code_misses"

    principal: Mapped[str] = mapped_column(primary_key=True)
    misses: Mapped[int]
    first_at: Mapped[datetime]
    locked_until_at: Mapped[datetime | None]
