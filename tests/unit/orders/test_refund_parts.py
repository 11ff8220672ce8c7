"""What goes back of each line is exact, bounded, and adds up however it is sliced."""

import pytest

from app.orders.errors import OrderLineNotFound, RefundExceedsRest, RefundInvalid
from app.orders.pricing import LineRest, RefundPart, WantedRefund, refund_parts


def line(
    line_id: int = 1, *, quantity: int = 3, net: int = 100, taken: tuple[int, int] = (0, 0)
) -> LineRest:
    return LineRest(
        order_line_id=line_id,
        quantity=quantity,
        net_fen=net,
        taken_quantity=taken[0],
        taken_fen=taken[1],
    )


def test_piece_after_piece_adds_up_to_what_was_paid() -> None:
    first = refund_parts([line()], [WantedRefund(1, 1)])
    second = refund_parts([line(taken=(1, 33))], [WantedRefund(1, 1)])
    last = refund_parts([line(taken=(2, 66))], [WantedRefund(1, 1)])

    assert [part.amount_fen for part in (*first, *second, *last)] == [33, 33, 34]


def test_all_that_is_left_is_what_no_refund_has_taken() -> None:
    lines = [line(1, taken=(1, 40)), line(2, net=50), line(3, taken=(3, 100))]

    assert refund_parts(lines, None) == (RefundPart(1, 2, 60), RefundPart(2, 3, 50))


def test_a_free_piece_goes_back_with_the_last_that_was_paid_for() -> None:
    paid = LineRest(order_line_id=1, quantity=2, net_fen=100, taken_quantity=0, taken_fen=0)
    free = LineRest(order_line_id=2, quantity=1, net_fen=0, taken_quantity=0, taken_fen=0)

    assert refund_parts([paid, free], [WantedRefund(1, 2)]) == (
        RefundPart(1, 2, 100),
        RefundPart(2, 1, 0),
    )
    assert refund_parts([paid, free], [WantedRefund(1, 1)]) == (RefundPart(1, 1, 50),)
    assert refund_parts([paid, free], [WantedRefund(1, 0, 100)]) == (RefundPart(1, 0, 100),)


def test_an_amount_can_go_back_without_a_piece() -> None:
    assert refund_parts([line()], [WantedRefund(1, 0, 25)]) == (RefundPart(1, 0, 25),)


def test_pieces_can_go_back_for_an_amount_below_their_worth() -> None:
    assert refund_parts([line()], [WantedRefund(1, 3, 70)]) == (RefundPart(1, 3, 70),)


def test_pieces_are_worth_no_more_than_amounts_given_back_before_have_left() -> None:
    assert refund_parts([line(taken=(0, 80))], [WantedRefund(1, 1)]) == (RefundPart(1, 1, 20),)


def test_the_last_piece_is_worth_whatever_is_left() -> None:
    assert refund_parts([line(taken=(2, 10))], [WantedRefund(1, 1)]) == (RefundPart(1, 1, 90),)


@pytest.mark.parametrize(
    "wanted",
    [
        WantedRefund(1, 4),
        WantedRefund(1, 0, 101),
        WantedRefund(1, 1, 101),
        WantedRefund(1, 0, 10**18),
    ],
)
def test_more_than_is_left_is_refused(wanted: WantedRefund) -> None:
    with pytest.raises(RefundExceedsRest) as refusal:
        refund_parts([line()], [wanted])

    assert refusal.value.rest_fen == 100


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        [WantedRefund(1)],
        [WantedRefund(1, 0, 0)],
        [WantedRefund(1, -1)],
        [WantedRefund(1, 1, -1)],
        [WantedRefund(1, 0, -1)],
        [WantedRefund(1, 1), WantedRefund(1, 1)],
    ],
)
def test_what_makes_no_sense_is_refused(wanted: list[WantedRefund]) -> None:
    with pytest.raises(RefundInvalid):
        refund_parts([line()], wanted)


def test_a_line_of_another_order_is_not_found() -> None:
    with pytest.raises(OrderLineNotFound):
        refund_parts([line(1)], [WantedRefund(2, 1)])
