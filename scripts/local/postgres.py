"""PostgreSQL as a foreground child: made once, started in a moment, found again after a crash."""

import locale
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from scripts.local.layout import Layout
from scripts.local.problems import Problem
from scripts.local.processes import end, open_log, servers_in, spawn

DATABASE: Final = "tuoke"
OWNER: Final = "postgres"
APP_ROLE: Final = "tuoke_app"
"""Owns nothing: what the product may do to its tables is granted by the migrations."""

START_SECONDS: Final = 60
STOP_SECONDS: Final = 30

PORT: Final = "5432"
"""Part of the socket's name; said everywhere, so that a PGPORT in the environment says nothing."""

SETTINGS: Final = {
    "port": PORT,
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}
FORGETFUL: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
"""For tests: nothing survives a crash of the machine, and nothing runs beside the test."""

UTF8_LOCALES: Final = ("C.UTF-8", "en_US.UTF-8", "UTF-8")


class Postgres:
    """One server on one data directory, reached through a socket only."""

    name = "postgres"

    def __init__(self, layout: Layout, *, durable: bool = True) -> None:
        self.layout = layout
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.layout.logs / "postgres.log"

    def url(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """Return the SQLAlchemy URL; the sockets' path is plain enough to need no quoting."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.layout.sockets}&port={PORT}"

    def dsn(self, role: str = OWNER, database: str = "postgres") -> str:
        """Return the same for libpq, psql and psycopg."""
        return f"host={self.layout.sockets} port={PORT} user={role} dbname={database}"

    def start(self, check: Callable[[], None] = lambda: None) -> None:
        """Start the server and wait until it answers; `check` may raise to give up."""
        self._initialise()
        self.clear_leftovers()
        self.respawn()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            check()
            if self.process is None or self.process.poll() is not None:
                raise Problem(f"PostgreSQL ended while starting:\n{tail(self.log)}")
            if time.monotonic() > deadline:
                self.stop()
                raise Problem(f"PostgreSQL did not answer within {START_SECONDS} s; see {self.log}")
            time.sleep(0.02)

    def respawn(self) -> subprocess.Popen[bytes]:
        """Start the server process without waiting; SIGINT is its orderly, fast shutdown."""
        settings = SETTINGS | ({} if self.durable else FORGETFUL)
        settings["unix_socket_directories"] = str(self.layout.sockets)
        command = [self.layout.binaries.program("postgres"), "-D", str(self.layout.pgdata)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open_log(self.log) as output:
            self.process = spawn(
                command,
                env=_environment(),
                output=output,
                account=self.layout.account,
                death_signal=signal.SIGINT,
            )
        return self.process

    def create_database(self, name: str = DATABASE) -> None:
        """Make the database and the product's role where they are missing."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            roles = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE])
            if not roles.fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP_ROLE)))
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if not found.fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Shut down: open transactions roll back, everything committed is on disk."""
        if self.process is None or self.process.poll() is not None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    def clear_leftovers(self) -> None:
        """End a server that outlived its owner and forget its pid file.

        Only the owner of the lock comes here. PostgreSQL itself would refuse to start where the
        pid in the file has meanwhile become somebody else's.
        """
        data = self.layout.pgdata
        end(servers_in(data, "postgres"), by=signal.SIGINT, seconds=STOP_SECONDS)
        (data / "postmaster.pid").unlink(missing_ok=True)
        for socket in self.layout.sockets.glob(".s.PGSQL.*"):
            socket.unlink(missing_ok=True)

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there, so that half a one never counts."""
        data, account = self.layout.pgdata, self.layout.account
        if (data / "PG_VERSION").exists():
            return
        half = data.with_name("pgdata.part")
        for directory in (data, half):
            shutil.rmtree(directory, ignore_errors=True)
        half.mkdir(mode=0o700)
        if account:
            os.chown(half, account.uid, account.gid)
        command = [self.layout.binaries.program("initdb"), "-D", str(half), "-U", OWNER]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--auth-local=trust", "--auth-host=reject", "--no-instructions"]
        command += [] if self.durable else ["--no-sync"]
        with self.log.open("ab") as output:
            made = spawn(command, env=_environment(), output=output, account=account)
        if made.wait():
            raise Problem(f"PostgreSQL's data directory could not be made:\n{tail(self.log)}")
        half.rename(data)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def tail(log: Path, lines: int = 12) -> str:
    """Return the end of a log for a message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _environment() -> dict[str, str]:
    """Return a server's environment without what would bend it: PG* variables and the locale.

    The character type must be a UTF-8 one, or trigrams of Chinese text come out empty.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return env | {"LANG": "C", "LC_CTYPE": _utf8_locale(), "LC_MESSAGES": "C"}


def _utf8_locale() -> str:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in UTF8_LOCALES:
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
