"""Commission, rebates and holdings on random orders and histories."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.engines.events import Refunded, Settled, Sold
from app.engines.people import Line, Person, Sale
from app.engines.places import Board
from app.engines.results import Award, Decisions, Refusal
from app.engines.reversals import AwardNet, reverse
from app.engines.shareholders import MODEL
from app.engines.shareholders.engine import decide
from app.engines.shareholders.holdings import HoldingPlace, HoldingState, allot, level_for
from app.engines.shareholders.profile import payout_bound
from app.engines.shareholders.rules import EntryMode, ShareholderRules
from app.kernel.i18n import translate
from tests.property.engines.shareholders.strategies import NOON, holdings, plans, sales

boards = st.lists(holdings, max_size=6)


@given(plans(), sales(), boards)
def test_no_order_ever_pays_more_than_the_bound(
    rules: ShareholderRules, event: Sold, places: list[HoldingPlace]
) -> None:
    bound = payout_bound(rules)
    base_fen = sum(line.base_fen for line in event.sale.lines)

    decisions = decide(rules, event, Board(places))

    assert decisions.total_fen * 10_000 <= base_fen * bound.enforced_bp
    for line in event.sale.lines:
        of_line = [a.amount_fen for a in decisions.awards if a.line_id == line.line_id]
        assert sum(of_line) * 10_000 <= line.base_fen * bound.enforced_bp


@given(plans(), sales(), boards)
def test_only_the_owner_and_the_buyer_are_ever_paid_and_only_with_a_seat_there(
    rules: ShareholderRules, event: Sold, places: list[HoldingPlace]
) -> None:
    board = Board(places)
    owner = event.chain[0] if event.chain else None

    decisions = decide(rules, event, board)

    for award in decisions.awards:
        whose = owner if award.seat else event.sale.buyer
        assert whose is not None
        assert award.beneficiary_id == whose.member_id
        held = board.get(award.beneficiary_id, event.sale.store_id)
        assert held is not None
        assert held.state is HoldingState.ACTIVE
        assert held.until != NOON.isoformat()
        assert award.seat == 0 or award.beneficiary_id != event.sale.buyer.member_id
        rate_bp = expected_rate(rules, award.seat, award.explanation["product_id"], held.level)
        assert award.amount_fen <= award.base_fen * rate_bp // 10_000


def expected_rate(rules: ShareholderRules, seat: int, product_id: object, rank: int) -> int:
    if seat == 0:
        return rules.rebate_bp
    own = rules.product_commissions.get(product_id)  # type: ignore[call-overload]
    if own is not None:
        assert own.commissions_bp is not None
        return int(own.commissions_bp[rank - 1])
    return rules.shareholder_levels[rank - 1].commission_bp


@given(plans(), sales(), boards)
def test_each_line_gets_an_answer_for_the_owner_that_can_be_read(
    rules: ShareholderRules, event: Sold, places: list[HoldingPlace]
) -> None:
    decisions = decide(rules, event, Board(places))

    answers: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
    lines = [line.line_id for line in event.sale.lines]
    assert sorted(one.line_id for one in answers if one.seat == 1) == sorted(lines)
    for one in answers:
        told = [translate(message, "en") for message in MODEL.explain(one.explanation, {})]
        assert told
        assert not any("%(" in sentence for sentence in told)


@given(plans(), sales(), boards, st.lists(st.integers(1, 10**8), max_size=6))
def test_refunds_in_slices_take_back_exactly_what_one_refund_of_all_does(
    rules: ShareholderRules, event: Sold, places: list[HoldingPlace], slices: list[int]
) -> None:
    nets = [
        AwardNet(number, a.line_id, a.base_fen, a.rate_bp, a.amount_fen)
        for number, a in enumerate(decide(rules, event, Board(places)).awards)
    ]
    at_once = {
        one.award_id: one.new_fen
        for one in reverse(nets, {net.line_id: sum(slices) for net in nets})
    }

    gone = 0
    current = nets
    for part in slices:
        gone += part
        changes = {one.award_id: one for one in reverse(current, {n.line_id: gone for n in nets})}
        current = [
            replace(net, net_fen=changes[net.award_id].new_fen) if net.award_id in changes else net
            for net in current
        ]

    assert {net.award_id: net.net_fen for net in current} == {
        net.award_id: at_once.get(net.award_id, net.net_fen) for net in nets
    }


amounts = st.integers(0, 400)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(1, 4), amounts),
        st.tuples(st.just("refund"), st.integers(1, 4), amounts),
        st.tuples(st.just("months"), st.integers(1, 14), st.just(0)),
        st.tuples(st.just("allot"), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@given(plans(), steps)
def test_histories_never_overfill_a_store_nor_demote_anybody_within_the_term(
    rules: ShareholderRules, history: list[tuple[str, int, int]]
) -> None:
    board = Board[HoldingPlace]()
    at = NOON
    for what, who, fen in history:
        before = {place.spot: place for place in board.all()}
        if what == "months":
            at += timedelta(days=31 * who)
        elif what == "allot":
            board.apply(allot(rules, list(board.all()), now=at))
            before = {}
        elif what == "buy":
            sale = Sale(1, Person(who), (Line(1, 5, fen),), store_id=3, at=at, counted_at=at)
            board.apply(_holdings(decide(rules, Settled(sale, ()), board)))
        else:
            event = Refunded(1, 1, who, None, 0, True, at, 3, fen)
            board.apply(_holdings(decide(rules, event, board)))
        _check(rules, board, before)


def _holdings(decisions: Decisions) -> list[HoldingPlace]:
    return [place for place in decisions.places if isinstance(place, HoldingPlace)]


def _check(
    rules: ShareholderRules,
    board: Board[HoldingPlace],
    before: dict[tuple[int, int], HoldingPlace],
) -> None:
    seats = [place for place in board.all() if place.state is HoldingState.ACTIVE]
    assert len(seats) <= rules.seats_per_store
    for place in board.all():
        former = before.get(place.spot)
        assert min(place.term_fen, place.spent_fen) >= 0
        assert (place.state is HoldingState.WAITING) == (place.wanted is not None)
        if former is not None and former.state is HoldingState.ACTIVE:
            assert place.state is HoldingState.ACTIVE
            assert place.level >= former.level
        if rules.entry_mode is EntryMode.CONSUMPTION and place.state is HoldingState.ACTIVE:
            assert place.level >= level_for(rules, place.spent_fen)
            assert place.under_review == (level_for(rules, place.spent_fen) < place.level)
