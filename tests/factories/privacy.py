"""Requests about personal data."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.members.models import Member
from app.privacy.models import PrivacyRequest
from app.privacy.states import RequestKind, RequestState

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_data_request(session: Session, member: Member, **facts: Any) -> PrivacyRequest:
    """Make a request that waits; a copy unless said otherwise."""
    given = {"kind": RequestKind.COPY, "requested_at": NOON, "due_at": NOON, **facts}
    row = PrivacyRequest(
        member_id=member.id,
        state=RequestState.WAITING,
        requested_by=f"member:{member.id}",
        **given,
    )
    session.add(row)
    session.flush()
    return row
