"""The points mall: points, piece and share, all or nothing; handed over once, in its store."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.errors import StockOut
from app.catalog.models import StockLevel
from app.counter import codes
from app.counter.errors import PickupCodeExpired, PickupCodeInvalid, PickupCodeSpent
from app.coupons.errors import CouponsGone
from app.coupons.models import Coupon
from app.kernel.audit import Actor
from app.kernel.errors import DomainError
from app.ledger.queries import balance
from app.loyalty import exchanging as loyalty
from app.points import accounts, exchanging, mall, redeeming
from app.points.errors import (
    ExchangeNotFound,
    ExchangeNotWaiting,
    ExchangeOfStaff,
    MallItemGone,
    MallItemInvalid,
    MallItemNotFound,
    MallItemNotYours,
    MallLimitReached,
    MallStoreWrong,
    PointsReasonMissing,
    PointsShort,
)
from app.points.exchanging import Wish
from app.points.mall import ItemSpec
from app.points.mall_models import MallExchange, MallItem
from app.points.states import ExchangeKind, ExchangeState
from app.stores import staff_mode
from app.stores.models import Store
from tests.factories.coupons import make_template
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_member, make_staff, make_store
from tests.factories.points import make_exchange, make_mall_item, make_points


def level_of(session: Session, item: MallItem, store: Store) -> tuple[int, int]:
    level = session.get_one(StockLevel, (item.product_id, store.id), populate_existing=True)
    return level.on_hand, level.reserved


def test_an_exchange_takes_points_and_sets_a_piece_aside(session: Session, now: datetime) -> None:
    store, member = make_store(session), make_member(session)
    item = make_mall_item(session, make_goods(session, store, on_hand=3))

    row = make_exchange(session, member, store, item)

    session.refresh(item)
    assert (row.state, row.title, row.points) == (ExchangeState.WAITING, "护手霜", 100)
    assert (item.exchanged, level_of(session, item, store)) == (1, (3, 1))
    assert balance(session, accounts.available(member.id)) == 0
    assert balance(session, accounts.REDEEMED) == 100


def test_a_coupon_is_there_at_once(session: Session, now: datetime) -> None:
    member, template = make_member(session), make_template(session)
    item = make_mall_item(session, template_id=template.id)
    make_points(session, member, 100)

    row = loyalty.exchange(session, Wish(item.id), member_id=member.id, now=now)

    coupon = session.scalars(sa.select(Coupon)).one()
    assert (coupon.member_id, coupon.template_id) == (member.id, template.id)
    assert (row.state, row.coupon_id) == (ExchangeState.GIVEN, coupon.id)
    with pytest.raises(ExchangeNotWaiting):
        exchanging.cancel(session, row.id, actor=Actor("member", member.id), now=now)


def test_without_the_coupon_there_is_no_exchange(session: Session, now: datetime) -> None:
    member = make_member(session)
    item = make_mall_item(session, template_id=make_template(session, stock=0).id)
    make_points(session, member, 100)

    with pytest.raises(CouponsGone), session.begin_nested():
        loyalty.exchange(session, Wish(item.id), member_id=member.id, now=now)

    assert balance(session, accounts.available(member.id)) == 100
    assert session.scalars(sa.select(MallExchange)).all() == []


Refusal = Callable[[Session, MallItem, Store], Wish]


def _changed(**changes: object) -> Refusal:
    def change(session: Session, item: MallItem, store: Store) -> Wish:
        for name, value in changes.items():
            setattr(item, name, value)
        session.flush()
        return Wish(item.id, store.id)

    return change


@pytest.mark.parametrize(
    ("refused_by", "how"),
    [
        (MallItemNotFound, lambda _session, _item, store: Wish(999, store.id)),
        (MallItemNotFound, _changed(is_published=False)),
        (MallStoreWrong, lambda _session, item, _store: Wish(item.id)),
        (MallStoreWrong, lambda _session, item, _store: Wish(item.id, 999)),
        (MallStoreWrong, lambda session, item, _store: Wish(item.id, make_store(session).id)),
        (PointsShort, _changed(points=101)),
        (MallItemGone, _changed(stock=0)),
        (StockOut, _changed(stock=10)),
    ],
)
def test_what_is_refused_moves_nothing(
    session: Session, now: datetime, refused_by: type[DomainError], how: Refusal
) -> None:
    store, member = make_store(session), make_member(session)
    goods = make_goods(session, store, on_hand=0 if refused_by is StockOut else 5)
    item = make_mall_item(session, goods, store_ids=[store.id])
    make_points(session, member, 100)
    wish = how(session, item, store)

    with pytest.raises(refused_by), session.begin_nested():
        exchanging.exchange(session, wish, member_id=member.id, now=now)

    assert balance(session, accounts.available(member.id)) == 100
    assert session.scalars(sa.select(MallExchange)).all() == []
    assert session.get_one(MallItem, item.id, populate_existing=True).exchanged == 0
    assert level_of(session, item, store)[1] == 0


def test_nobody_has_more_than_their_share_but_what_is_cancelled_counts_no_more(
    session: Session, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    item = make_mall_item(session, limit_per_member=1)
    row = make_exchange(session, member, store, item)
    with pytest.raises(MallLimitReached), session.begin_nested():
        make_exchange(session, member, store, item)

    exchanging.cancel(session, row.id, actor=Actor("member", member.id), now=now)

    assert make_exchange(session, member, store, item).state is ExchangeState.WAITING


def test_what_is_cancelled_gives_points_piece_and_stock_back(
    session: Session, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    staff = Actor("staff", make_staff(session).id)
    item = make_mall_item(session, make_goods(session, store, on_hand=3))
    row = make_exchange(session, member, store, item)
    with pytest.raises(PointsReasonMissing):
        exchanging.cancel(session, row.id, actor=staff, reason=" ", now=now)

    exchanging.cancel(session, row.id, actor=staff, reason="broken", now=now)

    with pytest.raises(ExchangeNotWaiting):
        exchanging.cancel(session, row.id, actor=staff, reason="again", now=now)
    session.refresh(item)
    assert balance(session, accounts.available(member.id)) == 100
    assert (item.exchanged, level_of(session, item, store)) == (0, (3, 0))
    steps = exchanging.steps_of(session, row.id)
    assert [(one.to_state, one.reason) for one in steps] == [
        (ExchangeState.WAITING, ""),
        (ExchangeState.CANCELLED, "broken"),
    ]


def test_a_code_hands_an_exchange_over_once(session: Session, now: datetime) -> None:
    store, member = make_store(session), make_member(session)
    staff = Actor("staff", make_staff(session, stores=[store]).id)
    item = make_mall_item(session, make_goods(session, store, on_hand=3))
    row = make_exchange(session, member, store, item)
    code = str(redeeming.show_code(session, row.id, member_id=member.id, now=now))

    seen = redeeming.look(session, row.id, store_ids=[store.id], now=now)
    done = redeeming.redeem(session, row.id, code=code, store_id=store.id, actor=staff, now=now)

    assert (seen.kind, seen.title, seen.left, done.left) == ("gift", "护手霜", 1, 0)
    assert level_of(session, item, store) == (2, 0)
    with pytest.raises(ExchangeNotWaiting):
        redeeming.redeem(session, row.id, code=code, store_id=store.id, actor=staff, now=now)
    with pytest.raises(ExchangeNotWaiting):
        redeeming.show_code(session, row.id, member_id=member.id, now=now)


def test_a_code_that_is_not_right_hands_nothing_over(session: Session, now: datetime) -> None:
    store, member, other = make_store(session), make_member(session), make_member(session)
    staff = Actor("staff", make_staff(session).id)
    row, foreign = (make_exchange(session, one, store) for one in (member, other))
    good = codes.show(f"gift:{row.id}", member_id=member.id, now=now)
    spent = codes.show(f"gift:{row.id}", member_id=member.id, now=now)
    codes.spend(session, spent, member_id=member.id, actor=staff, now=now)
    late = now + timedelta(seconds=61)
    tries = (
        (str(codes.show(f"gift:{foreign.id}", member_id=member.id, now=now)), now),
        (str(codes.show(f"gift:{row.id}", member_id=other.id, now=now)), now),
        (str(good)[:-1] + ("0" if str(good)[-1] != "0" else "1"), now),
        ("TK1.gift", now),
        (str(good), late),
        (str(spent), now),
    )

    refused = []
    for text, at in tries:
        with pytest.raises(DomainError) as error, session.begin_nested():
            redeeming.redeem(session, row.id, code=text, store_id=store.id, actor=staff, now=at)
        refused.append(type(error.value))

    invalid = [PickupCodeInvalid] * 4
    assert refused == [*invalid, PickupCodeExpired, PickupCodeSpent]
    assert exchanging.locked(session, row.id).state is ExchangeState.WAITING


def test_staff_of_other_stores_find_nothing_and_nobody_serves_themselves(
    session: Session, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    elsewhere = make_store(session)
    row = make_exchange(session, member, store)
    own = make_staff(session)
    made = staff_mode.make_code(session, own.id, actor=Actor("staff", own.id), now=now)
    staff_mode.bind(session, code=made.text, member_id=member.id, now=now)
    stranger = Actor("staff", make_staff(session, stores=[elsewhere]).id)

    with pytest.raises(ExchangeNotFound):
        redeeming.look(session, row.id, store_ids=[elsewhere.id], now=now)
    for at in (store.id, elsewhere.id):
        with pytest.raises(ExchangeNotFound):
            redeeming.redeem(session, row.id, code=None, store_id=at, actor=stranger, now=now)
    with pytest.raises(ExchangeOfStaff):
        redeeming.redeem(
            session, row.id, code=None, store_id=store.id, actor=Actor("staff", own.id), now=now
        )
    assert exchanging.locked(session, row.id).state is ExchangeState.WAITING


def spec_of(session: Session, **changes: object) -> ItemSpec:
    facts = {
        "kind": ExchangeKind.PRODUCT,
        "title": "礼盒",
        "points": 10,
        "stock": 5,
        "product_id": make_product(session).id,
    }
    return ItemSpec(**(facts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("title", "x" * 61),
        ("points", 0),
        ("points", 10_000_001),
        ("stock", -1),
        ("limit_per_member", 0),
        ("product_id", None),
        ("product_id", 999_999),
        ("template_id", 1),
        ("store_ids", (999_999,)),
        ("store_ids", ()),
    ],
)
def test_an_item_that_cannot_be_is_refused_by_field(
    session: Session, now: datetime, field: str, value: object
) -> None:
    staff = Actor("staff", make_staff(session).id)

    with pytest.raises(MallItemInvalid) as refused:
        loyalty.create_item(session, spec_of(session, **{field: value}), actor=staff, now=now)

    assert refused.value.field == field
    assert session.scalars(sa.select(MallItem)).all() == []


def test_an_item_keeps_what_it_is_and_never_falls_below_what_is_gone(
    session: Session, now: datetime
) -> None:
    store, staff = make_store(session), Actor("staff", make_staff(session).id)
    spec = spec_of(session, is_published=True)
    item = mall.create_item(session, spec, actor=staff, now=now)
    make_exchange(session, make_member(session), store, item)

    for changes, field in (({"stock": 0}, "stock"), ({"product_id": 1}, "kind")):
        other = spec_of(session, **{"product_id": spec.product_id, **changes})
        with pytest.raises(MallItemInvalid) as refused:
            mall.edit_item(session, item.id, other, actor=staff, now=now)
        assert refused.value.field == field
    changed = spec_of(session, product_id=spec.product_id, title="大礼盒", stock=1)
    mall.edit_item(session, item.id, changed, actor=staff, now=now)

    assert (item.title, item.stock, item.is_published) == ("大礼盒", 1, False)
    assert session.scalars(sa.select(MallExchange.title)).one() == "礼盒"


def test_staff_of_some_stores_keep_to_items_of_theirs(session: Session, now: datetime) -> None:
    mine, other = make_store(session), make_store(session)
    staff = Actor("staff", make_staff(session, stores=[mine]).id)
    wide = make_mall_item(session)

    for store_ids in (None, (other.id,), (mine.id, other.id)):
        spec = spec_of(session, store_ids=store_ids)
        with pytest.raises(MallItemNotYours):
            mall.create_item(session, spec, actor=staff, now=now)
    with pytest.raises(MallItemNotYours):
        mall.set_published(session, wide.id, is_published=False, actor=staff, now=now)
    made = mall.create_item(session, spec_of(session, store_ids=(mine.id,)), actor=staff, now=now)
    mall.set_published(session, made.id, is_published=True, actor=staff, now=now)

    assert made.is_published
    assert wide.is_published
