"""Where plans apply: never two for one line of an order."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.plans import publishing
from app.plans import services as plans
from app.plans.errors import ScopesOverlap
from app.plans.models import Plan, PlanScope, PlanVersion
from app.plans.queries import versions_for
from app.plans.scopes import Scope
from app.plans.services import Draft
from app.settings import Settings
from tests.factories.plan_lives import NOON, approved, bring_to_approval, person, published
from tests.factories.plans import make_plan
from tests.thoroughness import examples as tried

HOUR = timedelta(hours=1)
IDS = st.none() | st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True).map(sorted)


def names(session: Session, *versions: PlanVersion) -> str:
    plan_ids = [one.plan_id for one in versions]
    found = session.scalars(sa.select(Plan.name).where(Plan.id.in_(plan_ids)).order_by(Plan.name))
    return ", ".join(found)


def put(session: Session, version: PlanVersion) -> PlanVersion:
    with session.begin_nested():
        return publishing.publish(
            session, version.id, actor=person(session), effective_from_at=NOON, now=NOON
        )


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"store_ids": [2]},
        {"product_ids": [7]},
        {"store_ids": [1, 2, 9], "product_ids": [7, 100]},
    ],
)
def test_a_plan_is_not_published_where_another_is_in_force(
    session: Session, settings: Settings, scope: dict[str, Any]
) -> None:
    there = published(session, settings, scope={"store_ids": [2, 3], "product_ids": [7, 8]})
    elsewhere = published(session, settings, scope={"store_ids": [50], "product_ids": [500]})
    version = approved(session, settings, scope=scope)

    with pytest.raises(ScopesOverlap) as refused:
        put(session, version)

    wide = [there, elsewhere] if not scope else [there]
    assert refused.value.plans == names(session, *wide)
    session.refresh(version)
    assert (version.state.value, version.effective_from_at) == ("approved", None)
    assert not session.scalars(
        sa.select(PlanScope.id).where(PlanScope.version_id == version.id)
    ).all()


@pytest.mark.parametrize(
    "scope",
    [
        {"store_ids": [1, 4]},
        {"product_ids": [6, 9]},
        {"store_ids": [1, 4], "product_ids": [7, 8]},
        {"store_ids": [2, 3], "product_ids": [9]},
    ],
)
def test_plans_beside_each_other_are_both_in_force(
    session: Session, settings: Settings, scope: dict[str, Any]
) -> None:
    published(session, settings, scope={"store_ids": [2, 3], "product_ids": [7, 8]})

    version = put(session, approved(session, settings, scope=scope))

    assert version.state.value == "published"


def test_where_a_plan_has_ended_another_may_begin_at_that_instant_and_not_before(
    session: Session, settings: Settings
) -> None:
    first = published(session, settings)
    ends = NOON + HOUR
    publishing.retire(session, first.id, actor=person(session), now=NOON, until_at=ends)
    second = approved(session, settings)

    for begins in (NOON, ends - timedelta(microseconds=1)):
        with pytest.raises(ScopesOverlap), session.begin_nested():
            publishing.publish(
                session, second.id, actor=person(session), effective_from_at=begins, now=NOON
            )
    publishing.publish(session, second.id, actor=person(session), effective_from_at=ends, now=NOON)

    before, after = (
        versions_for(session, store_id=1, product_ids=[1], at=at)
        for at in (ends - timedelta(microseconds=1), ends)
    )
    assert (before, after) == ({1: first.id}, {1: second.id})


def test_the_next_version_of_a_plan_may_move_to_other_stores(
    session: Session, settings: Settings
) -> None:
    first = published(session, settings, scope={"store_ids": [1]})
    document = Draft(rules=first.rules, scope={"store_ids": [1, 2]})
    second = plans.draft(session, first.plan_id, document, actor=person(session), now=NOON)
    officer = bring_to_approval(session, second, settings)
    plans.approve(session, second.id, actor=officer, now=NOON)
    begins = NOON + HOUR

    publishing.publish(session, second.id, actor=officer, effective_from_at=begins, now=NOON)

    found = [versions_for(session, store_id=2, product_ids=[5], at=at) for at in (NOON, begins)]
    assert found == [{}, {5: second.id}]


@examples(
    max_examples=tried(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(wishes=st.lists(st.tuples(IDS, IDS), min_size=2, max_size=4))
def test_whatever_is_published_each_line_falls_under_one_version_at_most(
    session: Session, wishes: list[tuple[list[int] | None, list[int] | None]]
) -> None:
    """Compare with a list of pairs, kept by hand."""
    with session.begin_nested() as undone:
        taken: dict[tuple[int, int], int] = {}
        for stores, products in wishes:
            scope = Scope(
                store_ids=tuple(stores) if stores else None,
                product_ids=tuple(products) if products else None,
            )
            wanted = {
                (store, product)
                for store in stores or range(1, 7)
                for product in products or range(1, 7)
            }
            is_free = not wanted & taken.keys()
            try:
                with session.begin_nested():
                    version = make_plan(session, scope=scope.to_json())
            except ScopesOverlap:
                assert not is_free
            else:
                assert is_free
                taken |= dict.fromkeys(wanted, version.id)
        for store in range(1, 7):
            found = versions_for(session, store_id=store, product_ids=range(1, 7), at=NOON)
            assert found == {p: one for (s, p), one in taken.items() if s == store}
        undone.rollback()
