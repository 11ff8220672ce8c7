"""A connection that the server has closed is replaced before anybody uses it."""

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from app.kernel.pools import watch
from tests.servers import Services


@pytest.fixture
def engine(services: Services) -> Iterator[sa.Engine]:
    made = sa.create_engine(services.database_url, pool_size=3)
    watch(made)
    yield made
    made.dispose()


def backend(connection: sa.Connection) -> int:
    found: int = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    return found


def close_from_outside(services: Services, pids: list[int]) -> None:
    with psycopg.connect(services.postgres.dsn(), autocommit=True) as owner:
        for pid in pids:
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_living_connection_is_used_again(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        first = backend(connection)

    with engine.connect() as connection:
        assert backend(connection) == first


def test_a_closed_connection_is_replaced(engine: sa.Engine, services: Services) -> None:
    with engine.connect() as connection:
        first = backend(connection)
    close_from_outside(services, [first])

    with engine.connect() as connection:
        assert backend(connection) != first


def test_a_restart_that_closed_all_of_them_is_not_noticed_by_anybody(
    engine: sa.Engine, services: Services
) -> None:
    connections = [engine.connect() for _ in range(3)]
    closed = [backend(connection) for connection in connections]
    for connection in connections:
        connection.close()
    close_from_outside(services, closed)

    connections = [engine.connect() for _ in range(3)]
    found = [backend(connection) for connection in connections]
    for connection in connections:
        connection.close()
    assert set(found).isdisjoint(closed)
