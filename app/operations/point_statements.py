"""The invariants of points and their mall that are one SQL statement, as `invariant_statements`."""

from typing import Final

POINT_STATEMENTS: Final = (
    (
        "B32",
        "What a member can spend is the sum of what is left in their lots.",
        """
        WITH lots AS (
            SELECT member_id, sum(left_points) AS points FROM point_lots GROUP BY 1),
        held AS (
            SELECT member_id, balance AS points FROM ledger_accounts
            WHERE name = 'points_available' AND unit = 'point')
        SELECT coalesce(lots.member_id, held.member_id)
        FROM lots FULL JOIN held ON held.member_id = lots.member_id
        WHERE coalesce(lots.points, 0) <> coalesce(held.points, 0)
        """,
    ),
    (
        "B32a",
        "A lot is what was granted: left, run out, taken back, or spent.",
        """
        SELECT l.id FROM point_lots l
        LEFT JOIN (
            SELECT lot_id, sum(points - returned_points) AS points FROM point_uses GROUP BY 1
        ) u ON u.lot_id = l.id
        WHERE l.granted_points <> l.left_points + l.expired_points + l.taken_points
            + coalesce(u.points, 0)
        """,
    ),
    (
        "B32b",
        "What was spent came out of lots of the same member, and what came back went to them.",
        """
        SELECT s.id FROM point_spends s
        LEFT JOIN LATERAL (
            SELECT sum(u.points) AS points, sum(u.returned_points + u.renewed_points) AS back,
                bool_or(l.member_id <> s.member_id) AS is_foreign
            FROM point_uses u JOIN point_lots l ON l.id = u.lot_id WHERE u.spend_id = s.id
        ) u ON true
        WHERE coalesce(u.points, 0) <> s.points OR u.is_foreign
            OR u.back <> CASE s.state WHEN 'released' THEN s.points ELSE s.given_back_points END
        UNION ALL
        SELECT coalesce(lots.member_id, uses.member_id) FROM (
            SELECT member_id, sum(granted_points) AS points FROM point_lots
            WHERE source = 'returned' GROUP BY 1) lots
        FULL JOIN (
            SELECT s.member_id, sum(u.renewed_points) AS points
            FROM point_uses u JOIN point_spends s ON s.id = u.spend_id
            WHERE u.renewed_points > 0 GROUP BY 1) uses ON uses.member_id = lots.member_id
        WHERE coalesce(lots.points, 0) <> coalesce(uses.points, 0)
        """,
    ),
    (
        "B32c",
        "Pending points are those of purchases not settled, reserved ones those of open spends.",
        """
        WITH known AS (
            SELECT member_id, 'points_pending' AS name, sum(points - taken_points) AS points
            FROM point_earnings WHERE state = 'pending' GROUP BY 1
            UNION ALL
            SELECT member_id, 'points_reserved', sum(points)
            FROM point_spends WHERE state = 'reserved' GROUP BY 1),
        held AS (
            SELECT member_id, name, balance AS points FROM ledger_accounts
            WHERE name IN ('points_pending', 'points_reserved') AND unit = 'point')
        SELECT coalesce(held.member_id, known.member_id) FROM known
        FULL JOIN held ON held.member_id = known.member_id AND held.name = known.name
        WHERE coalesce(known.points, 0) <> coalesce(held.points, 0)
        """,
    ),
    (
        "B32d",
        "Nobody owes points while they have some.",
        """
        SELECT d.member_id FROM ledger_accounts d JOIN ledger_accounts a
            ON a.member_id = d.member_id AND a.unit = d.unit AND a.name = 'points_available'
        WHERE d.name = 'points_debt' AND d.balance < 0 AND a.balance > 0
        """,
    ),
    (
        "B32e",
        "The lines of a statement add up to the balances.",
        """
        WITH told AS (
            SELECT member_id, sum(available_change) AS available, sum(pending_change) AS pending,
                sum(debt_change) AS debt FROM point_entries GROUP BY 1),
        held AS (
            SELECT member_id,
                coalesce(sum(balance) FILTER (WHERE name = 'points_available'), 0) AS available,
                coalesce(sum(balance) FILTER (WHERE name = 'points_pending'), 0) AS pending,
                coalesce(-sum(balance) FILTER (WHERE name = 'points_debt'), 0) AS debt
            FROM ledger_accounts WHERE unit = 'point' AND member_id IS NOT NULL GROUP BY 1)
        SELECT coalesce(told.member_id, held.member_id)
        FROM told FULL JOIN held ON held.member_id = told.member_id
        WHERE (coalesce(told.available, 0), coalesce(told.pending, 0), coalesce(told.debt, 0))
            <> (coalesce(held.available, 0), coalesce(held.pending, 0), coalesce(held.debt, 0))
        """,
    ),
    (
        "B32f",
        "What runs out first is spent first, and nothing that was over is spent.",
        """
        SELECT u.spend_id FROM point_uses u
        JOIN point_spends s ON s.id = u.spend_id JOIN point_lots l ON l.id = u.lot_id
        WHERE l.expires_at <= s.reserved_at OR l.granted_at > s.reserved_at
            OR EXISTS (
                SELECT 1 FROM point_lots earlier
                WHERE earlier.member_id = s.member_id AND earlier.expires_at < l.expires_at
                    AND earlier.expires_at > s.reserved_at AND earlier.granted_at < s.reserved_at
                    AND earlier.taken_points = 0
                    AND NOT EXISTS (SELECT 1 FROM point_uses o WHERE o.lot_id = earlier.id))
        """,
    ),
    (
        "B32g",
        "Points set aside wait for an unpaid order; refunds bring back their share of points.",
        """
        SELECT s.id FROM point_spends s LEFT JOIN orders o ON o.id = s.order_id
        WHERE s.state = 'reserved' AND o.state IS DISTINCT FROM 'created'
        UNION ALL
        SELECT s.id FROM point_spends s JOIN orders o ON o.id = s.order_id
        WHERE s.state = 'spent' AND o.paid_fen > 0
            AND s.given_back_points <> s.points * o.refunded_fen / o.paid_fen
        """,
    ),
    (
        "E1",
        "No item of the mall is promised beyond its stock or a member's share.",
        """
        SELECT i.id FROM mall_items i LEFT JOIN mall_exchanges e
            ON e.item_id = i.id AND e.state <> 'cancelled'
        GROUP BY i.id HAVING i.exchanged <> count(e.id) OR count(e.id) > i.stock
        UNION ALL
        SELECT coalesce(t.item_id, e.item_id) FROM mall_tallies t FULL JOIN (
            SELECT item_id, member_id, count(*) AS pieces FROM mall_exchanges
            WHERE state <> 'cancelled' GROUP BY 1, 2) e
            ON e.item_id = t.item_id AND e.member_id = t.member_id
        WHERE coalesce(t.taken, 0) <> coalesce(e.pieces, 0)
        """,
    ),
    (
        "E2",
        "Every exchange was paid with its points, and those of a cancelled one came back.",
        """
        SELECT e.id FROM mall_exchanges e
        LEFT JOIN point_spends s ON s.key = 'exchange:' || e.number
        WHERE s.id IS NULL OR s.member_id <> e.member_id OR s.points <> e.points
            OR s.state <> 'spent' OR s.given_back_points
                <> CASE e.state WHEN 'cancelled' THEN e.points ELSE 0 END
        """,
    ),
    (
        "E3",
        "An exchange stands where its log ends, and was handed over in its own store.",
        """
        SELECT e.id FROM mall_exchanges e LEFT JOIN LATERAL (
            SELECT (array_agg(s.to_state ORDER BY s.id DESC))[1] AS state, count(*) AS steps,
                bool_or(s.to_state = 'handed_over' AND s.store_id IS DISTINCT FROM e.store_id)
                    AS is_elsewhere
            FROM mall_exchange_steps s WHERE s.exchange_id = e.id) s ON true
        WHERE s.state IS DISTINCT FROM e.state OR s.is_elsewhere
            OR s.steps <> CASE WHEN e.state IN ('waiting', 'given') THEN 1 ELSE 2 END
        """,
    ),
    (
        "E4",
        "A piece is set aside for each exchange that waits, and gone for each handed over.",
        """
        SELECT e.id FROM mall_exchanges e
        LEFT JOIN stock_movements m ON m.reason = 'exchange:' || e.number
            AND m.product_id = e.product_id AND m.store_id = e.store_id
        WHERE e.is_stocked GROUP BY e.id
        HAVING coalesce(sum(m.reserved_change), 0) <> (e.state = 'waiting')::int
            OR coalesce(sum(m.on_hand_change), 0) <> -(e.state = 'handed_over')::int
        """,
    ),
)
