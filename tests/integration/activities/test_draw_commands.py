"""`flask draws verify`: what somebody at the command line is told of a draw, and its status."""

import json
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.activities import draws
from app.activities.draw_models import DrawPrize
from app.activities.models import Activity
from app.activities.prize_specs import PrizeSpec
from tests.factories.activities import sweep
from tests.factories.draws import end, make_draw
from tests.factories.people import make_member

SURE = PrizeSpec(title="Cream", chance_ppm=1_000_000, stock=5)


def verify(app: Flask, *arguments: object) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["draws", "verify", *map(str, arguments)])
    return done.exit_code, done.output


@pytest.fixture
def over(session: Session, now: datetime) -> Activity:
    """A draw of three tickets that is over, its seed shown."""
    activity = make_draw(session, prizes=[SURE], now=now)
    person = make_member(session)
    for _ in range(3):
        draws.draw(session, activity.id, member_id=person.id, now=now)
    end(session, activity, now=now)
    sweep(session, now=now)
    return activity


def test_an_honest_draw_is_told_so_by_its_own_seed_and_by_the_published_one(
    app: Flask, session: Session, over: Activity
) -> None:
    seed = draws.proof_of(session, over.id).seed

    plain = verify(app, over.id)
    given = verify(app, over.id, "--seed", seed)
    status, told = verify(app, over.id, "--json")

    assert plain == given == (0, "3 tickets: every ticket is what the seed says\n")
    assert (status, json.loads(told)) == (0, {"ok": True, "tickets": 3, "wrong": []})


def test_the_first_ticket_that_differs_is_named(
    app: Flask, session: Session, over: Activity
) -> None:
    session.execute(sa.update(DrawPrize).values(stock=1, given=1))
    session.commit()

    plain = verify(app, over.id)
    status, told = verify(app, over.id, "--json")

    assert plain == (1, "ticket 2 is not what the seed says; 2 differ in all\n")
    assert (status, json.loads(told)) == (1, {"ok": False, "tickets": 3, "wrong": [2, 3]})


def test_another_seed_an_unknown_draw_and_one_that_still_runs_are_refused(
    app: Flask, session: Session, over: Activity, now: datetime
) -> None:
    running = make_draw(session, prizes=[SURE], now=now)
    session.commit()

    answers = [verify(app, over.id, "--seed", "00"), verify(app, 999), verify(app, running.id)]

    assert [status for status, _ in answers] == [1, 1, 1]
    assert "not the seed whose digest was shown" in answers[0][1]
    assert "This cannot be done: the activity is Running." in answers[2][1]
