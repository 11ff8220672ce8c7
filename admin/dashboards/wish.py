"""Which days and which store a dashboard is about, read from the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from admin.counted import stores_asked
from admin.staff import visible_store_ids
from admin.urls import as_id
from app.insight.queries import Asked
from app.kernel.clock import business_day
from app.kernel.db import db
from app.stores.models import Store

RANGES: Final = (7, 30, 90)
DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """The last `days` days until today, of one store or of all that the reader sees."""

    today: date
    days: int
    store_id: int | None
    stores: list[tuple[int, str]]
    """Every store that the reader sees, by name."""

    @classmethod
    def read(cls, arguments: Mapping[str, str], *, now: datetime) -> "Wish":
        """Read the address; a range or a store that is not on offer counts as not said."""
        stores = _stores()
        wished = as_id(arguments.get("days", ""))
        store_id = as_id(arguments.get("store", ""))
        return cls(
            business_day(now),
            wished if wished in RANGES else DAYS,
            store_id if store_id in {one for one, _name in stores} else None,
            stores,
        )

    @property
    def since(self) -> date:
        """Return the first day."""
        return self.today - timedelta(days=self.days - 1)

    @property
    def store_ids(self) -> frozenset[int] | None:
        """Return whose figures count; None for all, those of no store among them."""
        return stores_asked(self.store_id)

    def asked(self, *names: str) -> Asked:
        """Return the question for some figures of these days and stores."""
        return Asked(self.since, self.today, self.store_ids, names)

    def every_day(self) -> list[date]:
        """Return each day, the first one first."""
        return [self.since + timedelta(days=n) for n in range(self.days)]

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """Return the parameters of this wish, some of them changed; what is usual is left out."""
        kept = {"days": self.days if self.days != DAYS else None, "store": self.store_id}
        return {name: value for name, value in {**kept, **changes}.items() if value is not None}


def _stores() -> list[tuple[int, str]]:
    query = sa.select(Store.id, Store.name).order_by(Store.name)
    store_ids = visible_store_ids()
    if store_ids is not None:
        query = query.where(Store.id.in_(store_ids))
    return [(row.id, row.name) for row in db.session.execute(query)]
