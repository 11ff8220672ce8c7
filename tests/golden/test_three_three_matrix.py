"""The worked case of the three-three matrix, copied by value."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from app.engines.events import Sold
from app.engines.matrix.engine import decide
from app.engines.matrix.ground import MatrixPlace
from app.engines.matrix.rules import MatrixRules
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board

GOLDEN = json.loads(Path(__file__).with_name("three_three_matrix.json").read_text())
PARAMETERS = GOLDEN["parameters"]
RULES = MatrixRules(
    entry_price_fen=PARAMETERS["price_fen"],
    width=PARAMETERS["width"],
    sponsor_bp=PARAMETERS["sponsor_bp"],
    layers_bp=tuple(PARAMETERS["layers_bp"]),
    completion_fen=PARAMETERS["completion_fen"],
)


def position(place: MatrixPlace) -> str:
    return "root" if place.parent is None else f"{chr(place.parent[0])}.{place.slot}"


def test_the_parameters_of_the_case_are_the_defaults() -> None:
    assert MatrixRules() == RULES


def test_every_join_is_placed_and_pays_as_worked_out() -> None:
    board = Board[Any]()
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    outs = []

    for event in GOLDEN["events"]:
        buyer = Person(ord(event["member"]))
        chain = (Person(ord(event["sp"]), 1, Standing.ACTIVE),) if event["sp"] else ()
        line = Line(event["n"], product_id=5, base_fen=PARAMETERS["price_fen"])
        decisions = decide(RULES, Sold(Sale(event["n"], buyer, (line,)), chain), board)
        board.apply(decisions.places)

        paid = [
            {
                "order": award.line_id,
                "member": chr(award.beneficiary_id),
                "kind": award.kind.value,
                "amount": award.amount_fen,
                "source": event["member"],
            }
            for award in decisions.awards
        ]
        place = board.get(buyer.member_id)
        assert place is not None
        assert (position(place), paid) == (event["pos"], event["pays"])
        for one in paid:
            totals[one["member"]][one["kind"]] += one["amount"]
        outs += [event["n"]] * ("出局" in event["note"])
        assert [chr(one.member_id) for one in board.all() if one.is_out] == ["R"] * len(outs)

    assert totals == GOLDEN["totals"]
    assert outs == [14]
