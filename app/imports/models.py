"""Files that staff bring in, their rows, and the orders of former systems."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.imports.states import ImportKind as ImportKind
from app.imports.states import ImportState as ImportState
from app.imports.states import RowState as RowState
from app.kernel.db import Base, Id


class ImportRun(Base):
    """One file: read, checked without writing anything, and then written row by row if wished.

    `staff_id` is empty where a command did it. `store_ids` are the stores of that person when the
    file came, None for all; what may be written is asked again for every batch.
    """

    __tablename__ = "import_runs"
    __table_args__ = (
        sa.CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="file_sha256"),
        sa.CheckConstraint("rows_count > 0 AND jsonb_array_length(columns) > 0", name="not_empty"),
        sa.CheckConstraint(
            "valid_count >= 0 AND wrong_count >= 0 AND valid_count + wrong_count <= rows_count",
            name="checked_rows",
        ),
        sa.CheckConstraint(
            "done_count >= 0 AND skipped_count >= 0 AND failed_count >= 0"
            " AND done_count + skipped_count + failed_count <= valid_count",
            name="written_rows",
        ),
        sa.CheckConstraint("kind <> 'members' OR consent_declared", name="consent"),
        sa.CheckConstraint("second_staff_id <> staff_id", name="two_people"),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('uploaded', 'checked', 'running'))", name="ended"
        ),
        sa.CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name="failed"),
        sa.CheckConstraint(
            "lease_until_at IS NULL OR state IN ('uploaded', 'running')", name="lease"
        ),
        sa.Index("ix_import_runs_file", "file_sha256"),
        sa.Index(
            "ix_import_runs_working",
            "id",
            postgresql_where=sa.text("state IN ('uploaded', 'running')"),
        ),
    )

    id: Mapped[Id]
    kind: Mapped[ImportKind]
    file_name: Mapped[str] = mapped_column(sa.String(200))
    file_sha256: Mapped[str] = mapped_column(sa.String(64))
    file_bytes: Mapped[int]
    columns: Mapped[list[Any]]
    """The names of our columns in the order of the file."""
    state: Mapped[ImportState]
    consent_declared: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether the person said that the brand holds the consent of the people in the file."""
    needs_second: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether a row does what two people decide; known once it is checked."""
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    second_staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    rows_count: Mapped[int]
    valid_count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    wrong_count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    done_count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    skipped_count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    failed_count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    uploaded_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    lease_until_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """The code of what ended a run that failed."""

    @property
    def actor(self) -> str:
        """Return who brought the file in, as the audit trail names them."""
        return "system" if self.staff_id is None else f"staff:{self.staff_id}"


class ImportRow(Base):
    """One row of a file, sealed as it was read, and what became of it.

    `faults` are `{column, code, text, parameters}`. The values are forgotten some time after the
    run has ended; what the row made stays known.
    """

    __tablename__ = "import_rows"
    __table_args__ = (
        sa.PrimaryKeyConstraint("run_id", "line"),
        sa.CheckConstraint(
            "(jsonb_array_length(faults) > 0) = (state IN ('wrong', 'failed'))", name="faults"
        ),
        sa.CheckConstraint("(subject_id IS NOT NULL) = (state = 'done')", name="made"),
        sa.CheckConstraint(
            "values_sealed IS NOT NULL OR state NOT IN ('read', 'valid')", name="still_needed"
        ),
        sa.Index(
            "ix_import_rows_valid",
            "run_id",
            "line",
            postgresql_where=sa.text("state = 'valid'"),
        ),
        sa.Index(
            "ix_import_rows_troubled",
            "run_id",
            "line",
            postgresql_where=sa.text("state IN ('wrong', 'failed')"),
        ),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("import_runs.id"))
    line: Mapped[int]
    values_sealed: Mapped[str | None]
    state: Mapped[RowState] = mapped_column(server_default="read")
    faults: Mapped[list[Any]] = mapped_column(server_default=sa.text("'[]'::jsonb"))
    subject_id: Mapped[int | None]


class HistoricOrder(Base):
    """An order of a former system, kept to be seen. No money of ours; never changed.

    It belongs to a member, or to an earlier customer who is still expected.
    """

    __tablename__ = "historic_orders"
    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(member_id, expected_member_id) = 1", name="one_customer"),
        sa.CheckConstraint("amount_fen > 0 AND amount_fen <= 100000000", name="amount"),
        sa.Index("ix_historic_orders_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_historic_orders_expected", "expected_member_id", sa.text("id DESC")),
        sa.Index("ix_historic_orders_store", "store_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(64), unique=True)
    member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("members.id"))
    expected_member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("expected_members.id"))
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    title: Mapped[str] = mapped_column(sa.String(200))
    amount_fen: Mapped[int]
    paid_at: Mapped[datetime]
    import_run_id: Mapped[int] = mapped_column(sa.ForeignKey("import_runs.id"), index=True)
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
