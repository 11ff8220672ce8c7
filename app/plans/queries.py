"""Reading plans."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.plans.models import PlanVersion


def version_in_force_id(session: Session, *, at: datetime) -> int | None:
    """Return the version that orders made at this instant fall under.

    Versions never overlap and are only ever published ahead, so the answer for a past instant
    never changes.
    """
    return session.scalar(
        sa.select(PlanVersion.id).where(
            PlanVersion.effective_from_at <= at,
            sa.or_(PlanVersion.effective_until_at.is_(None), PlanVersion.effective_until_at > at),
        )
    )


def version_in_force(session: Session, *, at: datetime) -> PlanVersion | None:
    """Return the version that orders made at this instant fall under, with its rules."""
    version_id = version_in_force_id(session, at=at)
    return None if version_id is None else session.get(PlanVersion, version_id)
