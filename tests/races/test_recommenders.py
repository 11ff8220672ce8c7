"""Many moves and applications at once: the team stays a forest and its counters right."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.members import services
from app.members.errors import AlreadyADistributor, RecommenderCycle
from app.members.models import Distributor
from tests.factories.people import make_distributor, make_member, make_team
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
PAIRS = 200
ANN = Actor("staff", 1)
BEN = Actor("staff", 2)


def move(now: datetime, mover_id: int, target_id: int | None) -> int:
    def act() -> int:
        with atomic() as session:
            services.move_recommender(
                session,
                mover_id,
                to_member_id=target_id,
                actor=ANN,
                second_actor=BEN,
                reason="race",
                now=now,
            )
        return mover_id

    return retrying(act)


def apply(now: datetime, member_id: int, recommender_id: int | None) -> int:
    def act() -> int:
        with atomic() as session:
            services.apply_as_distributor(
                session,
                member_id,
                agreement_version="d1",
                real_name=None,
                recommender_code_owner_id=recommender_id,
                now=now,
            )
        return member_id

    return retrying(act)


def read_parents(session: Session) -> dict[int, int | None]:
    rows = session.execute(sa.select(Distributor.member_id, Distributor.recommender_id))
    return {row[0]: row[1] for row in rows}


def assert_is_a_counted_forest(session: Session) -> None:
    assert broken(session, "B26", "B27", "B43", "B34c") == []
    parents = read_parents(session)
    for start in parents:
        seen, one = set(), parents[start]
        while one is not None:
            assert one not in seen, f"a cycle through {one}"
            seen.add(one)
            one = parents[one]
    direct = Counter(parent for parent in parents.values() if parent is not None)
    second = Counter(
        parents[parent]
        for parent in parents.values()
        if parent is not None and parents[parent] is not None
    )
    for row in session.scalars(sa.select(Distributor)):
        above = parents[row.member_id]
        assert (row.direct_count, row.second_count) == (
            direct[row.member_id],
            second[row.member_id],
        )
        assert row.second_recommender_id == (None if above is None else parents[above])


def test_of_two_opposite_moves_at_once_one_is_refused_200_times(
    app: Flask, session: Session, now: datetime
) -> None:
    pairs = [
        (make_distributor(session).member_id, make_distributor(session).member_id)
        for _ in range(PAIRS)
    ]
    session.commit()
    refused = 0

    for start in range(0, PAIRS, 5):
        acts: list[Callable[[], int]] = []
        for one, other in pairs[start : start + 5]:
            acts += [partial(move, now, one, other), partial(move, now, other, one)]
        answers = at_once(app, *acts)
        for index in range(0, len(answers), 2):
            both = answers[index : index + 2]
            refused += both.count(RecommenderCycle.code)
            assert sum(isinstance(answer, int) for answer in both) == 1

    assert refused == PAIRS
    assert_is_a_counted_forest(session)


def test_moves_around_a_ring_at_once_leave_a_forest(
    app: Flask, session: Session, now: datetime
) -> None:
    ring = [make_distributor(session).member_id for _ in range(12)]
    session.commit()

    answers = at_once(
        app, *[partial(move, now, one, ring[(place + 1) % 12]) for place, one in enumerate(ring)]
    )

    assert [one for one in answers if not isinstance(one, int)] == [RecommenderCycle.code]
    assert_is_a_counted_forest(session)


def test_applications_and_moves_of_their_recommenders_at_once_are_counted_right(
    app: Flask, session: Session, now: datetime
) -> None:
    line = [row.member_id for row in make_team(session, 4)]
    others = [make_distributor(session).member_id for _ in range(2)]
    newcomers = [make_member(session).id for _ in range(24)]
    session.commit()

    for start in range(0, 24, 8):
        applying = [
            partial(apply, now, member_id, line[place % 4])
            for place, member_id in enumerate(newcomers[start : start + 8])
        ]
        moving = [
            partial(move, now, line[1], others[start // 8 % 2]),
            partial(move, now, line[3], line[0]),
            partial(move, now, line[2], None),
        ]
        at_once(app, *applying, *moving)

    assert set(newcomers) <= read_parents(session).keys()
    assert_is_a_counted_forest(session)


def test_many_newcomers_of_one_recommender_at_once_are_all_counted(
    app: Flask, session: Session, now: datetime
) -> None:
    top, second = (row.member_id for row in make_team(session, 2))
    newcomers = [make_member(session).id for _ in range(16)]
    session.commit()

    at_once(app, *[partial(apply, now, member_id, second) for member_id in newcomers])

    session.rollback()
    assert session.get_one(Distributor, second).direct_count == 16
    assert session.get_one(Distributor, top).second_count == 16
    assert_is_a_counted_forest(session)


def test_a_member_who_applies_ten_times_at_once_applies_once(
    app: Flask, session: Session, now: datetime
) -> None:
    top = make_distributor(session).member_id
    member_id = make_member(session).id
    session.commit()

    answers = at_once(app, *[partial(apply, now, member_id, top)] * 10)

    assert answers.count(AlreadyADistributor.code) == 9
    assert answers.count(member_id) == 1
    assert_is_a_counted_forest(session)
