"""Three months of trade of the demo brand, told by a fixed seed through the real services.

WeChat's part is played here: payments are confirmed by reports as WeChat would send them. Nothing
of this reaches a WeChat server, so refunds and payouts of the demo's past are not sent anywhere.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution import services as attribution
from app.attribution.models import ChannelKind, ShareCode, TouchSource
from app.attribution.services import ChannelChoice
from app.catalog.models import Product, ProductKind
from app.demo.brand import HISTORY
from app.distribution import clawback, levels, maturity, settlement
from app.kernel import outbox
from app.kernel.audit import Actor
from app.kernel.batches import Process
from app.kernel.db import atomic, database_now
from app.kernel.ids import random_text
from app.members import services as members
from app.members.models import Consent, ConsentPurpose, Member
from app.orders import services as orders
from app.orders.models import Fulfilment, Order, Payment
from app.orders.pricing import WantedLine
from app.payouts import services as payouts
from app.reactions import TASKS
from app.stores.models import Staff, Store
from app.wechat.values import PaymentReport, PaymentState

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
JOBS: Final[tuple[tuple[str, Process], ...]] = (
    ("begin_levels", levels.begin_levels),
    ("award_orders", settlement.award_orders),
    ("freeze_awards", settlement.freeze_awards),
    ("claw_back_refunds", clawback.claw_back_refunds),
    ("evaluate_levels", levels.evaluate_owners),
)
PAGE: Final = "pages/index/index"


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
    chance = random.Random(SEED)  # noqa: S311 - a story, not a secret
    count = 0
    for day in range(1, HISTORY.days):
        at = now - HISTORY + timedelta(days=day, hours=-3)
        for _ in range(chance.choice((1, 2, 3, 3, 4, 5))):
            _buy(cast, chance, at=at + timedelta(minutes=chance.randrange(600)))
            count += 1
        _work_off(at + timedelta(hours=11))
    _work_off(now)
    _ask_for_payouts(now)
    yield f"{len(TEAM)} distributors, {len(CUSTOMERS)} customers, {count} orders."


def _gather(session: Session, *, now: datetime) -> Cast:
    staff_id = session.scalars(sa.select(Staff.id).where(Staff.email == "ops@demo.tuoke")).one()
    staff = Actor("staff", staff_id)
    people: dict[str, int] = {}
    codes: list[str] = []
    weights: list[int] = []
    for number, (name, recommender) in enumerate(TEAM):
        at = now + timedelta(minutes=number)
        people[name] = _join(session, name, f"demo_distributor_{number + 1}", at=at)
        members.apply_as_distributor(
            session,
            people[name],
            agreement_version="2026-11",
            real_name=name,
            recommender_code_owner_id=people.get(recommender or ""),
            now=at,
        )
        members.approve_distributor(session, people[name], actor=staff, now=at)
        codes += [_code(session, people[name], choice, at=at).code for choice in CHANNELS]
        weights += [len(TEAM) - number] * len(CHANNELS)
    return Cast(
        codes=codes,
        weights=weights,
        customers=[
            _join(session, name, f"demo_customer_{number}", at=now)
            for number, name in enumerate(CUSTOMERS, start=1)
        ],
        products=session.scalars(sa.select(Product).order_by(Product.id)).all(),
        store_ids=session.scalars(sa.select(Store.id).order_by(Store.id)).all(),
        staff=staff,
    )


def _join(session: Session, name: str, openid: str, *, at: datetime) -> int:
    """Make a member as signing in would; the sandbox lets whoever registers the openid sign in."""
    member = Member(wechat_openid=openid, nickname=name, registered_at=at)
    session.add(member)
    session.flush()
    session.add(
        Consent(
            member_id=member.id,
            purpose=ConsentPurpose.SERVICE,
            version=settings().consent_version,
            granted_at=at,
        )
    )
    session.flush()
    return member.id


def _code(
    session: Session, member_id: int, choice: tuple[str, ChannelKind], *, at: datetime
) -> ShareCode:
    name, kind = choice
    channel = ChannelChoice(name=name, kind=kind)
    return attribution.issue_code(
        session, distributor_id=member_id, channel=channel, page=PAGE, now=at
    )


def _buy(cast: Cast, chance: random.Random, *, at: datetime) -> None:
    """Let one customer touch a code, now and then, and buy, pay and receive something."""
    customer = chance.choice(cast.customers)
    product = chance.choice(cast.products)
    if chance.random() < 0.7:  # noqa: PLR2004 - a story
        _touch(customer, chance.choices(cast.codes, cast.weights)[0], at=at)
    is_goods = product.kind is ProductKind.GOODS
    basket = orders.Basket(
        store_id=chance.choice(cast.store_ids),
        lines=[WantedLine(product.id, chance.choice((1, 1, 1, 2)))],
        fulfilment=Fulfilment.PICKUP if is_goods else Fulfilment.SERVICE,
    )
    with atomic() as session:
        order = orders.create(
            session, member_id=customer, basket=basket, settings=settings(), now=at
        )
        number, amount_fen = order.number, order.payable_fen
        openid = session.get_one(Member, customer).wechat_openid
        session.add(Payment(order_id=order.id, payer_openid=openid, offered_at=at))
    _pay(number, amount_fen, openid, at=at + timedelta(minutes=2))
    if chance.random() < 0.9:  # noqa: PLR2004 - a story
        with atomic() as session:
            orders.complete(
                session,
                number,
                actor=cast.staff,
                settings=settings(),
                now=at + timedelta(hours=1),
            )


def _touch(customer: int, code: str, *, at: datetime) -> None:
    with atomic() as session:
        attribution.record_touch(
            session,
            code=code,
            member_id=customer,
            source=TouchSource.POSTER,
            device_id=None,
            ip=None,
            settings=settings(),
            now=at,
        )


def _pay(number: str, amount_fen: int, openid: str, *, at: datetime) -> None:
    report = PaymentReport(
        out_trade_no=number,
        state=PaymentState.PAID,
        transaction_id=f"DEMO{random_text(20)}",
        amount_fen=amount_fen,
        currency="CNY",
        payer_openid=openid,
        paid_at=at,
    )
    orders.confirm_payment(report, received=None, settings=settings(), now=at)


def _work_off(now: datetime) -> None:
    """Do at a moment of the past what relay, workers and scheduler would have done by then."""
    with atomic() as session:
        outbox.relay(session, TASKS, now=now)
    for _ in range(2):
        for job, process in JOBS:
            with atomic() as session:
                tasks = outbox.claim(session, job, limit=1_000, now=now)
                process(session, tasks, now)
        orders.settle_due(now=now)
        maturity.mature_due(now=now)
        with atomic() as session:
            outbox.relay(session, TASKS, now=now)


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
