"""A month pays somebody once for each person whom they brought, and not once for all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "uq_awards_month_once",
        "awards",
        ["closed_month_id", "kind", "beneficiary_id", sa.text("(explanation -> 'promoted_id')")],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("closed_month_id IS NOT NULL"),
    )
    op.drop_constraint(
        op.f("uq_awards_closed_month_id_kind_beneficiary_id"), "awards", type_="unique"
    )


def downgrade() -> None:
    op.create_unique_constraint(
        op.f("uq_awards_closed_month_id_kind_beneficiary_id"),
        "awards",
        ["closed_month_id", "kind", "beneficiary_id"],
    )
    op.drop_index("uq_awards_month_once", table_name="awards")
