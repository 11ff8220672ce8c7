"""Several refreshes at once, beside those who write: the figures are right in the end."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.insight import refreshing
from app.kernel.db import atomic
from app.stores.models import Store
from tests.factories.insight import HAPPENINGS
from tests.factories.people import make_store
from tests.property.insight.oracle import Oracle, kept
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
ROUNDS = 3


def refresh() -> int:
    with atomic() as session:
        return refreshing.refresh(session, now=NOW)


def write(store_id: int, days: int) -> None:
    """Let something of everything happen on a day, each in a transaction of its own."""
    for name in ("order", "partly_refunded", "customer", "bound_to_store", "second_order"):
        with atomic() as session:
            store = session.get_one(Store, store_id)
            HAPPENINGS[name](session, store, NOW - timedelta(days=days))


def test_two_refreshes_at_once_make_what_one_makes(app: Flask, session: Session) -> None:
    store = make_store(session)
    for act in HAPPENINGS.values():
        act(session, store, NOW)
        act(session, store, NOW - timedelta(days=50))
    session.commit()

    at_once(app, *[refresh] * 4, partial(refreshing.rebuild, days=3, now=NOW))

    session.rollback()
    assert kept(session) == Oracle(session).count()


def test_what_is_written_while_figures_are_made_is_in_the_next_ones(
    app: Flask, session: Session
) -> None:
    store_id = make_store(session).id
    session.commit()
    for _ in range(ROUNDS):
        at_once(
            app,
            partial(write, store_id, 0),
            partial(write, store_id, 1),
            partial(write, store_id, 60),
            refresh,
            refresh,
        )

    refresh()

    session.rollback()
    assert kept(session) == Oracle(session).count()
