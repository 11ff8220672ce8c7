"""Opening stores, saying what they are like, closing them and opening them again."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.stores.errors import (
    RegionNotFound,
    StoreCodeTaken,
    StoreInvalid,
    StoreNameTaken,
    StoreNotFound,
    StoreNotInState,
)
from app.stores.hours import OpeningHours
from app.stores.models import Store, StoreStep
from app.stores.states import StoreEvent, after_store

NAME_LENGTH_MAX: Final = 60
CODE: Final = re.compile(r"[0-9A-Z]{2,12}", re.ASCII)
PHONE: Final = re.compile(r"\+?[0-9][0-9 ()\-]{4,19}", re.ASCII)
LENGTHS_MAX: Final = {"city": 40, "district": 40, "address": 200}
LATITUDE_MAX_UDEG: Final = 90_000_000
LONGITUDE_MAX_UDEG: Final = 180_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSpec:
    """What a store is like. Without a code it gets one from its number."""

    name: str
    code: str = ""
    region_id: int | None = None
    city: str = ""
    district: str = ""
    address: str = ""
    phone: str = ""
    latitude_udeg: int | None = None
    longitude_udeg: int | None = None
    opening_hours: OpeningHours | None = None


def create_store(session: Session, spec: StoreSpec, *, actor: Actor, now: datetime) -> Store:
    """Open a store.

    Raises `StoreInvalid`, `StoreNameTaken`, `StoreCodeTaken`, `RegionNotFound`.
    """
    store = Store(**_checked(spec), created_at=now)
    with _writing(session):
        session.add(store)
    if store.code is None:
        with _writing(session):
            store.code = f"S{store.id:03d}"
    _record(session, actor, "store_created", store, Change(after=_facts(store)), now=now)
    return store


def edit_store(
    session: Session, store_id: int, spec: StoreSpec, *, actor: Actor, now: datetime
) -> Store:
    """Say anew what a store is like; without a code it keeps the one it has.

    Its region stays as well, because staff are tied to it: `move_store` is another right. Raises
    `StoreNotFound` and what `create_store` raises.
    """
    values = _checked(spec)
    store = _locked(session, store_id)
    before = _facts(store)
    values["code"] = values["code"] or store.code
    values["region_id"] = store.region_id
    with _writing(session):
        for name, value in values.items():
            setattr(store, name, value)
    after = _facts(store)
    if after != before:
        _record(session, actor, "store_edited", store, Change(before, after), now=now)
    return store


def move_store(
    session: Session, store_id: int, *, region_id: int | None, actor: Actor, now: datetime
) -> Store:
    """Put a store into a region, or into none. Raises `StoreNotFound`, `RegionNotFound`."""
    store = _locked(session, store_id)
    change = Change({"region_id": store.region_id}, {"region_id": region_id})
    with _writing(session):
        store.region_id = region_id
    _record(session, actor, "store_moved", store, change, now=now)
    return store


def change_state(
    session: Session,
    store_id: int,
    event: StoreEvent,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Store:
    """Close a store for a while or for good, or open it again.

    A closed store takes no new orders; what was bought is still handed over there and refunded.
    Raises `StoreNotFound`, `StoreNotInState`.
    """
    store = _locked(session, store_id)
    target = after_store(store.state, event)
    if target is None:
        raise StoreNotInState(store.state)
    change = Change({"state": store.state}, {"state": target}, reason)
    store.state = target
    session.add(
        StoreStep(store_id=store.id, to_state=target, at=now, actor=str(actor), reason=reason)
    )
    _record(session, actor, f"store_{target}", store, change, now=now)
    return store


def stores_of(session: Session, store_ids: Collection[int]) -> list[Store]:
    """Return the stores of some ids, by id. Raises `StoreNotFound` where one is missing."""
    found = session.scalars(
        sa.select(Store).where(Store.id.in_(list(store_ids))).order_by(Store.id)
    ).all()
    if len(found) < len(set(store_ids)):
        raise StoreNotFound
    return list(found)


def _checked(spec: StoreSpec) -> dict[str, Any]:
    """Return the columns of a store, or raise `StoreInvalid` with the field that is wrong."""
    values: dict[str, Any] = {
        "name": spec.name.strip(),
        "code": spec.code.strip().upper() or None,
        "region_id": spec.region_id,
        "city": spec.city.strip(),
        "district": spec.district.strip(),
        "address": spec.address.strip(),
        "phone": spec.phone.strip(),
        "latitude_udeg": spec.latitude_udeg,
        "longitude_udeg": spec.longitude_udeg,
        "opening_hours": spec.opening_hours.document() if spec.opening_hours else None,
    }
    wrong = [
        ("name", not 1 <= len(values["name"]) <= NAME_LENGTH_MAX),
        ("code", values["code"] is not None and not CODE.fullmatch(values["code"])),
        *((name, len(values[name]) > most) for name, most in LENGTHS_MAX.items()),
        ("phone", bool(values["phone"]) and not PHONE.fullmatch(values["phone"])),
        ("latitude_udeg", abs(spec.latitude_udeg or 0) > LATITUDE_MAX_UDEG),
        ("longitude_udeg", abs(spec.longitude_udeg or 0) > LONGITUDE_MAX_UDEG),
        ("latitude_udeg", spec.latitude_udeg is None and spec.longitude_udeg is not None),
        ("longitude_udeg", spec.longitude_udeg is None and spec.latitude_udeg is not None),
    ]
    for name, is_wrong in wrong:
        if is_wrong:
            raise StoreInvalid(name)
    return values


@contextmanager
def _writing(session: Session) -> Iterator[None]:
    """Write what changes inside; say in our own words what the database refuses."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        raise _refusal(error) from error


def _refusal(error: IntegrityError) -> Exception:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
    refusals: dict[str, Exception] = {
        "uq_stores_name": StoreNameTaken(),
        "uq_stores_code": StoreCodeTaken(),
        "fk_stores_region_id": RegionNotFound(),
    }
    return refusals.get(constraint, error)


def _locked(session: Session, store_id: int) -> Store:
    store = session.scalar(
        sa.select(Store)
        .where(Store.id == store_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if store is None:
        raise StoreNotFound
    return store


def _facts(store: Store) -> dict[str, Any]:
    return {
        "name": store.name,
        "code": store.code,
        "region_id": store.region_id,
        "city": store.city,
        "district": store.district,
        "address": store.address,
        "phone": store.phone,
        "latitude_udeg": store.latitude_udeg,
        "longitude_udeg": store.longitude_udeg,
        "opening_hours": store.opening_hours,
    }


def _record(
    session: Session, actor: Actor, action: str, store: Store, change: Change, *, now: datetime
) -> None:
    audit.record(session, actor, action, Subject("store", store.id, store.id), change, now=now)
