"""The settled figures of one month of a plan, gathered in sets, and as JSON for ever.

An order counts in the month in which its after-sale window closed, with what refunds had left of it
by then; a refund that comes later counts against the month in which it reached its customer. So no
sum of a month that is over ever changes. Who stands, recommends or holds a seat is read when the
month is closed, which is in its first night unless somebody closes it late.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.boards import STANDINGS
from app.engines.months import Earner, MonthBooks, MonthScope
from app.engines.people import Standing
from app.kernel.clock import business_day, day_begins_at
from app.plans.models import PlanVersion

_INSTANTS: Final = ("last_sale_at", "own_settled_at", "until_at", "promoted_at")

_SALES: Final = """
    SELECT owner_id, sum(fen)::bigint AS fen, max(settled_at) AS last_sale_at FROM (
        SELECT o.owner_id, o.settled_at, l.net_fen - coalesce((
            SELECT sum(rl.amount_fen) FROM refund_lines rl JOIN refunds r ON r.id = rl.refund_id
            WHERE rl.order_line_id = l.id AND r.state = 'succeeded'
                AND r.ended_at <= o.settled_at), 0) AS fen
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        JOIN plan_versions v ON v.id = l.plan_version_id
        WHERE v.plan_id = :plan_id AND l.is_distributable
            AND o.settled_at >= :begins_at AND o.settled_at < :ends_at
            AND (:store_id IS NULL OR o.store_id = :store_id)
        UNION ALL
        SELECT o.owner_id, NULL, -rl.amount_fen
        FROM refunds r JOIN refund_lines rl ON rl.refund_id = r.id
        JOIN order_lines l ON l.id = rl.order_line_id
        JOIN orders o ON o.id = l.order_id
        JOIN plan_versions v ON v.id = l.plan_version_id
        WHERE r.state = 'succeeded' AND r.ended_at >= :begins_at AND r.ended_at < :ends_at
            AND o.settled_at < r.ended_at AND v.plan_id = :plan_id AND l.is_distributable
            AND (:store_id IS NULL OR o.store_id = :store_id)
    ) AS moves GROUP BY owner_id
"""

_TEAM: Final = """
    WITH RECURSIVE up AS (
        SELECT member_id, recommender_id FROM distributors WHERE member_id = ANY(:sellers)
        UNION
        SELECT d.member_id, d.recommender_id FROM distributors d
        JOIN up ON up.recommender_id = d.member_id
    )
    SELECT d.member_id, d.recommender_id, d.standing, p.level, p.from_at,
        p.cause = 'upgrade' AS rose
    FROM up JOIN distributors d ON d.member_id = up.member_id
    LEFT JOIN level_periods p ON p.member_id = d.member_id
        AND p.from_at < :ends_at AND (p.until_at IS NULL OR p.until_at >= :ends_at)
    ORDER BY d.member_id
"""

_HOLDERS: Final = """
    SELECT h.member_id, h.recommender_id, d.standing, (h.facts->>'level')::bigint AS level,
        h.facts->>'state' AS state, (h.facts->>'until')::timestamptz AS until_at,
        (SELECT max(o.settled_at) FROM orders o WHERE o.member_id = h.member_id
            AND o.store_id = h.number AND o.settled_at < :ends_at
            AND o.paid_fen > o.refunded_fen) AS own_settled_at,
        coalesce((SELECT sum(a.amount_fen) FROM awards a
            JOIN closed_months m ON m.id = a.closed_month_id
            WHERE m.plan_id = :plan_id AND m.store_id = :store_id
                AND a.beneficiary_id = h.member_id), 0)::bigint AS received_fen
    FROM plan_places h LEFT JOIN distributors d ON d.member_id = h.member_id
    WHERE h.plan_id = :plan_id AND h.number = :store_id
        AND h.facts->>'state' IN ('ACTIVE', 'EXPIRED', 'LEFT')
        AND (h.facts->>'granted')::timestamptz < :ends_at
    ORDER BY h.member_id
"""


def month_of(instant: datetime) -> str:
    """Return the month of the brand's calendar that an instant falls in.

    >>> month_of(datetime.fromisoformat("2026-02-28T16:00:00+00:00"))
    '2026-03'
    """
    return f"{business_day(instant):%Y-%m}"


def bounds(month: str) -> tuple[datetime, datetime]:
    """Return the instants at which a month begins and ends, in UTC.

    >>> [at.isoformat() for at in bounds("2026-12")]
    ['2026-11-30T16:00:00+00:00', '2026-12-31T16:00:00+00:00']
    """
    year, number = int(month[:4]), int(month[5:])
    following = date(year + number // 12, number % 12 + 1, 1)
    return day_begins_at(date(year, number, 1)), day_begins_at(following)


def gather(
    session: Session, version: PlanVersion, month: str, *, scope: MonthScope, store_id: int | None
) -> MonthBooks:
    """Return the books of a month that is over; `store_id` where stores are closed one by one."""
    begins_at, ends_at = bounds(month)
    told = {
        "plan_id": version.plan_id,
        "store_id": store_id,
        "begins_at": begins_at,
        "ends_at": ends_at,
    }
    bound = sa.text(_SALES).bindparams(sa.bindparam("store_id", type_=sa.BigInteger))
    sales = {row.owner_id: row for row in session.execute(bound, told)}
    if scope is MonthScope.STORE:
        people = [_holder(row, sales) for row in session.execute(sa.text(_HOLDERS), told)]
    else:
        sellers = [owner_id for owner_id in sales if owner_id is not None]
        rows = session.execute(sa.text(_TEAM), told | {"sellers": sellers})
        people = [_distributor(row, sales) for row in rows]
    carried_fen, deficit_fen = _brought_forward(session, version.plan_id, store_id, month)
    return MonthBooks(
        plan_id=version.plan_id,
        month=month,
        ends_at=ends_at,
        net_fen=sum(int(row.fen) for row in sales.values()),
        people=tuple(people),
        store_id=store_id,
        carried_fen=carried_fen,
        deficit_fen=deficit_fen,
    )


def books_to_json(books: MonthBooks) -> dict[str, Any]:
    """Write the books down as the closed month keeps them."""
    return _plain(asdict(books)) | {"people": [_plain(asdict(one)) for one in books.people]}


def books_from_json(value: Mapping[str, Any]) -> MonthBooks:
    """Read what `books_to_json` wrote."""
    people = tuple(
        Earner(**{name: _read(name, fact) for name, fact in one.items()}) for one in value["people"]
    )
    known = {one.name for one in fields(MonthBooks)}
    facts = {name: _read(name, fact) for name, fact in value.items() if name in known}
    return MonthBooks(**facts | {"people": people})


def _holder(row: Any, sales: Mapping[int | None, Any]) -> Earner:
    """Make the engine's person of a holding; without a seat the level is none."""
    sold = sales.get(row.member_id)
    return Earner(
        member_id=row.member_id,
        recommender_id=row.recommender_id,
        level=row.level or None,
        standing=STANDINGS.get(row.standing, Standing.NONE),
        sales_fen=int(sold.fen) if sold else 0,
        last_sale_at=sold.last_sale_at if sold else None,
        own_settled_at=row.own_settled_at,
        received_fen=row.received_fen,
        until_at=row.until_at,
    )


def _distributor(row: Any, sales: Mapping[int | None, Any]) -> Earner:
    sold = sales.get(row.member_id)
    return Earner(
        member_id=row.member_id,
        recommender_id=row.recommender_id,
        level=row.level,
        standing=STANDINGS.get(row.standing, Standing.NONE),
        sales_fen=int(sold.fen) if sold else 0,
        last_sale_at=sold.last_sale_at if sold else None,
        promoted_at=row.from_at if row.rose else None,
    )


def _brought_forward(
    session: Session, plan_id: int, store_id: int | None, month: str
) -> tuple[int, int]:
    """Return what the last closed month before this one handed on: remainder and shortfall."""
    found = session.execute(
        sa.text(
            "SELECT carried_fen, deficit_fen FROM closed_months WHERE plan_id = :plan_id"
            " AND store_id IS NOT DISTINCT FROM :store_id AND month < :month"
            " ORDER BY month DESC LIMIT 1"
        ).bindparams(sa.bindparam("store_id", type_=sa.BigInteger)),
        {"plan_id": plan_id, "store_id": store_id, "month": month},
    ).one_or_none()
    return (found.carried_fen, found.deficit_fen) if found else (0, 0)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: fact.isoformat() if isinstance(fact, datetime) else getattr(fact, "value", fact)
        for name, fact in facts.items()
    }


def _read(name: str, fact: Any) -> Any:
    if name in {*_INSTANTS, "ends_at"}:
        return None if fact is None else datetime.fromisoformat(fact)
    return Standing(fact) if name == "standing" else fact
