"""Whatever the plan and whatever people do: what always holds of chain 2+1."""

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from app.engines.chain.engine import decide
from app.engines.chain.paying import AwardKind, ChainReason
from app.engines.chain.profile import payout_bound, practices
from app.engines.chain.rules import ChainRules, LeaveScope, LeaveTo, Role
from app.engines.chain.teams import ChainPlace
from app.engines.documents import dump_rules, load_rules
from app.engines.events import Joined, Settled, Sold
from app.engines.explaining import explain_facts
from app.engines.parameters import Entry
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.results import Award, Decisions, Reason, Refusal
from app.kernel.i18n import translate
from app.kernel.money import share_of
from tests.property.engines.chain_histories import (
    PACKAGE,
    PRICE_FEN,
    Changed,
    Happening,
    Life,
    plans,
)
from tests.property.engines.chain_oracle import Village

LIVES = 150
SEEDS = range(16)
ORIGIN_ID, BOSS_ID, AGENT_ID, NEWCOMER_ID = 1, 2, 3, 4
WELL_PLACED = (
    ChainPlace(member_id=ORIGIN_ID, role=Role.BOSS),
    ChainPlace(
        member_id=BOSS_ID,
        recommender_id=ORIGIN_ID,
        role=Role.BOSS,
        origin_boss_id=ORIGIN_ID,
        depth=1,
    ),
    ChainPlace(
        member_id=AGENT_ID, recommender_id=BOSS_ID, parent=(BOSS_ID, 1), boss_id=BOSS_ID, depth=2
    ),
)
"""An agent under a boss who left another: all seats are taken, as near to a buyer as can be."""


def play(rules: ChainRules, board: Board[Any], happening: Happening) -> Decisions:
    if isinstance(happening, Changed):
        board.standings[happening.member_id] = happening.standing
        return Decisions()
    decisions = decide(rules, happening, board)
    board.apply(decisions.places)
    return decisions


def lives(seed: int, count: int = LIVES) -> list[tuple[ChainRules, list[Happening]]]:
    random = Random(seed)
    drawn = []
    for _ in range(count):
        rules = plans(random)
        life = Life(random, rules, people=random.choice((4, 12, 40)))
        drawn.append((rules, list(life.history(random.choice((15, 60))))))
    return drawn


def payments(decisions: Decisions) -> list[tuple[int, str, int, int]]:
    return [
        (one.line_id, one.kind.value, one.beneficiary_id, one.amount_fen)
        for one in decisions.awards
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_second_way_of_reckoning_comes_to_the_same(seed: int) -> None:
    for rules, history in lives(seed):
        board: Board[Any] = Board()
        village = Village(rules)
        for happening in history:
            assert payments(play(rules, board, happening)) == village.live(happening)
        assert {one.member_id: one for one in board.all()} == as_places(village)


def as_places(village: Village) -> dict[int, ChainPlace]:
    """Write the village as places; what only the engine keeps is derived here."""
    found = {}
    for member, count in village.counts().items():
        above, recommender = village.parent(member), village.brought_by[member]
        found[member] = ChainPlace(
            member_id=member,
            recommender_id=recommender,
            parent=None if above is None else (above, 1),
            order_id=village.orders[member],
            role=Role.BOSS if member in village.bosses else Role.AGENT,
            boss_id=village.boss(member),
            origin_boss_id=village.origin.get(member),
            depth=0 if recommender is None else village.steps(member, _top(village, member)) - 1,
            direct_count=count,
            sales_fen=village.sales[member],
            counted=member in village.counted,
            revoked=member in village.gone,
            under_review=member in village.reviewed,
            promotion_order_id=village.risen_by.get(member),
        )
    return found


def _top(village: Village, member: int) -> int:
    above = village.brought_by[member]
    return member if above is None else _top(village, above)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_lost_and_every_boss_is_the_top_of_a_tree_without_cycles(seed: int) -> None:
    for rules, history in lives(seed, 30):
        board = Board[Any]()
        for happening in history:
            before = {one.member_id: one for one in board.all()}
            play(rules, board, happening)
            after = {one.member_id: one for one in board.all()}
            assert before.keys() <= after.keys()
            assert len(after) <= len(before) + 1
            for place in before.values():
                now = after[place.member_id]
                assert (now.recommender_id, now.depth) == (place.recommender_id, place.depth)
                assert now.is_boss or not place.is_boss
            assert sorted(reached_from_the_tops(board)) == sorted(after)
        places: list[ChainPlace] = list(board.all())
        for place in places:
            assert place.boss_id == nearest_boss(board, place)
            assert place.parent is None or not place.is_boss


def reached_from_the_tops(board: Board[Any]) -> list[int]:
    """Walk down from every top; whoever is in a cycle, or nowhere, is not reached."""
    waiting = [place for place in board.all() if place.parent is None]
    found = []
    while waiting:
        place = waiting.pop()
        found.append(place.member_id)
        waiting += board.children(place.spot)
    return found


def nearest_boss(board: Board[Any], place: ChainPlace) -> int | None:
    above = None if place.parent is None else board.get(*place.parent)
    if above is None:
        return None
    return above.member_id if above.is_boss else nearest_boss(board, above)


@pytest.mark.parametrize("seed", SEEDS)
def test_to_whom_people_are_left_changes_no_pay(seed: int) -> None:
    random = Random(seed)
    for _ in range(30):
        given = {"leave_scope": LeaveScope.ALL, "count_left_behind": False}
        nearest = plans(random, leave_to=LeaveTo.NEAREST_BOSS, **given)
        parent = nearest.model_copy(update={"leave_to": LeaveTo.PARENT})
        history = list(Life(random, nearest, people=40).history(60))
        ledgers = []
        for rules in (nearest, parent):
            board: Board[Any] = Board()
            decided = [play(rules, board, happening) for happening in history]
            bosses = {one.member_id: (one.boss_id, one.role) for one in board.all()}
            told = [(one.awards, one.refusals, one.notes) for one in decided]
            ledgers.append((told, bosses))
        assert ledgers[0] == ledgers[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_who_leaves_a_boss_alone_changes_the_boss_of_nobody_else(seed: int) -> None:
    random = Random(seed)
    for _ in range(30):
        leave_to = random.choice((LeaveTo.NEAREST_BOSS, LeaveTo.PARENT))
        given = {"leave_scope": LeaveScope.ALL, "count_left_behind": False}
        rules = plans(random, leave_to=leave_to, **given)
        board: Board[Any] = Board()
        for happening in Life(random, rules, people=40).history(60):
            before = {one.member_id: one for one in board.all()}
            changed: dict[int, Any] = {
                one.member_id: one for one in play(rules, board, happening).places
            }
            risen = [one for one in changed if one in before and is_new_boss(before, changed, one)]
            assert len(risen) <= 1
            for one in risen:
                if before[one].parent is None:
                    continue
                left = {other for other in changed if was_below(before, changed, other, one)}
                assert changed.keys() <= left | {one, whom(happening)}
                for other in changed.keys() & before.keys() - {one}:
                    assert changed[other].boss_id == before[other].boss_id


def whom(happening: Happening) -> int:
    if isinstance(happening, Sold | Settled):
        return happening.sale.buyer.member_id
    assert isinstance(happening, Joined)
    return happening.person.member_id


def is_new_boss(before: dict[int, Any], changed: dict[int, Any], one: int) -> bool:
    return changed[one].is_boss and not before[one].is_boss


def was_below(before: dict[int, Any], changed: dict[int, Any], other: int, one: int) -> bool:
    """Tell whether somebody stood directly below another, or came to on the same order."""
    parent = before[other].parent if other in before else (changed[other].recommender_id, 1)
    return bool(parent == (one, 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_line_ever_pays_more_than_the_bound_of_its_plan(seed: int) -> None:
    for rules, history in lives(seed, 30):
        bound, board = payout_bound(rules), Board[Any]()
        for happening in history:
            decisions = play(rules, board, happening)
            if not isinstance(happening, Sold):
                assert decisions.total_fen == 0
                continue
            for line in happening.sale.lines:
                of_line = [one for one in decisions.awards if one.line_id == line.line_id]
                sum_fen = sum(one.amount_fen for one in of_line)
                assert sum_fen <= share_of(line.base_fen, bound.enforced_bp)
            if bound.within_cap:
                assert all(one.capped_from_fen is None for one in decisions.awards)
                assert all(one.reason is not Reason.CAPPED_OUT for one in decisions.refusals)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_seat_of_each_line_is_decided_once_and_told_in_words(seed: int) -> None:
    for rules, history in lives(seed, 15):
        board: Board[Any] = Board()
        for happening in history:
            is_member = isinstance(happening, Sold) and has_place(board, happening)
            decisions = play(rules, board, happening)
            every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
            decided = Counter((one.line_id, one.kind.value) for one in every)
            if isinstance(happening, Sold):
                kinds = kinds_of(rules, is_member=is_member)
                lines = happening.sale.lines
                assert decided == Counter((line.line_id, kind) for line in lines for kind in kinds)
            else:
                assert not every
            for one in every:
                stored = json.loads(json.dumps(one.explanation))
                told = [translate(message, "en") for message in explain_facts(stored)]
                assert told
                assert not any("%(" in sentence or "None" in sentence for sentence in told)
                assert "phone" not in json.dumps(stored)
            json.dumps(decisions.notes)


def has_place(board: Board[Any], sold: Sold) -> bool:
    place = board.get(sold.sale.buyer.member_id)
    return place is not None and not place.revoked


def kinds_of(rules: ChainRules, *, is_member: bool) -> list[str]:
    if not is_member:
        return ["DIRECT", "TEAM", "PEER"] if rules.peer_bp else ["DIRECT", "TEAM"]
    if rules.repurchase == "NOTHING":
        return ["REPURCHASE1"]
    return ["REPURCHASE1", "REPURCHASE2"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_pays_nobody_whom_its_practices_do_not_admit_to(seed: int) -> None:
    for rules, history in lives(seed, 30):
        said, board = practices(rules), Board[Any]()
        for happening in history:
            for one in play(rules, board, happening).awards:
                assert said.paid_depth is None or one.seat <= said.paid_depth
                assert said.pays_after_leaving or one.kind is not AwardKind.PEER
                is_fixed = one.rate_bp is None and one.kind is not AwardKind.PEER
                share_bp = -(-one.amount_fen * 10_000 // one.base_fen)
                assert not is_fixed or share_bp <= said.fixed_share_bp
                is_far = one.kind is AwardKind.TEAM and one.seat > 2
                assert not is_far or said.has_unlimited_team_pay or (rules.max_depth or 0) > 2
                assert one.beneficiary_id not in _kin(happening)


def _kin(happening: Happening) -> set[int]:
    """Return the buyer and those of the upline who share a household with them."""
    assert isinstance(happening, Sold)
    buyer = happening.sale.buyer
    kin = {one.member_id for one in happening.chain if one.household & buyer.household}
    return kin | {buyer.member_id}


def test_every_reason_and_every_reward_comes_up_in_these_lives() -> None:
    """Or the tests above would prove less than they seem to."""
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        for rules, history in lives(seed, 30):
            board: Board[Any] = Board()
            for happening in history:
                decisions = play(rules, board, happening)
                seen.update(one.kind.value for one in decisions.awards)
                seen.update(one.reason.value for one in decisions.refusals)

    unused = {"PRODUCT_EXCLUDED", "NO_LEVEL", "LEVEL_NOT_IN_PLAN"}
    assert {*Reason, *ChainReason, *AwardKind} - unused == seen.keys()
    assert seen["PEER"] > 30


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_is_the_same_after_a_trip_through_json(seed: int) -> None:
    random = Random(seed)
    for _ in range(50):
        rules = plans(random)
        assert load_rules(json.dumps(dump_rules(rules))) == rules


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_of_a_plan_is_come_close_to(seed: int) -> None:
    """Where people stand so that the dearest case is met, only what was rounded up is missing."""
    random = Random(seed)
    for _ in range(50):
        rules = plans(random, payout_cap_bp=10_000, entry=Entry.BUY_PACKAGE)
        sales = (
            bought(NEWCOMER_ID, from_=(AGENT_ID,)),
            bought(NEWCOMER_ID, from_=(BOSS_ID,)),
            bought(AGENT_ID, from_=(BOSS_ID, ORIGIN_ID)),
        )
        total_fen = max(play(rules, Board[Any](WELL_PLACED), one).total_fen for one in sales)
        assert 0 <= share_of(PRICE_FEN, payout_bound(rules).enforced_bp) - total_fen <= 3


def bought(buyer_id: int, *, from_: tuple[int, ...]) -> Sold:
    buyer = Person(buyer_id, 1, Standing.ACTIVE)
    chain = tuple(Person(one, 1, Standing.ACTIVE) for one in from_)
    return Sold(Sale(1, buyer, (Line(10, PACKAGE, PRICE_FEN),)), chain)
