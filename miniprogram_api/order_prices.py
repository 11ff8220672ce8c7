"""Views of what an order costs and why: each discount, and what else could be used."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

from app.coupons.ordering import Usable
from app.kernel.errors import DomainError
from app.orders.discount_models import OrderDiscount
from app.orders.models import Order
from app.orders.pricing import DiscountKind, Preview, Taken
from app.orders.quoting import Considered
from miniprogram_api.fields import Bilingual, View
from miniprogram_api.problems import both

DISCOUNT: Final[dict[str, Any]] = {
    "kind": "coupon",
    "title": "满100减20",
    "amount_fen": 2_000,
    "coupon_id": 31,
    "points": None,
    "lines": [{"product_id": 7, "amount_fen": 2_000}],
}


class DiscountPartView(View):
    """What a discount takes of one product."""

    product_id: int
    amount_fen: int


class DiscountView(View):
    """One step from the price of the goods to what is payable, in its place.

    `title` names the deal, the level or the coupon; for points it is empty.
    """

    kind: DiscountKind
    title: str
    amount_fen: int
    coupon_id: int | None
    points: int | None
    lines: list[DiscountPartView]

    @classmethod
    def of(cls, row: OrderDiscount, product_ids: Mapping[int, int]) -> Self:
        """Show a discount of an order; `product_ids` goes by order line."""
        return cls(
            kind=row.kind,
            title=row.title,
            amount_fen=row.amount_fen,
            coupon_id=row.coupon_id,
            points=row.points,
            lines=[
                DiscountPartView(
                    product_id=product_ids[one.order_line_id], amount_fen=one.amount_fen
                )
                for one in row.lines
            ],
        )

    @classmethod
    def of_preview(cls, taken: Taken, product_ids: Sequence[int]) -> Self:
        """Show a discount that an order would have."""
        return cls(
            kind=taken.discount.kind,
            title=taken.discount.title,
            amount_fen=taken.amount_fen,
            coupon_id=taken.discount.coupon_id,
            points=taken.discount.points,
            lines=[
                DiscountPartView(product_id=product_id, amount_fen=part)
                for product_id, part in zip(product_ids, taken.parts_fen, strict=True)
                if part
            ],
        )


class DealView(View):
    """The offer of an activity that an order was made by."""

    kind: str
    activity_id: int
    title: str

    @classmethod
    def of(cls, order: Order) -> Self | None:
        """Show the deal of an order; None where it has none."""
        deal = order.deal
        if deal is None:
            return None
        return cls(kind=deal["kind"], activity_id=deal["activity_id"], title=deal["title"])


class WhyNotView(View):
    """Why something cannot be used, as a problem would say it."""

    code: str
    message: Bilingual

    @classmethod
    def of(cls, refusal: DomainError | None) -> Self | None:
        """Show a refusal."""
        if refusal is None:
            return None
        return cls(code=refusal.code, message=Bilingual(**both(refusal.message())))


class UsableCouponView(View):
    """A coupon of the caller beside the basket.

    `amount_fen` is what it would take, in the suggested company or alone; `reason` says why it
    cannot be used.
    """

    coupon_id: int
    title: Bilingual
    amount_fen: int
    is_suggested: bool
    is_stackable: bool
    valid_until_at: datetime
    reason: WhyNotView | None

    @classmethod
    def of(cls, usable: Usable) -> Self:
        """Show a coupon."""
        return cls(
            coupon_id=usable.coupon_id,
            title=Bilingual(zh=usable.title, en=usable.title_en or usable.title),
            amount_fen=usable.amount_fen,
            is_suggested=usable.is_best,
            is_stackable=usable.is_stackable,
            valid_until_at=usable.valid_until_at,
            reason=WhyNotView.of(usable.reason),
        )


class PointsOfferView(View):
    """How many points the basket uses, and the most that could be used beside its coupons."""

    used: int
    used_fen: int
    most: int
    most_fen: int


class PreviewLineView(View):
    """A line with its price; `net_fen` is what is paid for it after discounts."""

    product_id: int
    title: str
    unit_price_fen: int
    quantity: int
    net_fen: int


class PreviewView(View):
    """What an order would cost: payable = goods - discount + shipping; and how it gets there.

    `coupons` are all of the caller's, those that together take most first.
    """

    lines: list[PreviewLineView]
    goods_fen: int
    discount_fen: int
    shipping_fen: int
    payable_fen: int
    discounts: list[DiscountView]
    coupons: list[UsableCouponView]
    points: PointsOfferView

    @classmethod
    def of(cls, considered: Considered) -> Self:
        """Show what a basket costs and what else could be used for it."""
        preview, spend, most = considered.quote.preview, considered.quote.spend, considered.most
        return cls(
            lines=_lines(preview),
            goods_fen=preview.goods_fen,
            discount_fen=preview.discount_fen,
            shipping_fen=preview.shipping_fen,
            payable_fen=preview.payable_fen,
            discounts=_discounts(preview),
            coupons=[UsableCouponView.of(one) for one in considered.usable],
            points=PointsOfferView(
                used=spend.points,
                used_fen=spend.amount_fen,
                most=most.points,
                most_fen=most.amount_fen,
            ),
        )


def discount_views(order: Order, rows: Iterable[OrderDiscount]) -> list[DiscountView]:
    """Show what was taken off an order whose lines are loaded."""
    product_ids = {line.id: line.product_id for line in order.lines}
    return [DiscountView.of(row, product_ids) for row in rows]


def _lines(preview: Preview) -> list[PreviewLineView]:
    return [
        PreviewLineView(
            product_id=line.offer.product_id,
            title=line.offer.title,
            unit_price_fen=line.offer.unit_price_fen,
            quantity=line.quantity,
            net_fen=line.net_fen,
        )
        for line in preview.lines
    ]


def _discounts(preview: Preview) -> list[DiscountView]:
    product_ids = [line.offer.product_id for line in preview.lines]
    return [DiscountView.of_preview(taken, product_ids) for taken in preview.taken]
