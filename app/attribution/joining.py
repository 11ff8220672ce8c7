"""Becoming a distributor: who brought the applicant is read from whose customer they are."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.attribution.codes import live_code
from app.attribution.queries import binding_in_force
from app.members import team
from app.members.models import Distributor


def apply_as_distributor(
    session: Session,
    member_id: int,
    *,
    agreement_version: str,
    real_name: str | None,
    code: str | None,
    now: datetime,
) -> Distributor:
    """Ask to be a distributor.

    The recommender is the distributor whose customer the member is; who is nobody's customer may
    name the share code of whoever brought them. Raises what `members.team` raises, `CodeUnknown`
    and `CodeRevoked`.
    """
    binding = binding_in_force(session, member_id, at=now)
    recommender_id = binding.owner_id if binding else None
    if recommender_id is None and code is not None:
        recommender_id = live_code(session, code).distributor_id
    return team.apply_as_distributor(
        session,
        member_id,
        agreement_version=agreement_version,
        real_name=real_name,
        recommender_code_owner_id=recommender_id,
        now=now,
    )
