"""What staff or the clock did to somebody's place, found without reading the whole plan."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_plan_events_directed",
        "plan_events",
        ["plan_id", "member_id"],
        postgresql_where=sa.text("kind = 'directed'"),
    )


def downgrade() -> None:
    op.drop_index("ix_plan_events_directed", table_name="plan_events")
