"""A copy of a customer's data holds the whole number, so handing it over is one look of the day."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import AuditRecord
from app.privacy import services
from app.settings import Settings
from tests.admin.conftest import Desk
from tests.admin.test_settings import set_to
from tests.factories.people import make_member
from tests.factories.privacy import make_data_request


def taken(session: Session) -> int:
    query = sa.select(sa.func.count()).where(AuditRecord.action == "privacy.copy_taken")
    return session.scalar(query) or 0


def test_copies_of_customers_data_count_as_looks_at_their_numbers(
    session: Session, owner: Desk, settings: Settings
) -> None:
    request = make_data_request(session, make_member(session, phone="+8613800001111"))
    services.carry_out(session, request.id, settings=settings, now=datetime.now(UTC))
    session.commit()
    set_to("phone_looks_per_day", 1)

    first = owner.post("/privacy_requests/copy/", {"id": str(request.id)})
    second = owner.post("/privacy_requests/copy/", {"id": str(request.id)})

    assert (first.status_code, first.mimetype) == (200, "application/zip")
    assert second.status_code == 302
    assert taken(session) == 1
