"""The invariants of plans and commission that are one SQL statement, as `invariant_statements`."""

from typing import Final

from app.engines.events import Sold
from app.engines.registry import MODELS

WITH_PLACES: Final = ", ".join(
    f"'{code}'"
    for code, model in MODELS.items()
    if model.place is not None and Sold in model.reacts_to
)
"""The models that are told of orders one after the other, as SQL lists them."""

PLAN_STATEMENTS: Final = (
    (
        "B14",
        "All commission on the part of an order under one plan is what was decided, and capped.",
        """
        WITH awarded AS (
            SELECT order_id, plan_version_id, sum(amount_fen) AS fen FROM awards
            WHERE order_id IS NOT NULL GROUP BY 1, 2)
        SELECT coalesce(d.order_id, a.order_id) FROM order_decisions d
        FULL JOIN awarded a
            ON a.order_id = d.order_id AND a.plan_version_id = d.plan_version_id
        LEFT JOIN plan_versions v ON v.id = d.plan_version_id
        WHERE d.order_id IS NULL OR coalesce(a.fen, 0) <> d.awarded_fen
            OR a.fen > d.base_fen * (v.rules->>'payout_cap_bp')::bigint / 10000
        """,
    ),
    (
        "B15",
        "Nobody further than two above a buyer is paid.",
        "SELECT id FROM awards WHERE seat > 2",
    ),
    (
        "B16",
        "Nobody earns on themselves or their household, but where the plan says so.",
        """
        SELECT a.id FROM awards a JOIN orders o ON o.id = a.order_id
        JOIN plan_versions v ON v.id = a.plan_version_id
        WHERE (a.beneficiary_id = o.member_id AND a.seat <> 0
                AND NOT coalesce((v.rules->>'self_purchase')::boolean, false))
            OR (a.seat = 0 AND a.beneficiary_id <> o.member_id)
            OR EXISTS (SELECT 1 FROM jsonb_array_elements(o.upline) AS stood
                WHERE (stood->>'member_id')::bigint = a.beneficiary_id
                AND a.beneficiary_id <> o.member_id AND (stood->>'is_household')::boolean)
        """,
    ),
    (
        "B17",
        "A paid order keeps who stood around it; each beneficiary is one of them or has a place.",
        """
        SELECT id FROM orders WHERE paid_at IS NOT NULL AND state <> 'paid_late'
            AND closed_at IS NULL AND upline IS NULL
        UNION ALL
        SELECT a.order_id FROM awards a JOIN orders o ON o.id = a.order_id
        JOIN plan_versions v ON v.id = a.plan_version_id
        WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements(o.upline) AS stood
                WHERE (stood->>'member_id')::bigint = a.beneficiary_id)
            AND NOT EXISTS (SELECT 1 FROM plan_places p
                WHERE p.plan_id = v.plan_id AND p.member_id = a.beneficiary_id)
        """,
    ),
    (
        "B18",
        "What has matured had waited as long as it must, and its after-sale window had closed.",
        """
        SELECT a.id FROM awards a LEFT JOIN orders o ON o.id = a.order_id
        WHERE a.matured_at IS NOT NULL AND (a.matured_at < a.matures_at
            OR (a.order_id IS NOT NULL
                AND (o.completed_at IS NULL OR a.matured_at < o.after_sale_until_at)))
        """,
    ),
    (
        "B19",
        "Commission is a function of what was paid less everything refunded.",
        """
        SELECT a.id FROM awards a JOIN order_lines l ON l.id = a.order_line_id
        WHERE a.amount_fen - a.reversed_fen <> CASE WHEN a.rate_bp IS NULL
                THEN a.amount_fen * least(a.base_fen, l.net_fen - l.refunded_fen) / a.base_fen
                ELSE least(a.base_fen, l.net_fen - l.refunded_fen) * a.rate_bp / 10000 END
            AND NOT EXISTS (SELECT 1 FROM refunds r
                LEFT JOIN refund_decisions d ON d.refund_id = r.id
                WHERE r.order_id = a.order_id AND r.state = 'succeeded' AND d.refund_id IS NULL)
        UNION ALL
        SELECT a.id FROM awards a LEFT JOIN award_reversals v ON v.award_id = a.id
        GROUP BY a.id, a.reversed_fen, a.order_id
        HAVING a.reversed_fen <> coalesce(sum(v.amount_fen), 0)
            OR (a.order_id IS NULL AND a.reversed_fen <> 0)
        """,
    ),
    (
        "B20",
        "What someone has matured is what they hold, are being paid and were paid.",
        """
        WITH matured AS (
            SELECT beneficiary_id AS member_id, sum(amount_fen - reversed_fen) AS fen FROM awards
            WHERE matured_at IS NOT NULL GROUP BY 1),
        held AS (
            SELECT member_id, sum(balance) AS fen FROM ledger_accounts
            WHERE name IN ('commission_available', 'clawback_debt', 'payout_in_transit')
            GROUP BY 1),
        paid AS (
            SELECT p.member_id, sum(b.amount_fen) AS fen FROM payout_bills b
            JOIN payouts p ON p.id = b.payout_id WHERE b.state = 'succeeded' GROUP BY 1)
        SELECT member_id FROM matured FULL JOIN held USING (member_id)
        FULL JOIN paid USING (member_id)
        WHERE coalesce(matured.fen, 0) <> coalesce(held.fen, 0) + coalesce(paid.fen, 0)
        """,
    ),
    (
        "B20p",
        "What is pending is the awards that have not matured.",
        """
        WITH awarded AS (
            SELECT beneficiary_id AS member_id, sum(amount_fen - reversed_fen) AS fen FROM awards
            WHERE matured_at IS NULL GROUP BY 1),
        held AS (
            SELECT member_id, balance AS fen FROM ledger_accounts WHERE name = 'commission_pending')
        SELECT member_id FROM awarded FULL JOIN held USING (member_id)
        WHERE coalesce(awarded.fen, 0) <> coalesce(held.fen, 0)
        """,
    ),
    (
        "P1",
        "Every place of a plan stands below another that is there, or at the top; in no circle.",
        """
        WITH RECURSIVE reached AS (
            SELECT plan_id, member_id, number FROM plan_places WHERE parent_id IS NULL
            UNION ALL
            SELECT p.plan_id, p.member_id, p.number FROM plan_places p
            JOIN reached r ON r.plan_id = p.plan_id AND r.member_id = p.parent_id
                AND r.number = p.parent_number)
        SELECT p.plan_id || '/' || p.member_id || '/' || p.number FROM plan_places p
        LEFT JOIN reached r USING (plan_id, member_id, number) WHERE r.member_id IS NULL
        """,
    ),
    (
        "P2",
        "A plan hears of nothing before it happens, nor of what came of an order before the order.",
        """
        SELECT id FROM plan_events WHERE at > decided_at
        UNION ALL
        SELECT later.id FROM plan_events later JOIN plan_events sold
            ON sold.plan_id = later.plan_id AND sold.order_id = later.order_id
            AND sold.kind = 'sold'
        WHERE later.kind IN ('settled', 'refunded') AND later.id < sold.id
        """,
    ),
    (
        "P3",
        "A plan with places was told of every order that it decided on, and decided on all told.",
        f"""
        WITH told AS (SELECT order_id, plan_version_id FROM plan_events WHERE kind = 'sold'),
        decided AS (
            SELECT d.order_id, d.plan_version_id FROM order_decisions d
            JOIN plan_versions v ON v.id = d.plan_version_id
            JOIN plans p ON p.id = v.plan_id AND p.model IN ({WITH_PLACES}))
        SELECT order_id FROM told FULL JOIN decided USING (order_id, plan_version_id)
        WHERE told.order_id IS NULL OR decided.order_id IS NULL
        """,  # noqa: S608 - a list of our own codes
    ),
    (
        "P4",
        "The awards of a closed month add up to what it says.",
        """
        SELECT m.id FROM closed_months m LEFT JOIN awards a ON a.closed_month_id = m.id
        GROUP BY m.id, m.awarded_fen HAVING m.awarded_fen <> coalesce(sum(a.amount_fen), 0)
        """,
    ),
    (
        "P5",
        "A gift belongs to the order of its event.",
        """
        SELECT g.id FROM gifts g JOIN plan_events e ON e.id = g.event_id
        WHERE e.kind <> 'sold' OR e.order_id IS DISTINCT FROM g.order_id
            OR e.plan_version_id <> g.plan_version_id
        """,
    ),
    (
        "P6",
        "No two plans cover the same; a line falls under a version that covered it when ordered.",
        """
        SELECT 'scope ' || a.id FROM plan_scopes a JOIN plan_scopes b ON a.id < b.id
            AND a.store_ids && b.store_ids AND a.product_ids && b.product_ids
            AND a.during && b.during
        UNION ALL
        SELECT 'line ' || l.id FROM order_lines l JOIN orders o ON o.id = l.order_id
        WHERE l.plan_version_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM plan_scopes s WHERE s.version_id = l.plan_version_id
                AND s.store_ids @> o.store_id AND s.product_ids @> l.product_id
                AND lower(s.during) <= o.created_at AND (upper_inf(s.during)
                    OR o.created_at < upper(s.during) + interval '1 minute'))
        """,
    ),
    (
        "P7",
        "Whatever counts for a plan has been decided on, or is about to be.",
        """
        SELECT DISTINCT l.order_id FROM order_lines l JOIN orders o ON o.id = l.order_id
        LEFT JOIN plan_versions v ON v.id = l.plan_version_id
        WHERE o.upline IS NOT NULL
            AND CASE v.rules->>'effective_at' WHEN 'RECEIVED' THEN o.completed_at
                WHEN 'AFTER_SALE_CLOSED' THEN o.settled_at ELSE o.paid_at END IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM order_decisions d WHERE d.order_id = l.order_id
                AND d.plan_version_id IS NOT DISTINCT FROM l.plan_version_id)
            AND NOT EXISTS (SELECT 1 FROM tasks t
                WHERE t.job = 'award_orders' AND t.subject_id = l.order_id)
            AND NOT EXISTS (SELECT 1 FROM outbox_events e WHERE e.subject_id = l.order_id
                AND e.name IN ('order_paid', 'order_completed', 'order_settled'))
        """,
    ),
    (
        "P8",
        "Every refund that succeeded has taken back what it takes back, or is about to.",
        """
        SELECT r.id FROM refunds r JOIN orders o ON o.id = r.order_id
        WHERE r.state = 'succeeded' AND o.upline IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM refund_decisions d WHERE d.refund_id = r.id)
            AND NOT EXISTS (SELECT 1 FROM tasks t
                WHERE t.job = 'claw_back_refunds' AND t.subject_id = r.id)
            AND NOT EXISTS (SELECT 1 FROM outbox_events e
                WHERE e.subject_id = r.id AND e.name = 'refund_succeeded')
        """,
    ),
)
