"""What everybody's awards come to, against what the ledger holds for them."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.replay.report import Report

_AWARDED: Final = """
    SELECT beneficiary_id AS member_id,
        coalesce(sum(amount_fen - reversed_fen) FILTER (WHERE matured_at IS NULL), 0) AS pending,
        coalesce(sum(amount_fen - reversed_fen) FILTER (WHERE matured_at IS NOT NULL), 0) AS matured
    FROM awards GROUP BY 1
"""
_HELD: Final = """
    SELECT member_id,
        coalesce(sum(balance) FILTER (WHERE name = 'commission_pending'), 0) AS pending,
        coalesce(sum(balance) FILTER (WHERE name IN
            ('commission_available', 'clawback_debt', 'payout_in_transit')), 0) AS matured
    FROM ledger_accounts WHERE member_id IS NOT NULL AND unit = 'fen' GROUP BY 1
"""
_PAID_OUT: Final = """
    SELECT member_id, sum(amount) AS fen FROM (
        SELECT a.member_id, t.amount FROM ledger_accounts w
        JOIN ledger_transfers t ON t.target_id = w.id
        JOIN ledger_accounts a ON a.id = t.source_id WHERE w.name = 'wechat_paid_out'
        UNION ALL
        SELECT a.member_id, -t.amount FROM ledger_accounts w
        JOIN ledger_transfers t ON t.source_id = w.id
        JOIN ledger_accounts a ON a.id = t.target_id WHERE w.name = 'wechat_paid_out') AS both_ways
    GROUP BY 1
"""
_DIFFERENT: Final = f"""
    WITH awarded AS ({_AWARDED}), held AS ({_HELD}), paid_out AS ({_PAID_OUT})
    SELECT member_id,
        coalesce(awarded.pending, 0) AS pending, coalesce(held.pending, 0) AS pending_held,
        coalesce(awarded.matured, 0) AS matured,
        coalesce(held.matured, 0) + coalesce(paid_out.fen, 0) AS matured_held
    FROM awarded FULL JOIN held USING (member_id) FULL JOIN paid_out USING (member_id)
    WHERE coalesce(awarded.pending, 0) <> coalesce(held.pending, 0)
        OR coalesce(awarded.matured, 0) <> coalesce(held.matured, 0) + coalesce(paid_out.fen, 0)
    ORDER BY member_id
"""  # noqa: S608 - put together from the statements above


def compare_balances(session: Session, report: Report) -> None:
    """Compare by member what is pending and what has matured with the ledger's balances."""
    rows: Any = session.execute(sa.text(_DIFFERENT))
    for row in rows:
        key = row.member_id
        report.compare("ledger_accounts", (key, "pending"), row.pending, row.pending_held)
        report.compare("ledger_accounts", (key, "matured"), row.matured, row.matured_held)
