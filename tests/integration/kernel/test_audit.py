from datetime import datetime

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, AuditRecord, Change, Subject
from app.kernel.db import atomic
from tests.servers import Services

WHO = Actor("staff", 7, "req-1")


def _write(now: datetime, *actions: str) -> None:
    for action in actions:
        with atomic() as session:
            audit.record(
                session,
                WHO,
                action,
                Subject("store", 3, 3),
                Change({"name": "旧"}, {"name": "新"}, "moved"),
                now=now,
            )


def test_rows_form_a_chain_that_holds(session: Session, now: datetime) -> None:
    _write(now, "store.renamed", "store.closed")

    first, second = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id))
    assert first.previous_hash == audit.GENESIS
    assert second.previous_hash == first.hash
    assert (second.actor_id, second.request_id, second.reason) == (7, "req-1", "moved")
    assert list(audit.broken_links(session)) == []


@pytest.mark.commits
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_log SET reason = 'nothing' WHERE action = 'two'",
        "UPDATE audit_log SET actor_id = 8 WHERE action = 'two'",
        "DELETE FROM audit_log WHERE action = 'two'",
    ],
)
def test_an_edit_past_the_triggers_is_found(
    session: Session, now: datetime, services: Services, change: str
) -> None:
    _write(now, "one", "two", "three")
    assert list(audit.broken_links(session)) == []
    session.rollback()

    with psycopg.connect(services.postgres.dsn("postgres", "tuoke"), autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(change.encode())

    assert list(audit.broken_links(session)) != []
