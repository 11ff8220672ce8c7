"""The invariants of draws, check-ins and rounds of invitations, as `invariant_statements`."""

from typing import Final

DRAW_STATEMENTS: Final = (
    (
        "F5a",
        "Tickets of a draw are numbered without gaps, and it knows how many there are.",
        """
        SELECT coalesce(d.activity_id, t.activity_id) FROM lucky_draws d
        FULL JOIN (
            SELECT activity_id, count(*) AS held, min(number) AS first, max(number) AS last
            FROM draw_tickets GROUP BY 1
        ) t ON t.activity_id = d.activity_id
        WHERE d.tickets IS DISTINCT FROM coalesce(t.held, 0)
            OR t.first <> 1 OR t.last <> t.held
        """,
    ),
    (
        "F5b",
        "A prize was given as often as tickets won it, of its own draw, and while it lasted.",
        """
        SELECT p.id FROM draw_prizes p
        LEFT JOIN (
            SELECT prize_id, count(*) AS won FROM draw_tickets
            WHERE prize_id IS NOT NULL GROUP BY 1
        ) t ON t.prize_id = p.id
        WHERE p.given <> coalesce(t.won, 0) OR p.given > p.stock
        UNION ALL
        SELECT t.id FROM draw_tickets t JOIN draw_prizes p ON p.id = t.drawn_id
        WHERE p.activity_id <> t.activity_id
        """,
    ),
    (
        "F5c",
        "A draw that is won brings its prize: given at once, or waiting for its winner.",
        """
        SELECT t.id FROM draw_tickets t JOIN draw_prizes p ON p.id = t.prize_id
        LEFT JOIN given_rewards g ON g.key = 'draw:' || t.id
        WHERE (t.state = 'given') <> (p.reward IS NOT NULL)
            OR (p.reward IS NOT NULL) <> (g.id IS NOT NULL)
            OR g.member_id <> t.member_id
        UNION ALL
        SELECT t.id FROM draw_tickets t JOIN given_rewards g ON g.key = 'draw:' || t.id
        WHERE t.prize_id IS NULL
        """,
    ),
    (
        "F5d",
        "A seed that was shown is the one that was promised.",
        """
        SELECT activity_id FROM lucky_draws
        WHERE seed IS NOT NULL
            AND encode(sha256(convert_to(seed, 'UTF8')), 'hex') <> commitment
        """,
    ),
    (
        "F5e",
        "The day in a row that a check-in counts is one more than that of the day before.",
        """
        SELECT c.id FROM check_ins c
        LEFT JOIN check_ins b ON b.activity_id = c.activity_id
            AND b.member_id = c.member_id AND b.day = c.day - 1
        WHERE c.streak <> coalesce(b.streak, 0) + 1
        """,
    ),
    (
        "F5f",
        "Points for a check-in were given once, to whoever came, and for no other day.",
        """
        SELECT c.id FROM check_ins c
        LEFT JOIN given_rewards g
            ON g.key = 'check_in:' || c.activity_id || ':' || c.member_id || ':' || c.day
        WHERE (c.points > 0) <> (g.id IS NOT NULL)
            OR g.amount <> c.points OR g.member_id <> c.member_id
        """,
    ),
    (
        "F5g",
        "A round has as many friends as counted for it, and is complete with the last one.",
        """
        SELECT r.id FROM invite_rounds r
        LEFT JOIN (
            SELECT round_id, count(*) AS counted FROM invited_friends
            WHERE is_counted GROUP BY 1
        ) f ON f.round_id = r.id
        WHERE r.arrived <> coalesce(f.counted, 0)
            OR (r.state = 'complete') <> (r.arrived = r.needed)
        UNION ALL
        SELECT f.friend_id FROM invited_friends f JOIN invite_rounds r ON r.id = f.round_id
        WHERE f.activity_id <> r.activity_id OR f.friend_id = r.member_id
        """,
    ),
    (
        "F5h",
        "What a complete round promises was given once, and nothing for any other round.",
        """
        WITH promised AS (
            SELECT r.id, r.member_id, r.state = 'complete' AS is_due,
                ((a.rules->>'reward_points')::bigint > 0)::int
                + ((a.rules->>'reward_coupon_id')::bigint > 0)::int AS rewards
            FROM invite_rounds r JOIN activities a ON a.id = r.activity_id),
        given AS (
            SELECT split_part(key, ':', 2)::bigint AS round_id, member_id, count(*) AS rewards
            FROM given_rewards WHERE key LIKE 'invite\\_round:%' GROUP BY 1, 2)
        SELECT p.id FROM promised p
        LEFT JOIN given g ON g.round_id = p.id AND g.member_id = p.member_id
        WHERE coalesce(g.rewards, 0) <> CASE WHEN p.is_due THEN p.rewards ELSE 0 END
        UNION ALL
        SELECT g.round_id FROM given g LEFT JOIN promised p
            ON p.id = g.round_id AND p.member_id = g.member_id
        WHERE p.id IS NULL
        """,
    ),
)
