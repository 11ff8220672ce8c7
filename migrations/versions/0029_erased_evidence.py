"""An erasure takes what a dispute held of a person: its words and its pictures."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

REFUSE = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {may} AND current_setting('tuoke.erasing', true) = 'yes'
            AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
        THEN
            RETURN {row};
        END IF;
        RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
SAME_BUT = """(TG_OP = 'UPDATE' AND to_jsonb(OLD) - '{{{columns}}}'::text[]
                = to_jsonb(NEW) - '{{{columns}}}'::text[])"""
BEFORE = "device_hash,ip_hash,payee_openid,request"
SINCE = f"{BEFORE},claim"

ERASE = """
    CREATE OR REPLACE FUNCTION erase_frozen(whom bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        tombstone text := 'erased:' || whom;
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM members WHERE id = whom AND deleted_at IS NOT NULL) THEN
            RAISE EXCEPTION 'member % is not deleted', whom
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        PERFORM set_config('tuoke.erasing', 'yes', true);
        UPDATE touches SET device_hash = NULL, ip_hash = NULL WHERE member_id = whom;
        UPDATE payout_bills SET payee_openid = tombstone, request = request
                - 'user_name_sealed' || jsonb_build_object('openid', tombstone)
            WHERE payout_id IN (SELECT id FROM payouts WHERE member_id = whom);
        UPDATE payouts SET payee_openid = tombstone WHERE member_id = whom;
        {disputes}
        PERFORM set_config('tuoke.erasing', '', true);
    END $$
"""
DISPUTES = """DELETE FROM evidence_files WHERE dispute_id IN (
            SELECT id FROM ownership_disputes WHERE whom IN (customer_id, claimant_id));
        UPDATE ownership_disputes SET claim = 'erased with the person'
            WHERE whom IN (customer_id, claimant_id);"""


def upgrade() -> None:
    may = f"({SAME_BUT.format(columns=SINCE)} OR (TG_OP = 'DELETE'"
    op.execute(
        REFUSE.format(may=f"{may} AND TG_TABLE_NAME = 'evidence_files'))", row="coalesce(NEW, OLD)")
    )
    op.execute(ERASE.format(disputes=DISPUTES))


def downgrade() -> None:
    op.execute(ERASE.format(disputes=""))
    op.execute(REFUSE.format(may=SAME_BUT.format(columns=BEFORE), row="NEW"))
