"""Worked cases of TEAM_LADDER, reckoned by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.engines.ladders import Ladder, Rung
from app.engines.months import Earner, MonthBooks
from app.engines.team_ladder import MODEL
from app.engines.team_ladder.rules import TeamLadderRules

GOLDEN = json.loads(Path(__file__).with_name("channel_team_ladder.json").read_text())
CASES: dict[str, Any] = {case["name"]: case for case in GOLDEN["cases"]}
END = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_ladder_of_the_cases_is_the_default() -> None:
    assert [[one.from_fen, one.rate_bp] for one in Ladder().rungs] == GOLDEN["rungs"]
    assert Ladder().max_depth == 2


@pytest.mark.parametrize("name", CASES)
def test_a_worked_month_brings_what_it_should(name: str) -> None:
    case = CASES[name]
    rungs = tuple(Rung(from_fen=from_fen, rate_bp=rate_bp) for from_fen, rate_bp in GOLDEN["rungs"])
    people = tuple(
        Earner(member_id=ord(who), recommender_id=ord(above) if above else None, sales_fen=fen)
        for who, above, fen in case["team"]
    )
    books = MonthBooks(
        plan_id=1,
        month="2026-10",
        ends_at=datetime(2026, 11, 1, tzinfo=UTC),
        net_fen=0,
        people=people,
    )
    assert MODEL.close_month is not None

    month = MODEL.close_month(
        TeamLadderRules(ladder=Ladder(rungs=rungs, max_depth=case["max_depth"])), books
    )

    assert [[chr(one.beneficiary_id), one.amount_fen] for one in month.awards] == case["awards"]
    assert [[chr(one.beneficiary_id), one.reason.value] for one in month.refusals] == case[
        "refused"
    ]
    assert (month.pool_fen, month.carried_fen, month.deficit_fen) == (0, 0, 0)
