"""A flash sale sells what it has, to whom it may, and takes back what is not paid."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import flash_sales, queries
from app.activities.errors import (
    ActivityItemNotFound,
    ActivityLimitReached,
    ActivityNotHere,
    ActivityNotOpen,
    ActivitySoldOut,
    NewcomersOnly,
    PiecesInvalid,
)
from app.activities.models import ActivityEntry, ActivityItem
from app.activities.numbers import numbers_of
from app.activities.states import ActivityKind, ActivityState, EntryState
from app.catalog.errors import StockOut
from app.catalog.models import StockLevel
from app.kernel.errors import DomainError
from app.orders.models import Order
from app.orders.states import OrderState
from app.settings import Settings
from app.stores.models import Store
from tests.factories.activities import (
    close,
    counts,
    entry_of,
    follow,
    fresh,
    make_activity,
    make_deal,
    pay_for,
    purchase,
)
from tests.factories.orders import make_goods
from tests.factories.people import make_member, make_store

FLASH = ActivityKind.FLASH_SALE


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


def buy(
    session: Session, item: ActivityItem, store: Store, settings: Settings, now: datetime
) -> Order:
    wanted = purchase(make_member(session), store)
    return flash_sales.buy(session, item.id, wanted, settings=settings, now=now)


def test_an_order_has_the_price_and_the_minutes_of_the_sale(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH, price_fen=6_600, rules={"pay_seconds": 300})

    order = buy(session, item, store, settings, now)

    entry = entry_of(session, order)
    assert (order.payable_fen, order.discount_fen) == (6_600, 3_400)
    assert order.pay_by_at == now + timedelta(seconds=300)
    assert order.held_for is None
    assert (entry.state, entry.regular_fen, entry.price_fen) == (EntryState.HELD, 10_000, 6_600)
    assert counts(session, item) == (1, 1)


def test_what_was_paid_is_kept_and_stays_sold_when_it_goes_back(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH)
    order = buy(session, item, store, settings, now)
    pay_for(session, order, settings=settings, now=now)
    follow(session, now=now)

    numbers = numbers_of(session, item.activity_id)

    assert entry_of(session, order).state is EntryState.KEPT
    assert (numbers.joins, numbers.orders, numbers.revenue_fen) == (1, 1, 5_000)
    assert (numbers.given_fen, numbers.newcomers, numbers.newcomer_cost_fen) == (5_000, 1, 5_000)
    assert counts(session, item) == (1, 1)


def test_an_order_that_is_closed_gives_its_pieces_back_once(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH, limit_total=10)
    order = buy(session, item, store, settings, now)
    close(session, order, now=now)

    follow(session, now=now)
    follow(session, now=now)

    activity = queries.get_activity(session, item.activity_id)
    assert entry_of(session, order).state is EntryState.RELEASED
    assert counts(session, item) == (0, 0)
    assert activity.taken == 0


def test_money_that_came_too_late_does_not_take_the_piece_again(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH)
    order = buy(session, item, store, settings, now)
    close(session, order, now=now)
    pay_for(session, order, settings=settings, now=now)

    follow(session, now=now)

    assert fresh(session, order).state is OrderState.PAID_LATE
    assert counts(session, item) == (0, 0)


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"stock": 0 + 1, "limit_total": 1, "sold": 1}, ActivitySoldOut),
        ({"state": ActivityState.CANCELLED}, ActivityNotOpen),
        ({"state": ActivityState.ENDED}, ActivityNotOpen),
        ({"state": ActivityState.DRAFT}, ActivityItemNotFound),
        ({"starts_in": 1}, ActivityNotOpen),
        ({"ends_in": 0}, ActivityNotOpen),
        ({"kind": ActivityKind.BARGAIN}, ActivityItemNotFound),
        ({"on_hand": 0}, StockOut),
    ],
    ids=str,
)
def test_what_cannot_be_sold_takes_nothing(
    session: Session,
    store: Store,
    settings: Settings,
    now: datetime,
    facts: dict[str, object],
    error: type[DomainError],
) -> None:
    hour = timedelta(hours=1)
    on_hand = facts.pop("on_hand", 5)
    goods = make_goods(session, store, on_hand=int(str(on_hand)))
    starts = facts.pop("starts_in", None)
    ends = facts.pop("ends_in", None)
    sold = facts.pop("sold", 0)
    if starts is not None:
        facts |= {"starts_at": now + hour, "state": ActivityState.SCHEDULED}
    if ends is not None:
        facts |= {"ends_at": now}
    item = make_activity(session, products=[goods], **facts).items[0]  # type: ignore[arg-type]
    item.sold = int(str(sold))
    session.commit()

    with pytest.raises(error), session.begin_nested():
        buy(session, item, store, settings, now)

    level = session.get_one(StockLevel, (goods.id, store.id), populate_existing=True)
    assert counts(session, item) == (sold, 0)
    assert level.reserved == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(ActivityEntry)) == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 0


def test_a_scheduled_sale_opens_at_its_instant_whether_the_clock_job_came_or_not(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH, state=ActivityState.SCHEDULED, starts_at=now)

    order = buy(session, item, store, settings, now)

    assert order.payable_fen == 5_000


def test_nobody_takes_more_than_their_share(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH, limit_per_member=3, rules={"pieces_max": 2})
    member = make_member(session)
    wanted = purchase(member, store, 2)
    flash_sales.buy(session, item.id, wanted, settings=settings, now=now)

    with pytest.raises(ActivityLimitReached), session.begin_nested():
        flash_sales.buy(session, item.id, wanted, settings=settings, now=now)
    three = purchase(make_member(session), store, 3)
    with pytest.raises(PiecesInvalid), session.begin_nested():
        flash_sales.buy(session, item.id, three, settings=settings, now=now)

    assert counts(session, item) == (2, 2)


def test_a_limit_for_all_counts_over_all_items(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    products = [make_goods(session, store), make_goods(session, store)]
    activity = make_activity(session, products=products, limit_total=2)
    first, second = activity.items
    buy(session, first, store, settings, now)
    buy(session, second, store, settings, now)

    with pytest.raises(ActivitySoldOut), session.begin_nested():
        buy(session, first, store, settings, now)

    session.refresh(activity)
    assert activity.taken == 2


def test_a_sale_for_newcomers_refuses_who_bought_before(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH, rules={"newcomers_only": True})
    known = purchase(make_member(session, first_paid_at=now), store)

    with pytest.raises(NewcomersOnly), session.begin_nested():
        flash_sales.buy(session, item.id, known, settings=settings, now=now)

    assert counts(session, item) == (0, 0)


def test_a_sale_of_one_store_is_not_held_in_another(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = make_deal(session, store, FLASH, stores=[store])
    elsewhere = make_store(session)

    with pytest.raises(ActivityNotHere), session.begin_nested():
        buy(session, item, elsewhere, settings, now)

    assert counts(session, item) == (0, 0)
