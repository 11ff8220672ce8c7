"""What the compliance check has to know of a product: can it be returned, is it medical."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "products",
        sa.Column("is_refundable", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column(
        "products",
        sa.Column("is_medical", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    for name in ("is_medical", "is_refundable"):
        op.drop_column("products", name)
