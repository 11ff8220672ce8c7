"""The invariants of coupons that are one SQL statement, as `invariant_statements` (B29, B30)."""

from typing import Final

COUPON_STATEMENTS: Final = (
    (
        "B29t",
        "The slots of a template hold its stock, and have issued as many coupons as there are.",
        """
        SELECT t.id FROM coupon_templates t
        LEFT JOIN (
            SELECT template_id, sum(stock) AS stock, sum(issued) AS issued,
                bool_and(issued BETWEEN 0 AND stock) AS is_within
            FROM coupon_stocks GROUP BY 1) s ON s.template_id = t.id
        LEFT JOIN (SELECT template_id, count(*) AS coupons FROM coupons GROUP BY 1) c
            ON c.template_id = t.id
        WHERE s.stock IS DISTINCT FROM t.stock OR NOT s.is_within
            OR s.issued <> coalesce(c.coupons, 0)
        """,
    ),
    (
        "B29m",
        "A member got as many of a template as counted, and no more than one person may.",
        """
        SELECT t.id FROM coupon_holdings h
        FULL JOIN (
            SELECT template_id, member_id, count(*) AS coupons, max(seq) AS last
            FROM coupons GROUP BY 1, 2) c USING (template_id, member_id)
        JOIN coupon_templates t ON t.id = template_id
        WHERE h.issued IS DISTINCT FROM c.coupons OR c.last IS DISTINCT FROM c.coupons
            OR c.coupons > t.per_member
        """,
    ),
    (
        "B30s",
        "What happened to a coupon is a path of its states, begins with a claim, ends where it is.",
        """
        WITH walked AS (
            SELECT coupon_id, event, to_state, id,
                lag(to_state) OVER w AS from_state,
                lead(id) OVER w IS NULL AS is_last
            FROM coupon_steps WINDOW w AS (PARTITION BY coupon_id ORDER BY id))
        SELECT w.coupon_id FROM walked w WHERE NOT CASE event
            WHEN 'claim' THEN from_state IS NULL AND to_state = 'unused'
            WHEN 'reserve' THEN from_state = 'unused' AND to_state = 'reserved'
            WHEN 'release' THEN from_state = 'reserved' AND to_state = 'unused'
            WHEN 'use' THEN from_state = 'reserved' AND to_state = 'used'
            WHEN 'redeem' THEN from_state = 'unused' AND to_state = 'used'
            WHEN 'give_back' THEN from_state = 'used' AND to_state = 'unused'
            WHEN 'expire' THEN from_state = 'unused' AND to_state = 'expired'
            WHEN 'revoke' THEN from_state = 'unused' AND to_state = 'revoked'
            ELSE false END
        UNION ALL
        SELECT c.id FROM coupons c LEFT JOIN walked w ON w.coupon_id = c.id AND w.is_last
        WHERE w.to_state IS DISTINCT FROM c.state
        """,
    ),
    (
        "B30l",
        "A coupon set aside is in an order that waits to be paid.",
        """
        SELECT c.id FROM coupons c JOIN orders o ON o.id = c.order_id
        WHERE c.state = 'reserved' AND o.state <> 'created'
        """,
    ),
    (
        "B30h",
        "A coupon redeemed in a store was for an exchange, at a store where it is good.",
        """
        SELECT c.id FROM coupons c JOIN coupon_templates t ON t.id = c.template_id
        WHERE c.store_id IS NOT NULL AND (t.kind <> 'exchange'
            OR (t.store_ids IS NOT NULL AND NOT c.store_id = ANY (t.store_ids)))
        """,
    ),
    (
        "B29p",
        "A push gave each coupon that it counts, to members it was meant for.",
        """
        SELECT p.id FROM coupon_pushes p
        LEFT JOIN (
            SELECT push_id, count(*) AS people,
                count(*) FILTER (WHERE outcome = 'given') AS given,
                count(*) FILTER (WHERE outcome <> 'given') AS passed_over,
                count(*) FILTER (WHERE outcome = 'given' AND NOT EXISTS (
                    SELECT 1 FROM coupons c
                    WHERE c.key = 'push:' || m.push_id || ':' || m.member_id
                        AND c.member_id = m.member_id)) AS missing
            FROM coupon_push_members m GROUP BY 1) m ON m.push_id = p.id
        WHERE (p.people, p.given, p.passed_over, 0) IS DISTINCT FROM
            (coalesce(m.people, 0), coalesce(m.given, 0), coalesce(m.passed_over, 0),
                coalesce(m.missing, 0))
            OR (p.state = 'done' AND p.given + p.passed_over <> p.people)
        """,
    ),
)
