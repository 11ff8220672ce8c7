"""Finding stores: by number, by name, and by how far they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.stores.errors import StoreNotFound
from app.stores.models import Store

EARTH_RADIUS_M: Final = 6_371_000
UDEG: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the earth, in whole micro-degrees of GCJ-02."""

    latitude_udeg: int
    longitude_udeg: int


@dataclass(frozen=True, slots=True)
class Found:
    """A store, and how far it is in metres; None where either place is not known."""

    store: Store
    distance_m: int | None


def store(session: Session, store_id: int) -> Store:
    """Return a store. Raises `StoreNotFound`."""
    found = session.get(Store, store_id)
    if found is None:
        raise StoreNotFound
    return found


def some_stores(session: Session, store_ids: Collection[int] | None) -> Sequence[Store]:
    """Return these stores by name; None stands for all of them."""
    wanted = sa.select(Store).order_by(Store.name)
    if store_ids is not None:
        wanted = wanted.where(Store.id.in_(store_ids))
    return session.scalars(wanted).all()


def open_page(
    session: Session, *, near: Spot | None = None, after_id: int | None = None, limit: int
) -> list[Found]:
    """Return stores that take orders: the nearest first, or by name where no spot is named.

    A chain has a thousand stores at most, so they are put in order here. Stores without a place
    come last. A page goes on behind the store `after_id`, also if that one has closed meanwhile.
    """
    rows = session.scalars(sa.select(Store)).all()
    found = sorted((Found(row, _distance(row, near)) for row in rows), key=_place_in_line)
    places = {one.store.id: place for place, one in enumerate(found)}
    begin = 0 if after_id is None else places.get(after_id, len(found)) + 1
    return [one for one in found[begin:] if one.store.is_open][:limit]


def metres_between(one: Spot, other: Spot) -> int:
    """Return the way over the earth's surface, by the haversine; good to half a percent.

    >>> metres_between(Spot(31_230_000, 121_474_000), Spot(30_247_000, 120_210_000))
    162912
    """
    upper, lower = radians(one.latitude_udeg / UDEG), radians(other.latitude_udeg / UDEG)
    east = radians((other.longitude_udeg - one.longitude_udeg) / UDEG)
    chord = sin((lower - upper) / 2) ** 2 + cos(upper) * cos(lower) * sin(east / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord))))


def _distance(row: Store, near: Spot | None) -> int | None:
    if near is None or row.latitude_udeg is None or row.longitude_udeg is None:
        return None
    return metres_between(near, Spot(row.latitude_udeg, row.longitude_udeg))


def _place_in_line(one: Found) -> tuple[bool, int, str, int]:
    is_far = one.distance_m is None
    return is_far, one.distance_m or 0, one.store.name, one.store.id
