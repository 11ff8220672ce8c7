"""`flask simulate` as somebody types it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from app.engines.registry import MODELS
from app.kernel.db import database_now
from tests.factories.orders import paid_order
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan

SMALL = "members=200,months=3,orders_bp=10000"


def typed(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=["simulate", *map(str, words)])


def rules_file(folder: Path, model: str = "CHANNEL_TWO_LEVEL") -> Path:
    path = folder / f"{model}.json"
    path.write_text(json.dumps(dict(MODELS[model].original)))
    return path


def test_a_file_is_tried_on_growth_and_gives_the_same_bytes_again(
    app: Flask, tmp_path: Path
) -> None:
    words = (rules_file(tmp_path, "CHAIN_2_1"), "--growth", SMALL, "--seed", 5, "--json")

    first, again = typed(app, *words), typed(app, *words)
    other = typed(app, *words[:-2], 6, "--json")

    assert first.exit_code == 0
    assert first.stdout == again.stdout != other.stdout
    found = json.loads(first.stdout)
    assert found["plan"]["model"] == "CHAIN_2_1"
    assert found["parameters"]["seed"] == 5
    assert found["plan"]["orders"] == 400 - 1


def test_parameters_can_be_json_and_tables_are_written(app: Flask, tmp_path: Path) -> None:
    file, folder = rules_file(tmp_path), tmp_path / "tables" / "of" / "mine"
    growth = json.dumps({"members": 50, "months": 2, "products": []})

    answer = typed(app, file, "--growth", growth, "--against", file, "--csv", folder)

    assert answer.exit_code == 0
    assert "0 people gain ¥0.00, 0 lose ¥0.00" in answer.stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "kinds.csv",
        "levels.csv",
        "months.csv",
        "people.csv",
        "refused.csv",
        "seats.csv",
    ]
    head = (folder / "people.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert head == "member_id,fen,against_fen,difference_fen"


def test_a_version_is_tried_on_own_orders(app: Flask, session: Session) -> None:
    at = database_now() - timedelta(days=20)
    version = make_plan(session)
    owner = make_distributor(session)
    paid_order(session, price_fen=10_000, owner=owner, plan_version_id=version.id, now=at)
    session.commit()

    answer = typed(app, version.id, "--months", 2)

    assert answer.exit_code == 0
    assert "1 orders, ¥100.00 after refunds" in answer.stdout
    assert "costs ¥10.00, 10% of it" in answer.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--growth", "members=0,mouths=3"), "  members: This must be at least 1."),
        (("--growth", "members"), "'members' is not of the form name=number"),
        (("--growth", "{"), "this is no JSON"),
        (("--months", "3", "--seed", "1"), "--months is for own orders"),
        (("--months", "3"), "There is nothing to simulate"),
        (("--against", "nowhere.json"), "neither a version nor a file"),
        (("--against", "999999999"), "There is no such plan."),
    ],
)
@pytest.mark.usefixtures("session")
def test_what_cannot_be_tried_is_refused_with_its_reason(
    app: Flask, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    answer = typed(app, rules_file(tmp_path), *words)

    assert answer.exit_code == 2
    assert said in answer.stderr
    assert answer.stdout == ""


def test_wrong_rules_in_a_file_are_named(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text('{"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": 0}')

    answer = typed(app, path, "--growth", SMALL)

    assert answer.exit_code == 2
    assert "  payout_cap_bp: This must be at least 1." in answer.stderr
