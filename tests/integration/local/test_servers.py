"""PostgreSQL and Valkey as the launcher starts them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
import sqlalchemy as sa

from scripts.local.layout import Layout, lay_out, remove
from scripts.local.postgres import Postgres
from scripts.local.processes import servers_in
from scripts.local.valkey import Valkey


@pytest.fixture
def parent() -> Iterator[Path]:
    """A directory that the servers' user can pass through."""
    directory = Path(tempfile.mkdtemp(prefix="tuoke-servers-", dir="/tmp")).resolve()
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def layout(parent: Path) -> Iterator[Layout]:
    yield lay_out(parent / "var")
    remove(parent / "var")


@pytest.fixture
def postgres(layout: Layout) -> Iterator[Postgres]:
    server = Postgres(layout, durable=False)
    yield server
    server.stop()
    assert servers_in(layout.pgdata, "postgres") == []


def answer(server: Postgres) -> object:
    with psycopg.connect(server.dsn()) as connection:
        row = connection.execute("SELECT 1").fetchone()
    return row and row[0]


@pytest.mark.parametrize("pid", ["", "1\n", "not a pid\n"], ids=["empty", "a stranger's", "junk"])
def test_a_stale_pid_file_does_not_keep_postgresql_down(postgres: Postgres, pid: str) -> None:
    postgres.start()
    postgres.stop()
    (postgres.layout.pgdata / "postmaster.pid").write_text(pid)
    (postgres.layout.sockets / ".s.PGSQL.5432.lock").write_text(pid)

    postgres.start()

    assert answer(postgres) == 1


def test_a_half_made_data_directory_is_made_anew(postgres: Postgres) -> None:
    for name in ("pgdata", "pgdata.part"):
        (postgres.layout.home / name / "base").mkdir(parents=True)

    postgres.start()

    assert answer(postgres) == 1


def test_a_server_that_outlived_its_owner_makes_room_for_the_next(postgres: Postgres) -> None:
    postgres.start()
    successor = Postgres(postgres.layout, durable=False)

    successor.start()

    assert answer(successor) == 1
    assert postgres.process is not None
    assert postgres.process.wait(10) == 0
    successor.stop()


def test_the_address_holds_whatever_pg_variables_the_shell_has(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "6543", "PGHOST": "db.example", "PGUSER": "somebody"}.items():
        monkeypatch.setenv(name, value)

    postgres.start()
    postgres.create_database()

    engine = sa.create_engine(postgres.url(), poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT current_user")).scalar() == "tuoke_app"


def test_chinese_names_have_trigrams(postgres: Postgres) -> None:
    """Under a character type of C there would be none, and search would find nothing, silently."""
    postgres.start()
    with psycopg.connect(postgres.dsn()) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        found = connection.execute("SELECT cardinality(show_trgm('王小明'))").fetchone()

    assert found == (4,)


def test_servers_start_in_a_long_path_with_spaces(parent: Path) -> None:
    state = parent / ("a long name with spaces " * 5).strip() / "var"
    layout = lay_out(state)
    postgres, valkey = Postgres(layout, durable=False), Valkey(layout, durable=False)
    try:
        postgres.start()
        valkey.start()

        assert answer(postgres) == 1
        with redis.from_url(valkey.url) as connection:
            assert connection.ping()
    finally:
        valkey.stop()
        postgres.stop()
        remove(state)


def test_valkey_keeps_what_it_was_told_over_a_restart(layout: Layout) -> None:
    valkey = Valkey(layout)
    valkey.start()
    with redis.from_url(valkey.url) as connection:
        connection.set("doorbell", "rang")
    valkey.stop()

    valkey.start()

    with redis.from_url(valkey.url) as connection:
        assert connection.get("doorbell") == b"rang"
    valkey.stop()
