"""Holdings of shareholders for tests."""

from sqlalchemy.orm import Session

from app.distribution.plan_records import PlanPlace
from tests.factories.plan_lives import NOON


def make_holding(
    session: Session, plan_id: int, member_id: int, store_id: int, *, state: str = "CANDIDATE"
) -> PlanPlace:
    """What a member has at a store under a plan of sharing shareholders."""
    place = PlanPlace(
        plan_id=plan_id,
        member_id=member_id,
        number=store_id,
        facts={"state": state, "level": 1},
        made_at=NOON,
        changed_at=NOON,
    )
    session.add(place)
    session.flush()
    return place
