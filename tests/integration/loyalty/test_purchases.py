"""What a purchase brings, in any order of jobs and however often they run."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.kernel import outbox
from app.kernel.jobs import Job
from app.kernel.outbox import emit
from app.ledger.queries import balance
from app.ledger.transfers import Account, Name, Unit
from app.loyalty.models import OrderReward
from app.membership.models import GrowthEntry, Membership
from app.membership.queries import standing_of
from app.orders.deals import Deal
from app.orders.models import Order
from app.orders.states import OrderEvent, OrderState
from app.reactions import TASKS
from tests.factories.discounts import PaidWith
from tests.factories.loyalty import JOBS, work
from tests.factories.membership import grow, make_ladder, make_level
from tests.factories.orders import AFTER_SALE, LineOf, make_order, make_product, make_refund
from tests.factories.people import make_member

DAY = timedelta(days=1)


def points(session: Session, member_id: int, name: Name) -> int:
    return balance(session, Account(name, Unit.POINT, member_id))


def fresh(session: Session, order: Order) -> Order:
    return session.scalars(
        sa.select(Order)
        .where(Order.id == order.id)
        .options(selectinload(Order.lines))
        .execution_options(populate_existing=True)
    ).one()


def settle(session: Session, order: Order, *, at: datetime) -> None:
    row = fresh(session, order)
    row.advance(OrderEvent.COMPLETE, now=at - AFTER_SALE, actor="system")
    row.completed_at, row.after_sale_until_at = at - AFTER_SALE, at
    row.advance(OrderEvent.SETTLE, now=at, actor="system")
    row.settled_at = at
    emit(session, "order_settled", row.id, now=at)
    session.flush()


def refund(session: Session, order: Order, fen: int, *, at: datetime) -> None:
    row = fresh(session, order)
    made = make_refund(session, row, amounts={row.lines[0].id: fen}, now=at)
    emit(session, "refund_succeeded", made.id, now=at)
    session.flush()


def pay(session: Session, price_fen: int = 19_999, *, now: datetime) -> Order:
    order = make_order(session, price_fen=price_fen, now=now)
    emit(session, "order_paid", order.id, now=now)
    session.flush()
    return order


def test_a_paid_order_promises_points_by_the_level_held_when_it_was_paid(
    session: Session, now: datetime
) -> None:
    make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 1_000, key="a", now=now)
    order = make_order(session, member=member, price_fen=19_999, now=now)
    emit(session, "order_paid", order.id, now=now)
    grow(session, member.id, 9_000, key="b", now=now + DAY)

    work(session, now=now + DAY, twice=True)

    assert points(session, member.id, Name.POINTS_PENDING) == 199 * 12 // 10
    assert points(session, member.id, Name.POINTS_AVAILABLE) == 0
    row = session.get_one(OrderReward, order.id)
    assert (row.base_fen, row.points, row.growth) == (19_999, 238, 199)
    assert row.rule["points_multiplier_bp"] == 12_000


def test_shipping_earns_nothing_and_an_unpaid_order_neither(
    session: Session, now: datetime
) -> None:
    shipped = make_order(session, price_fen=10_000, shipping_fen=1_000, now=now)
    unpaid = make_order(session, state=OrderState.CREATED, now=now)
    late = make_order(session, state=OrderState.PAID_LATE, now=now)
    for order in (shipped, unpaid, late):
        emit(session, "order_paid", order.id, now=now)

    work(session, now=now)

    rows = session.execute(sa.select(OrderReward.order_id, OrderReward.points)).all()
    assert [tuple(row) for row in rows] == [(shipped.id, 100)]


def test_an_order_by_an_offer_that_takes_no_points_gives_none_but_growth(
    session: Session, now: datetime
) -> None:
    product = make_product(session, price_fen=10_000)
    deal = Deal(kind="flash_sale", activity_id=1, title="Sale", prices_fen={product.id: 10_000})
    order = make_order(
        session, lines=[LineOf(product=product)], paid_with=PaidWith(deal=deal), now=now
    )
    emit(session, "order_paid", order.id, now=now)

    work(session, now=now)

    row = session.get_one(OrderReward, order.id)
    assert (row.points, row.growth) == (0, 100)
    assert points(session, order.member_id, Name.POINTS_PENDING) == 0


def test_settling_makes_points_spendable_and_lifts_by_growth(
    session: Session, now: datetime
) -> None:
    _, silver, _ = make_ladder(session)
    order = pay(session, 100_000, now=now)
    settle(session, order, at=now + 8 * DAY)

    work(session, now=now + 8 * DAY, twice=True)

    assert points(session, order.member_id, Name.POINTS_PENDING) == 0
    assert points(session, order.member_id, Name.POINTS_AVAILABLE) == 1_000
    assert session.get_one(Membership, order.member_id).growth == 1_000
    assert standing_of(session, order.member_id, at=now + 30_000 * DAY).level_id == silver


@pytest.mark.parametrize("refunds", [(1,), (9_999, 1), (3_333, 3_333, 13_333), (19_999,)])
def test_refunds_before_settlement_take_back_their_share_rounded_down(
    session: Session, now: datetime, refunds: tuple[int, ...]
) -> None:
    order = pay(session, now=now)
    for fen in refunds:
        refund(session, order, fen, at=now + DAY)
        work(session, now=now + DAY, twice=True)

    taken = 199 * sum(refunds) // 19_999
    assert points(session, order.member_id, Name.POINTS_PENDING) == 199 - taken
    row = session.get_one(OrderReward, order.id)
    assert (row.points_taken, row.growth_taken, row.gone_fen) == (taken, taken, sum(refunds))
    assert session.scalar(sa.select(sa.func.count()).select_from(GrowthEntry)) == 0


def test_refunds_after_settlement_take_back_points_growth_and_the_level(
    session: Session, now: datetime
) -> None:
    base, _, _ = make_ladder(session)
    order = pay(session, 100_000, now=now)
    settle(session, order, at=now + 8 * DAY)
    work(session, now=now + 8 * DAY)
    refund(session, order, 33_333, at=now + 9 * DAY)
    refund(session, order, 66_667, at=now + 9 * DAY)

    work(session, now=now + 9 * DAY, twice=True)

    assert points(session, order.member_id, Name.POINTS_AVAILABLE) == 0
    assert session.get_one(Membership, order.member_id).growth == 0
    assert standing_of(session, order.member_id, at=now + 30_000 * DAY).level_id == base
    entries = session.execute(
        sa.select(GrowthEntry.amount, GrowthEntry.counts_at).order_by(GrowthEntry.id)
    ).all()
    assert [tuple(one) for one in entries] == [
        (1_000, now + 8 * DAY),
        (-1_000, now + 8 * DAY),
    ]


@pytest.mark.parametrize("in_order", list(permutations(JOBS[:3])))
def test_the_order_in_which_jobs_hear_of_it_does_not_matter(
    session: Session, now: datetime, in_order: tuple[Job, ...]
) -> None:
    order = pay(session, 10_000, now=now)
    settle(session, order, at=now + 8 * DAY)
    refund(session, order, 2_550, at=now + 9 * DAY)
    session.commit()
    outbox.relay(session, TASKS, now=now)
    session.commit()

    done = [job() for job in in_order]

    assert done == [1, 1, 1]
    assert points(session, order.member_id, Name.POINTS_AVAILABLE) == 75
    assert session.get_one(Membership, order.member_id).growth == 75


def test_a_paid_order_of_a_level_grants_it_and_is_complete(session: Session, now: datetime) -> None:
    base, _, _ = make_ladder(session)
    product = make_product(session, price_fen=29_900)
    black = make_level(session, 9, paid_product_id=product.id, paid_days=365, discount_bp=8_800).id
    member = make_member(session)
    order = make_order(session, member=member, lines=[LineOf(product=product)], now=now)
    emit(session, "order_paid", order.id, now=now)

    work(session, now=now, twice=True)

    held = standing_of(session, member.id, at=later(session, member.id))
    assert (held.level_id, held.discount_bp) == (black, 8_800)
    assert fresh(session, order).state is OrderState.COMPLETED
    refund(session, order, 29_900, at=now + DAY)
    work(session, now=now + DAY, twice=True)
    assert standing_of(session, member.id, at=later(session, member.id)).level_id == base


def test_pieces_of_a_level_that_went_back_shorten_it(session: Session, now: datetime) -> None:
    base, _, _ = make_ladder(session)
    product, other = make_product(session, price_fen=29_900), make_product(session)
    black = make_level(session, 9, paid_product_id=product.id, paid_days=365, discount_bp=8_800).id
    lines = [LineOf(product=product, quantity=10), LineOf(product=other)]
    member = make_member(session)
    order = make_order(session, member=member, lines=lines, now=now)
    emit(session, "order_paid", order.id, now=now)
    work(session, now=now)

    refund(session, order, 9 * 29_900, at=now + DAY)
    fresh(session, order).lines[0].refunded_quantity = 9
    work(session, now=now + DAY, twice=True)

    begun = later(session, member.id)
    assert standing_of(session, member.id, at=begun + 364 * DAY).level_id == black
    assert standing_of(session, member.id, at=begun + 366 * DAY).level_id == base


def later(session: Session, member_id: int) -> datetime:
    """An instant after the last holding began: jobs ask the database for the time."""
    begun: datetime = session.execute(
        sa.text(
            "SELECT max(greatest(from_at, ended_at)) FROM level_holdings WHERE member_id = :id"
        ),
        {"id": member_id},
    ).scalar_one()
    return begun + timedelta(seconds=1)
