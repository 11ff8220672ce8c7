"""Which days a refresh makes again, and what notes the others."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.insight import jobs, queries, refreshing
from app.insight.models import DayFigures, DayToRedo, FigureRefresh, StandingFigures
from app.kernel.clock import business_day
from app.kernel.db import database_now
from app.ledger.models import LedgerAccount
from tests.factories.insight import HAPPENINGS
from tests.factories.orders import make_order
from tests.factories.payouts import make_earner
from tests.factories.people import make_distributor, make_member, make_store
from tests.property.insight.oracle import Oracle, kept

NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
"""Noon of 10 March in Shanghai."""
TODAY = date(2026, 3, 10)


def forget_notes(session: Session) -> None:
    session.execute(sa.delete(DayToRedo))


def noted(session: Session) -> list[date]:
    return sorted(session.scalars(sa.select(DayToRedo.day)))


def paid_orders(session: Session) -> dict[date, int]:
    """Return the paid orders of each day, of all stores."""
    rows = session.execute(
        sa.select(DayFigures.day, sa.func.sum(DayFigures.paid_orders))
        .group_by(DayFigures.day)
        .having(sa.func.sum(DayFigures.paid_orders) > 0)
    )
    return {row[0]: int(row[1]) for row in rows}


def test_today_and_yesterday_are_made_again_though_nothing_noted_them(session: Session) -> None:
    for days in (0, 1, 2):
        make_order(session, now=NOON - timedelta(days=days))
    forget_notes(session)

    refreshing.refresh(session, now=NOON)

    assert paid_orders(session) == {TODAY: 1, TODAY - timedelta(days=1): 1}


def test_a_refresh_after_a_pause_makes_the_days_between_again(session: Session) -> None:
    refreshing.refresh(session, now=NOON - timedelta(days=4))
    for days in (3, 5, 6):
        make_order(session, now=NOON - timedelta(days=days))
    forget_notes(session)

    refreshing.refresh(session, now=NOON)

    assert sorted(paid_orders(session)) == [TODAY - timedelta(days=days) for days in (5, 3)]


def test_what_is_written_into_the_past_is_noted_once_a_transaction(session: Session) -> None:
    member, store = make_member(session, registered_at=NOON), make_store(session)
    forget_notes(session)

    for _ in range(3):
        make_order(session, member=member, store=store, now=NOON - timedelta(days=9))
    session.flush()

    assert noted(session) == [TODAY - timedelta(days=9)]


def test_what_happens_now_is_not_noted(session: Session) -> None:
    now = database_now()
    store = make_store(session)
    forget_notes(session)

    for act in HAPPENINGS.values():
        act(session, store, now)
    session.flush()

    assert business_day(now) not in noted(session)


def test_noted_days_are_made_again_and_no_longer_noted(session: Session) -> None:
    make_order(session, now=NOON - timedelta(days=200))

    refreshing.refresh(session, now=NOON)

    assert paid_orders(session) == {TODAY - timedelta(days=200): 1}
    assert noted(session) == []
    assert kept(session) == Oracle(session).count()


def test_a_customer_whose_store_becomes_known_moves_to_its_figures(session: Session) -> None:
    store = make_store(session)
    member = make_member(session, registered_at=NOON - timedelta(days=40))
    refreshing.refresh(session, now=NOON)
    day = TODAY - timedelta(days=40)
    assert kept(session)[day, None] == {"new_members": 1}

    member.origin_store_id = store.id
    session.flush()
    refreshing.refresh(session, now=NOON)

    figures = kept(session)
    assert figures[day, store.id] == {"new_members": 1}
    assert (day, None) not in figures


def test_a_store_moved_without_a_note_is_found_by_the_nightly_reconciliation(
    session: Session,
) -> None:
    here, there = make_store(session), make_store(session)
    earner = make_distributor(session, store_id=here.id, now=NOON - timedelta(days=20))
    refreshing.refresh(session, now=NOON)
    earner.store_id = there.id
    session.flush()
    forget_notes(session)
    session.commit()
    day = TODAY - timedelta(days=20)
    assert kept(session)[day, here.id] == {"new_distributors": 1}

    refreshing.rebuild(days=30, now=NOON)

    figures = kept(session)
    assert figures[day, there.id] == {"new_distributors": 1}
    assert (day, here.id) not in figures


def test_rows_that_do_not_change_are_not_written_again(session: Session) -> None:
    make_order(session, now=NOON)
    refreshing.refresh(session, now=NOON)
    place = sa.select(sa.text("ctid::text"), DayFigures.day).order_by(sa.text("ctid"))
    before = session.execute(place).all()

    refreshing.refresh(session, now=NOON + timedelta(minutes=2))

    assert session.execute(place).all() == before


def test_the_moment_of_the_figures_never_goes_back(session: Session) -> None:
    refreshing.refresh(session, now=NOON)
    refreshing.refresh(session, now=NOON - timedelta(minutes=2))

    assert queries.refreshed_at(session) == NOON


def test_what_stands_on_accounts_is_added_up_by_store(session: Session) -> None:
    here, there = make_store(session), make_store(session)
    make_earner(session, 300, 500, store_id=here.id)
    make_earner(session, 70, store_id=there.id)

    refreshing.refresh(session, now=NOON)
    refreshing.refresh(session, now=NOON)

    assert queries.standing(session, store_ids=frozenset({here.id})) == {
        "commission_pending_fen": 0,
        "commission_available_fen": 800,
        "clawback_debt_fen": 0,
    }
    everything = queries.standing(session, store_ids=None)
    held = session.scalar(
        sa.select(sa.func.sum(LedgerAccount.balance)).where(
            LedgerAccount.name == "commission_available"
        )
    )
    assert everything["commission_available_fen"] == held == 870
    assert session.scalar(sa.select(sa.func.count()).select_from(StandingFigures)) == 2


@pytest.mark.usefixtures("app")
def test_the_first_refresh_ever_goes_back_to_the_beginning(app: Flask, session: Session) -> None:
    now = database_now()
    make_order(session, now=now - timedelta(days=300))
    forget_notes(session)
    session.commit()

    with app.test_request_context():
        first, second = jobs.refresh_figures(), jobs.refresh_figures()

    assert paid_orders(session) == {business_day(now - timedelta(days=300)): 1}
    assert (first, second) == (2 + refreshing.BACK_DAYS, 2)
    assert session.get(FigureRefresh, refreshing.ALL) is not None
