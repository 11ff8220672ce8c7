"""Reading requests that wait for a second person."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.approvals.kinds import KINDS
from app.approvals.models import Approval, ApprovalState, ApprovalStep
from app.stores.permissions import Permission


def kinds_to_decide(permissions: Collection[Permission]) -> list[str]:
    """Return the names of the kinds that the holder of some permissions may decide."""
    return [one.name for one in KINDS.values() if one.decide in permissions]


def kinds_to_see(permissions: Collection[Permission]) -> list[str]:
    """Return the names of the kinds whose requests the holder of some permissions may see."""
    return [one.name for one in KINDS.values() if one.view in permissions]


def waiting_for(staff_id: int, permissions: Collection[Permission]) -> sa.ColumnElement[bool]:
    """Return the condition of requests that a person may decide, leaving aside where."""
    return sa.and_(
        Approval.state == ApprovalState.REQUESTED,
        Approval.asked_by_id != staff_id,
        Approval.kind.in_(kinds_to_decide(permissions)),
    )


def waiting_count(
    session: Session,
    staff_id: int,
    permissions: Collection[Permission],
    store_ids: frozenset[int] | None,
) -> int:
    """Return how many requests wait for a person; `store_ids` as `visible_store_ids` says it."""
    condition = waiting_for(staff_id, permissions)
    if store_ids is not None:
        condition = sa.and_(condition, Approval.store_id.in_(store_ids))
    return session.scalar(sa.select(sa.func.count()).where(condition)) or 0


def open_about(session: Session, subject_type: str, subject_id: int) -> Sequence[Approval]:
    """Return the requests about a row that wait, the oldest first."""
    return session.scalars(
        sa.select(Approval)
        .where(
            Approval.subject_type == subject_type,
            Approval.subject_id == subject_id,
            Approval.state == ApprovalState.REQUESTED,
        )
        .order_by(Approval.id)
    ).all()


def approval_steps(session: Session, approval_id: int) -> Sequence[ApprovalStep]:
    """Return what happened to a request, the first step first."""
    return session.scalars(
        sa.select(ApprovalStep)
        .where(ApprovalStep.approval_id == approval_id)
        .order_by(ApprovalStep.id)
    ).all()
