"""The monthly statement of a distributor: what they had, earned, got and have, from the ledger.

A statement is a sum over the ledger's transfers of one month in Shanghai, so it closes with what
it opened with and what moved in between, and all statements of a month together are what the
brand's accounts moved. What was earned is told apart by kind from the awards of the month, which
were granted in the same transactions. Nothing is stored: the past does not change.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award
from app.distribution.month_books import bounds
from app.distribution.queries import AwardRow, awards_page
from app.kernel.db import take_time
from app.ledger.models import LedgerAccount
from app.ledger.transfers import Unit

_BATCH: Final = 5_000
_MONTH: Final = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Earned:
    """What one kind of award brought in a month; `count` is how many awards."""

    kind: str
    count: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One month of one distributor, in fen.

    `opening_fen` and `closing_fen` hold everything: pending, available, on its way, less what is
    owed. closing = opening + earned - taken back - paid out. What matured in the month moved from
    pending to available and changes neither.
    """

    member_id: int
    month: str
    opening_fen: int
    earned_fen: int
    matured_fen: int
    taken_back_fen: int
    paid_out_fen: int
    closing_fen: int
    earned: tuple[Earned, ...] = ()


_SUMS: Final = """
    SELECT member_id,
        coalesce(sum(change) FILTER (WHERE NOT in_month), 0) AS opening_fen,
        coalesce(sum(amount) FILTER (WHERE in_month AND source = 'commission_expense'), 0)
            AS earned_fen,
        coalesce(sum(amount) FILTER (WHERE in_month
            AND source IN ('commission_pending', 'commission_expense')
            AND target IN ('commission_available', 'clawback_debt')), 0) AS matured_fen,
        coalesce(sum(amount) FILTER (WHERE in_month AND target = 'commission_expense'), 0)
            AS taken_back_fen,
        coalesce(sum(-change) FILTER (WHERE in_month
            AND 'wechat_paid_out' IN (source, target)), 0) AS paid_out_fen,
        sum(change) AS closing_fen
    FROM (
        SELECT coalesce(s.member_id, g.member_id) AS member_id, t.amount, s.name AS source,
            g.name AS target, e.occurred_at >= :begins_at AS in_month,
            CASE WHEN s.member_id IS NULL THEN t.amount
                WHEN g.member_id IS NULL THEN -t.amount ELSE 0 END AS change
        FROM ledger_transfers t
        JOIN ledger_entries e ON e.id = t.entry_id AND e.occurred_at < :ends_at
        JOIN ledger_accounts s ON s.id = t.source_id
        JOIN ledger_accounts g ON g.id = t.target_id
        WHERE s.unit = 'fen' AND {which}
    ) AS moved
    WHERE member_id IS NOT NULL GROUP BY member_id ORDER BY member_id
"""
_OF_SOME: Final = "(t.source_id = ANY(:accounts) OR t.target_id = ANY(:accounts))"


def is_month(text: str) -> bool:
    """Tell whether a text is a month.

    >>> is_month("2026-10"), is_month("2026-13")
    (True, False)
    """
    return _MONTH.fullmatch(text) is not None


def statement(session: Session, member_id: int, month: str) -> Statement:
    """Return the statement of one distributor for a month such as `2026-10`.

    A month in which nothing moved has a statement as well: it closes with what it opened with.
    """
    accounts = _accounts(session, [member_id])
    sums = sa.text(_SUMS.format(which=_OF_SOME))
    row = session.execute(sums, _told(month) | {"accounts": accounts}).one_or_none()
    if row is None:
        return Statement(member_id, month, 0, 0, 0, 0, 0, 0)
    return _of(row, month, _earned(session, member_id, month))


def statements(session: Session, month: str) -> Iterator[Statement]:
    """Yield the statement of everybody whose accounts ever moved by the end of a month, by id.

    Without the kinds of awards; those are on each one's own.
    """
    take_time(session)
    rows = session.execute(
        sa.text(_SUMS.format(which="true")),
        _told(month),
        execution_options={"yield_per": _BATCH},
    )
    for row in rows:
        yield _of(row, month)


def months(session: Session, member_id: int) -> list[str]:
    """Return the months in which anything moved for a distributor, the newest first."""
    rows = session.scalars(
        sa.text(
            "SELECT DISTINCT to_char(e.occurred_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS m"  # noqa: S608 - our own constants
            f" FROM ledger_transfers t JOIN ledger_entries e ON e.id = t.entry_id WHERE {_OF_SOME}"
            " ORDER BY m DESC"
        ),
        {"accounts": _accounts(session, [member_id])},
    )
    return [str(one) for one in rows]


def awards_of(
    session: Session, member_id: int, month: str, *, after_id: int | None, limit: int
) -> list[AwardRow]:
    """Return one page of the awards granted in a month, the newest first, with explanations."""
    return awards_page(
        session, member_id, after_id=after_id, limit=limit, granted_within=bounds(month)
    )


def _accounts(session: Session, member_ids: Sequence[int]) -> list[int]:
    accounts = sa.select(LedgerAccount.id).where(
        LedgerAccount.member_id.in_(member_ids), LedgerAccount.unit == Unit.FEN
    )
    return list(session.scalars(accounts))


def _told(month: str) -> dict[str, Any]:
    begins_at, ends_at = bounds(month)
    return {"begins_at": begins_at, "ends_at": ends_at}


def _of(row: Any, month: str, earned: tuple[Earned, ...] = ()) -> Statement:
    return Statement(
        member_id=int(row.member_id),
        month=month,
        opening_fen=int(row.opening_fen),
        earned_fen=int(row.earned_fen),
        matured_fen=int(row.matured_fen),
        taken_back_fen=int(row.taken_back_fen),
        paid_out_fen=int(row.paid_out_fen),
        closing_fen=int(row.closing_fen),
        earned=earned,
    )


def _earned(session: Session, member_id: int, month: str) -> tuple[Earned, ...]:
    begins_at, ends_at = bounds(month)
    rows = session.execute(
        sa.select(Award.kind, sa.func.count(), sa.func.sum(Award.amount_fen))
        .where(
            Award.beneficiary_id == member_id,
            Award.created_at >= begins_at,
            Award.created_at < ends_at,
        )
        .group_by(Award.kind)
        .order_by(Award.kind)
    )
    return tuple(Earned(kind, int(count), int(fen)) for kind, count, fen in rows)
