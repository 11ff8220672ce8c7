"""The invariants of activities that are one SQL statement, as `invariant_statements`."""

from typing import Final

ACTIVITY_STATEMENTS: Final = (
    (
        "F4a",
        "An activity gives no more than it has, and what is counted is what was taken.",
        """
        SELECT i.id FROM activity_items i
        LEFT JOIN (
            SELECT item_id, sum(quantity) AS taken FROM activity_entries
            WHERE state <> 'released' GROUP BY 1
        ) e ON e.item_id = i.id
        WHERE i.sold <> coalesce(e.taken, 0) OR i.sold > i.stock
        """,
    ),
    (
        "F4b",
        "Nobody took more of an activity than one may, and their count is right.",
        """
        WITH entered AS (
            SELECT activity_id, member_id, sum(quantity) AS taken FROM activity_entries
            WHERE state <> 'released' GROUP BY 1, 2)
        SELECT coalesce(t.member_id, e.member_id) FROM activity_tallies t
        FULL JOIN entered e ON e.activity_id = t.activity_id AND e.member_id = t.member_id
        LEFT JOIN activities a ON a.id = coalesce(t.activity_id, e.activity_id)
        WHERE coalesce(t.taken, 0) <> coalesce(e.taken, 0) OR t.taken > a.limit_per_member
        """,
    ),
    (
        "F4c",
        "Where an activity has a limit for all, its count is what all have taken.",
        """
        SELECT a.id FROM activities a
        LEFT JOIN (
            SELECT activity_id, sum(quantity) AS taken FROM activity_entries
            WHERE state <> 'released' GROUP BY 1
        ) e ON e.activity_id = a.id
        WHERE a.limit_total IS NOT NULL
            AND (a.taken <> coalesce(e.taken, 0) OR a.taken > a.limit_total)
        """,
    ),
    (
        "F4d",
        "A group is complete exactly when all of its seats are paid; none has more than its seats.",
        """
        SELECT g.id FROM buying_groups g
        LEFT JOIN (
            SELECT group_id, count(*) FILTER (WHERE state = 'paid') AS paid, max(number) AS last
            FROM group_seats WHERE state <> 'left' GROUP BY 1
        ) s ON s.group_id = g.id
        WHERE (g.state = 'complete') <> (coalesce(s.paid, 0) = g.size) OR s.last > g.size
        """,
    ),
    (
        "F4e",
        "An order is held for a seat of its own, until its group is complete.",
        """
        SELECT o.id FROM orders o
        LEFT JOIN group_seats s ON s.order_id = o.id AND s.state <> 'left'
        LEFT JOIN buying_groups g ON g.id = s.group_id
        WHERE o.held_for LIKE 'group_buy:%'
            AND o.state IN ('paid', 'completed', 'settled')
            AND (s.id IS NULL OR g.state = 'complete')
            AND o.refunding_fen + o.refunded_fen < o.paid_fen
        """,
    ),
    (
        "F4f",
        "What was given back to an activity was not paid, or its money is going back.",
        """
        SELECT e.id FROM activity_entries e JOIN orders o ON o.id = e.order_id
        WHERE (e.state = 'released' AND o.state IN ('paid', 'completed', 'settled')
                AND o.refunding_fen + o.refunded_fen < o.paid_fen)
            OR (e.state = 'kept' AND o.paid_at IS NULL)
        """,
    ),
    (
        "F4g",
        "A bargain has come down by what its cuts took, one part after the other.",
        """
        SELECT b.id FROM bargains b
        LEFT JOIN (
            SELECT bargain_id, sum(amount_fen) AS fen, sum(parts) AS parts,
                bool_or(first_part <> before) AS has_gap
            FROM (
                SELECT *, coalesce(sum(parts) OVER (
                    PARTITION BY bargain_id ORDER BY id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
                FROM bargain_cuts) AS ordered
            GROUP BY 1
        ) c ON c.bargain_id = b.id
        WHERE b.cut_fen <> coalesce(c.fen, 0) OR b.parts_cut <> coalesce(c.parts, 0)
            OR coalesce(c.has_gap, false)
        """,
    ),
)
