"""Indexes of what is looked up among many rows.

The chart of stores reads its two columns from an index: a thousand stores make rows enough. What was
handed over on the word of the staff is a small part of all that was.
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_day_figures_newcomers")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_day_figures_newcomers ON day_figures (day)"
            " INCLUDE (store_id, first_orders)"
            " WHERE first_orders > 0 AND store_id IS NOT NULL"
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_handovers_word")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_handovers_word ON handovers (at)"
            " WHERE proof = 'staff_word'"
        )
        op.execute("SET lock_timeout = '200ms'")


def downgrade() -> None:
    op.drop_index("ix_handovers_word", table_name="handovers")
    op.drop_index("ix_day_figures_newcomers", table_name="day_figures")
