"""What the database itself keeps as it was written, whoever asks it to change that."""

from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel.db import Base
from app.plans.models import (
    PlanCheck,
    PlanConfirmation,
    PlanVersion,
    PlanVersionStep,
)
from app.settings import Settings
from tests.factories.plan_lives import approved, published, write_draft

VERSIONS: Final = Base.metadata.tables["plan_versions"]


def refuse(session: Session, statement: Any) -> None:
    """Run a statement past all services; the database must not let it through."""
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(statement)


def row_of(session: Session, version: PlanVersion) -> dict[str, Any]:
    found = session.execute(sa.select(VERSIONS).where(VERSIONS.c.id == version.id)).one()
    return found._asdict()


@pytest.mark.parametrize("name", ["rules", "scope", "revision", "number", "plan_id"])
@pytest.mark.parametrize("make", [approved, published])
def test_what_was_submitted_is_never_changed(
    session: Session, settings: Settings, make: Callable[..., PlanVersion], name: str
) -> None:
    version = make(session, settings)
    other = write_draft(session)
    values = {
        "rules": {},
        "scope": {"store_ids": [1]},
        "revision": 99,
        "number": 99,
        "plan_id": other.plan_id,
    }
    before = row_of(session, version)

    changed = sa.update(VERSIONS).where(VERSIONS.c.id == version.id).values({name: values[name]})
    refuse(session, changed)

    assert row_of(session, version) == before


@pytest.mark.parametrize("name", ["effective_from_at", "approver_id"])
def test_since_when_a_version_is_in_force_and_who_approved_it_is_never_changed(
    session: Session, settings: Settings, name: str
) -> None:
    version = published(session, settings)
    before = row_of(session, version)

    refuse(session, sa.update(VERSIONS).where(VERSIONS.c.id == version.id).values({name: None}))

    assert row_of(session, version) == before


def test_nobody_can_be_written_down_as_approver_of_their_own_draft(session: Session) -> None:
    version = write_draft(session)

    approve = sa.update(VERSIONS).where(VERSIONS.c.id == version.id)
    refuse(session, approve.values(approver_id=VERSIONS.c.author_id))

    assert row_of(session, version)["approver_id"] is None


@pytest.mark.parametrize("kind", [PlanVersionStep, PlanCheck, PlanConfirmation])
def test_steps_checks_and_confirmations_are_neither_changed_nor_deleted(
    session: Session, settings: Settings, kind: type[Base]
) -> None:
    published(session, settings)
    table = kind.__table__
    assert isinstance(table, sa.Table)
    rows = session.execute(sa.select(table).order_by(table.c.id)).all()
    assert rows

    refuse(session, sa.update(table).values(revision=77))
    refuse(session, sa.delete(table))

    assert session.execute(sa.select(table).order_by(table.c.id)).all() == rows
