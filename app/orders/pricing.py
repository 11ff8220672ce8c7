"""What an order costs, and what its parts are worth when they go back. Pure; all amounts are fen.

The server prices everything: a request names products and quantities, never amounts. Discounts
are taken one after the other, each off what the former left: the deal of an activity, the level
of the member, coupons, points. Each is spread over the lines it applies to by largest remainder,
so that the parts add up to it exactly, and what is left of each line is the base of commission
and the most that can go back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from app.kernel.money import split
from app.orders.errors import (
    LinesInvalid,
    NothingToPay,
    OrderLineNotFound,
    OrderTooLarge,
    QuantityInvalid,
    RefundExceedsRest,
    RefundInvalid,
)

QUANTITY_MAX: Final = 999
LINES_MAX: Final = 50
GOODS_FEN_MAX: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class WantedLine:
    """So many pieces of a product, as a customer asks for them."""

    product_id: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A product as it is sold at this moment."""

    product_id: int
    title: str
    unit_price_fen: int
    is_service: bool
    is_distributable: bool


class DiscountKind(StrEnum):
    """What takes something off an order, in the order in which it does."""

    DEAL = "deal"
    LEVEL = "level"
    COUPON = "coupon"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """An amount off; `product_ids` are the products it applies to, None for all.

    It never takes more than these lines still cost. `title`, `coupon_id`, `points` and `rule` say
    what it was, for whoever asks later.
    """

    amount_fen: int
    product_ids: frozenset[int] | None = None
    kind: DiscountKind = DiscountKind.COUPON
    title: str = ""
    coupon_id: int | None = None
    points: int | None = None
    is_stackable: bool = True
    rule: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a discount took of each line, and what each line cost before it, in their order.

    Where it applies to a line, `of_fen` is more than what it takes or as much; elsewhere 0.
    """

    discount: Discount
    parts_fen: tuple[int, ...]
    of_fen: tuple[int, ...]

    @property
    def amount_fen(self) -> int:
        """Return what it took in all."""
        return sum(self.parts_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A line with its price; `net_fen` is what the customer pays for it after discounts."""

    offer: Offer
    quantity: int
    net_fen: int

    @property
    def gross_fen(self) -> int:
        """Return what it costs before discounts."""
        return self.offer.unit_price_fen * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an order would cost: payable = goods - discount + shipping."""

    lines: tuple[PricedLine, ...]
    shipping_fen: int
    taken: tuple[Taken, ...] = ()
    """The discounts that took something, in their order."""

    @property
    def goods_fen(self) -> int:
        """Return what the lines cost before discounts."""
        return sum(line.gross_fen for line in self.lines)

    @property
    def net_fen(self) -> int:
        """Return what is paid for the lines after discounts."""
        return sum(line.net_fen for line in self.lines)

    @property
    def discount_fen(self) -> int:
        """Return what all discounts take together."""
        return self.goods_fen - self.net_fen

    @property
    def payable_fen(self) -> int:
        """Return what the customer pays."""
        return self.net_fen + self.shipping_fen


def merge(wanted: Sequence[WantedLine]) -> tuple[WantedLine, ...]:
    """Check what is wanted and add up lines of one product, which stay where they first stood.

    >>> merge([WantedLine(7, 1), WantedLine(3, 2), WantedLine(7, 4)])
    (WantedLine(product_id=7, quantity=5), WantedLine(product_id=3, quantity=2))
    """
    quantities: dict[int, int] = {}
    for line in wanted:
        if line.quantity < 1:
            raise QuantityInvalid(QUANTITY_MAX)
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    if not 1 <= len(quantities) <= LINES_MAX:
        raise LinesInvalid(LINES_MAX)
    if max(quantities.values()) > QUANTITY_MAX:
        raise QuantityInvalid(QUANTITY_MAX)
    return tuple(WantedLine(product_id, count) for product_id, count in quantities.items())


def price(
    offers: Mapping[int, Offer],
    wanted: Sequence[WantedLine],
    *,
    discounts: Sequence[Discount] = (),
    shipping_fen: int = 0,
) -> Preview:
    """Price merged lines; `offers` holds every product wanted. Discounts apply in their order.

    Raises `OrderTooLarge` above `GOODS_FEN_MAX` and `NothingToPay` where nothing is left to pay.
    """
    preview = full_price(offers, wanted, shipping_fen=shipping_fen)
    for discount in discounts:
        preview = less(preview, discount)
    require_payable(preview)
    return preview


def full_price(
    offers: Mapping[int, Offer], wanted: Sequence[WantedLine], *, shipping_fen: int = 0
) -> Preview:
    """Price merged lines before any discount. Raises `OrderTooLarge`."""
    lines = tuple(
        PricedLine(
            offer=offers[line.product_id],
            quantity=line.quantity,
            net_fen=offers[line.product_id].unit_price_fen * line.quantity,
        )
        for line in wanted
    )
    preview = Preview(lines=lines, shipping_fen=shipping_fen)
    if preview.payable_fen > GOODS_FEN_MAX:
        raise OrderTooLarge
    return preview


def require_payable(preview: Preview) -> None:
    """Raise `NothingToPay` where discounts leave nothing: WeChat Pay takes no order of zero."""
    if preview.payable_fen <= 0:
        raise NothingToPay


def less(preview: Preview, discount: Discount) -> Preview:
    """Take a discount off what is left, spread over its lines; one that takes nothing is none.

    >>> offer = Offer(
    ...     product_id=7, title="x", unit_price_fen=100, is_service=True, is_distributable=True
    ... )
    >>> whole = full_price({7: offer}, [WantedLine(7, 2)])
    >>> less(whole, Discount(amount_fen=30)).payable_fen
    170
    """
    assert discount.amount_fen >= 0, "a discount never raises a price"
    chosen = discount.product_ids
    of_fen = [
        line.net_fen if chosen is None or line.offer.product_id in chosen else 0
        for line in preview.lines
    ]
    parts = split(min(discount.amount_fen, sum(of_fen)), of_fen)
    return _without(preview, Taken(discount=discount, parts_fen=parts, of_fen=tuple(of_fen)))


def line_by_line(preview: Preview, prices_fen: Sequence[int], discount: Discount) -> Preview:
    """Lower lines to prices that are known for each, as deals and levels say them.

    `prices_fen` stand in the order of the lines and are at most what these cost. The amount of
    `discount` is what that makes, whatever it says itself.
    """
    of_fen = tuple(line.net_fen for line in preview.lines)
    parts = tuple(before - after for before, after in zip(of_fen, prices_fen, strict=True))
    assert all(0 <= part <= of for part, of in zip(parts, of_fen, strict=True)), "not a discount"
    whole = replace(discount, amount_fen=sum(parts))
    of_fen = tuple(of if part else 0 for part, of in zip(parts, of_fen, strict=True))
    return _without(preview, Taken(discount=whole, parts_fen=parts, of_fen=of_fen))


def _without(preview: Preview, taken: Taken) -> Preview:
    if taken.amount_fen == 0:
        return preview
    lines = tuple(
        replace(line, net_fen=line.net_fen - part)
        for line, part in zip(preview.lines, taken.parts_fen, strict=True)
    )
    return replace(preview, lines=lines, taken=(*preview.taken, taken))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRest:
    """An order line and what refunds have taken of it, those under way included."""

    order_line_id: int
    quantity: int
    net_fen: int
    taken_quantity: int
    taken_fen: int

    @property
    def rest_quantity(self) -> int:
        """Return how many pieces no refund has taken."""
        return self.quantity - self.taken_quantity

    @property
    def rest_fen(self) -> int:
        """Return what no refund has taken."""
        return self.net_fen - self.taken_fen


@dataclass(frozen=True, slots=True)
class WantedRefund:
    """So many pieces of an order line back, or an amount, or both.

    Without an amount the pieces are worth their share of what was paid for the line; pieces may be
    0 where only money goes back.
    """

    order_line_id: int
    quantity: int = 0
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class RefundPart:
    """What a refund gives back of one order line."""

    order_line_id: int
    quantity: int
    amount_fen: int


def refund_parts(
    lines: Sequence[LineRest], wanted: Sequence[WantedRefund] | None
) -> tuple[RefundPart, ...]:
    """Turn what is asked back into amounts; None asks for all that is left.

    The worth of pieces is the difference of two cumulative shares rounded down, and the last
    piece takes what is left, so that however a line is refunded the parts add up to it exactly.
    Pieces that cost nothing beside the others go back with the last of these.

    >>> line = LineRest(order_line_id=1, quantity=3, net_fen=100, taken_quantity=1, taken_fen=33)
    >>> refund_parts([line], [WantedRefund(1, 1)]), refund_parts([line], None)[0].amount_fen
    ((RefundPart(order_line_id=1, quantity=1, amount_fen=33),), 67)
    """
    if wanted is None:
        return tuple(
            RefundPart(line.order_line_id, line.rest_quantity, line.rest_fen)
            for line in lines
            if line.rest_quantity or line.rest_fen
        )
    if not wanted or len({one.order_line_id for one in wanted}) < len(wanted):
        raise RefundInvalid
    parts = tuple(_parts({line.order_line_id: line for line in lines}, wanted))
    return parts + _free_ones(lines, parts)


def _free_ones(lines: Sequence[LineRest], parts: Sequence[RefundPart]) -> tuple[RefundPart, ...]:
    """Return pieces that a coupon made free, where nothing is left of what was paid for.

    The coupon comes back then: what it was for cannot stay.
    """
    named = {one.order_line_id: one for one in parts}
    for line in lines:
        part = named.get(line.order_line_id, RefundPart(line.order_line_id, 0, 0))
        is_left = line.rest_quantity > part.quantity or line.rest_fen > part.amount_fen
        if line.net_fen and is_left:
            return ()
    return tuple(
        RefundPart(line.order_line_id, line.rest_quantity, 0)
        for line in lines
        if not line.net_fen and line.rest_quantity and line.order_line_id not in named
    )


def _parts(lines: Mapping[int, LineRest], wanted: Sequence[WantedRefund]) -> Iterator[RefundPart]:
    for one in wanted:
        line = lines.get(one.order_line_id)
        if line is None:
            raise OrderLineNotFound(one.order_line_id)
        if one.quantity < 0 or not (one.quantity or one.amount_fen):
            raise RefundInvalid
        amount_fen = _worth(line, one.quantity) if one.amount_fen is None else one.amount_fen
        if amount_fen < 0:
            raise RefundInvalid
        if one.quantity > line.rest_quantity or amount_fen > line.rest_fen:
            raise RefundExceedsRest(line.rest_fen)
        yield RefundPart(one.order_line_id, one.quantity, amount_fen)


def _worth(line: LineRest, quantity: int) -> int:
    """Return what pieces are worth; amounts given back without pieces may leave less than that."""
    if quantity >= line.rest_quantity:
        return line.rest_fen
    before = line.net_fen * line.taken_quantity // line.quantity
    after = line.net_fen * (line.taken_quantity + quantity) // line.quantity
    return min(after - before, line.rest_fen)
