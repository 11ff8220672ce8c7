"""Prices and refunds add up to the fen, whatever is bought, discounted and sent back."""

from hypothesis import given
from hypothesis import strategies as st

from app.orders.errors import NothingToPay
from app.orders.pricing import (
    Discount,
    LineRest,
    Offer,
    RefundPart,
    WantedLine,
    WantedRefund,
    merge,
    price,
    refund_parts,
)

PRICES = st.integers(1, 100_000)
QUANTITIES = st.integers(1, 999)


def offer(product_id: int, unit_price_fen: int) -> Offer:
    return Offer(
        product_id=product_id,
        title="x",
        unit_price_fen=unit_price_fen,
        is_service=True,
        is_distributable=True,
    )


@st.composite
def baskets(draw: st.DrawFn) -> tuple[dict[int, Offer], tuple[WantedLine, ...], list[Discount]]:
    prices = draw(st.lists(PRICES, min_size=1, max_size=6))
    offers = {number: offer(number, fen) for number, fen in enumerate(prices)}
    wanted = tuple(WantedLine(number, draw(st.integers(1, 20))) for number in offers)
    products = st.none() | st.frozensets(st.sampled_from(sorted(offers)))
    discounts = draw(
        st.lists(
            st.builds(Discount, amount_fen=st.integers(0, 3_000_000), product_ids=products),
            max_size=3,
        )
    )
    return offers, wanted, discounts


@given(baskets())
def test_what_is_payable_is_the_sum_of_the_lines_and_never_negative(
    basket: tuple[dict[int, Offer], tuple[WantedLine, ...], list[Discount]],
) -> None:
    offers, wanted, discounts = basket
    gross = sum(offers[line.product_id].unit_price_fen * line.quantity for line in wanted)

    try:
        preview = price(offers, wanted, discounts=discounts)
    except NothingToPay:
        assert sum(discount.amount_fen for discount in discounts) >= gross
        return

    assert preview.payable_fen == sum(line.net_fen for line in preview.lines) > 0
    assert preview.goods_fen == gross == preview.payable_fen + preview.discount_fen
    assert all(0 <= line.net_fen <= line.gross_fen for line in preview.lines)
    asked = sum(discount.amount_fen for discount in discounts)
    assert preview.discount_fen <= asked


@given(baskets())
def test_a_discount_on_some_products_never_touches_the_others(
    basket: tuple[dict[int, Offer], tuple[WantedLine, ...], list[Discount]],
) -> None:
    offers, wanted, discounts = basket
    named = [discount.product_ids for discount in discounts]
    touched = set(offers) if None in named else set().union(*[ids or set() for ids in named])

    try:
        preview = price(offers, wanted, discounts=discounts)
    except NothingToPay:
        return

    for line in preview.lines:
        if line.offer.product_id not in touched:
            assert line.net_fen == line.gross_fen


@given(
    st.lists(st.builds(WantedLine, st.integers(1, 5), st.integers(1, 99)), min_size=1, max_size=9)
)
def test_merging_keeps_every_piece_and_names_each_product_once(wanted: list[WantedLine]) -> None:
    merged = merge(wanted)

    assert sum(line.quantity for line in merged) == sum(line.quantity for line in wanted)
    assert [line.product_id for line in merged] == list(
        dict.fromkeys(line.product_id for line in wanted)
    )


@given(QUANTITIES, st.integers(0, 10**9), st.data())
def test_pieces_sent_back_in_any_slices_add_up_to_what_was_paid(
    quantity: int, net_fen: int, data: st.DataObject
) -> None:
    taken = RefundPart(1, 0, 0)
    while taken.quantity < quantity:
        rest = LineRest(
            order_line_id=1,
            quantity=quantity,
            net_fen=net_fen,
            taken_quantity=taken.quantity,
            taken_fen=taken.amount_fen,
        )
        pieces = data.draw(st.integers(max(1, rest.rest_quantity // 3), rest.rest_quantity))
        part = refund_parts([rest], [WantedRefund(1, pieces)])[0]
        assert 0 <= part.amount_fen <= rest.rest_fen
        taken = RefundPart(1, taken.quantity + pieces, taken.amount_fen + part.amount_fen)

    assert taken.amount_fen == net_fen


@given(QUANTITIES, st.integers(0, 10**9), st.data())
def test_amounts_and_pieces_mixed_never_take_more_than_was_paid(
    quantity: int, net_fen: int, data: st.DataObject
) -> None:
    pieces = data.draw(st.integers(0, quantity))
    fen = data.draw(st.integers(0, net_fen))
    rest = LineRest(
        order_line_id=1, quantity=quantity, net_fen=net_fen, taken_quantity=pieces, taken_fen=fen
    )

    parts = refund_parts([rest], None)

    assert sum(part.amount_fen for part in parts) == net_fen - fen
    assert sum(part.quantity for part in parts) == quantity - pieces
