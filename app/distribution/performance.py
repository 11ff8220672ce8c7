"""What a distributor brought the brand, month by month, and what each of their codes did.

All is read by index of the distributor and bounded: so many months, so many codes, of each code so
many of its newest touches. `store_ids` keeps to orders of some stores; None stands for all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.month_books import bounds, month_of

TOUCHES_MAX: Final = 10_000
"""So many of the newest touches of a code are counted."""
CODES_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a distributor, in Shanghai's calendar; amounts in fen.

    Orders, sales and what was given back of them count in the month of the payment, commission in
    the month it was granted; `taken_back_fen` is what refunds took of it since.
    """

    month: str
    bound_count: int = 0
    payers_count: int = 0
    orders_count: int = 0
    sales_fen: int = 0
    refunded_fen: int = 0
    awarded_fen: int = 0
    taken_back_fen: int = 0


@dataclass(frozen=True, slots=True)
class CodeResult:
    """What came through a share code: touches, customers it bound, those of them who paid."""

    share_code_id: int
    channel_id: int
    touch_count: int
    bound_count: int
    paid_count: int
    is_cut: bool
    """Whether there are more touches than were counted."""


_BOUND: Final = """
    SELECT to_char(valid_from_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
        count(*) AS bound_count
    FROM bindings WHERE owner_id = :member_id AND valid_from_at >= :since AND valid_from_at < :until
    GROUP BY 1
"""
_SOLD: Final = """
    SELECT to_char(paid_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
        count(DISTINCT member_id) AS payers_count, count(*) AS orders_count,
        sum(paid_fen)::bigint AS sales_fen, sum(refunded_fen)::bigint AS refunded_fen
    FROM orders WHERE owner_id = :member_id AND paid_at >= :since AND paid_at < :until
        AND (CAST(:store_ids AS bigint[]) IS NULL OR store_id = ANY(:store_ids))
    GROUP BY 1
"""
_AWARDED: Final = """
    SELECT to_char(a.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
        sum(a.amount_fen)::bigint AS awarded_fen, sum(a.reversed_fen)::bigint AS taken_back_fen
    FROM awards a
    LEFT JOIN orders o ON o.id = a.order_id
    LEFT JOIN closed_months m ON m.id = a.closed_month_id
    WHERE a.beneficiary_id = :member_id AND a.created_at >= :since AND a.created_at < :until
        AND (CAST(:store_ids AS bigint[]) IS NULL
            OR coalesce(o.store_id, m.store_id) = ANY(:store_ids))
    GROUP BY 1
"""
_CODES: Final = sa.text("""
    SELECT c.id, c.channel_id, t.touches, t.bound, t.paid
    FROM (SELECT id, channel_id FROM share_codes WHERE distributor_id = :member_id
        ORDER BY id DESC LIMIT :codes_max) AS c
    CROSS JOIN LATERAL (
        SELECT count(*) AS touches,
            count(*) FILTER (WHERE outcome = 'bound') AS bound,
            count(*) FILTER (WHERE outcome = 'bound' AND EXISTS (
                SELECT 1 FROM orders o WHERE o.member_id = newest.member_id
                    AND o.binding_id = newest.binding_id AND o.paid_at IS NOT NULL)) AS paid
        FROM (SELECT member_id, outcome, binding_id FROM touches WHERE share_code_id = c.id
            ORDER BY id DESC LIMIT :touches_max) AS newest) AS t
    ORDER BY c.id DESC
""")


def by_month(
    session: Session,
    member_id: int,
    *,
    months: int,
    now: datetime,
    store_ids: Collection[int] | None = None,
) -> Sequence[Month]:
    """Return the latest months of a distributor, this one first, also those without anything."""
    names = _latest(month_of(now), months)
    wanted = {
        "member_id": member_id,
        "since": bounds(names[-1])[0],
        "until": bounds(names[0])[1],
        "store_ids": None if store_ids is None else list(store_ids),
    }
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for statement in (_BOUND, _SOLD, _AWARDED):
        for row in session.execute(sa.text(statement), wanted).mappings():
            found[row["month"]] |= row
    return [Month(**{**facts, "month": name}) for name, facts in found.items()]


def codes(session: Session, member_id: int) -> Sequence[CodeResult]:
    """Return what the newest share codes of a distributor did, the newest first."""
    limits: Mapping[str, int] = {"codes_max": CODES_MAX, "touches_max": TOUCHES_MAX}
    rows = session.execute(_CODES, {"member_id": member_id, **limits})
    return [
        CodeResult(
            share_code_id=row.id,
            channel_id=row.channel_id,
            touch_count=row.touches,
            bound_count=row.bound,
            paid_count=row.paid,
            is_cut=row.touches >= TOUCHES_MAX,
        )
        for row in rows
    ]


def _latest(month: str, count: int) -> list[str]:
    """Return a month and those before it, the latest first.

    >>> _latest("2026-02", 3)
    ['2026-02', '2026-01', '2025-12']
    """
    year, number = map(int, month.split("-"))
    last = year * 12 + number - 1
    return [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(last, last - count, -1)]
