"""The invariants of guest cards that are one SQL statement each (B31, B33)."""

from typing import Final

CARD_STATEMENTS: Final = (
    (
        "B31",
        "Of each service of a guest card, what was used, is left and is void is what was granted.",
        """
        SELECT i.id FROM guest_card_items i
        WHERE i.used + i.remaining + i.voided <> i.granted OR i.remaining < 0
        UNION ALL
        SELECT i.id FROM guest_card_items i JOIN guest_cards c ON c.id = i.card_id
        WHERE i.remaining > 0 AND c.state IN ('used', 'returned', 'expired', 'revoked')
        """,
    ),
    (
        "B31u",
        "Each time that was used is one row, by number, of that card and its holder.",
        """
        SELECT i.id FROM guest_card_items i
        LEFT JOIN (
            SELECT item_id, count(*) AS uses, max(number) AS last FROM guest_card_uses GROUP BY 1) u
            ON u.item_id = i.id
        WHERE i.used <> coalesce(u.uses, 0) OR i.used <> coalesce(u.last, 0)
        UNION ALL
        SELECT u.item_id FROM guest_card_uses u
        JOIN guest_card_items i ON i.id = u.item_id JOIN guest_cards c ON c.id = u.card_id
        WHERE i.card_id <> u.card_id OR c.member_id IS DISTINCT FROM u.member_id
            OR c.first_used_at IS NULL OR u.at < c.first_used_at
        """,
    ),
    (
        "B31q",
        "A giver's quota counts the cards that were shared out of it and did not come back.",
        """
        SELECT q.id FROM guest_card_quotas q
        LEFT JOIN (
            SELECT quota_id, count(*) FILTER (WHERE state <> 'returned') AS cards
            FROM guest_cards GROUP BY 1) c ON c.quota_id = q.id
        WHERE q.taken <> coalesce(c.cards, 0) OR q.taken > q.granted
        """,
    ),
    (
        "B31b",
        "A card is booked where it has a booking, and a time counts who booked it.",
        """
        SELECT c.id FROM guest_cards c LEFT JOIN guest_card_bookings b
            ON b.card_id = c.id AND b.state = 'booked'
        WHERE (c.state = 'booked') <> (b.id IS NOT NULL)
        UNION ALL
        SELECT s.template_id FROM guest_card_slots s
        LEFT JOIN (
            SELECT template_id, store_id, from_at,
                count(*) FILTER (WHERE state <> 'cancelled') AS bookings
            FROM guest_card_bookings GROUP BY 1, 2, 3) b USING (template_id, store_id, from_at)
        WHERE s.taken <> coalesce(b.bookings, 0)
        """,
    ),
    (
        "B31o",
        "Nobody holds their own guest card, nor two of one kind.",
        """
        SELECT id FROM guest_cards WHERE member_id = giver_id
        UNION ALL
        SELECT min(id) FROM guest_cards WHERE member_id IS NOT NULL
        GROUP BY template_id, member_id HAVING count(*) > 1
        """,
    ),
    (
        "B33c",
        "Whoever redeemed a guest card was assigned to the store, and it was good there.",
        """
        SELECT u.id FROM guest_card_uses u JOIN guest_cards c ON c.id = u.card_id
        WHERE NOT u.store_id = ANY (u.store_ids) OR NOT u.store_id = ANY (c.store_ids)
            OR u.staff_member_id IN (c.member_id, c.giver_id)
            OR u.at < c.claimed_at OR u.at >= c.expires_at
        """,
    ),
)
