"""Payouts, the bills they are sent in, and the awards they pay."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.payouts.errors import PayoutNotInState
from app.payouts.states import (
    BillEvent,
    BillState,
    PayoutEvent,
    PayoutState,
    after_bill,
    after_payout,
)


class Payout(Base):
    """One withdrawal by one distributor. Its amount is reserved in the ledger until it ends.

    The payee is the openid of the member at the moment of the request. Whether two people have to
    approve is decided then too, so that a later change of the limit lets nothing slip through.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint("first_approver_id <> second_approver_id", name="two_people"),
        sa.CheckConstraint(
            "approved_at IS NULL OR (first_approver_id IS NOT NULL"
            " AND (second_approver_id IS NOT NULL OR NOT needs_second_approval))",
            name="approved_by_enough",
        ),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (state IN"
            " ('requested', 'approved_once', 'rejected', 'cancelled'))",
            name="approved",
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('requested', 'approved_once', 'approved'))",
            name="ended",
        ),
        sa.Index("ix_payouts_member", "member_id", sa.text("id DESC")),
        sa.Index(
            "ix_payouts_state",
            "state",
            sa.text("id DESC"),
            postgresql_where=sa.text("state <> 'succeeded'"),
        ),
        sa.Index("ix_payouts_ended", "ended_at"),
        sa.Index(
            "ix_payouts_to_approve",
            "requested_at",
            postgresql_where=sa.text("state IN ('requested', 'approved_once')"),
        ),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"))
    amount_fen: Mapped[int]
    payee_openid: Mapped[str]
    state: Mapped[PayoutState]
    needs_second_approval: Mapped[bool]
    first_approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    second_approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    requested_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    bills: Mapped[list["PayoutBill"]] = relationship(
        order_by="PayoutBill.id", back_populates="payout", lazy="raise_on_sql"
    )
    steps: WriteOnlyMapped["PayoutStep"] = relationship(
        order_by="PayoutStep.id", cascade="save-update"
    )

    def advance(self, event: PayoutEvent, *, now: datetime, actor: str, note: str = "") -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_payout(self.state, event)
        if target is None:
            raise PayoutNotInState(self.state, event)
        self.steps.add(PayoutStep(event=event, to_state=target, at=now, actor=actor, note=note))
        self.state = target


class PayoutStep(Base):
    """One event in the life of a payout, and the state it led to. Never changed."""

    __tablename__ = "payout_steps"

    id: Mapped[Id]
    payout_id: Mapped[int] = mapped_column(sa.ForeignKey("payouts.id"), index=True)
    event: Mapped[PayoutEvent]
    to_state: Mapped[PayoutState]
    at: Mapped[datetime]
    actor: Mapped[str]
    note: Mapped[str]


class PayoutBill(Base):
    """One transfer at WeChat. `number` is its out_bill_no: ours, fixed before the first try.

    `due_at` is when it is to be sent or asked about next; NULL before the approval and after the
    end. `sent_at` is the last send that may have had an effect; NULL again once WeChat has made
    clear that it had none. `lease` counts the tries: an outcome is written only by the try that
    still holds the lease, so a worker that was asleep cannot overrule what others have learnt.
    """

    __tablename__ = "payout_bills"
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint("number ~ '^[0-9A-Za-z]{6,32}$'", name="number"),
        sa.CheckConstraint(
            "state = 'created'"
            " OR (due_at IS NULL) = (state IN ('succeeded', 'failed', 'cancelled'))",
            name="due",
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state NOT IN ('succeeded', 'failed', 'cancelled'))",
            name="ended",
        ),
        sa.Index("ix_payout_bills_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
        sa.Index("ix_payout_bills_member_day", "payee_openid", "sent_at"),
        sa.Index("ix_payout_bills_sent", "sent_at"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    payout_id: Mapped[int] = mapped_column(sa.ForeignKey("payouts.id"), index=True)
    amount_fen: Mapped[int]
    payee_openid: Mapped[str]
    state: Mapped[BillState]
    request: Mapped[dict[str, Any] | None]
    """What was sent, kept so that a repeat is equal to the letter."""
    package_info: Mapped[str | None]
    """What the mini-program needs to show WeChat's confirmation page; only the POST returns it."""
    wechat_bill_number: Mapped[str | None] = mapped_column(unique=True)
    fail_reason: Mapped[str | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    lease: Mapped[int] = mapped_column(server_default=sa.text("0"))
    attempts: Mapped[int] = mapped_column(server_default=sa.text("0"))

    payout: Mapped[Payout] = relationship(back_populates="bills", lazy="raise_on_sql")
    steps: WriteOnlyMapped["BillStep"] = relationship(order_by="BillStep.id", cascade="save-update")

    def advance(self, event: BillEvent, *, now: datetime, note: str = "") -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_bill(self.state, event)
        if target is None:
            raise PayoutNotInState(self.state, event)
        self.steps.add(BillStep(event=event, to_state=target, at=now, note=note))
        self.state = target


class BillStep(Base):
    """One event in the life of a bill, and the state it led to. Never changed."""

    __tablename__ = "bill_steps"

    id: Mapped[Id]
    bill_id: Mapped[int] = mapped_column(sa.ForeignKey("payout_bills.id"), index=True)
    event: Mapped[BillEvent]
    to_state: Mapped[BillState]
    at: Mapped[datetime]
    note: Mapped[str]


class PayoutAllocation(Base):
    """Which award a payout pays, and how much of it. Released when the payout does not happen."""

    __tablename__ = "payout_allocations"
    __table_args__ = (
        sa.UniqueConstraint("payout_id", "award_id"),
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint("released_fen >= 0 AND released_fen <= amount_fen", name="released"),
    )

    id: Mapped[Id]
    payout_id: Mapped[int] = mapped_column(sa.ForeignKey("payouts.id"))
    award_id: Mapped[int] = mapped_column(sa.ForeignKey("awards.id"), index=True)
    amount_fen: Mapped[int]
    released_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))


class PayoutHold(Base):
    """Why payouts of a distributor wait: nothing of theirs is approved or sent while it stands.

    `cause` names what it was placed for, such as a suspicion of `risk`; payouts know no more.
    Lifted, it stays as history.
    """

    __tablename__ = "payout_holds"
    __table_args__ = (
        sa.Index(
            "ix_payout_holds_standing",
            "member_id",
            postgresql_where=sa.text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"))
    cause: Mapped[str] = mapped_column(unique=True)
    placed_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
