"""Points in orders: what may pay, what is set aside, what comes back and until when it is good."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.ledger.queries import balance
from app.points import accounts, expiring, lots, ordering, queries
from app.points.errors import PointsAboveLimit, PointsShort
from app.points.models import PointLot, PointUse
from app.points.ordering import Spend
from app.points.states import EntryKind, PointSource
from app.settings import Settings
from tests.factories.orders import make_order
from tests.factories.people import make_member
from tests.factories.points import make_points

DAY = timedelta(days=1)


@pytest.fixture
def quote(session: Session, settings: Settings, now: datetime) -> Callable[..., Spend]:
    """Ask what points take off, of a member with a thousand of them."""
    member = make_member(session)
    make_points(session, member, 1_000)

    def ask(points: int, payable_fen: int) -> Spend:
        return ordering.quote(
            session,
            member_id=member.id,
            points=points,
            payable_fen=payable_fen,
            settings=settings,
            now=now,
        )

    return ask


def test_a_hundred_points_take_one_yuan_off(quote: Callable[..., Spend]) -> None:
    assert quote(250, 10_000) == Spend(250, 250)
    assert quote(0, 10_000) == Spend(0, 0)


def test_points_pay_half_of_the_goods_at_most(quote: Callable[..., Spend]) -> None:
    assert quote(500, 1_001) == Spend(500, 500)
    with pytest.raises(PointsAboveLimit) as refused:
        quote(501, 1_001)
    assert refused.value.most_points == 500


def test_the_last_fen_is_paid_in_money(quote: Callable[..., Spend]) -> None:
    with pytest.raises(PointsAboveLimit) as refused:
        quote(1, 1)
    assert refused.value.most_points == 0


def test_nobody_spends_more_than_they_have(quote: Callable[..., Spend]) -> None:
    with pytest.raises(PointsShort) as refused:
        quote(1_001, 1_000_000)
    assert refused.value.available_points == 1_000


def test_the_most_is_what_both_the_order_and_the_member_allow(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session)
    make_points(session, member, 300)

    def most(payable_fen: int) -> Spend:
        return ordering.most(
            session, member_id=member.id, payable_fen=payable_fen, settings=settings, now=now
        )

    assert most(10_000) == Spend(300, 300)
    assert most(401) == Spend(200, 200)
    assert most(0) == Spend(0, 0)


def test_what_runs_out_first_pays_first(session: Session, now: datetime) -> None:
    member = make_member(session)
    late, soon = make_points(session, member, 50), make_points(session, member, 50, now=now - DAY)
    order = make_order(session, member=member)

    ordering.reserve(session, order.id, Spend(70, 70), member_id=member.id, now=now)

    assert (soon.left_points, late.left_points) == (0, 30)
    assert balance(session, accounts.reserved(member.id)) == 70
    assert balance(session, accounts.available(member.id)) == 30


def test_an_order_that_is_not_paid_gives_its_points_back_to_their_lots(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    late, soon = make_points(session, member, 50), make_points(session, member, 50, now=now - DAY)
    order = make_order(session, member=member)
    ordering.reserve(session, order.id, Spend(70, 70), member_id=member.id, now=now)

    for _ in range(2):
        ordering.release(session, order.id, now=now)

    assert (soon.left_points, late.left_points) == (50, 50)
    assert ordering.used_by(session, order.id) == 0
    assert balance(session, accounts.reserved(member.id)) == 0


def test_refunds_give_back_by_their_share_of_what_was_paid_and_the_last_the_rest(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    make_points(session, member, 100)
    order = make_order(session, member=member)
    ordering.reserve(session, order.id, Spend(100, 100), member_id=member.id, now=now)
    ordering.spend(session, order.id, now=now)
    held = []

    for refunded_fen in (1, 333, 333, 500, 200, 999, 1_000, 1_000):
        ordering.give_back(session, order.id, refunded_fen=refunded_fen, paid_fen=1_000, now=now)
        held.append(balance(session, accounts.available(member.id)))

    assert held == [0, 33, 33, 50, 50, 99, 100, 100]
    assert balance(session, accounts.REDEEMED) == 0


def test_what_comes_back_after_its_day_is_good_for_a_time_of_grace(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session)
    old = make_points(session, member, 40, now=now - 364 * DAY)
    order = make_order(session, member=member)
    ordering.reserve(session, order.id, Spend(40, 40), member_id=member.id, now=now)
    ordering.spend(session, order.id, now=now)
    later = now + 3 * DAY

    ordering.give_back(session, order.id, refunded_fen=10, paid_fen=10, now=later)

    use = session.scalars(sa.select(PointUse)).one()
    returned = sa.select(PointLot).where(PointLot.source == PointSource.RETURNED)
    fresh = session.scalars(returned).one()
    grace = timedelta(seconds=settings.points_return_grace_seconds)
    assert (use.returned_points, use.renewed_points) == (0, 40)
    assert (fresh.left_points, fresh.expires_at) == (40, later + grace)
    assert old.left_points == 0


def test_the_time_of_grace_is_given_once(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session)
    make_points(session, member, 40, now=now - 364 * DAY)
    grace = timedelta(seconds=settings.points_return_grace_seconds)
    first, second = make_order(session, member=member), make_order(session, member=member)
    ordering.reserve(session, first.id, Spend(40, 40), member_id=member.id, now=now)
    ordering.release(session, first.id, now=now + 2 * DAY)
    last = now + 2 * DAY + grace - timedelta(seconds=1)
    ordering.reserve(session, second.id, Spend(30, 30), member_id=member.id, now=last)
    assert expiring.expire_batch(session, now=last + DAY).points == 10

    ordering.release(session, second.id, now=last + DAY)

    assert lots.spendable(session, member.id, now=last + DAY) == 0
    assert expiring.expire_batch(session, now=last + DAY).points == 30
    assert balance(session, accounts.available(member.id)) == 0
    kept = session.scalars(sa.select(PointLot).where(PointLot.source == PointSource.RETURNED)).one()
    session.refresh(kept)
    assert (kept.granted_points, kept.left_points, kept.expired_points) == (40, 0, 40)


def test_points_that_are_over_are_not_spent_though_nobody_swept_them_yet(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    make_points(session, member, 40, now=now - 366 * DAY)
    order = make_order(session, member=member)

    with pytest.raises(PointsShort) as refused:
        ordering.reserve(session, order.id, Spend(1, 1), member_id=member.id, now=now)

    assert refused.value.available_points == 0


def test_what_runs_out_is_told_once_before_and_then_taken(session: Session, now: datetime) -> None:
    member = make_member(session)
    lot = make_points(session, member, 40, now=now - 350 * DAY)
    make_points(session, member, 10)
    month = 30 * 86_400

    told = [expiring.notify_batch(session, notice_seconds=month, now=now) for _ in range(2)]
    batch = expiring.expire_batch(session, now=now + 16 * DAY)

    session.refresh(lot)
    assert told == [1, 0]
    assert (batch.lots, batch.points) == (1, 40)
    assert (lot.left_points, lot.expired_points) == (0, 40)
    assert balance(session, accounts.EXPIRED) == 40
    found = queries.balance_of(session, member.id, now=now + 16 * DAY)
    assert (found.available, found.next.points if found.next else 0) == (10, 10)
    [last] = queries.statement_page(session, member.id, after_id=None, limit=1)
    assert (last.kind, last.available_change) == (EntryKind.EXPIRED, -40)
