"""What the shared fixtures promise every other test."""

from collections.abc import Callable
from datetime import UTC

import pytest
import redis as redis_client
import sqlalchemy as sa
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.kernel.db import atomic, database_now, db
from app.settings import Settings
from app.stores.models import Region
from scripts.sandbox.client import SandboxClient
from tests.servers import Process, Services


def regions(services: Services) -> list[str]:
    """What another connection sees."""
    engine = sa.create_engine(services.owner_database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return list(connection.execute(sa.select(Region.name)).scalars())


def test_a_commit_is_invisible_outside_and_survives_a_rollback(
    session: Session, services: Services
) -> None:
    session.add(Region(name="North"))
    session.commit()
    session.rollback()

    assert session.scalars(sa.select(Region.name)).all() == ["North"]
    assert regions(services) == []


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_with_empty_tables(session: Session, turn: int) -> None:
    with atomic() as inner:
        inner.add(Region(name="North"))

    assert session.scalars(sa.select(Region.name)).all() == ["North"]


@pytest.mark.commits
@pytest.mark.parametrize("turn", [1, 2])
def test_a_marked_test_really_commits_and_leaves_nothing(
    session: Session, services: Services, turn: int
) -> None:
    session.add(Region(name="North"))
    session.commit()

    assert regions(services) == ["North"]


@pytest.mark.commits
def test_what_may_only_be_added_to_is_emptied_all_the_same(
    session: Session, services: Services
) -> None:
    add = sa.text("INSERT INTO ledger_entries (key, occurred_at) VALUES ('fact:1', now())")
    session.execute(add)
    session.commit()

    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(sa.text("DELETE FROM ledger_entries"))
    session.rollback()


def test_the_ledger_is_empty_after_that(session: Session) -> None:
    assert session.scalar(sa.text("SELECT count(*) FROM ledger_entries")) == 0


def test_requests_share_nothing_with_the_test_but_the_database(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    g.leak = "from the test"
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        seen.append((hasattr(g, "leak"), db.session() is session))

    app.before_request_funcs.setdefault(None, []).append(look)
    try:
        client.get("/healthz")
    finally:
        app.before_request_funcs[None].remove(look)

    assert seen == [(False, False)]


def test_the_application_runs_as_the_role_that_owns_nothing(session: Session) -> None:
    assert session.scalar(sa.text("SELECT current_user")) == "tuoke_app"


def test_the_databases_clock_is_in_utc(session: Session) -> None:
    assert database_now().tzinfo == UTC or str(database_now().tzinfo) == "UTC"


def test_redis_is_empty_and_ours(redis: redis_client.Redis, settings: Settings) -> None:
    assert redis.dbsize() == 0
    assert settings.redis_url.startswith("unix://")


def test_the_sandbox_starts_with_empty_books(sandbox: SandboxClient) -> None:
    books = sandbox.books()

    assert (books["payments"], books["refunds"], books["transfers"]) == ([], [], [])


@pytest.mark.commits
def test_commands_of_the_product_run_in_processes_of_their_own(
    launch: Callable[..., Process],
) -> None:
    listing = launch("routes")

    assert listing.popen is not None
    assert listing.popen.wait(60) == 0
    assert "healthz" in listing.log.read_text()
