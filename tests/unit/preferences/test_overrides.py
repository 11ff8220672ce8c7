"""How old what a process knows can be, with a clock and a table of our own."""

from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Final

import pytest
from sqlalchemy.exc import OperationalError

from app.preferences.overrides import KNOWN_SECONDS, RENEWED_SECONDS, Overrides
from app.preferences.units import Value
from app.settings import Settings

NEEDED: Final[dict[str, Any]] = {one.name: "" for one in fields(Settings) if one.default is MISSING}
BASE: Final = Settings(**NEEDED)


@dataclass
class Table:
    """What stands in the database, and how often somebody looked."""

    values: dict[str, Value] = field(default_factory=dict)
    reads: int = 0
    is_away: bool = False
    during: Any = None
    """What happens while somebody reads, once."""

    def read(self) -> dict[str, Value]:
        self.reads += 1
        found = dict(self.values)
        if self.during is not None:
            act, self.during = self.during, None
            act()
        if self.is_away:
            raise OperationalError("SELECT", {}, Exception("gone"))
        return found


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(table: Table, clock: Clock) -> Overrides:
    return Overrides(table.read, clock=clock)


def test_without_changes_the_environment_itself_is_returned(known: Overrides) -> None:
    assert known.over(BASE) is BASE


def test_a_change_lies_over_the_environment_and_leaves_the_rest(
    known: Overrides, table: Table
) -> None:
    table.values = {"payout_min_fen": 700, "refund_auto_approve": False}

    found = known.over(BASE)

    assert found == replace(BASE, payout_min_fen=700, refund_auto_approve=False)
    assert known.over(BASE) is found


def test_nothing_is_asked_while_what_is_known_is_young(
    known: Overrides, table: Table, clock: Clock
) -> None:
    known.over(BASE)
    table.values = {"payout_min_fen": 700}

    clock.now += RENEWED_SECONDS - 0.001
    assert known.over(BASE) is BASE
    assert table.reads == 1
    clock.now += 0.001
    assert known.over(BASE).payout_min_fen == 700
    assert table.reads == 2


def test_nobody_works_with_values_older_than_the_bound_however_long_nobody_asked(
    known: Overrides, table: Table, clock: Clock
) -> None:
    known.over(BASE)
    table.values = {"payout_min_fen": 700}

    clock.now += 3_600
    assert known.over(BASE).payout_min_fen == 700


def test_while_one_looks_again_the_others_go_on_with_what_is_young(
    known: Overrides, table: Table, clock: Clock
) -> None:
    table.values = {"payout_min_fen": 700}
    known.over(BASE)
    table.values = {"payout_min_fen": 800}
    seen: list[int] = []
    table.during = lambda: seen.append(known.over(BASE).payout_min_fen)

    clock.now += RENEWED_SECONDS
    assert known.over(BASE).payout_min_fen == 800

    assert seen == [700]
    assert table.reads == 2


def test_while_one_looks_again_the_others_look_too_where_what_is_known_is_too_old(
    known: Overrides, table: Table, clock: Clock
) -> None:
    table.values = {"payout_min_fen": 700}
    known.over(BASE)
    table.values = {"payout_min_fen": 800}
    seen: list[int] = []
    table.during = lambda: seen.append(known.over(BASE).payout_min_fen)

    clock.now += KNOWN_SECONDS
    known.over(BASE)

    assert seen == [800]
    assert table.reads == 3


def test_who_wrote_sees_it_at_once(known: Overrides, table: Table) -> None:
    known.over(BASE)
    table.values = {"payout_min_fen": 700}

    known.forget()

    assert known.over(BASE).payout_min_fen == 700


def test_what_was_read_before_a_write_is_not_kept_after_it(known: Overrides, table: Table) -> None:
    """The read began first and came back last: its answer is older than the write."""
    table.values = {"payout_min_fen": 700}

    def write() -> None:
        table.values = {"payout_min_fen": 800}
        known.forget()

    table.during = write
    known.over(BASE)

    assert known.over(BASE).payout_min_fen == 800


def test_without_the_database_the_last_known_values_count_and_it_is_not_asked_each_time(
    known: Overrides, table: Table, clock: Clock
) -> None:
    table.values = {"payout_min_fen": 700}
    known.over(BASE)
    table.is_away = True

    clock.now += 60
    assert [known.over(BASE).payout_min_fen for _ in range(5)] == [700] * 5
    assert table.reads == 2
    table.is_away = False
    table.values = {"payout_min_fen": 800}
    clock.now += KNOWN_SECONDS
    assert known.over(BASE).payout_min_fen == 800


def test_without_the_database_from_the_start_the_environment_counts(
    known: Overrides, table: Table
) -> None:
    table.is_away = True

    assert known.over(BASE) is BASE


def test_another_environment_is_laid_under_the_same_changes_at_once(
    known: Overrides, table: Table
) -> None:
    table.values = {"payout_min_fen": 700}
    known.over(BASE)

    other = known.over(replace(BASE, payout_max_fen=900_000))

    assert (other.payout_min_fen, other.payout_max_fen) == (700, 900_000)
    assert table.reads == 1
