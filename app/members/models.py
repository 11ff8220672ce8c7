"""Members, their sessions and consents, and the distributors among them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.members.errors import StandingConflict
from app.members.states import Standing as Standing
from app.members.states import StandingEvent, after_standing


class Member(Base):
    """A person known to the mini-program.

    `first_paid_at` makes an existing customer. Phone and openid never leave in logs; the phone is
    sealed, `phone_hash` finds and compares it.
    """

    __tablename__ = "members"
    __table_args__ = (
        sa.CheckConstraint("(phone_sealed IS NULL) = (phone_hash IS NULL)", name="phone_whole"),
        sa.Index("ix_members_registered", "registered_at", "id"),
        sa.Index("ix_members_first_paid", "first_paid_at", "id"),
        sa.Index("ix_members_grams", sa.text("name_grams(nickname)"), postgresql_using="gin"),
        sa.Index(
            "ix_members_birthday",
            sa.text("(EXTRACT(month FROM birthday_on))"),
            sa.text("(EXTRACT(day FROM birthday_on))"),
            "id",
            postgresql_where=sa.text("birthday_on IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    wechat_openid: Mapped[str] = mapped_column(unique=True)
    wechat_unionid: Mapped[str | None] = mapped_column(unique=True)
    nickname: Mapped[str] = mapped_column(server_default="", info={"grams": sa.func.name_grams})
    """`info` tells searches which function of it is indexed."""
    phone_sealed: Mapped[str | None]
    phone_hash: Mapped[str | None] = mapped_column(index=True)
    birthday_on: Mapped[date | None]
    origin_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    registered_at: Mapped[datetime]
    first_paid_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


NAME_GRAMS: Final = """
    CREATE OR REPLACE FUNCTION name_grams(name text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT coalesce(array_agg(DISTINCT substr(lower(name), place, size)), '{}')
        FROM generate_series(1, length(name)) place, generate_series(1, 2) size
        WHERE place + size - 1 <= length(name)
    $$
"""
"""Every letter and every pair of letters: Chinese names are too short for trigrams."""

sa.event.listen(
    Member.__table__,
    "before_create",
    sa.DDL(NAME_GRAMS),  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it without types
)


class MemberStore(Base):
    """That a store knows a member: for coming from it, buying there, or belonging to it or its own.

    Kept by triggers of the tables that tie the two, so that staff of a small store find their few
    among millions; never written by the product.
    """

    __tablename__ = "member_stores"
    __table_args__ = (sa.Index("ix_member_stores_member", "member_id", "store_id"),)

    store_id: Mapped[int] = mapped_column(
        sa.ForeignKey("stores.id"), primary_key=True, autoincrement=False
    )
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, autoincrement=False
    )


class MemberSession(Base):
    """One signed-in device. The token itself is never stored, only its digest."""

    __tablename__ = "member_sessions"

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    device_name: Mapped[str] = mapped_column(server_default="")
    signed_in_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class MemberDevice(Base):
    """A device a member has used; two members on one device count as one household."""

    __tablename__ = "member_devices"
    __table_args__ = (sa.PrimaryKeyConstraint("member_id", "device_hash"),)

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    device_hash: Mapped[str] = mapped_column(index=True)
    first_seen_at: Mapped[datetime]


class ConsentPurpose(StrEnum):
    """What a member agrees to, each by itself (PIPL art. 14, 23, 29)."""

    SERVICE = "service"
    PHONE = "phone"
    MARKETING = "marketing"


class Consent(Base):
    """One agreement of one member to one version of one purpose, until it is withdrawn."""

    __tablename__ = "consents"
    __table_args__ = (
        sa.Index(
            "uq_consents_in_force",
            "member_id",
            "purpose",
            unique=True,
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    purpose: Mapped[ConsentPurpose]
    version: Mapped[str]
    granted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class DistributorKind(StrEnum):
    """A person, or a partner business."""

    PERSON = "person"
    PARTNER = "partner"


_team_order = sa.Sequence("distributor_team_order_seq", metadata=Base.metadata)


class Distributor(Base):
    """A member approved to earn, and who brought them into the team.

    The recommender is permanent; only a two-person decision moves it. Each distributor has a place
    in one global order, and a recommender stands before everyone they brought: the composite key
    carries the recommender's place into this row and a CHECK compares the two, so a cycle cannot
    be written, whatever runs at the same time. `second_recommender_id` repeats the recommender's
    recommender, so that a page of the second tier costs the same in a team of a million.
    """

    __tablename__ = "distributors"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "team_order"),
        sa.ForeignKeyConstraint(
            ["recommender_id", "recommender_team_order"],
            ["distributors.member_id", "distributors.team_order"],
            name="fk_distributors_recommender",
            onupdate="CASCADE",
        ),
        sa.CheckConstraint("recommender_team_order < team_order", name="no_cycle"),
        sa.CheckConstraint(
            "(recommender_id IS NULL) = (recommender_team_order IS NULL)", name="recommender_whole"
        ),
        sa.CheckConstraint(
            "second_recommender_id IS NULL OR recommender_id IS NOT NULL", name="second_has_first"
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 9", name="level"),
        sa.CheckConstraint("direct_count >= 0 AND second_count >= 0", name="counts"),
        sa.Index("ix_distributors_team", "recommender_id", sa.text("member_id DESC")),
        sa.Index("ix_distributors_approved", "approved_at"),
        sa.Index(
            "ix_distributors_applied",
            "member_id",
            postgresql_where=sa.text("standing = 'applied'"),
        ),
        sa.Index("ix_distributors_second", "second_recommender_id", sa.text("member_id DESC")),
    )

    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, autoincrement=False
    )
    kind: Mapped[DistributorKind] = mapped_column(server_default="person")
    standing: Mapped[Standing]
    level: Mapped[int] = mapped_column(server_default=sa.text("1"))
    recommender_id: Mapped[int | None]
    recommender_team_order: Mapped[int | None]
    second_recommender_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("distributors.member_id")
    )
    team_order: Mapped[int] = mapped_column(server_default=_team_order.next_value(), unique=True)
    direct_count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """How many distributors this one brought, whatever their standing."""
    second_count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """How many distributors those brought in turn."""
    real_name_sealed: Mapped[str | None]
    real_name_hash: Mapped[str | None]
    agreement_version: Mapped[str]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    applied_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]

    member: Mapped[Member] = relationship(lazy="raise_on_sql")
    steps: WriteOnlyMapped["DistributorStep"] = relationship(
        order_by="DistributorStep.id", cascade="save-update"
    )

    def advance(self, event: StandingEvent, *, now: datetime, actor: str, reason: str = "") -> None:
        """Move along the table of standings and leave a trace. The row must be locked."""
        target = after_standing(self.standing, event)
        if target is None:
            raise StandingConflict(self.standing, event)
        self.steps.add(
            DistributorStep(
                from_standing=self.standing,
                to_standing=target,
                recommender_id=self.recommender_id,
                at=now,
                actor=actor,
                reason=reason,
            )
        )
        self.standing = target


class TeamStop(Base):
    """A team that has grown past the line of the law, and whether newcomers may join it.

    Counted along recommendations from `root_id`, people who left included (刑法 art. 224-1: from
    30 persons and 3 levels on). Never deleted: it is lifted by a person, with a reason.
    """

    __tablename__ = "team_stops"
    __table_args__ = (
        sa.Index(
            "uq_team_stops_open",
            "root_id",
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
        ),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted_whole"),
    )

    id: Mapped[Id]
    root_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"), index=True)
    paid_people: Mapped[int]
    tiers: Mapped[int]
    stops_joining: Mapped[bool]
    raised_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default="")


class DistributorStep(Base):
    """One change of a distributor's standing or recommender, with both after it. Never changed."""

    __tablename__ = "distributor_steps"
    __table_args__ = (sa.Index("ix_distributor_steps_at", "at"),)

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"), index=True)
    from_standing: Mapped[Standing | None] = mapped_column(
        sa.Enum(
            Standing,
            native_enum=False,
            length=32,
            create_constraint=False,
            values_callable=lambda kind: [one.value for one in kind],
        )
    )
    to_standing: Mapped[Standing]
    recommender_id: Mapped[int | None]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]
