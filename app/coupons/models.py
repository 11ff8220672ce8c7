"""Templates of coupons, the coupons that members hold, their steps, and pushes to many members."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import (
    Mapped,
    WriteOnlyMapped,
    column_property,
    joinedload,
    mapped_column,
    relationship,
)
from sqlalchemy.orm.interfaces import ORMOption

from app.coupons.errors import CouponNotInState
from app.coupons.states import CouponEvent, CouponKind, CouponState, after_coupon
from app.kernel.db import Base, Id

STOCK_MAX: Final = 10_000_000
SLOTS: Final = 16
"""Into how many parts the stock of a template is dealt: twice the claims that run at once."""
PER_MEMBER_MAX: Final = 1_000


class CouponChannel(StrEnum):
    """How a coupon came to its member; the first four are ways that a template may open."""

    CENTRE = "centre"
    CODE = "code"
    PUSH = "push"
    STAFF = "staff"
    REWARD = "reward"


class PushState(StrEnum):
    """Where a push to many members stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class PushOutcome(StrEnum):
    """What a push did for one member."""

    GIVEN = "given"
    LIMIT = "limit"
    GONE = "gone"


class CouponStock(Base):
    """A part of a template's stock: a claim takes from one that nobody else is taking from.

    At the end of every transaction the parts add up to what the template says that there are
    (triggers of migration 0031). Rows lie far apart, so that their updates stay on their page.
    """

    __tablename__ = "coupon_stocks"
    __table_args__ = (
        sa.CheckConstraint(f"slot BETWEEN 0 AND {SLOTS - 1}", name="slot"),
        sa.CheckConstraint("issued BETWEEN 0 AND stock", name="never_above_stock"),
        {"postgresql_with": {"fillfactor": 10}},
    )

    template_id: Mapped[int] = mapped_column(
        sa.ForeignKey("coupon_templates.id"), primary_key=True, autoincrement=False
    )
    slot: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    stock: Mapped[int]
    issued: Mapped[int]


class CouponTemplate(Base):
    """What coupons of one kind take off, where, when, for whom and how many there are.

    `amount_fen` belongs to an amount off, `percent_bp` (what is taken off, in 1/10000) and
    `most_fen` to a percentage, exactly one product to an exchange. `store_ids` and `product_ids`
    are None for all. Once one was issued, what it promises never changes (a trigger of migration
    0031): only how many there are, its title, its ways and window, and its end.
    """

    __tablename__ = "coupon_templates"
    __table_args__ = (
        sa.CheckConstraint(
            "(kind = 'amount_off') = (amount_fen IS NOT NULL)"
            " AND (kind = 'percent_off') = (percent_bp IS NOT NULL)"
            " AND (most_fen IS NULL OR kind = 'percent_off')",
            name="kind_whole",
        ),
        sa.CheckConstraint(
            "amount_fen BETWEEN 1 AND 100000000 AND percent_bp BETWEEN 1 AND 10000"
            " AND most_fen BETWEEN 1 AND 100000000",
            name="amounts",
        ),
        sa.CheckConstraint(
            "kind <> 'exchange' OR product_ids IS NOT NULL AND cardinality(product_ids) = 1",
            name="exchange",
        ),
        sa.CheckConstraint("threshold_fen BETWEEN 0 AND 1000000000", name="threshold"),
        sa.CheckConstraint(
            "cardinality(store_ids) > 0 AND cardinality(product_ids) > 0", name="not_empty"
        ),
        sa.CheckConstraint(f"stock BETWEEN 0 AND {STOCK_MAX}", name="stock"),
        sa.CheckConstraint(f"per_member BETWEEN 1 AND {PER_MEMBER_MAX}", name="per_member"),
        sa.CheckConstraint("claim_from_at < claim_until_at", name="claim_window"),
        sa.CheckConstraint(
            "(valid_seconds IS NULL) = (valid_until_at IS NOT NULL)"
            " AND (valid_from_at IS NULL) = (valid_until_at IS NULL)"
            " AND valid_from_at < valid_until_at AND valid_seconds > 0",
            name="validity",
        ),
        sa.CheckConstraint(
            "ways <@ ARRAY['centre', 'code', 'push', 'staff']"
            " AND ('code' = ANY (ways)) <= (code IS NOT NULL)",
            name="ways",
        ),
        sa.Index(
            "ix_coupon_templates_centre",
            sa.text("id DESC"),
            postgresql_where=sa.text("ended_at IS NULL AND 'centre' = ANY (ways)"),
        ),
    )

    id: Mapped[Id] = mapped_column()
    kind: Mapped[CouponKind]
    title: Mapped[str] = mapped_column(sa.String(80))
    title_en: Mapped[str] = mapped_column(sa.String(80), server_default="")
    terms: Mapped[str] = mapped_column(server_default="")
    amount_fen: Mapped[int | None]
    percent_bp: Mapped[int | None]
    most_fen: Mapped[int | None]
    threshold_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """What the eligible lines must cost before any coupon."""
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    product_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    is_stackable: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether it goes with others; at most one that is not goes into an order."""
    is_given_back: Mapped[bool] = mapped_column(server_default=sa.true())
    """Whether it comes back when the order that used it is refunded in whole."""
    per_member: Mapped[int]
    stock: Mapped[int]
    """How many there are in all; `CouponStock` says where."""
    issued: Mapped[int] = column_property(
        sa.select(sa.cast(sa.func.coalesce(sa.func.sum(CouponStock.issued), 0), sa.BigInteger))
        .where(CouponStock.template_id == id)  # noqa: A003 - the column above
        .correlate_except(CouponStock)
        .scalar_subquery()
    )
    """How many of them were given out, over all parts."""
    ways: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text), server_default="{}")
    code: Mapped[str | None] = mapped_column(unique=True)
    """What members type or open to get one; random, see `kernel.ids`."""
    claim_from_at: Mapped[datetime]
    claim_until_at: Mapped[datetime]
    valid_from_at: Mapped[datetime | None]
    valid_until_at: Mapped[datetime | None]
    valid_seconds: Mapped[int | None]
    """How long it is good from the claim on, where no dates are fixed."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return self.title


class CouponHolding(Base):
    """How many coupons of a template one member has ever got; what makes their limit exact."""

    __tablename__ = "coupon_holdings"
    __table_args__ = (sa.CheckConstraint("issued > 0", name="issued"),)

    template_id: Mapped[int] = mapped_column(
        sa.ForeignKey("coupon_templates.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
    )
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, index=True
    )
    issued: Mapped[int]


class Coupon(Base):
    """One coupon of one member; `seq` counts theirs of the template.

    The foreign keys to a template are checked at the end of the transaction, so that a claim locks
    its hot row for no longer than the one update needs.
    """

    __tablename__ = "coupons"
    __table_args__ = (
        sa.UniqueConstraint("template_id", "member_id", "seq"),
        sa.CheckConstraint("seq > 0", name="seq"),
        sa.CheckConstraint("valid_from_at < valid_until_at", name="validity"),
        sa.CheckConstraint(
            "CASE state WHEN 'reserved' THEN order_id IS NOT NULL AND store_id IS NULL"
            " WHEN 'used' THEN (order_id IS NULL) <> (store_id IS NULL)"
            " ELSE order_id IS NULL AND store_id IS NULL END",
            name="where_used",
        ),
        sa.CheckConstraint("(state = 'used') = (used_at IS NOT NULL)", name="used_at"),
        sa.CheckConstraint("(order_id IS NULL) = (amount_fen IS NULL)", name="amount_whole"),
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint(
            "(state = 'reserved') = (reserved_until_at IS NOT NULL)", name="reserved_until_at"
        ),
        sa.Index("ix_coupons_member", "member_id", sa.text("id DESC")),
        sa.Index("uq_coupons_key", "key", unique=True, postgresql_where=sa.text("key IS NOT NULL")),
        sa.Index("ix_coupons_order", "order_id", postgresql_where=sa.text("order_id IS NOT NULL")),
        sa.Index(
            "ix_coupons_expiring",
            "valid_until_at",
            "id",
            postgresql_where=sa.text("state = 'unused'"),
        ),
    )

    id: Mapped[Id]
    template_id: Mapped[int] = mapped_column(
        sa.ForeignKey("coupon_templates.id", deferrable=True, initially="DEFERRED")
    )
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    seq: Mapped[int]
    state: Mapped[CouponState]
    channel: Mapped[CouponChannel]
    source: Mapped[str] = mapped_column(server_default="")
    """What gave it, in a word, such as the kind of reward."""
    key: Mapped[str | None]
    """Names the one act that gave it, so that a repeat gives nothing more."""
    claimed_at: Mapped[datetime]
    valid_from_at: Mapped[datetime]
    valid_until_at: Mapped[datetime]
    extended_at: Mapped[datetime | None]
    """When it came back near or after its end and was left some days more; at most once."""
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"))
    reserved_until_at: Mapped[datetime | None]
    amount_fen: Mapped[int | None]
    """What it takes off its order."""
    used_at: Mapped[datetime | None]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    """Where it was redeemed without an order."""

    template: Mapped[CouponTemplate] = relationship(lazy="raise_on_sql", viewonly=True)
    steps: WriteOnlyMapped["CouponStep"] = relationship(
        order_by="CouponStep.id", cascade="save-update"
    )

    def advance(
        self, event: CouponEvent, *, now: datetime, actor: str = "system", note: str = ""
    ) -> None:
        """Move along the table of states and leave a trace. The row must be locked.

        Order and store are set before a use, and cleared after a return, by whoever calls.
        """
        target = after_coupon(self.state, event)
        if target is None:
            raise CouponNotInState(self.state)
        self.steps.add(
            CouponStep(
                event=event,
                to_state=target,
                at=now,
                actor=actor,
                order_id=self.order_id,
                store_id=self.store_id,
                note=note,
            )
        )
        self.state = target


class CouponStep(Base):
    """One event in the life of a coupon, and the state it led to. Never changed."""

    __tablename__ = "coupon_steps"

    id: Mapped[Id]
    coupon_id: Mapped[int] = mapped_column(sa.ForeignKey("coupons.id"), index=True)
    event: Mapped[CouponEvent]
    to_state: Mapped[CouponState]
    at: Mapped[datetime]
    actor: Mapped[str]
    order_id: Mapped[int | None]
    store_id: Mapped[int | None]
    note: Mapped[str] = mapped_column(server_default="")


class CouponPush(Base):
    """One template given to many members, in batches that can stop and go on anywhere."""

    __tablename__ = "coupon_pushes"
    __table_args__ = (
        sa.CheckConstraint("(state = 'running') = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("given >= 0 AND given + passed_over <= people", name="numbers"),
        sa.Index("ix_coupon_pushes_running", "id", postgresql_where=sa.text("state = 'running'")),
        sa.Index("ix_coupon_pushes_template", "template_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("coupon_templates.id"))
    title: Mapped[str] = mapped_column(sa.String(80))
    """Whom it goes to, in words."""
    state: Mapped[PushState]
    people: Mapped[int]
    given: Mapped[int] = mapped_column(server_default=sa.text("0"))
    passed_over: Mapped[int] = mapped_column(server_default=sa.text("0"))
    begun_at: Mapped[datetime]
    begun_by: Mapped[str]
    ended_at: Mapped[datetime | None]

    template: Mapped[CouponTemplate] = relationship(lazy="raise_on_sql", viewonly=True)


class CouponPushMember(Base):
    """One member of a push and what came of it; None while their turn has not come."""

    __tablename__ = "coupon_push_members"
    __table_args__ = (
        sa.Index(
            "ix_coupon_push_members_waiting",
            "push_id",
            "member_id",
            postgresql_where=sa.text("outcome IS NULL"),
        ),
    )

    push_id: Mapped[int] = mapped_column(sa.ForeignKey("coupon_pushes.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, index=True
    )
    outcome: Mapped[PushOutcome | None]


def with_template() -> ORMOption:
    """Load coupons with their templates, without counting what was given out of each."""
    return joinedload(Coupon.template).defer(CouponTemplate.issued)
