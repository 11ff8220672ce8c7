"""The back office costs requests to the API nothing but a look at their path."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app.stores.models import Staff
from tests.admin.conftest import Desk
from tests.factories.people import make_staff


@pytest.fixture
def statements() -> Iterator[Callable[[], list[str]]]:
    """What was asked of the database since the test began."""
    seen: list[str] = []

    def note(*facts: object) -> None:
        seen.append(str(facts[2]))

    sa.event.listen(Engine, "before_cursor_execute", note)
    yield lambda: seen
    sa.event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/products", "/openapi.json"])
def test_a_request_to_the_api_never_looks_for_staff(
    session: Session,
    sit_down: Callable[..., Desk],
    statements: Callable[[], list[str]],
    path: str,
) -> None:
    staff = make_staff(session, "owner")
    desk = sit_down(staff=staff)
    before = len(statements())

    answer = desk.client.get(path)

    assert answer.status_code in {200, 401}
    assert [text for text in statements()[before:] if "FROM staff" in text] == []


def test_a_request_to_the_back_office_does(
    session: Session, sit_down: Callable[..., Desk], statements: Callable[[], list[str]]
) -> None:
    desk = sit_down(staff=make_staff(session, "owner"))
    before = len(statements())

    desk.get("/account/")

    assert any("FROM staff" in text for text in statements()[before:])
    assert session.scalar(sa.select(Staff.id)) is not None
