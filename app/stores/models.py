"""Where the brand works, and who works for it."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_security import RoleMixin, UserMixin
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.stores.permissions import ROLE_NAME_LENGTH_MAX, RoleName
from app.stores.states import StoreState

_BUILT_IN = ", ".join(f"'{name}'" for name in RoleName)

staff_roles = sa.Table(
    "staff_roles",
    Base.metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("role_id", sa.ForeignKey("roles.id"), primary_key=True),
)

staff_stores = sa.Table(
    "staff_stores",
    Base.metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("store_id", sa.ForeignKey("stores.id"), primary_key=True),
)

staff_regions = sa.Table(
    "staff_regions",
    Base.metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("region_id", sa.ForeignKey("regions.id"), primary_key=True, index=True),
)


class Region(Base):
    """A group of stores."""

    __tablename__ = "regions"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)

    stores: Mapped[list["Store"]] = relationship(
        order_by="Store.name", viewonly=True, lazy="raise_on_sql"
    )

    def __str__(self) -> str:
        return self.name


class Store(Base):
    """One shop of the chain.

    Coordinates are whole micro-degrees (`_udeg`) of the Chinese datum GCJ-02, which WeChat's map
    and location speak. `opening_hours` is a document of `hours.OpeningHours`, null where nobody has
    said it.
    """

    __tablename__ = "stores"
    __table_args__ = (
        sa.CheckConstraint("code ~ '^[0-9A-Z]{2,12}$'", name="code"),
        sa.CheckConstraint(
            "latitude_udeg BETWEEN -90000000 AND 90000000"
            " AND longitude_udeg BETWEEN -180000000 AND 180000000",
            name="coordinates",
        ),
        sa.CheckConstraint(
            "(latitude_udeg IS NULL) = (longitude_udeg IS NULL)", name="coordinates_both"
        ),
    )

    id: Mapped[Id]
    region_id: Mapped[int | None] = mapped_column(sa.ForeignKey("regions.id"), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str | None] = mapped_column(unique=True)
    """What people call it in short, such as on lists and labels; every store gets one."""
    city: Mapped[str] = mapped_column(server_default="")
    district: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    """The number that customers call; not personal."""
    latitude_udeg: Mapped[int | None]
    longitude_udeg: Mapped[int | None]
    opening_hours: Mapped[dict[str, Any] | None]
    state: Mapped[StoreState] = mapped_column(server_default="open")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    region: Mapped[Region | None] = relationship(lazy="raise_on_sql")

    @hybrid_property
    def is_open(self) -> bool:
        """Whether customers can order here."""
        return self.state is StoreState.OPEN

    @is_open.inplace.expression
    @classmethod
    def _is_open(cls) -> sa.ColumnElement[bool]:
        return cls.state == StoreState.OPEN

    def __str__(self) -> str:
        return self.name


class StoreStep(Base):
    """One change of a store's state. Never changed."""

    __tablename__ = "store_steps"

    id: Mapped[Id]
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    to_state: Mapped[StoreState]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]


class Role(Base, RoleMixin):
    """A set of permissions that staff can hold.

    What a built-in role allows stands in `app.stores.permissions`; a role of the brand's own keeps
    it here. One that is not active allows nothing.
    """

    __tablename__ = "roles"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    permissions: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text), server_default="{}")
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())

    __table_args__ = (
        sa.CheckConstraint(f"length(name) BETWEEN 1 AND {ROLE_NAME_LENGTH_MAX}", "name"),
        sa.CheckConstraint(
            f"name NOT IN ({_BUILT_IN}) OR (permissions = '{{}}' AND is_active)", "built_in"
        ),
        sa.Index("uq_roles_name_lower", sa.text("lower(name)"), unique=True),
    )

    def __str__(self) -> str:
        return self.name


class Staff(Base, UserMixin):
    """A person who signs in to the back office.

    `sees_all_stores` is the brand's own staff; everyone else sees the stores of `stores` and those
    that lie in one of `regions` at the moment. Days of employment count in the shops' time zone,
    both included. The other columns are what Flask-Security keeps of a login and its second
    factor.
    """

    __tablename__ = "staff"

    id: Mapped[Id]
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    phone_sealed: Mapped[str | None]
    phone_hash: Mapped[str | None] = mapped_column(unique=True)
    job_title: Mapped[str] = mapped_column(server_default="")
    employed_from_on: Mapped[date | None]
    employed_until_on: Mapped[date | None]
    notes: Mapped[str] = mapped_column(server_default="")
    password: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=sa.true())
    sees_all_stores: Mapped[bool] = mapped_column(server_default=sa.false())
    must_change_password: Mapped[bool] = mapped_column(server_default=sa.false())
    locale: Mapped[str | None]
    fs_uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True)
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(sa.ARRAY(sa.Text))
    failed_logins: Mapped[int] = mapped_column(server_default=sa.text("0"))
    lock_outs: Mapped[int] = mapped_column(server_default=sa.text("0"))
    locked_until_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]  # narrower than the mixin
        secondary=staff_roles, lazy="selectin"
    )
    stores: Mapped[list[Store]] = relationship(secondary=staff_stores, lazy="select")
    regions: Mapped[list[Region]] = relationship(secondary=staff_regions, lazy="select")

    __table_args__ = (
        sa.CheckConstraint("(phone_sealed IS NULL) = (phone_hash IS NULL)", "phone"),
        sa.CheckConstraint("employed_until_on >= employed_from_on", "employment"),
    )

    def __str__(self) -> str:
        return self.name
