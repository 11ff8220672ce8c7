"""What a basket costs a member now: its deal or price, their level, coupons, points; in that order.

Nothing is written here. The same chain serves the preview and the order, so that what was shown
is what is charged while nothing changed in between.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.catalog import queries as catalog
from app.catalog.errors import ProductNotFound
from app.catalog.models import Product, ProductKind
from app.coupons import ordering as coupons
from app.membership import queries as membership
from app.membership.pricing import level_price
from app.orders.deals import Deal
from app.orders.errors import (
    DealBasketInvalid,
    DealTakesNoCoupons,
    DealTakesNoPoints,
    FulfilmentInvalid,
    ProductNotOnSale,
)
from app.orders.models import Fulfilment
from app.orders.pricing import (
    Discount,
    DiscountKind,
    Offer,
    Preview,
    WantedLine,
    full_price,
    less,
    line_by_line,
    merge,
    require_payable,
)
from app.points import ordering as points
from app.settings import Settings
from app.stores.errors import StoreNotFound
from app.stores.models import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What a member wants, from which store, how they will get it, and what they pay with.

    Lines of one product are added up. `points` are to be spent, as many as are named.
    """

    store_id: int
    lines: Sequence[WantedLine]
    fulfilment: Fulfilment
    coupon_ids: Sequence[int] = ()
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a basket costs, with the coupons and the points that an order of it would hold."""

    preview: Preview
    coupons: tuple[coupons.AppliedCoupon, ...]
    spend: points.Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """What a basket costs and what else could be used for it. Nothing is promised.

    `usable` are all coupons of the member, each with what it would take or why it cannot be used;
    `suggested_ids` is the combination that takes most. `most` is the most that points could pay of
    what is left after the coupons of the basket.
    """

    quote: Quote
    usable: tuple[coupons.Usable, ...]
    suggested_ids: tuple[int, ...]
    most: points.Spend


def quote(
    session: Session,
    *,
    member_id: int,
    basket: Basket,
    deal: Deal | None,
    settings: Settings,
    now: datetime,
) -> Quote:
    """Price a basket of a member, with all that lowers it.

    Raises `StoreNotFound`, `ProductNotFound`, `ProductNotOnSale`, what coupons and points refuse,
    and `NothingToPay` where nothing would be left to pay.
    """
    priced = before_coupons(session, member_id=member_id, basket=basket, deal=deal, now=now)
    applied = _applied(session, priced, member_id=member_id, basket=basket, deal=deal, now=now)
    for one in applied:
        priced = less(priced, _of_coupon(one))
        assert priced.taken[-1].amount_fen == one.amount_fen, "a coupon takes what it said"
    spend = points.quote(
        session,
        member_id=member_id,
        points=_points_wanted(basket, deal),
        payable_fen=priced.net_fen,
        settings=settings,
        now=now,
    )
    if spend.points:
        priced = less(priced, _of_points(spend))
    require_payable(priced)
    return Quote(preview=priced, coupons=applied, spend=spend)


def consider(
    session: Session, *, member_id: int, basket: Basket, settings: Settings, now: datetime
) -> Considered:
    """Price a basket and say which coupons and how many points could be used for it."""
    quoted = quote(
        session, member_id=member_id, basket=basket, deal=None, settings=settings, now=now
    )
    plain = before_coupons(session, member_id=member_id, basket=basket, deal=None, now=now)
    usable = coupons.usable(
        session,
        member_id=member_id,
        store_id=basket.store_id,
        lines=_basket_lines(plain),
        now=now,
    )
    with_coupons = quoted.preview.net_fen + quoted.spend.amount_fen
    return Considered(
        quote=quoted,
        usable=usable,
        suggested_ids=tuple(one.coupon_id for one in usable if one.is_best),
        most=points.most(
            session, member_id=member_id, payable_fen=with_coupons, settings=settings, now=now
        ),
    )


def before_coupons(
    session: Session, *, member_id: int, basket: Basket, deal: Deal | None, now: datetime
) -> Preview:
    """Price a basket at the deal's or the products' prices and the level of the member."""
    store = session.get(Store, basket.store_id)
    if store is None or not store.is_open:
        raise StoreNotFound
    wanted = merge(basket.lines)
    products = catalog.by_ids(session, [line.product_id for line in wanted])
    offers = {line.product_id: _offer(line.product_id, products) for line in wanted}
    _require_fulfilment(basket.fulfilment, offers.values())
    if deal is not None:
        offers = _by_deal(offers, deal)
    priced = full_price(offers, wanted)
    if deal is not None:
        priced = _at_deal(priced, deal)
    if deal is None or deal.allows_level:
        priced = _at_level(session, priced, member_id=member_id, now=now)
    return priced


def _by_deal(offers: Mapping[int, Offer], deal: Deal) -> dict[int, Offer]:
    """Return the offers of a deal, commission as it says; all products must be of it."""
    if not offers.keys() <= deal.prices_fen.keys():
        raise DealBasketInvalid
    return {
        product_id: replace(offer, is_distributable=offer.is_distributable and deal.pays_commission)
        for product_id, offer in offers.items()
    }


def _at_deal(priced: Preview, deal: Deal) -> Preview:
    prices = [
        min(line.net_fen, deal.prices_fen[line.offer.product_id] * line.quantity)
        for line in priced.lines
    ]
    rule = {
        "kind": deal.kind,
        "activity_id": deal.activity_id,
        "prices_fen": {
            str(line.offer.product_id): deal.prices_fen[line.offer.product_id]
            for line in priced.lines
        },
    }
    discount = Discount(amount_fen=0, kind=DiscountKind.DEAL, title=deal.title, rule=rule)
    return line_by_line(priced, prices, discount)


def _at_level(session: Session, priced: Preview, *, member_id: int, now: datetime) -> Preview:
    standing = membership.standing_of(session, member_id, at=now)
    if standing.level_id is None:
        return priced
    excluded = standing.excluded_product_ids
    prices = [
        level_price(line.net_fen, standing.discount_bp, excluded=line.offer.product_id in excluded)
        for line in priced.lines
    ]
    rule = {
        "level_id": standing.level_id,
        "discount_bp": standing.discount_bp,
        "excluded_product_ids": sorted(
            line.offer.product_id for line in priced.lines if line.offer.product_id in excluded
        ),
    }
    discount = Discount(amount_fen=0, kind=DiscountKind.LEVEL, title=standing.name, rule=rule)
    return line_by_line(priced, prices, discount)


def _applied(
    session: Session,
    priced: Preview,
    *,
    member_id: int,
    basket: Basket,
    deal: Deal | None,
    now: datetime,
) -> tuple[coupons.AppliedCoupon, ...]:
    if not basket.coupon_ids:
        return ()
    if deal is not None and not deal.allows_coupons:
        raise DealTakesNoCoupons
    return coupons.apply(
        session,
        member_id=member_id,
        store_id=basket.store_id,
        coupon_ids=basket.coupon_ids,
        lines=_basket_lines(priced),
        now=now,
    )


def _points_wanted(basket: Basket, deal: Deal | None) -> int:
    if basket.points and deal is not None and not deal.allows_points:
        raise DealTakesNoPoints
    return basket.points


def _basket_lines(priced: Preview) -> list[coupons.BasketLine]:
    return [
        coupons.BasketLine(
            product_id=line.offer.product_id,
            quantity=line.quantity,
            unit_price_fen=line.offer.unit_price_fen,
            net_fen=line.net_fen,
        )
        for line in priced.lines
    ]


def _of_coupon(coupon: coupons.AppliedCoupon) -> Discount:
    return Discount(
        amount_fen=coupon.amount_fen,
        product_ids=coupon.product_ids,
        kind=DiscountKind.COUPON,
        title=coupon.title,
        coupon_id=coupon.coupon_id,
        is_stackable=coupon.is_stackable,
        rule=coupon.rule,
    )


def _of_points(spend: points.Spend) -> Discount:
    return Discount(amount_fen=spend.amount_fen, kind=DiscountKind.POINTS, points=spend.points)


def _offer(product_id: int, products: Mapping[int, Product]) -> Offer:
    product = products.get(product_id)
    if product is None:
        raise ProductNotFound(product_id)
    if not product.is_published:
        raise ProductNotOnSale(product_id, product.title)
    return Offer(
        product_id=product.id,
        title=product.title,
        unit_price_fen=product.price_fen,
        is_service=product.kind is ProductKind.SERVICE,
        is_distributable=product.is_distributable,
    )


def _require_fulfilment(fulfilment: Fulfilment, offers: Iterable[Offer]) -> None:
    """Services are redeemed in the store, goods picked up there or sent; both go with a pick-up."""
    kinds = {offer.is_service for offer in offers}
    allowed = {
        Fulfilment.SERVICE: kinds == {True},
        Fulfilment.PICKUP: False in kinds,
        Fulfilment.DELIVERY: kinds == {False},
    }
    if not allowed[fulfilment]:
        raise FulfilmentInvalid
