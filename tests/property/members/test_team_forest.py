"""Joining, deciding and moving in any order, against a dictionary of who stands under whom."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.errors import DomainError
from app.members import queries, services
from app.members.errors import (
    RecommenderCycle,
    RecommenderNotActive,
    RecommenderUnchanged,
    StandingConflict,
)
from app.members.models import Distributor
from app.members.states import TRANSITIONS, Standing, StandingEvent
from app.operations import invariants
from tests.factories.people import make_member
from tests.thoroughness import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = Actor("staff", 1)
BEN = Actor("staff", 2)
WHO = st.integers(0, 30)


def refusal_of(act: Callable[[], object]) -> type[DomainError] | None:
    """Act, and return what was said against it."""
    try:
        act()
    except DomainError as refusal:
        return type(refusal)
    return None


class TeamMachine(RuleBasedStateMachine):
    """Who joins under whom, who is moved where; the model knows parents and standings only."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.people: list[int] = []
        self.parent: dict[int, int | None] = {}
        self.standing: dict[int, Standing] = {}

    @initialize()
    def begin(self) -> None:
        for _ in range(3):
            self.join(0)
            self.decide(len(self.people) - 1, StandingEvent.APPROVE)

    def one(self, who: int) -> int:
        return self.people[who % len(self.people)]

    @rule(under=WHO)
    def join(self, under: int) -> None:
        recommender = self.one(under) if self.people else None
        member_id = make_member(self.session).id
        services.apply_as_distributor(
            self.session,
            member_id,
            agreement_version="d1",
            real_name=None,
            recommender_code_owner_id=recommender,
            now=NOON,
        )
        counts = recommender is not None and self.standing[recommender] is Standing.ACTIVE
        self.people.append(member_id)
        self.parent[member_id] = recommender if counts else None
        self.standing[member_id] = Standing.APPLIED

    @precondition(lambda self: self.people)
    @rule(who=WHO, event=st.sampled_from([one for one in StandingEvent if one != "apply"]))
    def decide(self, who: int, event: StandingEvent) -> None:
        member_id = self.one(who)
        target = TRANSITIONS.get((self.standing[member_id], event))
        assert refusal_of(lambda: self.act(member_id, event)) is (
            None if target else StandingConflict
        )
        self.standing[member_id] = target or self.standing[member_id]

    def act(self, member_id: int, event: StandingEvent) -> object:
        if event is StandingEvent.APPROVE:
            return services.approve_distributor(self.session, member_id, actor=ANN, now=NOON)
        decisions: dict[StandingEvent, Callable[..., object]] = {
            StandingEvent.REFUSE: services.refuse_distributor,
            StandingEvent.FREEZE: services.freeze_distributor,
            StandingEvent.UNFREEZE: services.unfreeze_distributor,
            StandingEvent.QUIT: services.quit_distributor,
        }
        return decisions[event](self.session, member_id, actor=ANN, reason="why", now=NOON)

    @precondition(lambda self: len(self.people) > 1)
    @rule(who=WHO, to=st.one_of(st.none(), WHO))
    def move(self, who: int, to: int | None) -> None:
        member_id = self.one(who)
        target = None if to is None else self.one(to)
        expected = self.expected_refusal(member_id, target)
        met = refusal_of(
            lambda: services.move_recommender(
                self.session,
                member_id,
                to_member_id=target,
                actor=ANN,
                second_actor=BEN,
                reason="why",
                now=NOON,
            )
        )
        assert met is expected
        if expected is None:
            self.parent[member_id] = target

    def expected_refusal(self, member_id: int, target: int | None) -> type[DomainError] | None:
        if self.parent[member_id] == target:
            return RecommenderUnchanged
        if target is None:
            return None
        if member_id in {target, *self.above(target)}:
            return RecommenderCycle
        return None if self.standing[target] is Standing.ACTIVE else RecommenderNotActive

    def above(self, member_id: int) -> Iterator[int]:
        one = self.parent[member_id]
        while one is not None:
            yield one
            one = self.parent[one]

    @invariant()
    def the_table_is_the_forest_of_the_model(self) -> None:
        self.session.expire_all()
        rows = {
            row.member_id: row
            for row in self.session.scalars(
                sa.select(Distributor).where(Distributor.member_id.in_(self.people))
            )
        }
        for member_id, row in rows.items():
            parent = self.parent[member_id]
            below = [one for one in self.people if self.parent[one] == member_id]
            second = [one for one in self.people if self.parent[one] in below]
            assert row.standing is self.standing[member_id]
            assert row.recommender_id == parent
            assert row.second_recommender_id == (self.parent[parent] if parent else None)
            assert (row.direct_count, row.second_count) == (len(below), len(second))
            if parent is not None:
                assert rows[parent].team_order == row.recommender_team_order
                assert rows[parent].team_order < row.team_order

    def teardown(self) -> None:
        findings = invariants.check(self.session)
        assert [one.code for one in findings if one.code in {"B26", "B27"} and one.count] == []
        for member_id in self.people:
            found = [row.member_id for row in queries.upline(self.session, member_id, 99)]
            assert found == list(self.above(member_id))
            for tier in (1, 2):
                page = queries.team_page(
                    self.session, member_id, tier=tier, after_id=None, limit=99
                )
                assert sorted(row.member_id for row in page) == sorted(
                    one
                    for one in self.people
                    if list(self.above(one))[tier - 1 : tier] == [member_id]
                )
            steps = queries.distributor_steps(self.session, member_id)
            assert steps[-1].recommender_id == self.parent[member_id]
            assert steps[-1].to_standing is self.standing[member_id]


def test_a_team_is_a_counted_forest_whatever_happens(session: Session) -> None:
    class Machine(TeamMachine):
        def __init__(self) -> None:
            super().__init__(session)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples(25),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
