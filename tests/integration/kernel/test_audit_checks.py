"""Looking over the trail in batches finds what was changed, moved or cut off."""

from datetime import datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel import audit, audit_checks
from app.kernel.audit import Actor, AuditRecord, Change, Subject
from app.kernel.audit_checks import AuditCheck, advance, begin, latest
from app.kernel.db import atomic
from tests.servers import Services

WHO = Actor("staff", 7, "req-1")


def write(now: datetime, *actions: str) -> None:
    for action in actions:
        with atomic() as session:
            audit.record(session, WHO, action, Subject("store", 3, 3), Change(), now=now)


def look_over(session: Session, now: datetime, *, batch: int = 2) -> AuditCheck:
    """Ask for a look and work it off."""
    with atomic() as inner:
        begin(inner, actor=WHO, now=now)
    while True:
        with atomic() as inner:
            if not advance(inner, now=now, batch=batch):
                break
    found = latest(session)
    assert found is not None
    session.expire_all()
    return found


def past_the_triggers(session: Session, services: Services, statement: str) -> None:
    session.rollback()
    with psycopg.connect(services.postgres.dsn("postgres", "tuoke"), autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(statement.encode())


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_a_chain_that_holds_is_seen_to_its_end(session: Session, now: datetime, batch: int) -> None:
    write(now, "one", "two", "three")

    check = look_over(session, now, batch=batch)

    last = session.scalars(sa.select(AuditRecord).where(AuditRecord.action == "three")).one()
    assert (check.seen_count, check.row_count, check.broken_count) == (3, 3, 0)
    assert (check.seen_id, check.seen_hash, check.done_at) == (last.id, last.hash, now)


def test_an_empty_trail_holds(session: Session, now: datetime) -> None:
    check = look_over(session, now)

    assert (check.seen_count, check.broken_count, check.seen_hash) == (0, 0, audit.GENESIS)


def test_who_asks_is_recorded_and_a_running_look_is_not_begun_twice(
    session: Session, now: datetime
) -> None:
    write(now, "one")
    with atomic() as inner:
        first = begin(inner, actor=WHO, now=now).id
    with atomic() as inner:
        second = begin(inner, actor=WHO, now=now + timedelta(hours=1)).id

    assert first == second
    actions = session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)).all()
    assert actions == ["one", "audit.check_asked"]


def test_what_is_written_while_it_runs_is_left_to_the_next_look(
    session: Session, now: datetime
) -> None:
    write(now, "one", "two", "three")
    with atomic() as inner:
        begin(inner, actor=WHO, now=now)
        assert advance(inner, now=now, batch=2)
    write(now, "four")
    with atomic() as inner:
        assert not advance(inner, now=now, batch=2)

    check = latest(session)
    assert check is not None
    assert (check.seen_count, check.broken_count) == (3, 0)


@pytest.mark.commits
@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_log SET reason = 'nothing' WHERE action = 'two'", 1),
        ("UPDATE audit_log SET actor_id = 8 WHERE action = 'one'", 1),
        ("DELETE FROM audit_log WHERE action = 'two'", 1),
        ("DELETE FROM audit_log WHERE action = 'one'", 1),
        ("UPDATE audit_log SET hash = md5(hash) WHERE action = 'two'", 2),
    ],
)
def test_what_was_changed_past_the_triggers_is_found_and_named(
    session: Session, now: datetime, services: Services, statement: str, broken: int
) -> None:
    write(now, "one", "two", "three")
    past_the_triggers(session, services, statement)

    check = look_over(session, now, batch=1)

    assert check.broken_count == broken
    assert check.first_broken_id is not None
    assert check.done_at is not None


@pytest.mark.commits
def test_rows_cut_off_at_the_end_are_missed_by_the_next_look(
    session: Session, now: datetime, services: Services
) -> None:
    write(now, "one", "two", "three")
    last = look_over(session, now).seen_id
    past_the_triggers(
        session, services, "DELETE FROM audit_log WHERE action IN ('three', 'audit.check_asked')"
    )
    assert list(audit.broken_links(session)) == []
    session.rollback()

    check = look_over(session, now)

    assert (check.broken_count, check.first_broken_id) == (1, last)


@pytest.mark.commits
def test_the_job_works_a_look_off_and_does_nothing_without_one(
    session: Session, now: datetime
) -> None:
    write(now, "one", "two")
    assert audit_checks.check_audit_trail() == 1
    assert latest(session) is None
    session.rollback()
    with atomic() as inner:
        begin(inner, actor=WHO, now=now)

    audit_checks.check_audit_trail()

    check = latest(session)
    assert check is not None
    assert (check.seen_count, check.broken_count) == (2, 0)
    assert check.done_at is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_checks SET broken_count = 0, first_broken_id = NULL",
        "UPDATE audit_checks SET done_at = NULL",
        "DELETE FROM audit_checks",
    ],
)
def test_what_a_look_found_stays(session: Session, now: datetime, statement: str) -> None:
    write(now, "one")
    look_over(session, now)

    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(sa.text(statement))

    found = latest(session)
    assert found is not None
    assert found.done_at == now
