"""Several workers on one import: each row is written once."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.catalog.models import StockLevel, StockMove, StockMovement
from app.imports import running
from app.imports.models import ImportKind, ImportState
from app.kernel.audit import broken_links
from app.kernel.db import database_now
from app.members.expected import ExpectedMember
from tests.factories.imports import bring, run_of
from tests.factories.orders import make_goods
from tests.factories.people import make_member, make_store
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits
ROWS = 250


def test_workers_that_meet_on_one_run_write_each_row_once(app: Flask, session: Session) -> None:
    store = make_store(session, "North")
    goods = [make_goods(session, store, on_hand=5) for _ in range(ROWS)]
    rows = [["North", one.id, "", 4] for one in goods]
    run = bring(session, ImportKind.STOCK, rows)
    run.state = ImportState.RUNNING
    run_id = run.id
    session.commit()

    at_once(app, *[lambda: running.work_on(run_id) for _ in range(4)])

    done = run_of(session, run_id)
    assert (done.state, done.done_count, done.failed_count) == (ImportState.DONE, ROWS, 0)
    assert set(session.scalars(sa.select(StockLevel.on_hand))) == {9}
    received = sa.select(sa.func.count()).where(
        StockMovement.move == StockMove.RECEIVE, StockMovement.on_hand_change == 4
    )
    assert session.scalar(received) == ROWS
    assert list(broken_links(session)) == []


def test_a_number_in_two_files_at_once_is_kept_once(app: Flask, session: Session) -> None:
    rows = [[f"1391111{number:04d}", "", "", "", "", ""] for number in range(60)]
    member = make_member(session, phone="+8613911110000")
    session.commit()
    runs = [bring(session, ImportKind.MEMBERS, rows, now=database_now()) for _ in range(2)]
    for run in runs:
        session.get_one(type(run), run.id).state = ImportState.RUNNING
    session.commit()
    ids = [run.id for run in runs]

    at_once(app, *[lambda run_id=one: running.work_on(run_id) for one in ids])

    ended = [run_of(session, one) for one in ids]
    assert [one.state for one in ended] == [ImportState.DONE] * 2
    assert sum(one.done_count for one in ended) == 60
    assert sum(one.failed_count for one in ended) == 60
    assert session.scalar(sa.select(sa.func.count()).select_from(ExpectedMember)) == 60
    claimed = session.scalars(
        sa.select(ExpectedMember.claimed_by_id).where(ExpectedMember.claimed_by_id.is_not(None))
    ).all()
    assert claimed == [member.id]
