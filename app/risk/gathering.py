"""Figures about distributors for the rules, in sets: a few statements for hundreds of them.

All is bounded: only distributors of whom something happened of late are looked at, only what they
did within the window, and of each only the newest customers. Phones, devices and payers are
compared within PostgreSQL and never leave it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.risk.rules import Figure, FrozenAbove, Pair, Returns, Sharing, Speed

CROWD_MAX: Final = 2_000
"""So many of the newest customers of a distributor are compared with each other."""
TEAM_MAX: Final = 200
"""So many of those whom a frozen distributor brought are looked at."""

_ACTIVE: Final = sa.text("""
    SELECT owner_id FROM bindings
     WHERE valid_from_at > :since AND valid_from_at <= :now AND owner_id IS NOT NULL
    UNION
    SELECT owner_id FROM orders
     WHERE paid_at > :since AND paid_at <= :now AND owner_id IS NOT NULL
    UNION
    SELECT o.owner_id FROM refunds r JOIN orders o ON o.id = r.order_id
     WHERE r.ended_at > :since AND r.ended_at <= :now AND o.owner_id IS NOT NULL
    ORDER BY 1
""")

_CROWD: Final = """
    WITH owners AS (SELECT unnest(CAST(:owners AS bigint[])) AS owner_id),
    crowd AS (
        SELECT o.owner_id, b.id AS binding_id, b.customer_id, b.valid_from_at
        FROM owners o CROSS JOIN LATERAL (
            SELECT id, customer_id, valid_from_at FROM bindings
            WHERE owner_id = o.owner_id AND valid_from_at > :since AND valid_from_at <= :now
            ORDER BY valid_from_at DESC LIMIT :crowd_max) AS b
    )
"""
_SHARING: Final = sa.text(f"""{_CROWD},
    people AS (
        SELECT owner_id, customer_id AS person_id FROM crowd
        UNION
        SELECT owner_id, owner_id FROM owners
    ),
    things AS (
        SELECT p.owner_id, p.person_id, 'device' AS what, d.device_hash AS value
        FROM people p JOIN member_devices d ON d.member_id = p.person_id
        UNION
        SELECT p.owner_id, p.person_id, 'phone', m.phone_hash
        FROM people p JOIN members m ON m.id = p.person_id WHERE m.phone_hash IS NOT NULL
        UNION
        SELECT p.owner_id, p.person_id, 'name', d.real_name_hash
        FROM people p JOIN distributors d ON d.member_id = p.person_id
        WHERE d.real_name_hash IS NOT NULL
        UNION
        SELECT p.owner_id, p.person_id, 'payer', paid.payer_openid
        FROM people p
        JOIN orders o ON o.member_id = p.person_id AND o.paid_at > :since AND o.paid_at <= :now
        JOIN payments paid ON paid.order_id = o.id AND paid.succeeded_at IS NOT NULL
        UNION
        SELECT o.owner_id, o.owner_id, 'payer', m.wechat_openid
        FROM owners o JOIN members m ON m.id = o.owner_id
    )
    SELECT t.owner_id, t.what,
        coalesce(array_agg(t.person_id ORDER BY t.person_id) FILTER (
            WHERE t.person_id <> t.owner_id AND m.first_paid_at IS NOT NULL), '{{}}') AS buyers,
        coalesce(array_agg(t.person_id ORDER BY t.person_id) FILTER (
            WHERE t.person_id <> t.owner_id AND m.first_paid_at IS NULL), '{{}}') AS never_paid,
        bool_or(t.person_id = t.owner_id) AS with_owner
    FROM things t JOIN members m ON m.id = t.person_id
    GROUP BY t.owner_id, t.what, t.value
    HAVING count(*) >= 2
""")  # noqa: S608 - a part of our own
_SPEED: Final = sa.text("""
    WITH bound AS (
        SELECT b.owner_id, b.id, b.valid_from_at,
            count(*) OVER (PARTITION BY b.owner_id ORDER BY b.valid_from_at
                RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS hour,
            count(*) OVER (PARTITION BY b.owner_id ORDER BY b.valid_from_at
                RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW) AS day
        FROM bindings b
        WHERE b.owner_id = ANY(:owners) AND b.valid_from_at > :since AND b.valid_from_at <= :now
            AND EXISTS (SELECT 1 FROM binding_steps s WHERE s.binding_id = b.id
                AND s.touch_id IS NOT NULL)
    )
    SELECT owner_id, max(hour), max(day), (array_agg(id ORDER BY id DESC))[1:100]
    FROM bound GROUP BY owner_id
""")
_RETURNS: Final = sa.text("""
    SELECT owner_id, count(*),
        coalesce(array_agg(id ORDER BY id) FILTER (WHERE refunded_fen > 0), '{}')
    FROM orders
    WHERE owner_id = ANY(:owners) AND paid_at > :since AND paid_at <= :now
    GROUP BY owner_id
""")
_PAIRS: Final = sa.text("""
    WITH won AS (
        SELECT o.owner_id, o.member_id AS other_id, array_agg(o.id ORDER BY o.id) AS ids
        FROM orders o
        WHERE o.owner_id = ANY(:owners) AND o.paid_at > :since AND o.paid_at <= :now
            AND EXISTS (SELECT 1 FROM distributors d WHERE d.member_id = o.member_id)
        GROUP BY o.owner_id, o.member_id
    )
    SELECT won.owner_id, won.other_id, won.ids[1:100], back.ids
    FROM won CROSS JOIN LATERAL (
        SELECT (array_agg(o.id ORDER BY o.id))[1:100] AS ids FROM orders o
        WHERE o.owner_id = won.other_id AND o.member_id = won.owner_id
            AND o.paid_at > :since AND o.paid_at <= :now) AS back
    WHERE back.ids IS NOT NULL
""")
_FROZEN: Final = sa.text("""
    SELECT below.member_id, s.member_id
    FROM distributor_steps s
    JOIN distributors above ON above.member_id = s.member_id AND above.standing = 'frozen'
    CROSS JOIN LATERAL (
        SELECT d.member_id FROM distributors d
        WHERE d.recommender_id = s.member_id AND d.standing = 'active'
        ORDER BY d.member_id DESC LIMIT :team_max) AS below
    WHERE s.at > :since AND s.at <= :now AND s.to_standing = 'frozen'
        AND s.from_standing IS DISTINCT FROM 'frozen'
""")


def active_owners(session: Session, *, since: datetime, now: datetime) -> list[int]:
    """Return the distributors who won, sold or gave back something since an instant, by id."""
    return list(session.scalars(_ACTIVE, {"since": since, "now": now}))


def figures_of(
    session: Session, owner_ids: Sequence[int], *, lately: datetime, since: datetime, now: datetime
) -> Iterator[Figure]:
    """Yield what there is to judge about some distributors.

    How fast they won customers counts from `lately` on, everything else from `since` on.
    """
    seen: dict[str, Any] = {"owners": list(owner_ids), "since": since, "now": now}
    for row in session.execute(_SHARING, {**seen, "crowd_max": CROWD_MAX}):
        yield Sharing(
            owner_id=row.owner_id,
            what=row.what,
            buyers=tuple(row.buyers),
            never_paid=tuple(row.never_paid),
            with_owner=row.with_owner,
        )
    for owner_id, hour, day, ids in session.execute(_SPEED, {**seen, "since": lately}):
        yield Speed(owner_id=owner_id, hour=hour, day=day, binding_ids=tuple(ids))
    for owner_id, orders, ids in session.execute(_RETURNS, seen):
        yield Returns(owner_id=owner_id, orders=orders, refunded_ids=tuple(ids))
    for owner_id, other_id, ids, back in session.execute(_PAIRS, seen):
        yield Pair(
            owner_id=owner_id,
            other_id=other_id,
            order_ids=tuple(ids),
            other_order_ids=tuple(back),
        )


def below_frozen(session: Session, *, since: datetime, now: datetime) -> Iterator[FrozenAbove]:
    """Yield the direct team of everybody who was frozen since an instant and still is."""
    wanted = {"since": since, "now": now, "team_max": TEAM_MAX}
    for member_id, recommender_id in session.execute(_FROZEN, wanted):
        yield FrozenAbove(owner_id=member_id, recommender_id=recommender_id)
