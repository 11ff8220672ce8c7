"""Whatever happened on whichever day and in whatever order: figures equal a plain recount."""

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.insight import refreshing
from app.insight.models import DayToRedo
from tests.factories.insight import HAPPENINGS
from tests.factories.people import make_store
from tests.property.insight.oracle import Oracle, added_up, kept, totals
from tests.thoroughness import examples

NOW = datetime(2026, 3, 10, 15, 59, 59, tzinfo=UTC)
"""A second before midnight in Shanghai."""
MOMENTS = st.builds(
    lambda days, seconds: NOW - timedelta(days=days, seconds=seconds),
    st.integers(0, 3),
    st.sampled_from((0, 1, 43_200, 86_398, 86_399)),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(HAPPENINGS)), st.integers(0, 1), MOMENTS) | st.just("refresh"),
    min_size=1,
    max_size=8,
)
PATIENT = hypothesis.settings(
    max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PATIENT
@given(steps=STEPS)
def test_figures_equal_a_recount_after_any_life(steps: list[Any], session: Session) -> None:
    stores = [make_store(session), make_store(session)]
    for step in steps:
        if step == "refresh":
            refreshing.refresh(session, now=NOW)
        else:
            name, store, at = step
            HAPPENINGS[name](session, stores[store], at)
            session.flush()

    refreshing.refresh(session, now=NOW)

    once = kept(session)
    assert once == Oracle(session).count()
    assert totals(session) == added_up(once)
    refreshing.refresh(session, now=NOW)
    assert kept(session) == once


@PATIENT
@given(steps=STEPS)
def test_a_rebuild_finds_what_no_trigger_has_noted(steps: list[Any], session: Session) -> None:
    stores = [make_store(session), make_store(session)]
    for step in steps:
        if step != "refresh":
            name, store, at = step
            HAPPENINGS[name](session, stores[store], at)
    session.execute(sa.delete(DayToRedo))
    session.commit()

    refreshing.rebuild(days=30, now=NOW)

    first = NOW.date() - timedelta(days=29)
    wanted = {key: one for key, one in Oracle(session).count().items() if key[0] >= first}
    assert {key: one for key, one in kept(session).items() if key[0] >= first} == wanted
