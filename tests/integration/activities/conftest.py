"""Jobs ask the database for the time, so these tests live in the present."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session


@pytest.fixture
def now(session: Session) -> datetime:
    at: datetime = session.scalars(sa.select(sa.func.clock_timestamp())).one()
    return at
