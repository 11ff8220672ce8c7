"""The points of a store of the world, its item of the mall and what somebody had of it."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.points.models import PointEntry
from tests.admin.place import Place
from tests.factories.people import make_member
from tests.factories.points import make_exchange, make_mall_item, make_points


def put_points(session: Session, place: Place, name: str) -> None:
    """A customer with a lot, its line in the statement, and an exchange of an item of here."""
    member = make_member(session, nickname=f"{name} collector")
    member.origin_store_id = place.store.id
    session.flush()
    lot = make_points(session, member, 30)
    place.put("point_lots", lot.id, member.nickname)
    line = sa.select(PointEntry.id).where(PointEntry.member_id == member.id)
    place.put("point_entries", session.scalars(line).one(), member.nickname)
    item = make_mall_item(session, title=f"{name} gift set", store_ids=[place.store.id])
    place.put("mall_items", item.id, item.title)
    row = make_exchange(session, member, place.store, item)
    place.put("mall_exchanges", row.id, row.number)
