"""What coupons take off a basket, whatever is in it (D17, D18, B12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.coupons.errors import CouponNotStackable
from app.coupons.rules import (
    BasketLine,
    Candidate,
    Rule,
    Taken,
    amount_alone,
    best,
    combine,
    in_turn,
    spread,
)
from app.coupons.states import CouponKind
from app.kernel.errors import DomainError

FEN = st.integers(0, 1_000_000)
PRODUCTS = st.integers(1, 4)


@st.composite
def baskets(draw: st.DrawFn) -> list[BasketLine]:
    products = draw(st.lists(PRODUCTS, min_size=1, max_size=4, unique=True))
    lines = []
    for product_id in products:
        quantity, net = draw(st.integers(1, 5)), draw(FEN)
        lines.append(
            BasketLine(
                product_id=product_id,
                quantity=quantity,
                unit_price_fen=-(-net // quantity),
                net_fen=net,
            )
        )
    return lines


@st.composite
def rules(draw: st.DrawFn, *, is_stackable: bool | None = None) -> Rule:
    kind = draw(st.sampled_from(CouponKind))
    some = draw(st.none() | st.frozensets(PRODUCTS, min_size=1))
    if kind is CouponKind.EXCHANGE:
        some = frozenset({draw(PRODUCTS)})
    return Rule(
        kind=kind,
        amount_fen=draw(st.integers(1, 500_000)) if kind is CouponKind.AMOUNT_OFF else 0,
        percent_bp=draw(st.integers(1, 10_000)) if kind is CouponKind.PERCENT_OFF else 0,
        most_fen=draw(st.none() | st.integers(1, 50_000))
        if kind is CouponKind.PERCENT_OFF
        else None,
        threshold_fen=draw(st.just(0) | FEN),
        product_ids=some,
        is_stackable=draw(st.booleans()) if is_stackable is None else is_stackable,
    )


def candidates(some: list[Rule]) -> list[Candidate]:
    return [Candidate(number, rule) for number, rule in enumerate(some, start=1)]


def walked(
    some: list[Candidate], lines: list[BasketLine], taken: tuple[Taken, ...]
) -> list[list[int]]:
    """What is left of each line after each coupon."""
    rule_of = {one.coupon_id: one.rule for one in some}
    left = [line.net_fen for line in lines]
    steps = [left]
    for one in taken:
        left = spread(rule_of[one.coupon_id], lines, left, one.amount_fen)
        steps.append(left)
    return steps


@given(baskets(), st.lists(rules(is_stackable=True), max_size=4))
def test_coupons_never_take_more_than_their_lines_cost_and_leave_a_fen_to_pay(
    lines: list[BasketLine], some: list[Rule]
) -> None:
    wanted = candidates(some)
    try:
        taken = combine(wanted, lines)
    except DomainError:
        return
    rule_of = {one.coupon_id: one.rule for one in wanted}

    for one, before, after in zip(
        taken, (steps := walked(wanted, lines, taken)), steps[1:], strict=False
    ):
        rule = rule_of[one.coupon_id]
        eligible = sum(b for line, b in zip(lines, before, strict=True) if rule.fits(line))
        assert 1 <= one.amount_fen <= eligible
        assert sum(before) - sum(after) == one.amount_fen
        assert all(0 <= a <= b for a, b in zip(after, before, strict=True))
        untouched = [
            a == b for line, a, b in zip(lines, after, before, strict=True) if not rule.fits(line)
        ]
        assert all(untouched)
    if taken:
        assert sum(steps[-1]) >= 1
        total = sum(line.net_fen for line in lines)
        assert total - sum(one.amount_fen for one in taken) == sum(steps[-1])


@given(baskets(), st.lists(rules(is_stackable=True), max_size=4), st.permutations(range(4)))
def test_the_order_in_which_coupons_are_named_changes_nothing(
    lines: list[BasketLine], some: list[Rule], places: list[int]
) -> None:
    wanted = candidates(some)
    shuffled = [wanted[place] for place in places if place < len(wanted)]

    def answer(named: list[Candidate]) -> object:
        try:
            return combine(named, lines)
        except DomainError as refusal:
            return type(refusal)

    assert answer(wanted) == answer(shuffled)


@given(baskets(), st.lists(rules(), max_size=5))
def test_the_best_can_be_used_as_it_is_and_beats_each_alone(
    lines: list[BasketLine], some: list[Rule]
) -> None:
    wanted = candidates(some)

    chosen = best(wanted, lines)

    by_id = {one.coupon_id: one for one in wanted}
    assert combine([by_id[one.coupon_id] for one in chosen], lines) == chosen
    together = sum(one.amount_fen for one in chosen)
    assert together >= max((amount_alone(one.rule, lines) for one in wanted), default=0)


@given(baskets(), rules(is_stackable=True))
def test_below_its_threshold_a_coupon_takes_nothing_and_at_it_it_may(
    lines: list[BasketLine], rule: Rule
) -> None:
    eligible = sum(line.net_fen for line in lines if rule.fits(line))

    if eligible < rule.threshold_fen:
        assert amount_alone(rule, lines) == 0
    else:
        free = Rule(
            kind=rule.kind,
            amount_fen=rule.amount_fen,
            percent_bp=rule.percent_bp,
            most_fen=rule.most_fen,
            product_ids=rule.product_ids,
            is_stackable=True,
        )
        assert amount_alone(rule, lines) == amount_alone(free, lines)


@given(baskets(), rules(is_stackable=False), rules(is_stackable=False))
def test_two_that_stand_alone_never_go_together(
    lines: list[BasketLine], one: Rule, other: Rule
) -> None:
    with pytest.raises(CouponNotStackable):
        combine(candidates([one, other]), lines)


@given(st.lists(rules(), max_size=6))
def test_exchanges_apply_before_percentages_and_these_before_amounts(some: list[Rule]) -> None:
    turn = list(CouponKind)[::-1]

    kinds = [turn.index(one.rule.kind) for one in in_turn(candidates(some))]

    assert kinds == sorted(kinds)
