"""Growth, refunds, years, purchases and staff in any order: the level is what a small model says.

The model keeps lists of plain facts and works the standing out from scratch each time, without the
product's tables.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

import hypothesis
import sqlalchemy as sa
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.db import atomic
from app.membership import by_hand, reviewing
from app.membership.by_hand import LevelWish
from app.membership.models import GrowthEntry, LevelMove, Membership
from app.membership.queries import standing_of
from app.operations.loyalty_statements import LOYALTY_STATEMENTS
from tests.factories.membership import grow, make_ladder
from tests.factories.people import make_member, make_staff
from tests.thoroughness import examples

YEAR = timedelta(days=365)
NEEDS = {2: 1_000, 3: 5_000}


@dataclass
class Held:
    """What the model holds by growth: the rank, since when."""

    rank: int
    since: datetime


@dataclass
class Model:
    """A member as facts: growth with when it counts, one holding by growth, one by hand, bought."""

    growth: list[tuple[datetime, int]] = field(default_factory=list)
    held: Held | None = None
    hand: tuple[int, datetime, bool] | None = None
    bought: list[tuple[int, datetime, datetime]] = field(default_factory=list)

    def sum(self, after: datetime, until: datetime) -> int:
        return sum(amount for at, amount in self.growth if after < at <= until)

    def deserved(self, now: datetime) -> int:
        total = self.sum(now - YEAR, now)
        return max((rank for rank, need in NEEDS.items() if total >= need), default=1)

    def is_capped(self, now: datetime) -> bool:
        return self.hand is not None and self.hand[2] and now < self.hand[1]

    def lift(self, now: datetime) -> None:
        rank = self.deserved(now)
        if not self.is_capped(now) and rank > (self.held.rank if self.held else 1):
            self.held = Held(rank, now)

    def come(self, amount: int, now: datetime) -> None:
        self.growth.append((now, amount))
        self.lift(now)

    def go(self, at: datetime, amount: int, now: datetime) -> None:
        self.growth.append((at, -amount))
        if self.held and self.sum(self.held.since - YEAR, now) < NEEDS[self.held.rank]:
            self.held = None
            self.lift(now)

    def look(self, now: datetime) -> None:
        is_due = False
        if self.hand and self.hand[1] <= now:
            self.hand, is_due = None, True
        if self.held and self.held.since + YEAR <= now:
            self.held, is_due = None, True
        over = [one for one in self.bought if one[2] <= now]
        self.bought = [one for one in self.bought if one[2] > now]
        if is_due or over:
            self.lift(now)

    def rank(self, now: datetime) -> int:
        ranks = [1]
        if self.held:
            ranks.append(self.held.rank)
        if self.hand and now < self.hand[1]:
            ranks.append(self.hand[0])
        ranks += [rank for rank, since, until in self.bought if since <= now < until]
        return max(ranks)


class Levels(RuleBasedStateMachine):
    """One member through years."""

    session: ClassVar[Session]
    actor: ClassVar[Actor]
    ids: ClassVar[dict[int, int]]
    start: ClassVar[datetime]

    @initialize()
    def begin(self) -> None:
        self.member_id = make_member(self.session).id
        self.now, self.model, self.count = self.start, Model(), 0
        self.session.commit()

    @rule(amount=st.sampled_from([1, 300, 999, 1_000, 2_500, 5_000]))
    def grow(self, amount: int) -> None:
        self.count += 1
        key = f"{self.member_id}:{self.count}"
        with atomic() as session:
            grow(session, self.member_id, amount, key=key, now=self.now)
            grow(session, self.member_id, amount, key=key, now=self.now)
        self.model.come(amount, self.now)

    @rule(data=st.data())
    def refund(self, data: Any) -> None:
        came = [(at, amount) for at, amount in self.model.growth if amount > 0]
        if not came:
            return
        at, most = data.draw(st.sampled_from(came))
        gone = -sum(amount for when, amount in self.model.growth if when == at and amount < 0)
        whole = sum(amount for when, amount in self.model.growth if when == at and amount > 0)
        amount = min(most, whole - gone)
        if amount <= 0:
            return
        self.count += 1
        key = f"{self.member_id}:{self.count}"
        with atomic() as session:
            grow(session, self.member_id, -amount, key=key, now=self.now, counts_at=at)
        self.model.go(at, amount, self.now)

    @rule(days=st.sampled_from([1, 30, 200, 366]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        for _ in range(2):
            reviewing.end_due(now=self.now)
        self.model.look(self.now)

    @rule(rank=st.sampled_from([1, 2, 3]), days=st.sampled_from([10, 400]))
    def staff_set(self, rank: int, days: int) -> None:
        until = self.now + timedelta(days=days)
        wish = LevelWish(level_id=self.ids[rank], until_at=until, reason="test")
        grown = max(self.model.held.rank if self.model.held else 1, self.model.deserved(self.now))
        with atomic() as session:
            by_hand.set_level(session, self.member_id, wish, actor=self.actor, now=self.now)
        if rank < grown:
            self.model.held = None
        self.model.hand = (rank, until, rank < grown)
        self.model.lift(self.now)

    @rule()
    def staff_let_go(self) -> None:
        if self.model.hand is None:
            return
        with atomic() as session:
            by_hand.leave_to_growth(
                session, self.member_id, reason="test", actor=self.actor, now=self.now
            )
        self.model.hand = None
        self.model.lift(self.now)

    @rule(rank=st.sampled_from([2, 3]))
    def buy(self, rank: int) -> None:
        self.count += 1
        order_id = self.member_id * 10_000 + self.count
        with atomic() as session:
            for _ in range(2):
                by_hand.grant_paid(
                    session,
                    self.member_id,
                    self.ids[rank],
                    order_id=order_id,
                    days=90,
                    now=self.now,
                )
        ends = [until for one, _since, until in self.model.bought if one == rank]
        since = max([self.now, *ends])
        self.model.bought.append((rank, since, since + timedelta(days=90)))

    @invariant()
    def the_level_is_that_of_the_model(self) -> None:
        with atomic() as session:
            held = standing_of(session, self.member_id, at=self.now)
            row = session.get(Membership, self.member_id, populate_existing=True)
            last = session.scalar(
                sa.select(LevelMove.to_level_id)
                .where(LevelMove.member_id == self.member_id)
                .order_by(LevelMove.id.desc())
                .limit(1)
            )
            total = session.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(GrowthEntry.amount), 0)).where(
                    GrowthEntry.member_id == self.member_id
                )
            )
            rank = self.model.rank(self.now)
            assert held.level_id == self.ids[rank]
            assert (row.level_id if row else None) == (self.ids[rank] if rank > 1 else None)
            assert last == (self.ids[rank] if rank > 1 else None)
            assert (row.growth if row else 0) == total
            for code, _says, query in LOYALTY_STATEMENTS[:2]:
                assert not session.execute(sa.text(query)).all(), code


def test_no_order_of_events_leaves_the_model(session: Session, now: datetime) -> None:
    base, silver, gold = make_ladder(session)
    Levels.session, Levels.start = session, now
    Levels.ids = {1: base, 2: silver, 3: gold}
    Levels.actor = Actor("staff", make_staff(session, "operations").id)
    session.commit()

    run_state_machine_as_test(
        Levels,
        settings=hypothesis.settings(
            max_examples=examples(25),
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
