"""The worked case of chain 2+1, copied by value: fourteen joins, step by step."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

import pytest

from app.engines import chain
from app.engines.chain.engine import decide
from app.engines.chain.paying import AwardKind
from app.engines.chain.rules import ChainRules, LeaveTo
from app.engines.chain.teams import ChainPlace
from app.engines.documents import load_rules
from app.engines.events import Sold
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.results import Decisions

GOLDEN = json.loads(Path(__file__).with_name("chain_2_plus_1.json").read_text())
EVENTS: list[dict[str, Any]] = GOLDEN["events"]
FIXED: tuple[int, int] = GOLDEN["parameters"]["direct_fen"], GOLDEN["parameters"]["team_fen"]
ORIGINAL = cast(ChainRules, load_rules(chain.MODEL.original))
BY_PARENT = ORIGINAL.model_copy(update={"leave_to": LeaveTo.PARENT})


def member_id(name: str) -> int:
    return ord(name)


def play(rules: ChainRules, board: Board[Any], event: dict[str, Any]) -> Decisions:
    price_fen = GOLDEN["parameters"]["entry_price_fen"]
    buyer = Person(member_id(event["member"]), 1, Standing.ACTIVE)
    above = (Person(member_id(event["rec"]), 1, Standing.ACTIVE),) if event["rec"] else ()
    sale = Sale(event["n"], buyer, (Line(event["n"] * 10, 5, price_fen),))
    decisions = decide(rules, Sold(sale, above), board)
    board.apply(decisions.places)
    return decisions


def paid(decisions: Decisions) -> list[tuple[str, str, int]]:
    return [(chr(one.beneficiary_id), one.kind.value, one.amount_fen) for one in decisions.awards]


def unallocated_fen(decisions: Decisions) -> int:
    kinds = [refusal.kind for refusal in decisions.refusals]
    return FIXED[0] * kinds.count(AwardKind.DIRECT) + FIXED[1] * kinds.count(AwardKind.TEAM)


def tree(board: Board[Any]) -> str:
    """Write the teams as the case does: a star for a boss, a team in brackets."""

    def text(place: ChainPlace) -> str:
        below = " ".join(text(child) for child in board.children(place.spot))
        return chr(place.member_id) + "*" * place.is_boss + (f"({below})" if below else "")

    tops = sorted(board.all(), key=lambda place: place.member_id)
    return " ; ".join(text(place) for place in tops if place.parent is None)


def test_the_parameters_of_the_case_are_those_of_the_trade() -> None:
    given = GOLDEN["parameters"]

    assert ORIGINAL.entry_price_fen == given["entry_price_fen"]
    assert (ORIGINAL.direct.agent, ORIGINAL.team.agent) == (
        ORIGINAL.direct.boss,
        ORIGINAL.team.boss,
    )
    assert (ORIGINAL.direct.agent.fixed_fen, ORIGINAL.team.agent.fixed_fen) == FIXED
    assert (ORIGINAL.peer_bp, ORIGINAL.promote_count) == (given["peer_bp"], given["promote_count"])
    assert (ORIGINAL.leave_scope, ORIGINAL.leave_to) == (given["leave_scope"], given["leave_to"])


def test_each_join_pays_and_moves_what_it_should() -> None:
    board: Board[Any] = Board()

    for event in EVENTS:
        decisions = play(ORIGINAL, board, event)

        to_people = [one for one in event["pays"] if one["member"] != "PLATFORM"]
        to_nobody = sum(one["amount"] for one in event["pays"] if one["member"] == "PLATFORM")
        expected = [(one["member"], one["kind"], one["amount"]) for one in to_people]
        assert (event["n"], paid(decisions)) == (event["n"], expected)
        assert (event["n"], unallocated_fen(decisions)) == (event["n"], to_nobody)
        assert (event["n"], tree(board)) == (event["n"], event["tree"])


@pytest.mark.parametrize("rules", [ORIGINAL, BY_PARENT], ids=["nearest boss", "parent"])
def test_everybody_has_earned_what_they_should(rules: ChainRules) -> None:
    board: Board[Any] = Board()
    totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    for event in EVENTS:
        decisions = play(rules, board, event)
        for name, kind, amount_fen in paid(decisions):
            totals[name][kind] += amount_fen
        totals["PLATFORM"]["UNALLOCATED"] += unallocated_fen(decisions)

    assert totals == GOLDEN["totals"]
    assert sum(sum(of_one.values()) for of_one in totals.values()) == 428_000


def test_an_agent_who_leaves_while_there_is_no_boss_has_no_origin_for_ever() -> None:
    """A brings B, B brings C and D: B leaves, C and D stay with A, and A rises later."""
    board: Board[Any] = Board()
    history = [("A", None), ("B", "A"), ("C", "B"), ("D", "B"), ("E", "A"), ("F", "B"), ("G", "C")]
    trees, pays = [], []

    for number, (member, recommender) in enumerate(history, start=1):
        event = {"n": number, "member": member, "rec": recommender}
        pays.append(paid(play(ORIGINAL, board, event)))
        trees.append(tree(board))

    assert trees[2:] == [
        "A(B(C))",
        "A(C D) ; B*",
        "A*(C D E) ; B*",
        "A*(C D E) ; B*(F)",
        "A*(C(G) D E) ; B*(F)",
    ]
    assert pays[3:] == [
        [("B", "DIRECT", 10_000)],
        [("A", "DIRECT", 10_000)],
        [("B", "DIRECT", 10_000), ("B", "TEAM", 20_000)],
        [("C", "DIRECT", 10_000), ("A", "TEAM", 20_000)],
    ]
    departed = board.get(member_id("B"))
    assert departed is not None
    assert departed.origin_boss_id is None
