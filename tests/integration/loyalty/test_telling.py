"""Members hear of a level that they reached, and of one that they will not keep."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.membership import reviewing
from app.membership.models import LevelHolding, LevelMove
from app.telling.events import TELLERS
from tests.factories.membership import grow, make_ladder
from tests.factories.people import make_member

DAY = timedelta(days=1)


def test_a_member_is_told_of_rising_and_of_the_end_that_comes(
    session: Session, now: datetime
) -> None:
    make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 1_000, key="a", now=now)
    session.commit()
    move_id = session.scalars(sa.select(LevelMove.id)).one()
    held_id = session.scalars(sa.select(LevelHolding.id)).one()

    [risen] = TELLERS["level_raised"](session, move_id)
    early = list(TELLERS["level_ending"](session, member.id))
    reviewing.warn_due(now=now + 340 * DAY)
    [ending] = TELLERS["level_ending"](session, member.id)

    assert (risen.member_id, risen.values, risen.key) == (
        member.id,
        {"level": "Level 2", "at": now},
        f"membership_raised:{move_id}",
    )
    assert early == []
    assert (ending.values, ending.key) == (
        {"level": "Level 2", "until": now + 365 * DAY},
        f"membership_ending:{held_id}",
    )
