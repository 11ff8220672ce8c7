"""The life of a run: begun once, called off, taken up again, forgotten in time."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product
from app.imports import running, services
from app.imports.errors import ImportNotFound, ImportNotInState, NothingToImport
from app.imports.models import ImportKind, ImportRow, ImportState, RowState
from app.kernel.audit import SYSTEM
from tests.factories.imports import bring, carry_out, rows_of, run_of
from tests.factories.people import NOON

ROWS = [["", "Facial", "service", "99", "", ""], ["", "Massage", "service", "88", "", ""]]
LATER = NOON + timedelta(days=31)


def titles(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Product.title).order_by(Product.id)))


def test_a_run_is_begun_once(session: Session) -> None:
    run = carry_out(session, bring(session, ImportKind.PRODUCTS, ROWS))

    with pytest.raises(ImportNotInState):
        services.begin(session, run.id, actor=SYSTEM, now=NOON)
    with pytest.raises(ImportNotFound):
        services.begin(session, run.id + 1, actor=SYSTEM, now=NOON)

    assert titles(session) == ["Facial", "Massage"]


def test_a_run_without_a_right_row_cannot_be_begun(session: Session) -> None:
    run = bring(session, ImportKind.PRODUCTS, [["", "Facial", "service", "", "", ""]])

    with pytest.raises(NothingToImport):
        services.begin(session, run.id, actor=SYSTEM, now=NOON)


def test_a_run_that_is_called_off_writes_nothing_more(session: Session) -> None:
    run = bring(session, ImportKind.PRODUCTS, ROWS)
    services.begin(session, run.id, actor=SYSTEM, now=NOON)
    services.cancel(session, run.id, actor=SYSTEM, now=NOON)
    session.commit()

    assert running.work(lambda: NOON) == 0

    run = run_of(session, run.id)
    assert (run.state, run.ended_at, titles(session)) == (ImportState.CANCELLED, NOON, [])
    with pytest.raises(ImportNotInState):
        services.cancel(session, run.id, actor=SYSTEM, now=NOON)


def test_a_run_that_broke_off_goes_on_with_the_rest(session: Session) -> None:
    run = bring(session, ImportKind.PRODUCTS, ROWS)
    services.begin(session, run.id, actor=SYSTEM, now=NOON)
    run.state, run.error, run.ended_at = ImportState.FAILED, "OperationalError", NOON
    session.commit()
    assert running.work(lambda: NOON) == 0

    services.resume(session, run.id, actor=SYSTEM, now=NOON)
    session.commit()
    assert running.work(lambda: NOON) == 1

    run = run_of(session, run.id)
    assert (run.state, run.error, run.done_count) == (ImportState.DONE, None, 2)
    assert titles(session) == ["Facial", "Massage"]


def test_the_values_of_old_runs_are_forgotten_and_what_they_made_is_not(session: Session) -> None:
    old = carry_out(session, bring(session, ImportKind.PRODUCTS, ROWS))
    made = [row.subject_id for row in rows_of(session, old)]
    waiting = bring(session, ImportKind.PRODUCTS, [["", "Late", "service", "9", "", ""]], now=LATER)

    assert services.forget(session, now=LATER) == 1
    assert services.forget(session, now=LATER) == 0

    rows = rows_of(session, old)
    assert [(row.values_sealed, row.subject_id) for row in rows] == [(None, one) for one in made]
    kept = session.scalars(
        sa.select(ImportRow.values_sealed).where(ImportRow.run_id == waiting.id)
    ).one()
    assert kept is not None


def test_a_run_that_nobody_begins_is_called_off_and_then_forgotten(session: Session) -> None:
    run = bring(session, ImportKind.PRODUCTS, ROWS)
    week = NOON + timedelta(days=8)

    assert services.forget(session, now=week) == 1
    assert run_of(session, run.id).state is ImportState.CANCELLED
    assert services.forget(session, now=week + timedelta(days=31)) == 1

    rows = rows_of(session, run)
    assert [(row.state, row.values_sealed) for row in rows] == [(RowState.SKIPPED, None)] * 2
