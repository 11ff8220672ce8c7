"""Prices are the server's, exact to the fen, and bounded."""

import pytest

from app.orders.errors import LinesInvalid, NothingToPay, OrderTooLarge, QuantityInvalid
from app.orders.pricing import (
    LINES_MAX,
    Discount,
    Offer,
    PricedLine,
    WantedLine,
    merge,
    price,
)


def offer(product_id: int, unit_price_fen: int) -> Offer:
    return Offer(
        product_id=product_id,
        title=f"Product {product_id}",
        unit_price_fen=unit_price_fen,
        is_service=True,
        is_distributable=True,
    )


def net_fen(lines: tuple[PricedLine, ...]) -> list[int]:
    return [line.net_fen for line in lines]


def test_an_order_costs_the_sum_of_its_lines() -> None:
    offers = {1: offer(1, 19_900), 2: offer(2, 333)}

    preview = price(offers, [WantedLine(1, 2), WantedLine(2, 3)])

    assert (preview.goods_fen, preview.discount_fen, preview.shipping_fen) == (40_799, 0, 0)
    assert preview.payable_fen == 40_799
    assert net_fen(preview.lines) == [39_800, 999]


def test_shipping_is_payable_and_belongs_to_no_line() -> None:
    preview = price({1: offer(1, 10_000)}, [WantedLine(1, 1)], shipping_fen=1_200)

    assert preview.payable_fen == 11_200
    assert net_fen(preview.lines) == [10_000]


def test_a_discount_is_spread_by_largest_remainder_and_adds_up() -> None:
    offers = {number: offer(number, 1_000) for number in (1, 2, 3)}
    wanted = [WantedLine(number, 1) for number in (1, 2, 3)]

    preview = price(offers, wanted, discounts=[Discount(amount_fen=100)])

    assert net_fen(preview.lines) == [966, 967, 967]
    assert (preview.discount_fen, preview.payable_fen) == (100, 2_900)


def test_a_discount_on_one_product_leaves_the_others_alone() -> None:
    offers = {1: offer(1, 1_000), 2: offer(2, 5_000)}
    discount = Discount(amount_fen=300, product_ids=frozenset({1}))

    preview = price(offers, [WantedLine(1, 1), WantedLine(2, 1)], discounts=[discount])

    assert net_fen(preview.lines) == [700, 5_000]


def test_a_discount_takes_no_more_than_its_lines_still_cost() -> None:
    offers = {1: offer(1, 1_000), 2: offer(2, 5_000)}
    on_one = Discount(amount_fen=800, product_ids=frozenset({1}))

    preview = price(offers, [WantedLine(1, 1), WantedLine(2, 1)], discounts=[on_one, on_one])

    assert net_fen(preview.lines) == [0, 5_000]
    assert preview.discount_fen == 1_000


def test_a_discount_that_leaves_nothing_to_pay_is_refused() -> None:
    with pytest.raises(NothingToPay):
        price({1: offer(1, 500)}, [WantedLine(1, 1)], discounts=[Discount(amount_fen=500)])


def test_lines_of_one_product_become_one() -> None:
    merged = merge([WantedLine(7, 500), WantedLine(3, 2), WantedLine(7, 499)])

    assert merged == (WantedLine(7, 999), WantedLine(3, 2))


@pytest.mark.parametrize("quantity", [0, -1, 1_000, 10**18])
def test_a_quantity_outside_one_to_999_is_refused(quantity: int) -> None:
    with pytest.raises(QuantityInvalid):
        merge([WantedLine(1, quantity)])


def test_lines_of_one_product_cannot_add_up_to_more_than_999() -> None:
    with pytest.raises(QuantityInvalid):
        merge([WantedLine(1, 999), WantedLine(1, 1)])


def test_a_negative_line_cannot_hide_behind_another_of_its_product() -> None:
    with pytest.raises(QuantityInvalid):
        merge([WantedLine(1, 5), WantedLine(1, -4)])


@pytest.mark.parametrize("count", [0, LINES_MAX + 1])
def test_an_order_has_between_one_and_fifty_lines(count: int) -> None:
    with pytest.raises(LinesInvalid):
        merge([WantedLine(number, 1) for number in range(count)])


def test_an_order_costs_at_most_ten_million_yuan() -> None:
    offers = {1: offer(1, 100_000_000)}

    assert price(offers, [WantedLine(1, 10)]).payable_fen == 1_000_000_000
    with pytest.raises(OrderTooLarge):
        price(offers, [WantedLine(1, 11)])
