"""The ledger's tables. Rows of entries, transfers and seals are written once and never changed."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.ledger.transfers import Name, Unit


class LedgerAccount(Base):
    """One account. Accounts of members carry their balance, which equals the sum of transfers.

    `balance` is NULL for the brand's own accounts, so that no row is written by every order.
    """

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        sa.UniqueConstraint("name", "unit", "member_id", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint(
            "balance >= 0 OR name IN ('clawback_debt', 'points_debt')", name="not_overdrawn"
        ),
        sa.CheckConstraint(
            "balance <= 0 OR name NOT IN ('clawback_debt', 'points_debt')", name="debt_not_positive"
        ),
        sa.CheckConstraint("(balance IS NULL) = (member_id IS NULL)", name="who_keeps_balance"),
        sa.Index("ix_ledger_accounts_member", "member_id"),
    )

    id: Mapped[Id]
    name: Mapped[Name]
    unit: Mapped[Unit]
    member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("members.id"))
    balance: Mapped[int | None]


class LedgerEntry(Base):
    """One business fact. `key` names the fact, so that it can be recorded only once."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        sa.Index("ix_ledger_entries_transaction", "transaction_id"),
        sa.Index("ix_ledger_entries_occurred", "occurred_at", "id"),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    occurred_at: Mapped[datetime]
    transaction_id: Mapped[int] = mapped_column(
        server_default=sa.text("(pg_current_xact_id()::text::bigint)")
    )
    """PostgreSQL's number of the writing transaction; tells the seal what can no longer change."""

    transfers: Mapped[list["LedgerTransfer"]] = relationship(
        order_by="LedgerTransfer.id", lazy="raise_on_sql"
    )


class LedgerTransfer(Base):
    """One movement of an entry."""

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        sa.CheckConstraint("amount > 0 AND amount <= 1000000000", name="amount"),
        sa.CheckConstraint("source_id <> target_id", name="two_accounts"),
        sa.Index("ix_ledger_transfers_source", "source_id", "id"),
        sa.Index("ix_ledger_transfers_target", "target_id", "id"),
    )

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_entries.id"), index=True)
    source_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"))
    target_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"))
    amount: Mapped[int]


class LedgerSeal(Base):
    """A hash over a set of entries and over the seal before: proof that none was edited since."""

    __tablename__ = "ledger_seals"

    id: Mapped[Id]
    sealed_at: Mapped[datetime]
    below_transaction_id: Mapped[int] = mapped_column(unique=True)
    """Every entry of a transaction below this, and not below the seal before, is in this seal."""
    entry_count: Mapped[int]
    previous_hash: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str]
