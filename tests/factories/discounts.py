"""What takes something off orders of the factories: levels, points to spend, deals, and the chain.

The chain is the product's own; only the lines come from the test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final

from sqlalchemy.orm import Session

from app.access import settings
from app.catalog.models import Product, ProductKind
from app.coupons import ordering as coupons
from app.coupons.models import Coupon
from app.kernel.audit import SYSTEM
from app.members.models import Member
from app.membership.models import LevelVersion, MembershipLevel
from app.orders.deals import Deal
from app.orders.pricing import (
    Discount,
    DiscountKind,
    Offer,
    Preview,
    WantedLine,
    full_price,
    less,
    line_by_line,
)
from app.orders.quoting import Quote
from app.points import earning
from app.points import ordering as points
from app.points.states import PointSource
from tests.factories.people import NOON

_numbers: Final = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOf:
    """What an order line is made of; `net_fen` is what its level leaves of the price, if given.

    Without a version of its own it falls under the order's.
    """

    product: Product
    quantity: int = 1
    net_fen: int | None = None
    plan_version_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidWith:
    """What takes something off an order beside the nets of its lines."""

    coupons: Sequence[Coupon] = ()
    points: int = 0
    deal: Deal | None = None


NOTHING: Final = PaidWith()


def quote_of(
    session: Session,
    lines: Sequence[LineOf],
    paid_with: PaidWith,
    *,
    member_id: int,
    store_id: int,
    now: datetime,
) -> Quote:
    """Price the lines of a test with what the product takes off them."""
    wanted = [WantedLine(line.product.id, line.quantity) for line in lines]
    offers = {line.product.id: _offer(line.product, paid_with.deal) for line in lines}
    priced = _at_deal(full_price(offers, wanted), paid_with.deal)
    nets = [
        before.net_fen if line.net_fen is None else line.net_fen
        for line, before in zip(lines, priced.lines, strict=True)
    ]
    level = Discount(amount_fen=0, kind=DiscountKind.LEVEL, title="Level of the test")
    priced = line_by_line(priced, nets, level)
    applied = coupons.apply(
        session,
        member_id=member_id,
        store_id=store_id,
        coupon_ids=[one.id for one in paid_with.coupons],
        lines=[
            coupons.BasketLine(
                product_id=line.offer.product_id,
                quantity=line.quantity,
                unit_price_fen=line.offer.unit_price_fen,
                net_fen=line.net_fen,
            )
            for line in priced.lines
        ],
        now=now,
    )
    for one in applied:
        off = Discount(
            amount_fen=one.amount_fen,
            product_ids=one.product_ids,
            title=one.title,
            coupon_id=one.coupon_id,
            is_stackable=one.is_stackable,
            rule=one.rule,
        )
        priced = less(priced, off)
    spend = points.Spend(0, 0)
    if paid_with.points:
        spend = points.quote(
            session,
            member_id=member_id,
            points=paid_with.points,
            payable_fen=priced.net_fen,
            settings=settings(),
            now=now,
        )
        off = Discount(amount_fen=spend.amount_fen, kind=DiscountKind.POINTS, points=spend.points)
        priced = less(priced, off)
    return Quote(preview=priced, coupons=applied, spend=spend)


def make_points(
    session: Session, member: Member, points_count: int = 10_000, *, now: datetime = NOON
) -> None:
    """Points that a member can spend, from staff."""
    earning.grant(
        session,
        member.id,
        points_count,
        key=f"test:{member.id}:{next(_numbers)}",
        source=PointSource.HAND,
        reason="test",
        actor=SYSTEM,
        now=now,
    )


def make_level(
    session: Session,
    *,
    discount_bp: int = 9_000,
    excluded: Sequence[Product] = (),
    rank: int | None = None,
    now: datetime = NOON,
) -> MembershipLevel:
    """A level that asks for nothing, so that everybody stands at it."""
    level = MembershipLevel(rank=rank or next(_numbers) % 99 + 1, created_at=now)
    session.add(level)
    session.flush()
    version = LevelVersion(
        level_id=level.id,
        name="Silver",
        growth_at_least=0,
        discount_bp=discount_bp,
        points_multiplier_bp=10_000,
        upgrade_gift=[],
        birthday_gift=[],
        excluded_product_ids=[one.id for one in excluded],
        from_at=now,
        actor="system",
        reason="test",
    )
    session.add(version)
    session.flush()
    return level


def _offer(product: Product, deal: Deal | None) -> Offer:
    return Offer(
        product_id=product.id,
        title=product.title,
        unit_price_fen=product.price_fen,
        is_service=product.kind is ProductKind.SERVICE,
        is_distributable=product.is_distributable and (deal is None or deal.pays_commission),
    )


def _at_deal(priced: Preview, deal: Deal | None) -> Preview:
    if deal is None:
        return priced
    prices = [
        min(line.net_fen, deal.prices_fen[line.offer.product_id] * line.quantity)
        for line in priced.lines
    ]
    off = Discount(amount_fen=0, kind=DiscountKind.DEAL, title=deal.title)
    return line_by_line(priced, prices, off)
