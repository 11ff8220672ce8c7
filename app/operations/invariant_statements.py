"""The invariants that are one SQL statement: code, what it says, and what returns violations."""

from typing import Final

STATEMENTS: Final = (
    (
        "B1",
        "Every entry moves something, and never across units.",
        """
        SELECT e.id FROM ledger_entries e
        WHERE NOT EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.entry_id = e.id)
        UNION ALL
        SELECT t.entry_id FROM ledger_transfers t
        JOIN ledger_accounts s ON s.id = t.source_id JOIN ledger_accounts g ON g.id = t.target_id
        WHERE s.unit <> g.unit
        """,
    ),
    (
        "B2",
        "All accounts of a unit together hold nothing.",
        """
        WITH brand AS (
            SELECT a.unit,
                sum(CASE WHEN t.target_id = a.id THEN t.amount ELSE -t.amount END) AS held
            FROM ledger_accounts a
            JOIN ledger_transfers t ON a.id IN (t.source_id, t.target_id)
            WHERE a.member_id IS NULL GROUP BY 1),
        members AS (
            SELECT unit, sum(balance) AS held FROM ledger_accounts
            WHERE member_id IS NOT NULL GROUP BY 1)
        SELECT unit FROM members FULL JOIN brand USING (unit)
        WHERE coalesce(members.held, 0) + coalesce(brand.held, 0) <> 0
        """,
    ),
    (
        "B3",
        "An amount is a whole number above zero and within reason.",
        "SELECT id FROM ledger_transfers WHERE amount <= 0 OR amount > 1000000000",
    ),
    (
        "B4",
        "A stored balance is the sum of its transfers.",
        """
        WITH moved AS (
            SELECT account_id, sum(change) AS held FROM (
                SELECT target_id AS account_id, amount AS change FROM ledger_transfers
                UNION ALL SELECT source_id, -amount FROM ledger_transfers) AS both_sides
            GROUP BY 1)
        SELECT a.id FROM ledger_accounts a LEFT JOIN moved m ON m.account_id = a.id
        WHERE a.balance IS NOT NULL AND a.balance <> coalesce(m.held, 0)
        """,
    ),
    (
        "B5",
        "A fact stands in the ledger at most once.",
        "SELECT key FROM ledger_entries GROUP BY key HAVING count(*) > 1",
    ),
    (
        "B7",
        "A WeChat transaction pays at most one order.",
        """
        SELECT wechat_transaction_id FROM payments WHERE wechat_transaction_id IS NOT NULL
        GROUP BY 1 HAVING count(*) > 1
        """,
    ),
    (
        "B8",
        "A paid order was paid whole, by its own buyer, in one known payment.",
        """
        SELECT o.id FROM orders o
        LEFT JOIN payments p ON p.order_id = o.id
        JOIN members m ON m.id = o.member_id
        WHERE o.paid_at IS NOT NULL AND (o.paid_fen <> o.payable_fen
            OR p.wechat_transaction_id IS NULL OR p.payer_openid <> m.wechat_openid)
        UNION ALL
        SELECT o.id FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE o.paid_at IS NULL AND p.succeeded_at IS NOT NULL
        """,
    ),
    (
        "B11",
        "Refunds add up, never above what was paid, at most 50, within a year.",
        """
        SELECT o.id FROM orders o
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount_fen) FILTER (WHERE state = 'succeeded'), 0) AS gone,
                coalesce(sum(amount_fen) FILTER
                    (WHERE state IN ('requested', 'approved', 'sent', 'abnormal')), 0) AS under_way,
                count(*) FILTER (WHERE state NOT IN ('rejected', 'failed')) AS refunds,
                max(requested_at) AS last_at
            FROM refunds r WHERE r.order_id = o.id) r ON true
        WHERE o.refunded_fen <> r.gone OR o.refunding_fen <> r.under_way
            OR r.gone + r.under_way > o.paid_fen OR r.refunds > 50
            OR r.last_at > o.paid_at + interval '366 days'
        """,
    ),
    (
        "B12",
        "What is payable is the sum of its lines and shipping, and above zero.",
        """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id
        GROUP BY o.id
        HAVING o.payable_fen <> sum(l.net_fen) + o.shipping_fen OR o.payable_fen <= 0
        """,
    ),
    (
        "B13",
        "Money that came too late is on its way back.",
        """
        SELECT o.id FROM orders o WHERE o.state = 'paid_late' AND NOT EXISTS (
            SELECT 1 FROM refunds r
            WHERE r.order_id = o.id AND r.state NOT IN ('rejected', 'failed'))
        """,
    ),
    (
        "B21",
        "Only a debt is below zero, and nobody owes while they could pay.",
        """
        SELECT id FROM ledger_accounts
        WHERE balance < 0 AND name NOT IN ('clawback_debt', 'points_debt')
        UNION ALL
        SELECT d.id FROM ledger_accounts d JOIN ledger_accounts a ON a.member_id = d.member_id
            AND a.unit = d.unit AND a.name = 'commission_available'
        WHERE d.name = 'clawback_debt' AND d.balance < 0 AND a.balance > 0
        """,
    ),
    (
        "B22",
        "What is in transit is the bills that have not ended.",
        """
        WITH open_bills AS (
            SELECT p.member_id, sum(b.amount_fen) AS fen FROM payout_bills b
            JOIN payouts p ON p.id = b.payout_id
            WHERE b.state NOT IN ('succeeded', 'failed', 'cancelled') GROUP BY 1),
        held AS (
            SELECT member_id, balance AS fen FROM ledger_accounts WHERE name = 'payout_in_transit')
        SELECT member_id FROM open_bills FULL JOIN held USING (member_id)
        WHERE coalesce(open_bills.fen, 0) <> coalesce(held.fen, 0)
        """,
    ),
    (
        "B23",
        "The bills of a payout add up to it, and its awards to what was not released.",
        """
        SELECT p.id FROM payouts p
        LEFT JOIN LATERAL (SELECT sum(amount_fen) AS all_fen,
            sum(amount_fen) FILTER (WHERE state NOT IN ('failed', 'cancelled')) AS live_fen
            FROM payout_bills b WHERE b.payout_id = p.id) b ON true
        LEFT JOIN LATERAL (SELECT sum(amount_fen - released_fen) AS fen
            FROM payout_allocations a WHERE a.payout_id = p.id) a ON true
        WHERE b.all_fen IS DISTINCT FROM p.amount_fen
            OR coalesce(b.live_fen, 0) <> coalesce(a.fen, 0)
        """,
    ),
    (
        "B23a",
        "What payouts have taken up of an award is what it says.",
        """
        SELECT a.id FROM awards a
        LEFT JOIN payout_allocations p ON p.award_id = a.id
        GROUP BY a.id, a.allocated_fen
        HAVING a.allocated_fen <> coalesce(sum(p.amount_fen - p.released_fen), 0)
        """,
    ),
    (
        "B24",
        "A bill goes to the payee of its payout, and above the least amount.",
        """
        SELECT b.id FROM payout_bills b JOIN payouts p ON p.id = b.payout_id
        WHERE b.payee_openid <> p.payee_openid OR b.amount_fen < 10
        """,
    ),
    (
        "B26",
        "The team is a forest, and its counters are right.",
        """
        SELECT member_id FROM distributors WHERE recommender_team_order >= team_order
            OR recommender_id = member_id
        UNION ALL
        SELECT d.member_id FROM distributors d
        LEFT JOIN LATERAL (SELECT count(*) AS direct, coalesce(sum(c.direct_count), 0) AS second
            FROM distributors c WHERE c.recommender_id = d.member_id) c ON true
        WHERE d.direct_count <> c.direct OR d.second_count <> c.second
        UNION ALL
        SELECT d.member_id FROM distributors d
        LEFT JOIN distributors above ON above.member_id = d.recommender_id
        WHERE d.second_recommender_id IS DISTINCT FROM above.recommender_id
        """,
    ),
    (
        "B27",
        "A recommender is that of the log, and changes only where two people decided it.",
        """
        WITH walked AS (SELECT member_id, recommender_id,
                lag(recommender_id, 1, recommender_id) OVER log AS before_id,
                lead(id) OVER log IS NULL AS is_last
            FROM distributor_steps WINDOW log AS (PARTITION BY member_id ORDER BY id))
        SELECT w.member_id FROM walked w
        WHERE w.before_id IS DISTINCT FROM w.recommender_id AND NOT EXISTS (
            SELECT 1 FROM audit_log a
            WHERE a.subject_type = 'distributor' AND a.subject_id = w.member_id
            AND a.action = 'recommender_moved' AND a.reason <> ''
            AND a.after->>'second_actor' <> a.actor_kind || ':' || a.actor_id
            AND (a.after->>'recommender_id')::bigint IS NOT DISTINCT FROM w.recommender_id)
        UNION ALL
        SELECT d.member_id FROM distributors d
        LEFT JOIN walked w ON w.member_id = d.member_id AND w.is_last
        WHERE w.member_id IS NULL OR w.recommender_id IS DISTINCT FROM d.recommender_id
        """,
    ),
    (
        "B28",
        "A level is that of the last period; periods leave no gap.",
        """
        SELECT d.member_id FROM distributors d JOIN level_periods p
            ON p.member_id = d.member_id AND p.until_at IS NULL WHERE p.level <> d.level
        UNION ALL
        SELECT member_id FROM (SELECT member_id, until_at,
                lead(from_at) OVER (PARTITION BY member_id ORDER BY from_at) AS next_at
            FROM level_periods) AS walked
        WHERE until_at IS DISTINCT FROM next_at
        """,
    ),
    (
        "B28w",
        "A warning is about the level its holder has, ends in time, and only a lost one lowers.",
        """
        SELECT w.id FROM level_warnings w JOIN distributors d USING (member_id)
        WHERE w.ended_at IS NULL
            AND (w.level <> d.level OR w.until_at < now() - interval '3 days')
        UNION ALL
        SELECT w.id FROM level_warnings w LEFT JOIN level_periods p
            ON p.member_id = w.member_id AND p.cause = 'downgrade'
            AND (p.facts->>'warning_id')::bigint = w.id
        WHERE (w.outcome IS NOT DISTINCT FROM 'lost') <> (p.id IS NOT NULL)
        """,
    ),
    (
        "B33",
        "Whoever handed an order over was assigned to its store and had no part in it.",
        """
        SELECT h.order_id FROM handovers h JOIN orders o ON o.id = h.order_id
        WHERE h.store_id <> o.store_id OR NOT o.store_id = ANY (h.store_ids)
            OR h.staff_member_id IN (o.member_id, o.owner_id)
        """,
    ),
    (
        "B33s",
        "A hand-over stands in its order's log, by the same staff.",
        """
        SELECT h.order_id FROM handovers h WHERE NOT EXISTS (
            SELECT 1 FROM order_steps s WHERE s.order_id = h.order_id
                AND s.event = 'complete' AND s.actor = 'staff:' || h.staff_id)
        """,
    ),
    (
        "B34",
        "Above the limit two different people approved, and nobody approved their own plan.",
        """
        SELECT id FROM payouts WHERE first_approver_id = second_approver_id
        UNION ALL SELECT id FROM plan_versions WHERE author_id = approver_id
        """,
    ),
    (
        "B36",
        "Whatever waits for WeChat has an hour, and it is not overdue by two minutes.",
        """
        SELECT 'payment ' || order_id FROM payments WHERE due_at < now() - interval '120 seconds'
        UNION ALL SELECT 'refund ' || id FROM refunds
        WHERE due_at < now() - interval '120 seconds'
            OR (due_at IS NULL AND state IN ('approved', 'sent', 'abnormal'))
        UNION ALL SELECT 'bill ' || b.id FROM payout_bills b JOIN payouts p ON p.id = b.payout_id
        WHERE b.due_at < now() - interval '120 seconds' AND p.state = 'approved'
        """,
    ),
    (
        "B37",
        "A notice that says paid has its paid order.",
        """
        SELECT i.id FROM inbox_notices i LEFT JOIN orders o ON o.number = i.subject_number
        WHERE i.event_type = 'TRANSACTION.SUCCESS' AND i.outcome = 'paid' AND o.paid_at IS NULL
        """,
    ),
    (
        "B38",
        "No fact waits longer than a minute for its relay, and no task is in quarantine.",
        """
        SELECT 'event ' || id FROM outbox_events WHERE occurred_at < now() - interval '60 seconds'
        UNION ALL SELECT 'task ' || id FROM tasks WHERE quarantined_at IS NOT NULL
        """,
    ),
    (
        "B43",
        "Every member agreed before we kept anything of them, and to the phone before the phone.",
        """
        SELECT m.id FROM members m WHERE m.deleted_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM consents c WHERE c.member_id = m.id AND c.purpose = 'service'
            AND c.granted_at <= m.registered_at)
        UNION ALL
        SELECT m.id FROM members m WHERE m.phone_hash IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM consents c WHERE c.member_id = m.id AND c.purpose = 'phone')
        """,
    ),
    (
        "S1",
        "Stock is the sum of its movements, and never promised beyond what is there.",
        """
        SELECT l.product_id || '/' || l.store_id FROM stock_levels l
        LEFT JOIN stock_movements m USING (product_id, store_id)
        GROUP BY l.product_id, l.store_id, l.on_hand, l.reserved
        HAVING l.on_hand <> coalesce(sum(m.on_hand_change), 0)
            OR l.reserved <> coalesce(sum(m.reserved_change), 0) OR l.reserved > l.on_hand
        """,
    ),
    (
        "S2",
        "A customer belongs to one owner at a time, and bindings are what their log says.",
        """
        SELECT b.id FROM bindings b LEFT JOIN LATERAL (
            SELECT (array_agg(s.valid_until_at ORDER BY s.id DESC))[1] AS until_at,
                (array_agg(s.event ORDER BY s.id))[1] AS begun_by, min(s.at) AS begun_at,
                bool_or(s.event = 'locked') AS was_locked
            FROM binding_steps s WHERE s.binding_id = b.id) s ON true
        WHERE s.until_at IS DISTINCT FROM b.valid_until_at OR s.begun_by <> 'bound'
            OR s.begun_at <> b.valid_from_at OR s.was_locked <> (b.state = 'locked')
        UNION ALL
        SELECT id FROM (SELECT id, valid_until_at, lead(valid_from_at) OVER (
                PARTITION BY customer_id ORDER BY valid_from_at, id) AS next_from_at
            FROM bindings) AS walked
        WHERE next_from_at < valid_until_at
        """,
    ),
    (
        "B35",
        "The stores that know a member are those that brought, served or own them.",
        """
        WITH tied AS (
            SELECT origin_store_id AS store_id, id AS member_id FROM members
            WHERE origin_store_id IS NOT NULL
            UNION SELECT store_id, member_id FROM orders
            UNION SELECT coalesce(b.owner_store_id, d.store_id), b.customer_id
            FROM bindings b LEFT JOIN distributors d ON d.member_id = b.owner_id
            WHERE coalesce(b.owner_store_id, d.store_id) IS NOT NULL
            UNION SELECT store_id, member_id FROM distributors WHERE store_id IS NOT NULL
            UNION SELECT store_id, member_id FROM guest_card_bookings
            UNION SELECT store_id, member_id FROM guest_card_uses
            UNION SELECT h.store_id, coalesce(h.member_id, e.claimed_by_id)
            FROM historic_orders h LEFT JOIN expected_members e ON e.id = h.expected_member_id
            WHERE coalesce(h.member_id, e.claimed_by_id) IS NOT NULL)
        (SELECT member_id FROM (SELECT * FROM tied EXCEPT SELECT store_id, member_id
            FROM member_stores) missing)
        UNION ALL
        (SELECT member_id FROM (SELECT store_id, member_id FROM member_stores EXCEPT
            SELECT * FROM tied) too_many)
        """,
    ),
    (
        "B42",
        "Of whoever was erased nothing is left that names or finds them.",
        """
        WITH erased AS (
            SELECT id, 'erased:' || id AS stone FROM members WHERE deleted_at IS NOT NULL)
        SELECT m.id FROM members m JOIN erased e ON e.id = m.id
        WHERE m.wechat_openid <> e.stone OR m.nickname <> ''
            OR num_nonnulls(m.wechat_unionid, m.phone_sealed, m.phone_hash, m.birthday_on) > 0
        UNION ALL SELECT id FROM erased JOIN distributors d ON d.member_id = id
        WHERE num_nonnulls(real_name_sealed, real_name_hash) > 0
        UNION ALL SELECT e.id FROM erased e JOIN expected_members x ON x.claimed_by_id = e.id
        WHERE x.nickname <> '' OR x.birthday_on IS NOT NULL OR x.phone_hash NOT LIKE 'erased:%'
        UNION ALL SELECT id FROM erased WHERE EXISTS (
            SELECT 1 FROM member_sessions x WHERE x.member_id = erased.id
            UNION ALL SELECT 1 FROM member_devices x WHERE x.member_id = erased.id
            UNION ALL SELECT 1 FROM member_notes x WHERE x.member_id = erased.id
            UNION ALL SELECT 1 FROM member_tags x WHERE x.member_id = erased.id
            UNION ALL SELECT 1 FROM follow_ups x WHERE x.member_id = erased.id
            UNION ALL SELECT 1 FROM privacy_requests x JOIN privacy_copies c ON c.request_id = x.id
            WHERE x.member_id = erased.id
            UNION ALL SELECT 1 FROM touches x WHERE x.member_id = erased.id
            AND num_nonnulls(x.device_hash, x.ip_hash) > 0
            UNION ALL SELECT 1 FROM evidence_files f
            JOIN ownership_disputes x ON x.id = f.dispute_id
            WHERE erased.id IN (x.customer_id, x.claimant_id)
            UNION ALL SELECT 1 FROM orders o JOIN payments p ON p.order_id = o.id
            WHERE o.member_id = erased.id AND p.payer_openid <> stone
            UNION ALL SELECT 1 FROM payouts p JOIN payout_bills b ON b.payout_id = p.id
            WHERE p.member_id = erased.id AND (b.payee_openid <> stone
                OR p.payee_openid <> stone OR b.request ? 'user_name_sealed'))
        """,
    ),
)
