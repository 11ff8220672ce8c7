"""What the start page counts: orders by the day they were paid, members by the day they came."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_paid", "orders", ["paid_at"])
    op.create_index("ix_members_registered", "members", ["registered_at"])


def downgrade() -> None:
    op.drop_index("ix_members_registered", table_name="members")
    op.drop_index("ix_orders_paid", table_name="orders")
