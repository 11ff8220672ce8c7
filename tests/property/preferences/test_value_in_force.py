"""Which value is in force, against hours that somebody paints one after the other."""

from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.errors import DomainError
from app.preferences import services
from app.preferences.overrides import newest_at
from app.preferences.services import Wish, standing, values_at
from app.settings import Settings
from tests.conftest import NOON
from tests.thoroughness import examples

HOUR: Final = timedelta(hours=1)
HOURS: Final = 40
NAMES: Final = ("code_misses_max", "rate_limit_per_minute")

CHANGE: Final = st.tuples(
    st.just("change"),
    st.sampled_from(NAMES),
    st.integers(min_value=10, max_value=13),
    st.integers(min_value=-1, max_value=12),
)
WITHDRAWAL: Final = st.tuples(
    st.just("withdraw"), st.sampled_from(NAMES), st.integers(0, 6), st.just(0)
)
WAIT: Final = st.tuples(st.just("wait"), st.just(""), st.integers(1, 4), st.just(0))


class Painter:
    """Hours of one setting. A change paints from its hour up to the next change's."""

    def __init__(self, default: int) -> None:
        self.hours = [default] * HOURS
        self.starts: dict[int, int] = {}
        """Hour to value, of what stands."""
        self.default = default

    def paint(self) -> None:
        self.hours = [self.default] * HOURS
        for start, value in sorted(self.starts.items()):
            self.hours[start:] = [value] * (HOURS - start)

    def change(self, value: int, start: int, now: int) -> str:
        if start < now:
            return "setting_date_refused"
        if start in self.starts:
            return "setting_planned_twice"
        if self.hours[start] == value:
            return "setting_unchanged"
        self.starts[start] = value
        self.paint()
        return "done"

    def withdraw(self, start: int, now: int) -> str:
        if start <= now or start not in self.starts:
            return "setting_change_not_planned"
        del self.starts[start]
        self.paint()
        return "done"


class World:
    """The same through the services."""

    def __init__(self, session: Session, environment: Settings) -> None:
        self.session, self.environment = session, environment
        self.ids: dict[tuple[str, int], int] = {}

    def change(self, name: str, value: int, start: int, now: int) -> str:
        wish = Wish(name=name, value=value, effective_at=hour(start), reason="why")
        try:
            row = services.change(
                self.session, wish, environment=self.environment, actor=SYSTEM, now=hour(now)
            )
        except DomainError as error:
            return error.code
        self.ids[name, start] = row.id
        return "done"

    def withdraw(self, name: str, start: int, now: int) -> str:
        try:
            services.withdraw(
                self.session,
                self.ids.get((name, start), 0),
                environment=self.environment,
                actor=SYSTEM,
                reason="no",
                now=hour(now),
            )
        except DomainError as error:
            return error.code
        return "done"


def hour(number: int) -> datetime:
    return NOON + number * HOUR


@hypothesis_settings(
    max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.one_of(CHANGE, CHANGE, WITHDRAWAL, WAIT), max_size=14))
def test_the_value_in_force_is_that_of_the_hour_as_it_was_painted_last(
    session: Session, settings: Settings, steps: list[tuple[str, str, int, int]]
) -> None:
    savepoint = session.begin_nested()
    painters = {name: Painter(getattr(settings, name)) for name in NAMES}
    world, now = World(session, settings), 1
    seen: list[tuple[int, dict[str, int]]] = []

    for what, name, number, ahead in steps:
        if what == "wait":
            now += number
        elif what == "change":
            painted = painters[name].change(number, now + ahead, now)
            assert world.change(name, number, now + ahead, now) == painted
        else:
            starts = sorted(world.ids)
            start = starts[number % len(starts)][1] if starts else now + number
            assert world.withdraw(name, start, now) == painters[name].withdraw(start, now)
        seen.append((now, {name: painters[name].hours[now] for name in NAMES}))

    plan = standing(session)
    for at in range(HOURS):
        expected = {name: painters[name].hours[at] for name in NAMES}
        found = values_at(plan, settings, at=hour(at))
        in_database = {one.name: one.value for one in session.execute(newest_at(hour(at)))}
        assert {name: found[name] for name in NAMES} == expected
        assert {name: in_database.get(name, getattr(settings, name)) for name in NAMES} == expected
    last_of_each_hour = dict(seen)
    for at, expected in last_of_each_hour.items():
        values = values_at(plan, settings, at=hour(at))
        assert {name: values[name] for name in NAMES} == expected, "the past has changed"
    savepoint.rollback()


def test_the_painter_itself_paints_up_to_the_next_change() -> None:
    painter = Painter(5)

    assert painter.change(9, 4, 1) == "done"
    assert painter.change(7, 2, 1) == "done"

    assert painter.hours[:6] == [5, 5, 7, 7, 9, 9]


@pytest.mark.parametrize("start", [0, 3])
def test_the_painter_refuses_what_has_begun(start: int) -> None:
    painter = Painter(5)
    painter.change(9, 3, 1)

    assert painter.withdraw(start, 3) == "setting_change_not_planned"
