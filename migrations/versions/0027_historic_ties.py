"""A store knows whoever bought there before, too: by the orders of former systems."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TIED = """
    SELECT origin_store_id AS store_id, id AS member_id FROM members
    WHERE origin_store_id IS NOT NULL AND id = whom
    UNION SELECT store_id, member_id FROM orders WHERE member_id = whom
    UNION SELECT coalesce(b.owner_store_id, d.store_id), b.customer_id
    FROM bindings b LEFT JOIN distributors d ON d.member_id = b.owner_id
    WHERE coalesce(b.owner_store_id, d.store_id) IS NOT NULL AND b.customer_id = whom
    UNION SELECT store_id, member_id FROM distributors
    WHERE store_id IS NOT NULL AND member_id = whom
"""
BY_HISTORY = """
    UNION SELECT store_id, whom FROM historic_orders WHERE member_id = whom
    UNION SELECT h.store_id, whom FROM historic_orders h
    JOIN expected_members e ON e.id = h.expected_member_id WHERE e.claimed_by_id = whom
"""
TIE_BY_CLAIM = """
    CREATE FUNCTION tie_by_claim() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tie_again(NEW.claimed_by_id);
        RETURN NULL;
    END $$
"""
TIE_AGAIN = """
    CREATE OR REPLACE FUNCTION tie_again(whom bigint) RETURNS void LANGUAGE sql AS $$
        WITH now_tied AS ({tied}),
        gone AS (DELETE FROM member_stores m WHERE m.member_id = whom
            AND NOT EXISTS (SELECT 1 FROM now_tied n WHERE n.store_id = m.store_id))
        INSERT INTO member_stores (store_id, member_id) SELECT store_id, member_id FROM now_tied
        ON CONFLICT DO NOTHING
    $$
"""


def upgrade() -> None:
    op.execute(TIE_AGAIN.format(tied=f"{TIED} {BY_HISTORY}"))
    op.execute(TIE_BY_CLAIM)
    op.execute(
        "CREATE TRIGGER historic_orders_tie AFTER INSERT ON historic_orders"
        " FOR EACH ROW WHEN (NEW.member_id IS NOT NULL) EXECUTE FUNCTION tie_by_order()"
    )
    op.execute(
        "CREATE TRIGGER expected_members_tie AFTER UPDATE OF claimed_by_id ON expected_members"
        " FOR EACH ROW WHEN (NEW.claimed_by_id IS NOT NULL) EXECUTE FUNCTION tie_by_claim()"
    )
    op.execute(
        "INSERT INTO member_stores (store_id, member_id)"
        " SELECT DISTINCT h.store_id, coalesce(h.member_id, e.claimed_by_id)"
        " FROM historic_orders h LEFT JOIN expected_members e ON e.id = h.expected_member_id"
        " WHERE coalesce(h.member_id, e.claimed_by_id) IS NOT NULL ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER expected_members_tie ON expected_members")
    op.execute("DROP TRIGGER historic_orders_tie ON historic_orders")
    op.execute("DROP FUNCTION tie_by_claim()")
    op.execute(TIE_AGAIN.format(tied=TIED))
