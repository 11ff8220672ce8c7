"""Statements are sums over the ledger: each closes, and together they are what the brand moved."""

import random
from datetime import datetime, timedelta
from typing import Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import statements
from app.distribution.month_books import bounds
from app.ledger.models import LedgerAccount, LedgerEntry, LedgerTransfer
from app.ledger.transfers import Name
from app.settings import Settings
from tests.factories.payouts import claw_back, make_award, make_payout
from tests.factories.people import make_distributor

DAY: Final = timedelta(days=1)
MONTHS: Final = ("2025-12", "2026-01", "2026-02", "2026-03", "2026-04")


def make_history(session: Session, draw: random.Random, settings: Settings, now: datetime) -> None:
    """Four earners who earn, lose and withdraw over three months."""
    earners = [make_distributor(session) for _ in range(4)]
    for _ in range(14):
        earner = draw.choice(earners)
        at = now - draw.randint(1, 80) * DAY
        award = make_award(session, earner, draw.randint(2_000, 9_000), now=at)
        if draw.random() < 0.4:
            part = draw.choice((award.base_fen, award.base_fen // 3))
            claw_back(session, award, part, now=at + draw.randint(0, 30) * DAY)
    rich = make_distributor(session)
    make_award(session, rich, 20_000, now=now - 40 * DAY)
    make_payout(session, rich, 5_000, settings=settings, now=now)


def moved(session: Session, name: Name, month: str) -> int:
    """Return what came into an account of the brand in a month, less what went out of it."""
    begins_at, ends_at = bounds(month)
    total = 0
    for sign, side in ((1, LedgerTransfer.target_id), (-1, LedgerTransfer.source_id)):
        total += sign * int(
            session.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(LedgerTransfer.amount), 0))
                .join(LedgerEntry, LedgerEntry.id == LedgerTransfer.entry_id)
                .join(LedgerAccount, LedgerAccount.id == side)
                .where(
                    LedgerAccount.name == name,
                    LedgerEntry.occurred_at >= begins_at,
                    LedgerEntry.occurred_at < ends_at,
                )
            )
            or 0
        )
    return total


@pytest.mark.parametrize("seed", range(3))
def test_each_closes_and_all_together_are_what_the_brand_moved(
    session: Session, settings: Settings, now: datetime, seed: int
) -> None:
    make_history(session, random.Random(seed), settings, now)
    closing: dict[int, int] = {}
    seen = 0
    for month in MONTHS:
        every = list(statements.statements(session, month))
        for one in every:
            assert one.opening_fen == closing.get(one.member_id, 0)
            assert one.closing_fen == (
                one.opening_fen + one.earned_fen - one.taken_back_fen - one.paid_out_fen
            )
            own = statements.statement(session, one.member_id, month)
            assert sum(kind.amount_fen for kind in own.earned) == one.earned_fen
            assert (own.closing_fen, own.matured_fen) == (one.closing_fen, one.matured_fen)
            closing[one.member_id] = one.closing_fen
        net = sum(one.earned_fen - one.taken_back_fen for one in every)
        assert net == -moved(session, Name.COMMISSION_EXPENSE, month)
        assert sum(one.paid_out_fen for one in every) == moved(session, Name.WECHAT_PAID_OUT, month)
        seen += sum(one.earned_fen for one in every)
    held = session.execute(
        sa.select(LedgerAccount.member_id, sa.func.sum(LedgerAccount.balance))
        .where(LedgerAccount.member_id.is_not(None))
        .group_by(LedgerAccount.member_id)
    )
    assert {row[0]: int(row[1] or 0) for row in held} == closing
    assert seen > 0


def test_a_month_begins_and_ends_at_midnight_in_shanghai(session: Session) -> None:
    earner = make_distributor(session)
    begins_at, ends_at = bounds("2026-03")
    for at in (begins_at - datetime.resolution, begins_at, ends_at - datetime.resolution, ends_at):
        make_award(session, earner, 1_000, now=at)

    one = statements.statement(session, earner.member_id, "2026-03")

    assert (one.opening_fen, one.earned_fen, one.closing_fen) == (1_000, 2_000, 3_000)
    assert statements.months(session, earner.member_id) == ["2026-04", "2026-03", "2026-02"]


def test_who_never_earned_has_an_empty_statement(session: Session) -> None:
    nobody = make_distributor(session)

    assert statements.statement(session, nobody.member_id, "2026-03").closing_fen == 0
    assert statements.months(session, nobody.member_id) == []
