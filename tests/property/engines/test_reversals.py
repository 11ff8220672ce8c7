"""However refunds are cut up and ordered: what always holds of what they leave of awards."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.engines.people import Person, Sale
from app.engines.results import Award
from app.engines.reversals import AwardNet, net_after, reverse
from app.engines.two_level.engine import decide
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.money import share_of
from tests.property.engines.strategies import bases, chains, plans, sales

Nets = dict[int, AwardNet]


def book(awards: Iterable[Award]) -> Nets:
    """Record awards, numbered from 1."""
    return {
        number: AwardNet(number, one.line_id, one.base_fen, one.rate_bp, one.amount_fen)
        for number, one in enumerate(awards, start=1)
    }


def refund(nets: Nets, refunded_fen: Mapping[int, int]) -> tuple[Nets, int]:
    """Apply what was refunded altogether; return the books after it and what was taken back."""
    taken_fen = 0
    after = dict(nets)
    for change in reverse(nets.values(), refunded_fen):
        assert change.old_fen == nets[change.award_id].net_fen
        assert change.delta_fen > 0
        taken_fen += change.delta_fen
        after[change.award_id] = replace(after[change.award_id], net_fen=change.new_fen)
    return after, taken_fen


def amounts(nets: Nets) -> dict[int, int]:
    return {number: one.net_fen for number, one in nets.items()}


@st.composite
def refunds(draw: st.DrawFn, sale: Sale) -> list[tuple[int, int]]:
    """Slices of refunds: (line, fen), together never more than was paid for the line."""
    slices = []
    for line in sale.lines:
        cuts = draw(st.lists(st.integers(0, line.base_fen), max_size=5))
        marks = [0, *sorted(cuts)]
        slices += [(line.line_id, after - before) for before, after in pairwise(marks)]
    return draw(st.permutations(slices))


stories = st.tuples(plans(), sales(), chains).flatmap(
    lambda story: st.tuples(st.just(story), refunds(story[1]))
)
Story = tuple[tuple[TwoLevelRules, Sale, list[Person]], list[tuple[int, int]]]


def cumulated(slices: Iterable[tuple[int, int]]) -> Iterable[tuple[int, dict[int, int]]]:
    """Yield, slice by slice, the line refunded and all that was refunded so far."""
    so_far: dict[int, int] = {}
    for line_id, amount_fen in slices:
        so_far[line_id] = so_far.get(line_id, 0) + amount_fen
        yield line_id, dict(so_far)


@given(stories)
def test_slices_take_back_exactly_what_one_refund_of_their_sum_does(story: Story) -> None:
    (rules, sale, chain), slices = story
    before = book(decide(rules, sale, chain).awards)
    nets, taken_fen, total = before, 0, dict[int, int]()

    for line_id, total in cumulated(slices):
        nets, delta_fen = refund(nets, {line_id: total[line_id]})
        taken_fen += delta_fen

    at_once, taken_at_once_fen = refund(before, total)
    assert (amounts(nets), taken_fen) == (amounts(at_once), taken_at_once_fen)
    assert sum(amounts(before).values()) - taken_fen == sum(amounts(nets).values())


@given(stories, st.randoms(use_true_random=False))
def test_the_order_of_refunds_does_not_matter_in_the_end(story: Story, random: Random) -> None:
    (rules, sale, chain), slices = story
    before = book(decide(rules, sale, chain).awards)
    other = list(slices)
    random.shuffle(other)

    ends = []
    for order in (slices, other):
        nets = before
        for _, total in cumulated(order):
            nets, _ = refund(nets, total)
        ends.append(amounts(nets))

    assert ends[0] == ends[1]


@given(stories, st.randoms(use_true_random=False))
def test_refunds_worked_off_late_and_repeatedly_end_the_same(story: Story, random: Random) -> None:
    (rules, sale, chain), slices = story
    before = book(decide(rules, sale, chain).awards)
    known = [total for _, total in cumulated(slices)]
    worked_off = known * 2
    random.shuffle(worked_off)

    nets = before
    for total in worked_off:
        nets, _ = refund(nets, total)

    assert amounts(nets) == amounts(refund(before, known[-1] if known else {})[0])


@given(stories)
def test_awards_only_ever_fall_and_stay_within_the_cap_on_what_remains(story: Story) -> None:
    (rules, sale, chain), slices = story
    nets = book(decide(rules, sale, chain).awards)

    for _, total in cumulated(slices):
        fallen, _ = refund(nets, total)
        assert all(0 <= fallen[number].net_fen <= nets[number].net_fen for number in nets)
        nets = fallen
        rest_fen = sum(line.base_fen - total.get(line.line_id, 0) for line in sale.lines)
        assert sum(amounts(nets).values()) <= share_of(rest_fen, rules.payout_cap_bp)


@given(stories)
def test_what_is_left_is_what_the_rest_alone_would_have_brought(story: Story) -> None:
    (rules, sale, chain), slices = story
    awards = decide(rules, sale, chain).awards
    total: dict[int, int] = {}
    for line_id, amount_fen in slices:
        total[line_id] = total.get(line_id, 0) + amount_fen

    nets, _ = refund(book(awards), total)

    rest = tuple(
        replace(line, base_fen=line.base_fen - total.get(line.line_id, 0)) for line in sale.lines
    )
    afresh = {
        (one.line_id, one.seat): one.amount_fen
        for one in decide(rules, replace(sale, lines=rest), chain).awards
    }
    assert [one.net_fen for one in nets.values()] == [
        afresh.get((award.line_id, award.seat), 0) for award in awards
    ]


@given(plans(), sales(), chains)
def test_a_full_refund_leaves_nothing_to_anybody(
    rules: TwoLevelRules, sale: Sale, chain: list[Person]
) -> None:
    decisions = decide(rules, sale, chain)

    nets, taken_fen = refund(
        book(decisions.awards), {line.line_id: line.base_fen for line in sale.lines}
    )

    assert set(amounts(nets).values()) <= {0}
    assert taken_fen == decisions.total_fen


@given(bases, st.integers(0, 5_000), st.lists(st.integers(1, 1_000), max_size=30))
def test_cutting_a_refund_into_slices_gains_nothing(
    base_fen: int, rate_bp: int, slices: list[int]
) -> None:
    """The bug this guards against: rounding each slice by itself leaves a fen here and there."""
    net = AwardNet(1, 70, base_fen, rate_bp, share_of(base_fen, rate_bp))
    refunded_fen = 0

    for slice_fen in slices:
        refunded_fen = min(refunded_fen + slice_fen, base_fen)
        for change in reverse([net], {70: refunded_fen}):
            net = replace(net, net_fen=change.new_fen)

    assert net.net_fen == net_after(base_fen, rate_bp, refunded_fen)
    assert net.net_fen == share_of(base_fen - refunded_fen, rate_bp)
