"""Three months of trade of the demo brand, told by a fixed seed through the real services.

Nothing of this reaches a WeChat server, so payouts of the demo's past are not sent anywhere.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution.models import ChannelKind
from app.catalog.models import Product
from app.demo.acts import Purchase, become_distributor, buy, join, receive, share, touch
from app.demo.brand import HISTORY, PRODUCTS, STORES
from app.demo.days import work_off
from app.demo.teams import Teams
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.members.models import Member
from app.orders.models import Order
from app.payouts import services as payouts
from app.stores.models import Staff, Store

SEED: Final = 20261122
TEAM: Final = (
    ("苏美琪", None),
    ("何雨桐", "苏美琪"),
    ("沈佳宁", "苏美琪"),
    ("陆思妍", "何雨桐"),
    ("唐一诺", "何雨桐"),
)
"""Distributors and who brought them."""

CUSTOMERS: Final = (
    *("陈小满", "李若曦", "王乐瑶", "张晚晴", "刘念慈", "赵知夏", "黄青禾", "周予安"),
    *("吴清欢", "徐南乔", "孙半夏", "马书瑶", "朱灵犀", "胡晚秋", "郭微澜", "林听雨"),
    *("高若水", "梁初见", "宋时宜", "郑锦书", "谢怀瑾", "韩映雪", "冯疏影", "曹如是"),
)
CHANNELS: Final = (
    ("闺蜜变美群", ChannelKind.GROUP),
    ("朋友圈", ChannelKind.PERSONAL),
    ("周末沙龙", ChannelKind.EVENT),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what takes part."""

    codes: Sequence[str]
    weights: Sequence[int]
    """How busy the distributor of each code is."""
    customers: Sequence[int]
    products: Sequence[Product]
    store_ids: Sequence[int]
    staff: Actor


def load_trade() -> Iterator[str]:
    """Play the demo's past once; yield what to tell the reader."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(Order.id).limit(1)) is not None:
            yield "The demo's trade is there already."
            return
        cast = _gather(session, now=now - HISTORY)
        teams = Teams.gather(session, cast.staff, now=now - HISTORY)
    chance = random.Random(SEED)  # noqa: S311 - a story, not a secret
    count = 0
    for day in range(1, HISTORY.days):
        at = now - HISTORY + timedelta(days=day, hours=-3)
        for _ in range(chance.choice((1, 2, 3, 3, 4, 5))):
            _buy(cast, chance, at=at + timedelta(minutes=chance.randrange(600)))
            count += 1
        count += teams.play(day, at=at)
        work_off(at + timedelta(hours=11))
    work_off(now)
    teams.hand_over_a_gift(now)
    _ask_for_payouts(now)
    yield f"{len(TEAM) + len(teams.distributors)} distributors, {count} orders."


def _gather(session: Session, *, now: datetime) -> Cast:
    staff_id = session.scalars(sa.select(Staff.id).where(Staff.email == "ops@demo.tuoke")).one()
    staff = Actor("staff", staff_id)
    store_ids = session.scalars(
        sa.select(Store.id).where(Store.name.in_([name for name, _ in STORES])).order_by(Store.id)
    ).all()
    people: dict[str, int] = {}
    codes: list[str] = []
    weights: list[int] = []
    for number, (name, recommender) in enumerate(TEAM):
        at = now + timedelta(minutes=number)
        openid = f"demo_distributor_{number + 1}"
        people[name] = join(session, name, openid, at=at, store_id=_one_of(store_ids, number))
        become_distributor(
            session, people[name], recommender_id=people.get(recommender or ""), staff=staff, at=at
        )
        codes += [share(session, people[name], *choice, at=at).code for choice in CHANNELS]
        weights += [len(TEAM) - number] * len(CHANNELS)
    return Cast(
        codes=codes,
        weights=weights,
        customers=[
            join(
                session,
                name,
                f"demo_customer_{number}",
                at=now,
                store_id=_one_of(store_ids, number),
            )
            for number, name in enumerate(CUSTOMERS, start=1)
        ],
        products=session.scalars(
            sa.select(Product)
            .where(Product.title.in_([title for _, title, *_ in PRODUCTS]))
            .order_by(Product.id)
        ).all(),
        store_ids=store_ids,
        staff=staff,
    )


def _one_of(store_ids: Sequence[int], number: int) -> int:
    """Return a store for somebody, each in turn."""
    return store_ids[number % len(store_ids)]


def _buy(cast: Cast, chance: random.Random, *, at: datetime) -> None:
    """Let one customer touch a code, now and then, and buy, pay and receive something."""
    customer = chance.choice(cast.customers)
    product = chance.choice(cast.products)
    if chance.random() < 0.7:  # noqa: PLR2004 - a story
        touch(customer, chance.choices(cast.codes, cast.weights)[0], at=at)
    store_id, quantity = chance.choice(cast.store_ids), chance.choice((1, 1, 1, 2))
    number = buy(Purchase(customer, product.id, product.kind, store_id, quantity), at=at)
    if chance.random() < 0.9:  # noqa: PLR2004 - a story
        receive(number, staff=cast.staff, at=at + timedelta(hours=1))


def _ask_for_payouts(now: datetime) -> None:
    """Leave two requests on the table for finance to approve: one needs two people."""
    with atomic() as session:
        ids = {
            name: member_id
            for member_id, name in session.execute(
                sa.select(Member.id, Member.nickname).where(
                    Member.nickname.in_([name for name, _ in TEAM])
                )
            )
        }
    for name, amount_fen in (("苏美琪", 60_000), ("何雨桐", 8_800)):
        with atomic() as session:
            payouts.request(
                session,
                member_id=ids[name],
                amount_fen=amount_fen,
                fresh_at=now,
                settings=settings(),
                now=now,
            )
