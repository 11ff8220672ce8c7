"""The posters of a store of the world, and a nickname there that is in doubt."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy.orm import Session

from app.members.avatar_models import DoubtfulNickname
from tests.admin.place import Place
from tests.factories.people import make_member
from tests.factories.posters import make_template

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def put_posters(session: Session, place: Place, name: str) -> None:
    """A template for this store alone, and somebody from there with a doubtful name."""
    row = make_template(session, name=f"{name} poster", store_ids=[place.store.id])
    place.put("poster_templates", row.id, row.name)
    member = make_member(
        session, nickname=f"{name} doubtful customer", origin_store_id=place.store.id
    )
    session.add(DoubtfulNickname(member_id=member.id, found_at=NOON))
    session.flush()
    place.put("nicknames", member.id, member.nickname)
