"""`flask plans`: reading, checking, comparing and carrying plans from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from app.engines.documents import dump_rules, load_rules
from app.engines.registry import MODELS
from app.plans.models import Plan, PlanVersion
from tests.factories.people import make_staff
from tests.factories.plan_lives import write_draft

Run = Callable[..., Result]
CHAIN = dump_rules(load_rules(MODELS["CHAIN_2_1"].original))


@pytest.fixture
def run(app: Flask, session: Session) -> Run:
    """Run `flask plans` with some words on what the test has written."""

    def command(*words: object) -> Result:
        session.commit()
        return app.test_cli_runner().invoke(args=["plans", *map(str, words)])

    return command


@pytest.fixture
def version(session: Session) -> PlanVersion:
    return write_draft(session)


def exported(run: Run, version: PlanVersion, folder: Path, **changes: Any) -> Path:
    text = run("export", version.id).stdout
    path = folder / "plan.json"
    path.write_text(json.dumps({**json.loads(text), **changes}))
    return path


def test_versions_are_listed_with_their_numbers_and_narrowed_by_state(
    session: Session, run: Run, version: PlanVersion
) -> None:
    name = session.get_one(Plan, version.plan_id).name

    line = f"{version.id}\t{name} v1\tCHANNEL_TWO_LEVEL\tdraft\t-\n"

    assert run("list").stdout == line
    assert run("list", "--state", "draft").stdout == line
    assert run("list", "--state", "published").stdout == ""
    assert run("list", "--state", "nowhere").exit_code == 2


def test_rules_and_cost_are_told_in_both_languages(run: Run, version: PlanVersion) -> None:
    english, chinese = run("show", version.id), run("show", version.id, "--language", "zh")

    assert (english.exit_code, chinese.exit_code) == (0, 0)
    assert "Channel distribution, two levels" in english.stdout
    assert english.stdout != chinese.stdout
    assert "28% together" in run("bound", version.id).stdout


def test_the_check_ends_with_one_only_where_a_plan_is_blocked(
    session: Session, run: Run, version: PlanVersion
) -> None:
    blocked = write_draft(session, model="CHAIN_2_1", rules=CHAIN)

    allowed, forbidden = run("check", version.id), run("check", blocked.id, "--json")

    assert allowed.exit_code == 0
    assert "HIGH  C4" in allowed.stdout
    assert forbidden.exit_code == 1
    document = json.loads(forbidden.stdout)
    assert document["profile"] == "cn"
    assert "C1" in {one["rule"] for one in document["findings"] if one["severity"] == "BLOCK"}
    assert session.get_one(PlanVersion, version.id).state.value == "draft"


def test_a_version_is_carried_out_and_in_again(
    session: Session, run: Run, version: PlanVersion, tmp_path: Path
) -> None:
    author = make_staff(session, "operations", name="Ann")
    path = exported(run, version, tmp_path, name="Carried")

    new = run("import", path, "--author", author.email.upper())
    plan = run("import", path, "--author", author.email, "--plan", "Carried")

    assert (new.exit_code, plan.exit_code) == (0, 0), new.output + plan.output
    versions = session.scalars(sa.select(PlanVersion).order_by(PlanVersion.id)).all()
    assert [one.number for one in versions] == [1, 1, 2]
    assert [one.author_id for one in versions[1:]] == [author.id, author.id]
    assert run("diff", version.id, versions[2].id).exit_code == 0
    assert run("export", version.id).stdout == run("export", version.id).stdout


def test_differences_are_printed_by_path_and_end_with_one(
    run: Run, version: PlanVersion, tmp_path: Path
) -> None:
    rules = {**version.rules, "payout_cap_bp": 2_900}
    path = exported(run, version, tmp_path, rules=rules)

    found = run("diff", version.id, path)

    assert found.exit_code == 1
    assert found.stdout == "rules.payout_cap_bp\t3000\t2900\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "987654"), "There is no such plan."),
        (("show", "nowhere.json"), "neither a version nor a file"),
        (("export", "987654"), "There is no such plan."),
        (("import", "nowhere.json", "--author", "a@b.c"), "does not exist"),
    ],
)
def test_what_does_not_exist_ends_with_two(run: Run, words: tuple[str, ...], said: str) -> None:
    answer = run(*words)

    assert answer.exit_code == 2
    assert said in answer.stderr


def test_a_wrong_file_names_its_fields_and_nothing_is_drafted(
    session: Session, run: Run, version: PlanVersion, tmp_path: Path
) -> None:
    author = make_staff(session, "operations")
    wrong = {**version.rules, "payout_cap_bp": 0}
    path = exported(run, version, tmp_path, rules=wrong, scope={"store_ids": []})

    for words in (("check", path), ("import", path, "--author", author.email)):
        answer = run(*words)
        assert answer.exit_code == 2
        assert "rules.payout_cap_bp: This must be at least 1." in answer.stderr
        assert "scope.store_ids: This needs at least 1 entries." in answer.stderr
    assert session.scalars(sa.select(PlanVersion.id)).all() == [version.id]


def test_a_draft_needs_an_author_on_the_staff_and_a_plan_that_exists(
    session: Session, run: Run, version: PlanVersion, tmp_path: Path
) -> None:
    author = make_staff(session, "operations")
    path = exported(run, version, tmp_path, name="Carried")

    stranger = run("import", path, "--author", "nobody@example.com")
    nowhere = run("import", path, "--author", author.email, "--plan", "Nowhere")

    assert (stranger.exit_code, nowhere.exit_code) == (2, 2)
    assert "nobody on the staff has this e-mail" in stranger.stderr
    assert session.scalars(sa.select(PlanVersion.id)).all() == [version.id]
