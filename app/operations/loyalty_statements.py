"""The invariants of membership and loyalty: one SQL statement each, as `invariant_statements`."""

from typing import Final

LOYALTY_STATEMENTS: Final = (
    (
        "M1",
        "The growth of a member is the sum of its entries.",
        """
        SELECT member_id FROM memberships m FULL JOIN (
            SELECT member_id, sum(amount) AS growth FROM growth_entries GROUP BY 1) e
            USING (member_id)
        WHERE coalesce(m.growth, 0) <> coalesce(e.growth, 0)
        """,
    ),
    (
        "M2",
        "The level that counts is where the last change of it led; changes leave no gap.",
        """
        SELECT member_id FROM memberships m LEFT JOIN LATERAL (
            SELECT to_level_id FROM level_moves v WHERE v.member_id = m.member_id
            ORDER BY v.id DESC LIMIT 1) v ON true
        WHERE m.level_id IS DISTINCT FROM v.to_level_id
        UNION ALL
        SELECT member_id FROM (SELECT member_id, from_level_id,
                lag(to_level_id) OVER (PARTITION BY member_id ORDER BY id) AS before_id
            FROM level_moves) AS walked
        WHERE from_level_id IS DISTINCT FROM before_id
        """,
    ),
    (
        "M3",
        "No refund takes back more growth than its order brought.",
        """
        SELECT order_id FROM growth_entries WHERE order_id IS NOT NULL
        GROUP BY order_id, member_id HAVING sum(amount) < 0
        """,
    ),
    (
        "M4",
        "What an order brought is what was promised, less the share of what went back.",
        """
        SELECT r.order_id FROM order_rewards r
        WHERE r.base_fen > 0 AND (r.points_taken <> r.points * r.gone_fen / r.base_fen
            OR r.growth_taken <> r.growth * r.gone_fen / r.base_fen)
        UNION ALL
        SELECT r.order_id FROM order_rewards r LEFT JOIN (
            SELECT order_id, sum(amount) AS growth FROM growth_entries
            WHERE order_id IS NOT NULL GROUP BY 1) g USING (order_id)
        WHERE coalesce(g.growth, 0) <> CASE WHEN r.settled_at IS NULL THEN 0
            ELSE r.growth - r.growth_taken END
        UNION ALL
        SELECT r.order_id FROM order_rewards r
        LEFT JOIN point_earnings e ON e.key = 'order:' || r.order_id
        WHERE coalesce(e.points, 0) <> r.points OR coalesce(e.taken_points, 0) <> r.points_taken
            OR (e.id IS NOT NULL AND (e.settled_at IS NULL) <> (r.settled_at IS NULL))
        """,
    ),
    (
        "M5",
        "A reward that was given stands with whoever keeps it, once.",
        """
        SELECT g.id FROM given_rewards g WHERE g.state = 'given' AND CASE g.kind
            WHEN 'growth' THEN NOT EXISTS (SELECT 1 FROM growth_entries e
                WHERE e.key = 'reward:' || g.key AND e.amount = g.amount
                    AND e.member_id = g.member_id)
            WHEN 'points' THEN NOT EXISTS (SELECT 1 FROM point_lots l
                WHERE l.key = 'points-granted:reward:' || g.key
                    AND l.granted_points = g.amount AND l.member_id = g.member_id)
            ELSE (SELECT count(*) FROM coupons c WHERE c.member_id = g.member_id
                AND c.key IN (SELECT 'reward:' || g.key || ':' || n
                    FROM generate_series(0, g.amount - 1) n)) <> g.amount END
        """,
    ),
    (
        "M6",
        "A task counts each fact once, and is done when it has counted enough.",
        """
        SELECT p.task_id || '/' || p.member_id FROM task_progress p LEFT JOIN (
            SELECT task_id, member_id, count(*) AS facts FROM task_marks GROUP BY 1, 2) m
            USING (task_id, member_id)
        WHERE p.count <> coalesce(m.facts, 0)
        """,
    ),
)
