"""`flask levels` and `flask statements`."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.orders.states import OrderState
from tests.factories.orders import make_order
from tests.factories.payouts import make_award
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan

MARCH = datetime(2026, 3, 10, tzinfo=UTC)


def test_a_preview_counts_and_names_who_would_rise(app: Flask, session: Session) -> None:
    version = make_plan(session)
    one = make_distributor(session)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    make_order(session, owner=one, price_fen=500_000, state=OrderState.SETTLED, now=yesterday)
    session.commit()
    run = app.test_cli_runner().invoke

    counted = run(args=["levels", "preview"])
    named = run(args=["levels", "preview", "--version", str(version.id), "--people", "5"])
    unknown = run(args=["levels", "preview", "--version", str(version.id + 1)])

    assert counted.output == "1 from level 1 to level 2\n"
    assert named.output == f"{counted.output}member {one.member_id}: 1 to 2\n"
    assert unknown.exit_code == 1


def test_statements_of_a_month_are_summed_or_listed(app: Flask, session: Session) -> None:
    earners = [make_distributor(session) for _ in range(2)]
    for one in earners:
        make_award(session, one, 1_500, now=MARCH)
    session.commit()
    run = app.test_cli_runner().invoke

    summed = run(args=["statements", "--month", "2026-03"]).output
    listed = run(args=["statements", "--month", "2026-03", "--csv"]).output

    assert summed.splitlines()[0] == "2 statements of 2026-03"
    assert "earned_fen  3000" in summed
    first = earners[0].member_id
    assert listed.splitlines()[1] == f"{first},2026-03,0,1500,1500,0,0,1500"


@pytest.mark.parametrize("month", ["2026-13", "march", "2026-3"])
def test_what_is_no_month_is_refused(app: Flask, session: Session, month: str) -> None:
    session.commit()

    assert app.test_cli_runner().invoke(args=["statements", "--month", month]).exit_code == 1
