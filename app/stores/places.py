"""Opening stores; where the brand works."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.stores.errors import StoreInvalid, StoreNameTaken, StoreNotFound
from app.stores.models import Store

NAME_LENGTH_MAX: Final = 60


def create_store(
    session: Session,
    *,
    name: str,
    address: str = "",
    region_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> Store:
    """Open a store. Raises `StoreInvalid`, `StoreNameTaken`."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise StoreInvalid("name")
    store_id = session.scalar(
        insert(Store)
        .values(name=name, address=address.strip(), region_id=region_id, created_at=now)
        .on_conflict_do_nothing(index_elements=[Store.name])
        .returning(Store.id)
    )
    if store_id is None:
        raise StoreNameTaken
    subject = Subject("store", store_id, store_id)
    audit.record(session, actor, "store_created", subject, Change(after={"name": name}), now=now)
    return session.get_one(Store, store_id)


def stores_of(session: Session, store_ids: Collection[int]) -> list[Store]:
    """Return the stores of some ids, by id. Raises `StoreNotFound` where one is missing."""
    found = session.scalars(
        sa.select(Store).where(Store.id.in_(list(store_ids))).order_by(Store.id)
    ).all()
    if len(found) < len(set(store_ids)):
        raise StoreNotFound
    return list(found)
