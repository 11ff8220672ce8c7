"""Servers of one test session: PostgreSQL, Valkey, the WeChat sandbox and our own processes.

Every pytest session, and so every xdist worker, has its own in a temporary directory. They are the
same servers that `scripts/run` starts, minus durability; the tables come from the migrations.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import alembic.command
import psycopg
from alembic.config import Config
from psycopg import sql

from scripts.local.keys import ensure_keys
from scripts.local.layout import Layout, lay_out, remove, take_lock
from scripts.local.ports import HOST, private_port, wait_until_ok
from scripts.local.postgres import OWNER, Postgres, tail
from scripts.local.problems import Problem
from scripts.local.processes import spawn
from scripts.local.valkey import Valkey

CHECKOUT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 180
PREFIX: Final = "tuoke-test-"
KILLED_SECONDS: Final = 3600
SEED_SCHEMA: Final = "kept_by_tests"


@dataclass(frozen=True)
class Services:
    """Where the session's servers are."""

    database_url: str
    """As the product's role, which may not change what is append-only."""
    owner_database_url: str
    """As the superuser, who owns the tables."""
    redis_url: str
    env: dict[str, str]
    """The complete environment of a process of the product."""
    layout: Layout
    postgres: Postgres

    def create_database(self, name: str) -> str:
        """Make another, empty database; returns its URL as the owner."""
        self.postgres.create_database(name)
        return self.postgres.url(OWNER, name)

    def drop_database(self, name: str) -> None:
        """Remove a database made by `create_database`."""
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def running_services() -> Iterator[Services]:
    """Start PostgreSQL and Valkey, migrate, and stop and forget them at the end."""
    _forget_killed_sessions()
    state = Path(tempfile.mkdtemp(prefix=PREFIX))
    state.chmod(0o711)
    layout = lay_out(state)
    lock = take_lock(state)
    postgres, valkey = Postgres(layout, durable=False), Valkey(layout, durable=False)
    try:
        postgres.start()
        postgres.create_database()
        valkey.start()
        migrate(postgres.url(OWNER))
        _keep_reference_rows(postgres)
        yield Services(
            database_url=postgres.url(),
            owner_database_url=postgres.url(OWNER),
            redis_url=valkey.url,
            env=_environment(layout, postgres, valkey),
            layout=layout,
            postgres=postgres,
        )
    finally:
        valkey.stop()
        postgres.stop()
        lock.close()
        remove(state)


def _forget_killed_sessions() -> None:
    """Remove what killed sessions left: no longer locked, and not just made.

    Another session may be at the same work; what it removes first is not ours to complain about.
    """
    for state in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, Problem):
            found = state.stat()
            is_old = time.time() - found.st_mtime > KILLED_SECONDS
            if is_old and found.st_uid == os.geteuid():
                take_lock(state).close()
                remove(state)


def alembic_config(url: str, command: str = "upgrade") -> Config:
    """Return Alembic's configuration for a database; `command` tells env.py what runs."""
    config = Config(CHECKOUT / "alembic.ini")
    config.attributes.update({"url": url, "command": command})
    return config


def migrate(url: str, target: str = "head") -> None:
    """Bring a database up to a revision with the real migrations."""
    alembic.command.upgrade(alembic_config(url), target)


def wipe(services: Services) -> None:
    """Empty every table in one round trip, as superuser past the triggers of append-only tables."""
    dsn = services.postgres.dsn(OWNER, "tuoke")
    with psycopg.connect(dsn, autocommit=True) as connection:
        tables = _tables(connection, "public")
        kept = _tables(connection, SEED_SCHEMA)
        statements = ["SET lock_timeout = '20s'", "SET session_replication_role = replica", "BEGIN"]
        statements += [f'DELETE FROM "{name}"' for name in tables]  # noqa: S608 - our own names
        statements += [
            f'INSERT INTO "{name}" OVERRIDING SYSTEM VALUE TABLE {SEED_SCHEMA}."{name}"'
            for name in kept
        ]
        statements.append("COMMIT")
        connection.execute("; ".join(statements).encode())


def _tables(connection: "psycopg.Connection[tuple[str, ...]]", schema: str) -> list[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'alembic_version'"
        " ORDER BY tablename",
        [schema],
    )
    return [row[0] for row in rows]


def _keep_reference_rows(postgres: Postgres) -> None:
    """Copy what the migrations themselves wrote, so that wiping can put it back."""
    with psycopg.connect(postgres.dsn(OWNER, "tuoke"), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {SEED_SCHEMA}".encode())
        for name in _tables(connection, "public"):
            if connection.execute(f'TABLE "{name}" LIMIT 1'.encode()).fetchone():
                copy = f'CREATE TABLE {SEED_SCHEMA}."{name}" AS TABLE public."{name}"'
                connection.execute(copy.encode())


def _environment(layout: Layout, postgres: Postgres, valkey: Valkey) -> dict[str, str]:
    """Return the settings of a test installation over this machine's environment."""
    sandbox = f"http://{HOST}:{private_port()}"
    return dict(os.environ) | {
        **ensure_keys(layout.state / "keys"),
        "DATABASE_URL": postgres.url(),
        "MIGRATION_DATABASE_URL": postgres.url(OWNER),
        "REDIS_URL": valkey.url,
        "STATE_DIR": str(layout.state),
        "PUBLIC_BASE_URL": f"http://{HOST}:{private_port()}",
        "WECHAT_API_BASE_URL": sandbox,
        "WECHAT_PAY_BASE_URL": sandbox,
        "RATE_LIMIT_PER_MINUTE": "1000000",
        "SIGN_IN_LIMIT_PER_MINUTE": "1000000",
        "SANDBOX_PORT": sandbox.rpartition(":")[2],
        "SANDBOX_STATE_DIR": str(layout.state / "sandbox"),
        "SANDBOX_NOTIFY": "manual",
        "FLASK_APP": "wsgi",
        "PYTHONUNBUFFERED": "1",
    }


class Process:
    """One process of the product or the sandbox, run from the checkout; its log is a file."""

    def __init__(self, services: Services, name: str, command: list[str]) -> None:
        self.log = services.layout.logs / f"{name}.log"
        self.name, self.command, self.env = name, command, services.env
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self, env: Mapping[str, str] | None = None) -> None:
        """Start it, with `env` over the session's environment."""
        with self.log.open("ab") as output:
            self.popen = spawn(
                [sys.executable, *self.command],
                env={**self.env, **(env or {})},
                output=output,
                directory=CHECKOUT,
            )

    def wait_for(self, url: str) -> None:
        """Wait until the URL answers; fails with the end of the log where it does not."""
        if not wait_until_ok(url, seconds=START_SECONDS, check=self._check):
            raise AssertionError(f"{self.name} did not answer at {url}:\n{tail(self.log, 40)}")

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60) -> int | None:
        """End it by a signal and wait; returns its exit status, None where it was not running."""
        if self.popen is None:
            return None
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()

    def _check(self) -> None:
        if self.popen is None or self.popen.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{tail(self.log, 40)}")


def web_command(port: int | str) -> list[str]:
    """Return how the web server is started, as scripts/run does with fewer workers."""
    server = ["-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
    return [*server, "--workers", "1", "--blocking-threads", "2", "--no-ws", "wsgi:application"]
