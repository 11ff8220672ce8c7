"""What must hold of discounts of orders, each as one statement that returns what breaks it (B12).

Statements over coupons and points begin at the orders; what must hold of these by themselves is
checked with their own.
"""

from typing import Final

DISCOUNT_STATEMENTS: Final = (
    (
        "B12d",
        "What was taken off an order is the sum of its discounts, and of their parts per line.",
        """
        SELECT o.id FROM orders o
        LEFT JOIN order_discounts d ON d.order_id = o.id
        GROUP BY o.id HAVING o.discount_fen <> coalesce(sum(d.amount_fen), 0)
        UNION
        SELECT d.order_id FROM order_discounts d
        LEFT JOIN order_line_discounts p ON p.discount_id = d.id
        GROUP BY d.id HAVING d.amount_fen <> coalesce(sum(p.amount_fen), 0)
        UNION
        SELECT l.order_id FROM order_lines l
        LEFT JOIN order_line_discounts p ON p.order_line_id = l.id
        GROUP BY l.id
        HAVING l.unit_price_fen * l.quantity - l.net_fen <> coalesce(sum(p.amount_fen), 0)
        """,
    ),
    (
        "B12e",
        "A discount takes no more of a line than the ones before it left, in their order.",
        """
        WITH walked AS (
            SELECT d.order_id, p.order_line_id, p.amount_fen, p.of_fen,
                l.order_id AS line_order_id,
                l.unit_price_fen * l.quantity - coalesce(sum(p.amount_fen) OVER (
                    PARTITION BY p.order_line_id ORDER BY d.position
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS left_fen
            FROM order_line_discounts p
            JOIN order_discounts d ON d.id = p.discount_id
            JOIN order_lines l ON l.id = p.order_line_id)
        SELECT order_id FROM walked
        WHERE of_fen <> left_fen OR amount_fen > of_fen OR line_order_id <> order_id
        UNION
        SELECT a.order_id FROM order_discounts a
        JOIN order_discounts b ON b.order_id = a.order_id AND b.position > a.position
        WHERE array_position(ARRAY['deal', 'level', 'coupon', 'points'], a.kind::text)
            > array_position(ARRAY['deal', 'level', 'coupon', 'points'], b.kind::text)
        """,
    ),
    (
        "B12f",
        "An order has at most one coupon that stands alone, and only coupons of its own buyer.",
        """
        SELECT order_id FROM order_discounts WHERE NOT is_stackable
        GROUP BY 1 HAVING count(*) > 1
        UNION
        SELECT d.order_id FROM order_discounts d
        JOIN orders o ON o.id = d.order_id JOIN coupons c ON c.id = d.coupon_id
        WHERE c.member_id <> o.member_id
        """,
    ),
    (
        "B30o",
        "A coupon is in an order's hands exactly while the order lives, and back once it ended.",
        """
        SELECT d.order_id FROM order_discounts d
        JOIN orders o ON o.id = d.order_id JOIN coupons c ON c.id = d.coupon_id
        JOIN coupon_templates t ON t.id = c.template_id
        WHERE CASE
            WHEN o.state = 'created'
                THEN c.order_id IS DISTINCT FROM o.id OR c.state <> 'reserved'
            WHEN o.state IN ('paid', 'completed', 'settled') OR (
                o.state = 'refunded' AND o.closed_at IS NULL AND NOT t.is_given_back)
                THEN c.order_id IS DISTINCT FROM o.id OR c.state <> 'used'
            ELSE c.order_id = o.id END
        UNION
        SELECT c.order_id FROM coupons c WHERE c.order_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM order_discounts d
            WHERE d.coupon_id = c.id AND d.order_id = c.order_id
                AND d.amount_fen = c.amount_fen)
        """,
    ),
    (
        "B30r",
        "A coupon of an order comes back with one refund, the one that ends it.",
        """
        SELECT r.order_id FROM refunds r JOIN orders o ON o.id = r.order_id
        WHERE r.coupons_back > 0
        GROUP BY r.order_id, o.state, o.closed_at
        HAVING count(*) > 1 OR o.state <> 'refunded' OR o.closed_at IS NOT NULL
            OR sum(r.coupons_back) > (SELECT count(*) FROM order_discounts d
                WHERE d.order_id = r.order_id AND d.kind = 'coupon')
        """,
    ),
    (
        "B32o",
        "Points of an order are spent with its payment and come back by the share of its refunds.",
        """
        SELECT o.id FROM orders o
        JOIN order_discounts d ON d.order_id = o.id AND d.kind = 'points'
        LEFT JOIN point_spends s ON s.order_id = o.id
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(r.points_back), 0) AS points_back
            FROM refunds r WHERE r.order_id = o.id) r ON true
        WHERE s.points IS DISTINCT FROM d.points OR s.member_id <> o.member_id
            OR s.state <> CASE
                WHEN o.state = 'created' THEN 'reserved'
                WHEN o.closed_at IS NOT NULL THEN 'released' ELSE 'spent' END
            OR r.points_back <> s.given_back_points
            OR (s.state = 'spent'
                AND s.given_back_points <> d.points * o.refunded_fen / o.paid_fen)
        UNION
        SELECT s.order_id FROM point_spends s WHERE s.order_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM order_discounts d WHERE d.order_id = s.order_id AND d.kind = 'points')
        """,
    ),
    (
        "F5",
        "A deal pays commission, takes other discounts and holds orders only as it says.",
        """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.deal IS NOT NULL AND NOT (o.deal ->> 'pays_commission')::boolean
            AND l.is_distributable
        UNION
        SELECT d.order_id FROM order_discounts d JOIN orders o ON o.id = d.order_id
        WHERE d.kind = 'deal' AND o.deal IS NULL
            OR d.kind = 'level' AND o.deal IS NOT NULL
                AND NOT (o.deal ->> 'allows_level')::boolean
            OR d.kind = 'coupon' AND o.deal IS NOT NULL
                AND NOT (o.deal ->> 'allows_coupons')::boolean
            OR d.kind = 'points' AND o.deal IS NOT NULL
                AND NOT (o.deal ->> 'allows_points')::boolean
        UNION
        SELECT id FROM orders WHERE held_for IS NOT NULL
            AND (deal IS NULL OR completed_at IS NOT NULL)
        """,
    ),
)
