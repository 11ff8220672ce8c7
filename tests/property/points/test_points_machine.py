"""Points against a model of a few lists, in any order of what can happen, and repetitions."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import cast

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.access import settings as product_settings
from app.kernel.audit import Actor
from app.operations import invariants
from app.points import adjusting, earning, expiring, lots, queries, spending
from app.points.errors import PointsShort
from app.points.states import PointSource
from tests.factories.people import make_member
from tests.thoroughness import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POINTS = st.integers(1, 60)
CODES = {"B1", "B2", "B4", "B5", "B21"} | {f"B32{one}" for one in ("", *"abcdef")}
STAFF = Actor("staff", 1)
_keys = count(1)


@dataclass
class Lot:
    """Points that came in together."""

    expires_at: datetime
    left: int
    expired: int = 0
    is_grace: bool = False


@dataclass
class Earning:
    """Points of a purchase."""

    points: int
    taken: int = 0
    forgiven: int = 0
    lot: Lot | None = None
    is_settled: bool = False


@dataclass
class Spend:
    """Points that pay for something, by the lots they came from."""

    points: int
    uses: list[tuple[Lot, int]]
    back: int = 0
    state: str = "reserved"


@dataclass
class Model:
    """What one member has."""

    lots: list[Lot] = field(default_factory=list)
    debt: int = 0

    def holding(self, now: datetime | None = None) -> list[Lot]:
        """Lots with something in them, what runs out first first; later ones after equals."""
        found = [one for one in self.lots if one.left and (now is None or one.expires_at > now)]
        return sorted(found, key=lambda one: one.expires_at)

    def take(self, among: list[Lot], points: int) -> int:
        wanted = points
        for lot in among:
            part = min(wanted, lot.left)
            lot.left -= part
            wanted -= part
        return points - wanted

    def fill_debt(self) -> None:
        self.debt -= self.take(self.holding(), self.debt)


class PointsMachine(RuleBasedStateMachine):
    """One member earns, spends, gives back, is refunded, and lets points run out."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.member_id = make_member(session).id
        self.now = NOON
        self.model = Model()
        self.earnings: dict[str, Earning] = {}
        self.spends: dict[str, Spend] = {}
        self.valid = timedelta(seconds=product_settings().points_valid_seconds)
        self.grace = timedelta(seconds=product_settings().points_return_grace_seconds)

    @rule(days=st.integers(1, 250))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(points=POINTS)
    def earn(self, points: int) -> None:
        key = f"order:{next(_keys)}"
        assert earning.earn_pending(self.session, self.member_id, points, key=key, now=self.now)
        assert not earning.earn_pending(self.session, self.member_id, points, key=key, now=self.now)
        self.earnings[key] = Earning(points)

    @precondition(lambda self: self.earnings)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.earnings)))
        one = self.earnings[key]
        left = 0 if one.is_settled else one.points - one.taken
        one.is_settled = True
        assert earning.settle(self.session, key, now=self.now) == left
        if left:
            one.lot = Lot(self.now + self.valid, left)
            self.model.lots.append(one.lot)
            self.model.fill_debt()

    @precondition(lambda self: self.earnings)
    @rule(data=st.data(), in_all=st.integers(1, 80))
    def take_back(self, data: st.DataObject, in_all: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.earnings)))
        one = self.earnings[key]
        more = max(min(in_all, one.points) - one.taken, 0)
        one.taken += more
        assert earning.take_back(self.session, key, in_all, now=self.now) == more
        if not one.is_settled or not more:
            return
        if one.lot is not None:
            more -= self.model.take([one.lot], more)
            forgiven = min(more, one.lot.expired - one.forgiven)
            one.forgiven += forgiven
            more -= forgiven
        more -= self.model.take(self.model.holding(), more)
        self.model.debt += more

    @rule(points=POINTS)
    def grant(self, points: int) -> None:
        facts = {"key": f"task:{next(_keys)}", "source": PointSource.TASK, "reason": ""}
        for is_new in (True, False):
            given = earning.grant(
                self.session,
                self.member_id,
                points,
                key=str(facts["key"]),
                source=PointSource.TASK,
                reason="",
                now=self.now,
            )
            assert given is is_new
        self.model.lots.append(Lot(self.now + self.valid, points))
        self.model.fill_debt()

    @rule(points=POINTS)
    def adjust_down(self, points: int) -> None:
        among = self.model.holding(self.now)
        if sum(one.left for one in among) < points:
            with pytest.raises(PointsShort):
                self._adjust(-points)
            return
        self._adjust(-points)
        self.model.take(among, points)

    def _adjust(self, points: int) -> None:
        adjusting.adjust(
            self.session, self.member_id, points, reason="why", actor=STAFF, now=self.now
        )

    @rule(points=POINTS)
    def reserve(self, points: int) -> None:
        key, among = f"spend:{next(_keys)}", self.model.holding(self.now)
        hold = {"member_id": self.member_id}
        if sum(one.left for one in among) < points:
            with pytest.raises(PointsShort):
                spending.hold(self.session, key, points, now=self.now, **hold)
            return
        for _ in range(2):
            spending.hold(self.session, key, points, now=self.now, **hold)
        uses, wanted = [], points
        for lot in among:
            part = min(wanted, lot.left)
            lot.left -= part
            wanted -= part
            uses += [(lot, part)] if part else []
        self.spends[key] = Spend(points, uses)

    @precondition(lambda self: self.spends)
    @rule(data=st.data())
    def spend(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.spends)))
        one = self.spends[key]
        assert spending.spend_held(self.session, key, now=self.now) is (one.state == "reserved")
        one.state = "spent" if one.state == "reserved" else one.state

    @precondition(lambda self: self.spends)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.spends)))
        one = self.spends[key]
        assert spending.let_go(self.session, key, now=self.now) is (one.state == "reserved")
        if one.state == "reserved":
            one.state = "released"
            self._return(one, one.points)

    @precondition(lambda self: self.spends)
    @rule(data=st.data(), in_all=st.integers(0, 80))
    def give_back(self, data: st.DataObject, in_all: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.spends)))
        one = self.spends[key]
        more = max(min(in_all, one.points) - one.back, 0) if one.state == "spent" else 0
        assert spending.give_back_up_to(self.session, key, in_all, now=self.now) == more
        if more:
            one.back += more
            self._return(one, more)

    def _return(self, one: Spend, points: int) -> None:
        renewed = 0
        for index in reversed(range(len(one.uses))):
            lot, held = one.uses[index]
            part = min(points, held)
            points -= part
            one.uses[index] = (lot, held - part)
            if lot.expires_at > self.now or lot.is_grace:
                lot.left += part
            else:
                renewed += part
        if renewed:
            self.model.lots.append(Lot(self.now + self.grace, renewed, is_grace=True))
        self.model.fill_debt()

    @rule()
    def expire(self) -> None:
        over = [one for one in self.model.holding() if one.expires_at <= self.now]
        # Members of histories before this one share the transaction, and their lots end as well.
        batch = expiring.expire_batch(self.session, limit=100_000, now=self.now)
        assert batch.points >= sum(one.left for one in over)
        for one in over:
            one.expired, one.left = one.expired + one.left, 0

    @invariant()
    def the_ledger_says_what_the_model_says(self) -> None:
        held = queries.held(self.session, self.member_id)
        pending = [one for one in self.earnings.values() if not one.is_settled]
        waiting = [one for one in self.spends.values() if one.state == "reserved"]
        assert held.pending == sum(one.points - one.taken for one in pending)
        assert held.available == sum(one.left for one in self.model.lots)
        assert held.reserved == sum(one.points for one in waiting)
        assert held.debt == self.model.debt
        free = lots.spendable(self.session, self.member_id, now=self.now)
        assert free == sum(one.left for one in self.model.holding(self.now))

    def teardown(self) -> None:
        self.session.expire_all()
        others = frozenset(one.code for one in invariants.INVARIANTS) - CODES
        broken = [one for one in invariants.check(self.session, skip=others) if one.count]
        assert broken == []


def test_points_are_their_model_whatever_happens(app: Flask, session: Session) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: PointsMachine(session)),
        settings=settings(
            max_examples=examples(40),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
