"""Reading requests about personal data."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.privacy.models import PrivacyCopy, PrivacyRequest

SHOWN_MAX = 50


def requests_of(
    session: Session, member_id: int
) -> Sequence[tuple[PrivacyRequest, datetime | None]]:
    """Return a member's requests, the newest first, each with how long its copy can be fetched."""
    rows = session.execute(
        sa.select(PrivacyRequest, PrivacyCopy.expires_at)
        .outerjoin(PrivacyCopy, PrivacyCopy.request_id == PrivacyRequest.id)
        .where(PrivacyRequest.member_id == member_id)
        .order_by(PrivacyRequest.id.desc())
        .limit(SHOWN_MAX)
    )
    return [(row[0], row[1]) for row in rows]
