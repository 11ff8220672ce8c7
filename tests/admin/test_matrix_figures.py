"""Figures × every role × one store, a region, everywhere: as tables and as files of charts.

A figure is for whoever may open the rows that it counts; which those are stands here once more.
"""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from sqlalchemy.orm import Session

from app.insight import refreshing
from app.kernel.db import database_now
from app.stores.permissions import Permission as May
from tests.admin.conftest import Desk
from tests.admin.house import House
from tests.admin.matrix import REACHES, ROLES, Person, seat, text_of
from tests.factories.insight import HAPPENINGS

ROWS_OF: Final = (
    (May.ORDERS_VIEW, 8),
    (May.MEMBERS_VIEW, 1),
    (May.BINDINGS_VIEW, 2),
    (May.DISTRIBUTORS_VIEW, 1),
    (May.AWARDS_VIEW, 2),
    (May.PAYOUTS_VIEW, 1),
)
"""How many columns of the table are about rows that a permission opens."""
CHARTS: Final = {
    "money": ((May.ORDERS_VIEW, 3),),
    "customers": ((May.MEMBERS_VIEW, 1), (May.BINDINGS_VIEW, 1), (May.ORDERS_VIEW, 1)),
    "stores": ((May.ORDERS_VIEW, 1),),
    "distributors": ((May.ORDERS_VIEW, 2),),
    "commission": ((May.AWARDS_VIEW, 2), (May.PAYOUTS_VIEW, 1)),
    "reach": ((May.BINDINGS_VIEW, 2), (May.MEMBERS_VIEW, 1)),
    "counter": ((May.ORDERS_VIEW, 2),),
}
"""The same of each chart."""


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    """The house, on a day on which everything happened once more at each store."""
    with house.as_found() as session:
        now = database_now()
        for place in (house.world.here, house.beside, house.world.there):
            for happen in HAPPENINGS.values():
                happen(session, place.store, now)
        refreshing.refresh(session, now=now)
        session.commit()
        yield session


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("role", ROLES)
def test_figures_are_told_to_exactly_those_who_may_open_their_rows(
    role: str,
    reach: str,
    house: House,
    session: Session,
    sit_down: Callable[..., Desk],
    tally: Callable[[int], None],
) -> None:
    person = seat(house, session, sit_down, role, reach)
    columns = count_of(person, ROWS_OF)
    takes = person.may(May.EXPORTS) and columns > 0
    stores = {"one-store": ["Here"], "region": ["Here", "Beside"]}.get(
        reach, ["Here", "Beside", "There"]
    )

    person.get(200, "/")
    person.get(200, "/", store=house.world.there.store.id)
    person.get(200 if columns else 403, "/figures/")
    person.get(200 if columns else 403, "/figures/", by="store")
    days = person.get(200 if takes else 403, "/figures/table.csv")
    by_store = person.get(200 if takes else 403, "/figures/table.csv", by="store")
    foreign = {"by": "store", "store": house.world.there.store.id}
    lent = person.get(200 if takes else 403, "/figures/table.csv", **foreign)
    if takes:
        assert {len(row) for row in rows_of(days)} == {1 + columns}
        told = {row[0].removesuffix(" store") for row in rows_of(by_store)[1:]}
        assert told & {"Here", "Beside", "There"} == set(stores)
        assert person.sees_all or told == set(stores)
        if not person.sees_all:
            assert rows_of(lent) == rows_of(by_store)
    for name, parts in CHARTS.items():
        lines = count_of(person, parts)
        is_drawn = lines > 0 and not (name == "stores" and reach == "one-store")
        seen = person.may(May.EXPORTS) and is_drawn
        file = person.get(200 if seen else 403, f"/figures/chart/{name}.csv")
        assert not seen or len(rows_of(file)[0]) == 1 + lines, name
    person.get(404 if columns else 403, "/figures/chart/nothing.csv")

    tally(person.pairs)


def count_of(person: Person, parts: Any) -> int:
    return sum(count for permission, count in parts if person.may(permission))


def rows_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text_of(answer))))
