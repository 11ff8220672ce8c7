"""Templates of guest cards, quotas, cards with their uses and bookings.

A card copies what its template said when it was shared, so that a template may change any time;
only the times that can be booked are the template's own.
"""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.guest_cards.errors import CardNotInState
from app.guest_cards.states import BookingState as BookingState
from app.guest_cards.states import CardEvent, after_card
from app.guest_cards.states import CardState as CardState
from app.kernel.db import Base, Id

MONEY_MAX = 100_000_000


class CardTemplate(Base):
    """What cards of one kind are good for.

    `store_ids` null stands for all stores. A card is good for `valid_days` from its claim, and not
    after `ends_at`. Slots can be booked where both figures of them are given. `cost_fen` is what
    one use is booked against marketing with, `settle_price_fen` what the giver's store owes another
    store for it. The giver gets the reward, points or a coupon, once for each new customer who
    comes.
    """

    __tablename__ = "guest_card_templates"
    __table_args__ = (
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),
        sa.CheckConstraint(
            f"face_value_fen BETWEEN 1 AND {MONEY_MAX} AND cost_fen BETWEEN 0 AND {MONEY_MAX}"
            f" AND settle_price_fen BETWEEN 0 AND {MONEY_MAX}",
            name="amounts",
        ),
        sa.CheckConstraint("valid_days BETWEEN 1 AND 366", name="valid_days"),
        sa.CheckConstraint("store_ids <> '{}'", name="some_store"),
        sa.CheckConstraint("(slot_minutes IS NULL) = (slot_capacity IS NULL)", name="slots_whole"),
        sa.CheckConstraint(
            "slot_minutes BETWEEN 10 AND 480 AND slot_capacity BETWEEN 1 AND 99", name="slots"
        ),
        sa.CheckConstraint("reward_points BETWEEN 0 AND 100000", name="reward_points"),
    )

    id: Mapped[Id]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    face_value_fen: Mapped[int]
    cost_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    settle_price_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    valid_days: Mapped[int]
    ends_at: Mapped[datetime | None]
    is_new_only: Mapped[bool] = mapped_column(server_default=sa.true())
    slot_minutes: Mapped[int | None]
    slot_capacity: Mapped[int | None]
    reward_points: Mapped[int] = mapped_column(server_default=sa.text("0"))
    reward_coupon_template_id: Mapped[int | None]
    """A template of coupons; what gives it looks whether there is such a one."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """Since when nobody shares it any more; cards that were shared before stay good."""

    services: Mapped[list["CardTemplateService"]] = relationship(
        order_by="CardTemplateService.product_id",
        lazy="raise_on_sql",
        cascade="all, delete-orphan",
    )
    level_quotas: Mapped[list["CardLevelQuota"]] = relationship(
        order_by="CardLevelQuota.level", lazy="raise_on_sql", cascade="all, delete-orphan"
    )

    def __str__(self) -> str:
        return self.name


class CardTemplateService(Base):
    """A service that cards of a template are good for, and how many times."""

    __tablename__ = "guest_card_template_services"
    __table_args__ = (sa.CheckConstraint("count BETWEEN 1 AND 99", name="count"),)

    template_id: Mapped[int] = mapped_column(
        sa.ForeignKey("guest_card_templates.id"), primary_key=True, autoincrement=False
    )
    product_id: Mapped[int] = mapped_column(
        sa.ForeignKey("products.id"), primary_key=True, autoincrement=False
    )
    count: Mapped[int]


class CardLevelQuota(Base):
    """How many cards of a template a distributor of a level may share in a month."""

    __tablename__ = "guest_card_level_quotas"
    __table_args__ = (
        sa.CheckConstraint("level BETWEEN 1 AND 9", name="level"),
        sa.CheckConstraint("count BETWEEN 0 AND 999", name="count"),
    )

    template_id: Mapped[int] = mapped_column(
        sa.ForeignKey("guest_card_templates.id"), primary_key=True, autoincrement=False
    )
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]


class CardQuota(Base):
    """What a giver may share of a template in one month of the brand's calendar, and has taken.

    `granted` only grows within its month, as the giver's level does; nothing is carried on.
    """

    __tablename__ = "guest_card_quotas"
    __table_args__ = (
        sa.UniqueConstraint("giver_id", "template_id", "month_on"),
        sa.CheckConstraint("taken >= 0 AND taken <= granted", name="never_above"),
        sa.CheckConstraint("extract(day FROM month_on) = 1", name="month_on"),
    )

    id: Mapped[Id]
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_card_templates.id"), index=True)
    giver_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"))
    month_on: Mapped[date]
    granted: Mapped[int]
    taken: Mapped[int] = mapped_column(server_default=sa.text("0"))


class GuestCard(Base):
    """One card, from the moment its giver shares it.

    `token` is what the friend's link says. `member_id` is the friend who claimed it, `is_new`
    whether they had never bought then. `giver_store_id` is the store the giver belonged to when
    they shared it: the one that pays where the card is used elsewhere.
    """

    __tablename__ = "guest_cards"
    __table_args__ = (
        sa.CheckConstraint("token ~ '^[0-9A-Za-z]{22}$'", name="token"),
        sa.CheckConstraint("member_id <> giver_id", name="not_own"),
        sa.CheckConstraint(
            "(member_id IS NULL) = (claimed_at IS NULL)"
            " AND (claimed_at IS NULL) = (expires_at IS NULL)",
            name="claimed_whole",
        ),
        sa.CheckConstraint(
            "(state IN ('shared', 'returned')) <= (claimed_at IS NULL)", name="unclaimed"
        ),
        sa.CheckConstraint(
            "(state IN ('claimed', 'booked', 'used')) <= (claimed_at IS NOT NULL)", name="claimed"
        ),
        sa.CheckConstraint(
            "(state IN ('used', 'returned', 'expired', 'revoked')) = (over_at IS NOT NULL)",
            name="over",
        ),
        sa.Index(
            "uq_guest_cards_one_each",
            "template_id",
            "member_id",
            unique=True,
            postgresql_where=sa.text("member_id IS NOT NULL"),
        ),
        sa.Index("ix_guest_cards_giver", "giver_id", sa.text("id DESC")),
        sa.Index("ix_guest_cards_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_guest_cards_giver_store", "giver_store_id", sa.text("id DESC")),
        sa.Index("ix_guest_cards_unclaimed", "share_until_at", postgresql_where="state = 'shared'"),
        sa.Index("ix_guest_cards_held", "expires_at", postgresql_where="state = 'claimed'"),
        sa.Index(
            "ix_guest_cards_device", "device_hash", postgresql_where="device_hash IS NOT NULL"
        ),
        sa.Index("ix_guest_cards_shared_at", "shared_at", "id"),
    )

    id: Mapped[Id]
    token: Mapped[str] = mapped_column(sa.String(22), unique=True)
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_card_templates.id"))
    quota_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_card_quotas.id"), index=True)
    giver_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"))
    giver_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    share_code_id: Mapped[int] = mapped_column(sa.ForeignKey("share_codes.id"), index=True)
    state: Mapped[CardState]
    title: Mapped[str]
    face_value_fen: Mapped[int]
    cost_fen: Mapped[int]
    settle_price_fen: Mapped[int]
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    valid_days: Mapped[int]
    ends_at: Mapped[datetime | None]
    """The last instant at which it can be good, whenever it is claimed."""
    is_new_only: Mapped[bool]
    shared_at: Mapped[datetime]
    share_until_at: Mapped[datetime]
    member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("members.id"))
    claimed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    is_new: Mapped[bool | None]
    device_hash: Mapped[str | None]
    touch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("touches.id"), index=True)
    """What the claim did to whom the friend belongs to; none where the code had been revoked."""
    first_used_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]

    items: Mapped[list["CardItem"]] = relationship(order_by="CardItem.id", lazy="raise_on_sql")
    template: Mapped[CardTemplate] = relationship(lazy="raise_on_sql")
    steps: WriteOnlyMapped["CardStep"] = relationship(order_by="CardStep.id", cascade="save-update")

    def advance(self, event: CardEvent, *, now: datetime, actor: str, reason: str = "") -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_card(self.state, event)
        if target is None:
            raise CardNotInState(self.state, event)
        self.steps.add(CardStep(event=event, to_state=target, at=now, actor=actor, reason=reason))
        self.state = target

    def is_good_at(self, store_id: int) -> bool:
        """Tell whether it can be used in a store."""
        return self.store_ids is None or store_id in self.store_ids


class CardStep(Base):
    """One event in the life of a card. Never changed."""

    __tablename__ = "guest_card_steps"

    id: Mapped[Id]
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_cards.id"), index=True)
    event: Mapped[CardEvent]
    to_state: Mapped[CardState]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")


class CardItem(Base):
    """One service on a card: how many times were granted, and what became of each (B31)."""

    __tablename__ = "guest_card_items"
    __table_args__ = (
        sa.UniqueConstraint("card_id", "product_id"),
        sa.CheckConstraint("remaining >= 0 AND used >= 0 AND voided >= 0", name="not_negative"),
        sa.CheckConstraint("used + remaining + voided = granted", name="all_told"),
    )

    id: Mapped[Id]
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_cards.id"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    title: Mapped[str]
    granted: Mapped[int]
    remaining: Mapped[int]
    used: Mapped[int] = mapped_column(server_default=sa.text("0"))
    voided: Mapped[int] = mapped_column(server_default=sa.text("0"))


class CardBooking(Base):
    """A time at a store that a friend booked with a card."""

    __tablename__ = "guest_card_bookings"
    __table_args__ = (
        sa.CheckConstraint("from_at < until_at", name="slot"),
        sa.CheckConstraint("(state = 'booked') = (ended_at IS NULL)", name="ended"),
        sa.Index(
            "uq_guest_card_bookings_live",
            "card_id",
            unique=True,
            postgresql_where=sa.text("state = 'booked'"),
        ),
        sa.Index("ix_guest_card_bookings_card", "card_id", "id"),
        sa.Index("ix_guest_card_bookings_store", "store_id", "from_at"),
        sa.Index("ix_guest_card_bookings_member", "member_id", "id"),
        sa.Index("ix_guest_card_bookings_due", "until_at", postgresql_where="state = 'booked'"),
    )

    id: Mapped[Id]
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_cards.id"))
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_card_templates.id"), index=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    state: Mapped[BookingState]
    booked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]

    card: Mapped[GuestCard] = relationship(lazy="raise_on_sql")


class CardSlot(Base):
    """How many have booked a time at a store with cards of a template."""

    __tablename__ = "guest_card_slots"
    __table_args__ = (sa.CheckConstraint("taken >= 0 AND taken <= 99", name="taken"),)

    template_id: Mapped[int] = mapped_column(
        sa.ForeignKey("guest_card_templates.id"), primary_key=True, autoincrement=False
    )
    store_id: Mapped[int] = mapped_column(
        sa.ForeignKey("stores.id"), primary_key=True, autoincrement=False, index=True
    )
    from_at: Mapped[datetime] = mapped_column(primary_key=True)
    taken: Mapped[int]


class CardUse(Base):
    """One time a service of a card was used at a store. Never changed.

    What the staff were allowed is copied as it was then (B33): `store_ids` is null for staff of all
    stores, `staff_member_id` is who they are as a customer. `payer_store_id` owes `settle_fen` to
    the store where it was used.
    """

    __tablename__ = "guest_card_uses"
    __table_args__ = (
        sa.UniqueConstraint("item_id", "number"),
        sa.CheckConstraint("number >= 1", name="number"),
        sa.CheckConstraint("store_ids IS NULL OR store_id = ANY (store_ids)", name="assigned"),
        sa.CheckConstraint("staff_member_id <> member_id", name="not_own"),
        sa.CheckConstraint(
            "settle_fen >= 0 AND (payer_store_id IS NOT NULL OR settle_fen = 0)"
            " AND payer_store_id <> store_id",
            name="settlement",
        ),
        sa.Index("ix_guest_card_uses_card", "card_id", "id"),
        sa.Index("ix_guest_card_uses_store", "store_id", "at"),
        sa.Index("ix_guest_card_uses_member", "member_id", "at"),
        sa.Index("ix_guest_card_uses_staff", "staff_id", "at"),
        sa.Index("ix_guest_card_uses_word", "at", postgresql_where=sa.text("NOT is_by_code")),
        sa.Index(
            "ix_guest_card_uses_payer",
            "payer_store_id",
            "at",
            postgresql_where="payer_store_id IS NOT NULL",
        ),
    )

    id: Mapped[Id]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_card_items.id"))
    number: Mapped[int]
    """The how manieth use of the item."""
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("guest_cards.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    staff_member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("members.id"))
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    is_by_code: Mapped[bool]
    """Whether the customer's one-time code proved it; else the word of the staff alone."""
    cost_fen: Mapped[int]
    payer_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    settle_fen: Mapped[int]
    at: Mapped[datetime]


class CardConversion(Base):
    """The first paid order that followed a card's first use within the time set for it."""

    __tablename__ = "guest_card_conversions"
    __table_args__ = (
        sa.CheckConstraint("paid_fen > 0", name="paid"),
        sa.CheckConstraint("refunded_fen BETWEEN 0 AND paid_fen", name="refunded"),
    )

    card_id: Mapped[int] = mapped_column(
        sa.ForeignKey("guest_cards.id"), primary_key=True, autoincrement=False
    )
    order_id: Mapped[int] = mapped_column(unique=True)
    """The order's row; what notes it lives above orders."""
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    paid_fen: Mapped[int]
    refunded_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    paid_at: Mapped[datetime]
