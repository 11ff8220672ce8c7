"""Touches, payments, transfers, ends and changed settings in any order, against a plain model.

The model keeps one current owner with an end, and a diary of what it would have answered at each
instant. In the end the history is asked about every one of those instants again.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.attribution import queries, services
from app.attribution.errors import NoBindingInForce, OwnerRefused
from app.attribution.models import ShareCode, TouchSource
from app.kernel.audit import Actor
from app.members.models import Distributor, Member
from app.members.states import Standing
from app.operations import invariants
from app.settings import Settings
from tests.factories.people import make_distributor, make_member, make_share_code
from tests.thoroughness import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ANN, BEN = Actor("staff", 1), Actor("staff", 2)
RANK: Final = {"staff_scan": 4, "guest_card": 3, "poster": 2, "link": 2, "search": 1}

Answer = tuple[int | None, bool, datetime | None]
"""Which owner, whether locked, until when."""

WHATS: Final = ["touch"] * 8 + ["pay", "pay", "transfer", "end", "freeze", "thaw"] + ["period"] * 3


@dataclass(frozen=True)
class Action:
    """Something that happens; each kind uses the facts it needs."""

    what: str
    owner: int
    source: TouchSource
    soft_days: int


ACTIONS = st.builds(
    Action,
    what=st.sampled_from(WHATS),
    owner=st.sampled_from([0, 0, 0, 1, 2]),
    source=st.sampled_from(TouchSource),
    soft_days=st.integers(1, 60),
)
GAPS = st.sampled_from([0, 0, 1, 5, 5, 20, 40, 200])
"""Days between one thing and the next."""
STEPS = st.lists(st.tuples(GAPS, ACTIONS), min_size=6, max_size=20)


@dataclass
class Model:
    """Who owns the customer, as three sentences of the rules would have it."""

    owner: int | None = None
    locked: bool = False
    rank: int = 0
    until: datetime = NOON
    soft_days: int = 30
    soft_days_of_binding: int = 30
    was_bound: bool = False
    has_paid: bool = False
    frozen: frozenset[int] = frozenset()

    def holder(self, now: datetime) -> int | None:
        return self.owner if now < self.until else None

    def answer(self, now: datetime) -> Answer:
        holder = self.holder(now)
        return (None, False, None) if holder is None else (holder, self.locked, self.until)

    def touch(self, owner: int, source: str, now: datetime) -> None:
        holder, rank = self.holder(now), RANK[source]
        if owner in self.frozen:
            return
        if holder == owner:
            if not self.locked:
                self.rank = max(self.rank, rank)
                self.until = max(self.until, now + self.soft_days_of_binding * DAY)
            return
        if holder is not None and (self.locked or rank <= self.rank):
            return
        if holder is None and self.has_paid and not self.was_bound:
            return
        self.owner, self.locked, self.rank, self.was_bound = owner, False, rank, True
        self.until, self.soft_days_of_binding = now + self.soft_days * DAY, self.soft_days

    def pay(self, now: datetime) -> None:
        holder = self.holder(now)
        self.has_paid = True
        if holder is not None and holder not in self.frozen:
            self.locked = True
            self.until = max(self.until, now + 180 * DAY)

    def transfer(self, owner: int, now: datetime) -> bool:
        holder = self.holder(now)
        if holder is None or holder == owner or owner in self.frozen:
            return False
        self.owner = owner
        return True

    def end(self, now: datetime) -> bool:
        if self.holder(now) is None:
            return False
        self.owner, self.until = None, now
        return True


class World:
    """The same customer in the database, driven through the services."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self.session, self.settings = session, settings
        self.owners: list[Distributor] = [make_distributor(session) for _ in range(3)]
        self.codes: list[ShareCode] = [
            make_share_code(session, distributor=owner) for owner in self.owners
        ]
        self.customer: Member = make_member(session)

    def touch(self, owner: int, source: TouchSource, now: datetime) -> None:
        services.record_touch(
            self.session,
            code=self.codes[owner].code,
            member_id=self.customer.id,
            source=source,
            device_id=None,
            ip=None,
            settings=self.settings,
            now=now,
        )

    def pay(self, now: datetime) -> None:
        binding = queries.binding_in_force(self.session, self.customer.id, at=now)
        self.customer.first_paid_at = self.customer.first_paid_at or now
        services.lock_binding(
            self.session,
            customer_id=self.customer.id,
            binding_id=binding.id if binding else None,
            order_id=7,
            settings=self.settings,
            now=now,
        )

    def transfer(self, owner: int, now: datetime) -> bool:
        try:
            services.transfer_binding(
                self.session,
                customer_id=self.customer.id,
                to_owner_id=self.owners[owner].member_id,
                actor=ANN,
                second_actor=BEN,
                reason="why",
                now=now,
            )
        except (NoBindingInForce, OwnerRefused):
            return False
        return True

    def end(self, now: datetime) -> bool:
        try:
            services.end_binding(
                self.session,
                customer_id=self.customer.id,
                actor=ANN,
                second_actor=BEN,
                reason="why",
                now=now,
            )
        except NoBindingInForce:
            return False
        return True

    def answer(self, at: datetime) -> Answer:
        found = queries.owner_at(self.session, self.customer.id, at=at)
        if found.owner is None:
            return None, False, None
        ids = [owner.member_id for owner in self.owners]
        return ids.index(found.owner.id), found.state == "locked", found.valid_until_at


def act(model: Model, world: World, action: Action, now: datetime) -> None:
    owner = action.owner
    if action.what == "touch":
        model.touch(owner, action.source.value, now)
        world.touch(owner, action.source, now)
    elif action.what == "pay":
        model.pay(now)
        world.pay(now)
    elif action.what == "transfer":
        assert model.transfer(owner, now) == world.transfer(owner, now)
    elif action.what == "end":
        assert model.end(now) == world.end(now)
    elif action.what == "period":
        model.soft_days = action.soft_days
        seconds = action.soft_days * 86_400
        world.settings = replace(world.settings, binding_soft_seconds=seconds)
    else:
        freezes = action.what == "freeze"
        model.frozen = model.frozen | {owner} if freezes else model.frozen - {owner}
        world.owners[owner].standing = Standing.FROZEN if freezes else Standing.ACTIVE
        world.session.flush()


@hypothesis_settings(
    max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_ownership_follows_the_rules_and_the_past_never_changes(
    session: Session, settings: Settings, steps: list[tuple[int, Action]]
) -> None:
    model, world, now = Model(), World(session, settings), NOON
    diary = []

    for days, action in steps:
        now += days * DAY
        act(model, world, action, now)
        owner = model.holder(now)
        expected = (
            owner,
            owner is not None and model.locked,
            model.until if owner is not None else None,
        )
        assert world.answer(now) == expected
        diary.append((now, expected))

    last_of_each_instant = dict(diary)
    for at, expected in last_of_each_instant.items():
        assert world.answer(at) == expected
    findings = invariants.check(session)
    assert [one.code for one in findings if one.code == "S2" and one.count] == []
