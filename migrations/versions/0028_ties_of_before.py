"""Which stores know the members who were there before 0018.

The triggers of 0018 have been committed by now, so nothing is missed in between; in a transaction
of its own this keeps nobody from writing. What is tied already stays.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        INSERT INTO member_stores (store_id, member_id)
        SELECT origin_store_id, id FROM members WHERE origin_store_id IS NOT NULL
        UNION SELECT store_id, member_id FROM orders
        UNION SELECT coalesce(b.owner_store_id, d.store_id), b.customer_id
        FROM bindings b LEFT JOIN distributors d ON d.member_id = b.owner_id
        WHERE coalesce(b.owner_store_id, d.store_id) IS NOT NULL
        UNION SELECT store_id, member_id FROM distributors WHERE store_id IS NOT NULL
        ON CONFLICT DO NOTHING
    """)


def downgrade() -> None:
    """Leave the ties: 0018 takes their table away."""
