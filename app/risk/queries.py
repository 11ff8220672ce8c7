"""Reading suspicions."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.risk.models import RiskFlag
from app.risk.states import STANDING

SHOWN_MAX = 50


def flags_of(session: Session, distributor_id: int) -> Sequence[RiskFlag]:
    """Return what was suspected of a distributor, the newest first."""
    return session.scalars(
        sa.select(RiskFlag)
        .where(RiskFlag.distributor_id == distributor_id)
        .order_by(RiskFlag.id.desc())
        .limit(SHOWN_MAX)
    ).all()


def flagged(session: Session, distributor_ids: Collection[int]) -> set[int]:
    """Return those distributors of whom something is suspected or confirmed."""
    return set(
        session.scalars(
            sa.select(RiskFlag.distributor_id).where(
                RiskFlag.distributor_id.in_(distributor_ids), RiskFlag.state.in_(STANDING)
            )
        )
    )
