"""Where the brand works, and who works for it."""

from datetime import datetime

import sqlalchemy as sa
from flask_security import RoleMixin, UserMixin
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id

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


class Region(Base):
    """A group of stores."""

    __tablename__ = "regions"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)

    def __str__(self) -> str:
        return self.name


class Store(Base):
    """One shop of the chain."""

    __tablename__ = "stores"

    id: Mapped[Id]
    region_id: Mapped[int | None] = mapped_column(sa.ForeignKey("regions.id"), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str] = mapped_column(server_default="")
    is_open: Mapped[bool] = mapped_column(server_default=sa.true())
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    region: Mapped[Region | None] = relationship(lazy="raise_on_sql")

    def __str__(self) -> str:
        return self.name


class Role(Base, RoleMixin):
    """A set of permissions that staff can hold; `app.stores.permissions` says what each allows."""

    __tablename__ = "roles"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")

    def __str__(self) -> str:
        return self.name


class Staff(Base, UserMixin):
    """A person who signs in to the back office.

    `sees_all_stores` is the brand's own staff; everyone else sees the stores of `stores` only.
    The other columns are what Flask-Security keeps of a login and its second factor.
    """

    __tablename__ = "staff"

    id: Mapped[Id]
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
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
    locked_until_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())

    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]  # narrower than the mixin
        secondary=staff_roles, lazy="selectin"
    )
    stores: Mapped[list[Store]] = relationship(secondary=staff_stores, lazy="selectin")

    def __str__(self) -> str:
        return self.name
