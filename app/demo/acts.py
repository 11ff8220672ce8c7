"""What people of the demo do: come, become distributors, share, touch codes, buy and receive.

WeChat's part is played here: payments are confirmed by reports as WeChat would send them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.access import settings
from app.attribution import services as attribution
from app.attribution.models import ChannelKind, ShareCode, TouchSource
from app.attribution.services import ChannelChoice
from app.catalog.models import ProductKind
from app.kernel.audit import Actor
from app.kernel.db import atomic
from app.kernel.ids import random_text
from app.members import services as members
from app.members.models import Consent, ConsentPurpose, Member
from app.orders import services as orders
from app.orders.models import Fulfilment, Payment
from app.orders.pricing import WantedLine
from app.orders.queries import lock_order_by_number
from app.wechat.values import PaymentReport, PaymentState

PAGE = "pages/index/index"


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase of one product."""

    customer_id: int
    product_id: int
    kind: ProductKind
    store_id: int
    quantity: int = 1


def join(
    session: Session, name: str, openid: str, *, at: datetime, store_id: int | None = None
) -> int:
    """Make a member as signing in would; the sandbox lets whoever registers the openid sign in.

    With a store they came by the code at its counter.
    """
    member = Member(wechat_openid=openid, nickname=name, registered_at=at, origin_store_id=store_id)
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


def become_distributor(
    session: Session,
    member_id: int,
    *,
    recommender_id: int | None,
    staff: Actor,
    at: datetime,
) -> None:
    """Let a member apply with the name they go by, and be approved at once."""
    members.apply_as_distributor(
        session,
        member_id,
        agreement_version="2026-11",
        real_name=session.get_one(Member, member_id).nickname,
        recommender_code_owner_id=recommender_id,
        now=at,
    )
    members.approve_distributor(session, member_id, actor=staff, now=at)


def share(
    session: Session, member_id: int, name: str, kind: ChannelKind, *, at: datetime
) -> ShareCode:
    """Make a share code for a channel of a distributor."""
    channel = ChannelChoice(name=name, kind=kind)
    return attribution.issue_code(
        session, distributor_id=member_id, channel=channel, page=PAGE, now=at
    )


def touch(customer_id: int, code: str, *, at: datetime) -> None:
    """Let a customer scan a code."""
    with atomic() as session:
        attribution.record_touch(
            session,
            code=code,
            member_id=customer_id,
            source=TouchSource.POSTER,
            device_id=None,
            ip=None,
            settings=settings(),
            now=at,
        )


def buy(purchase: Purchase, *, at: datetime) -> str:
    """Let a customer order and pay; returns the order's number."""
    is_goods = purchase.kind is ProductKind.GOODS
    basket = orders.Basket(
        store_id=purchase.store_id,
        lines=[WantedLine(purchase.product_id, purchase.quantity)],
        fulfilment=Fulfilment.PICKUP if is_goods else Fulfilment.SERVICE,
    )
    with atomic() as session:
        order = orders.create(
            session, member_id=purchase.customer_id, basket=basket, settings=settings(), now=at
        )
        number = order.number
    pay(number, at=at)
    return number


def pay(number: str, *, at: datetime) -> None:
    """Let the customer of an order pay for it, two minutes later."""
    with atomic() as session:
        order = lock_order_by_number(session, number)
        amount_fen = order.payable_fen
        openid = session.get_one(Member, order.member_id).wechat_openid
        session.add(Payment(order_id=order.id, payer_openid=openid, offered_at=at))
    report = PaymentReport(
        out_trade_no=number,
        state=PaymentState.PAID,
        transaction_id=f"DEMO{random_text(20)}",
        amount_fen=amount_fen,
        currency="CNY",
        payer_openid=openid,
        paid_at=at + timedelta(minutes=2),
    )
    orders.confirm_payment(
        report, received=None, settings=settings(), now=at + timedelta(minutes=2)
    )


def receive(number: str, *, staff: Actor, at: datetime) -> None:
    """Let a customer get what they bought."""
    with atomic() as session:
        orders.complete(session, number, actor=staff, settings=settings(), now=at)
