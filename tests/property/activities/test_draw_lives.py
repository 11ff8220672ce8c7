"""Draws, check-ins and rounds of invitations, each against a model of a few fields."""

from collections import Counter
from datetime import datetime, timedelta

from flask import Flask
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.activities import check_ins, draw_odds, draws, invites
from app.activities.check_ins import CheckInRules
from app.activities.draw_checks import check_draw
from app.activities.draw_models import InviteRound
from app.activities.prize_specs import PrizeSpec
from app.activities.states import ActivityKind, InviteState
from app.kernel.errors import DomainError
from app.loyalty.rewards import Reward
from app.operations import invariants
from app.operations.draw_statements import DRAW_STATEMENTS
from app.points.queries import held
from tests.factories.activities import make_activity, sweep
from tests.factories.draws import end, make_draw
from tests.factories.people import make_member
from tests.thoroughness import examples as tried

DAY = timedelta(days=1)
NOON = datetime.fromisoformat("2026-03-01T04:00:00+00:00")
"""Noon in Shanghai."""
CODES = {code for code, _says, _statement in DRAW_STATEMENTS}
MEMBERS = 3
WHO = st.integers(0, MEMBERS - 1)
POINTS = 10
PRIZES = (
    PrizeSpec(title="Thing", chance_ppm=300_000, stock=2),
    PrizeSpec(title="Points", chance_ppm=400_000, stock=5, reward=Reward.points(POINTS)),
)
A_DAY = 4
VISITS = CheckInRules(points_a_day=1, streak_days=3, streak_points=5)
FRIENDS, ROUND_DAYS, FOR_ROUND, FOR_FRIEND = 2, 5, 100, 7
HOW = "first_order_kept"


class Lives(RuleBasedStateMachine):
    """All three at once, for the same people, as days go by."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session, self.now = session, NOON
        self.members = [make_member(session) for _ in range(MEMBERS)]
        self.points: Counter[int] = Counter()
        self.wheel = make_draw(
            session,
            prizes=PRIZES,
            now=NOON,
            rules={"draws_a_day": A_DAY, "free_a_day": A_DAY},
        )
        self.daily = make_activity(
            session, ActivityKind.CHECK_IN, rules=VISITS.model_dump(), starts_at=NOON - DAY
        )
        self.rounds = make_activity(
            session,
            ActivityKind.INVITE_ROUNDS,
            rules={
                "friends": FRIENDS,
                "days": ROUND_DAYS,
                "reward_points": FOR_ROUND,
                "friend_points": FOR_FRIEND,
            },
            starts_at=NOON - DAY,
        )
        session.commit()
        self.is_over = False
        self.drawn_today: Counter[int] = Counter()
        self.tickets: list[int] = []
        self.visits: dict[int, tuple[datetime, int]] = {}
        self.round_of: dict[int, tuple[InviteRound, datetime]] = {}
        self.friends: list[tuple[int, InviteRound]] = []

    @rule(who=WHO)
    def draw(self, who: int) -> None:
        member_id = self.members[who].id
        try:
            with self.session.begin_nested():
                draws.draw(self.session, self.wheel.id, member_id=member_id, now=self.now)
        except DomainError:
            assert self.is_over or self.drawn_today[who] == A_DAY
            return
        assert not self.is_over
        assert self.drawn_today[who] < A_DAY
        self.drawn_today[who] += 1
        self.tickets.append(who)

    @rule(who=WHO)
    def come_by(self, who: int) -> None:
        stood = check_ins.check_in(
            self.session, self.daily.id, member_id=self.members[who].id, now=self.now
        )
        last, streak = self.visits.get(who, (NOON - 9 * DAY, 0))
        is_new = last != self.now
        if is_new:
            streak = streak + 1 if last == self.now - DAY else 1
            self.visits[who] = (self.now, streak)
            self.points[who] += check_ins.points_of(VISITS, streak)
        assert (stood.is_new, stood.streak) == (is_new, streak)

    @rule(who=WHO)
    def invite(self, who: int) -> None:
        row = invites.begin(
            self.session, self.rounds.id, member_id=self.members[who].id, now=self.now
        )
        standing = self.round_of.get(who)
        if standing is not None and self.takes(*standing):
            assert row.id == standing[0].id
        else:
            assert standing is None or row.number == standing[0].number + 1
            self.round_of[who] = (row, self.now)

    @rule(who=WHO)
    def accept(self, who: int) -> None:
        if who not in self.round_of:
            return
        row, begun_at = self.round_of[who]
        friend = make_member(self.session)
        takes = self.takes(row, begun_at)
        try:
            with self.session.begin_nested():
                invites.accept(self.session, row.code, friend_id=friend.id, now=self.now)
        except DomainError:
            assert not takes
            return
        assert takes
        self.friends.append((friend.id, row))

    @precondition(lambda self: self.friends)
    @rule(which=st.integers(0, 30), again=st.booleans())
    def arrive(self, which: int, *, again: bool) -> None:
        place = which % len(self.friends)
        friend_id, row = self.friends[place]
        who = next(who for who, member in enumerate(self.members) if member.id == row.member_id)
        counts = row.arrived < FRIENDS and self.now < row.expires_at and self.is_open(row)
        before = row.arrived
        for _ in range(1 + again):
            invites.arrived(self.session, friend_id, HOW, now=self.now)
        self.session.refresh(row)
        assert row.arrived == before + counts
        assert held(self.session, friend_id).available == FOR_FRIEND * counts
        if counts and row.arrived == FRIENDS:
            assert row.state is InviteState.COMPLETE
            self.points[who] += FOR_ROUND
        del self.friends[place]

    @rule()
    def sleep(self) -> None:
        self.now += DAY
        self.drawn_today.clear()

    @rule()
    def let_time_work(self) -> None:
        sweep(self.session, now=self.now)

    @precondition(lambda self: len(self.tickets) > MEMBERS)
    @rule()
    def finish(self) -> None:
        if not self.is_over:
            end(self.session, self.wheel, now=self.now)
            self.is_over = True

    def takes(self, row: InviteRound, begun_at: datetime) -> bool:
        """Tell whether the model thinks that a round still takes friends."""
        return row.arrived < FRIENDS and self.now < begun_at + ROUND_DAYS * DAY

    def is_open(self, row: InviteRound) -> bool:
        """Tell whether nothing has ended a round before."""
        self.session.refresh(row)
        return row.state is InviteState.OPEN

    def teardown(self) -> None:
        if not self.is_over:
            end(self.session, self.wheel, now=self.now)
        sweep(self.session, now=self.now)
        proof = draws.proof_of(self.session, self.wheel.id)
        assert proof.seed is not None
        assert check_draw(self.session, self.wheel.id).is_honest
        chances = [draw_odds.Chance(one.chance_ppm, one.stock) for one in PRIZES]
        told = draw_odds.outcomes(proof.seed, self.wheel.id, chances, tickets=len(self.tickets))
        for who, outcome in zip(self.tickets, told, strict=True):
            self.points[who] += POINTS if outcome.won == 1 else 0
        for who, member in enumerate(self.members):
            assert held(self.session, member.id).available == self.points[who]
        others = frozenset(one.code for one in invariants.INVARIANTS) - CODES
        found = [one for one in invariants.check(self.session, skip=others) if one.count]
        assert found == []

    @invariant()
    def tickets_are_numbered_as_the_model_counts(self) -> None:
        assert draws.proof_of(self.session, self.wheel.id).tickets == len(self.tickets)


def test_draws_visits_and_rounds_live_as_the_model_says(app: Flask, session: Session) -> None:
    run_state_machine_as_test(
        lambda: Lives(session),  # type: ignore[arg-type]  # as its documentation says
        settings=examples(
            max_examples=tried(15),
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
