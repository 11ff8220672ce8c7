"""What SQL says of figures and moves is what a plain reading of the rows says."""

import random
from collections.abc import Sequence
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import figures, level_preview, retention
from app.distribution.figures import Span, Wanted, Whose
from app.distribution.models import Award
from app.distribution.retention import Period
from app.engines.levels import promote, review
from app.engines.parameters import ConditionKind, Levels
from app.members.models import Distributor
from app.orders.models import Order
from tests.factories.levels import DAY, WINDOWS, every, make_past, random_levels

SEEDS = range(4)


class Books:
    """Every row, read once, and each figure reckoned from them one by one."""

    def __init__(self, session: Session) -> None:
        self.orders = session.scalars(sa.select(Order)).all()
        self.awards = session.scalars(sa.select(Award)).all()
        self.people = session.scalars(sa.select(Distributor)).all()

    def read(self, kind: ConditionKind, member_id: int, span: Span) -> int:
        """Return a figure of one person."""
        settled = [one for one in self.orders if within(one.settled_at, span)]
        brought = [one for one in self.people if one.recommender_id == member_id]
        team = {member_id, *(one.member_id for one in brought)}
        matured = [
            one.amount_fen - one.reversed_fen
            for one in self.awards
            if one.beneficiary_id == member_id and within(one.matured_at, span)
        ]
        sold = [net(one) for one in settled if one.owner_id == member_id and net(one)]
        bought = [net(one) for one in settled if one.member_id == member_id and net(one)]
        found = {
            ConditionKind.DIRECT_SALES: sum(sold),
            ConditionKind.PAYING_CUSTOMERS: len(
                {one.member_id for one in settled if one.owner_id == member_id and net(one)}
            ),
            ConditionKind.DIRECT_ORDERS: len(sold),
            ConditionKind.LARGEST_ORDER: max(sold, default=0),
            ConditionKind.OWN_SPEND: sum(bought),
            ConditionKind.OWN_ORDERS: len(bought),
            ConditionKind.TEAM_SALES: sum(net(one) for one in settled if one.owner_id in team),
            ConditionKind.COMMISSION_MATURED: sum(matured),
            ConditionKind.RECRUITS: sum(within(one.approved_at, span) for one in brought),
        }
        return found[kind]


def within(at: datetime | None, span: Span) -> bool:
    return at is not None and span.since < at <= span.until


def net(order: Order) -> int:
    return order.paid_fen - order.refunded_fen


@pytest.mark.parametrize("seed", SEEDS)
def test_every_figure_is_that_of_the_rows(session: Session, now: datetime, seed: int) -> None:
    people = make_past(session, random.Random(seed), now=now)
    spans = [Span.last_days(days, now=now) for days in WINDOWS]
    spans.append(Span.period(now - 40 * DAY, now - 20 * DAY))
    wanted = {Wanted(kind, span) for kind in ConditionKind for span in spans}

    found = figures.gather(session, wanted, [one.member_id for one in people])

    books = Books(session)
    differences = [
        (one.member_id, want, found[one.member_id][want])
        for one in people
        for want in sorted(wanted)
        if found[one.member_id][want] != books.read(want.kind, one.member_id, want.span)
    ]
    assert differences == []
    assert any(value for values in found.values() for value in values.values())


def expected_moves(
    books: Books, levels: Levels, people: Sequence[Distributor], now: datetime
) -> dict[int, tuple[int, int]]:
    moves = {}
    for one in people:
        known = {
            figure: books.read(wanted.kind, one.member_id, wanted.span)
            for figure, wanted in figures.windows(levels, now=now).items()
        }
        rise = promote(levels, one.level, known)
        if rise is not None:
            moves[one.member_id] = (rise.from_level, rise.to_level)
    return moves


@pytest.mark.parametrize("seed", SEEDS)
def test_the_statement_of_moves_says_what_the_engine_says_of_each(
    session: Session, now: datetime, seed: int
) -> None:
    draw = random.Random(100 + seed)
    people = make_past(session, draw, now=now, orders=40)
    books, moved = Books(session), 0
    for _ in range(15):
        levels = random_levels(draw)
        expected = expected_moves(books, levels, people, now)

        page = level_preview.preview_page(session, levels, now=now, limit=100)
        counts = level_preview.preview(session, levels, now=now)

        ids = {one.member_id for one in people}
        mine = {m.member_id: (m.from_level, m.to_level) for m in page if m.member_id in ids}
        assert mine == expected
        assert sum(one.people for one in counts) == len(page)
        moved += len(expected)
    assert moved > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_who_misses_a_period_in_sql_is_who_misses_it_in_the_engine(
    session: Session, now: datetime, seed: int
) -> None:
    draw = random.Random(200 + seed)
    people = make_past(session, draw, now=now, orders=40)
    period = Period("2026-02", now - 30 * DAY, now - DAY)
    books, missed = Books(session), 0
    for _ in range(10):
        levels = random_levels(draw, retention=every(share_bp=draw.choice((1, 3_333, 10_000))))
        expected = [
            one.member_id
            for one in people
            if one.approved_at is not None
            and one.approved_at < period.begins_at
            and (
                seen := review(
                    levels,
                    one.level,
                    {
                        kind: books.read(kind, one.member_id, Span.period(*period[1:]))
                        for kind in ConditionKind
                    },
                )
            )
            is not None
            and not seen.is_kept
        ]

        found = retention._missing(session, levels, Whose.after(0), period)

        assert [one for one in found if one in {each.member_id for each in people}] == expected
        missed += len(expected)
    assert missed > 0
