"""A durable PostgreSQL, a Valkey and processes of the product for measurements."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import alembic.command
import psycopg
from alembic.config import Config
from psycopg import sql

from scripts.benchmarks.table import Row
from scripts.local.keys import ensure_keys
from scripts.local.layout import Layout, lay_out, remove
from scripts.local.ports import HOST, private_port, wait_until_ok
from scripts.local.postgres import DATABASE, OWNER, Postgres, tail
from scripts.local.processes import spawn
from scripts.local.valkey import Valkey

CHECKOUT: Final = Path(__file__).resolve().parents[2]
PRODUCT: Final = "wsgi:application"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 5
LOG_LINES: Final = 40
EMPTY: Final = "empty"
"""The database as the migrations leave it; every measurement gets a copy."""

Process = subprocess.Popen[bytes]


@dataclass
class Lab:
    """Where the servers are, and what was measured so far."""

    layout: Layout
    postgres: Postgres
    env: dict[str, str]
    report: Callable[[Row], None]
    """Shows a figure as soon as it is known."""
    rows: list[Row] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """Return where the processes of the product write what they have to say."""
        return self.layout.logs / "processes.log"

    def add(self, row: Row) -> None:
        """Keep and show one figure."""
        self.rows.append(row)
        self.report(row)

    @contextmanager
    def database(self, name: str) -> Iterator["Bench"]:
        """Give a measurement a fresh database of its own, dropped afterwards."""
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            target = sql.Identifier(name)
            made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(target, sql.Identifier(EMPTY))
            connection.execute(made)
            try:
                yield Bench(self, name)
            finally:
                self.end(self.processes)
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(target))

    def start(self, command: list[str], env: dict[str, str]) -> Process:
        """Start a Python process; it ends with the measurement at the latest."""
        with self.log.open("ab") as output:
            process = spawn([sys.executable, *command], env=env, output=output, directory=CHECKOUT)
        self.processes.append(process)
        return process

    def end(self, processes: list[Process]) -> None:
        """Ask processes to end, wait until they have, and end what they left in their groups.

        A web server that is told to stop while it starts may leave a worker behind.
        """
        ending = list(processes)
        for process in ending:
            process.terminate()
        for process in ending:
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes = [one for one in self.processes if one not in ending]


@dataclass(frozen=True)
class Bench:
    """One measurement's database in the lab, and the processes that use it."""

    lab: Lab
    database: str

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of a process of the product on this database."""
        postgres = self.lab.postgres
        return self.lab.env | {
            "DATABASE_URL": postgres.url(database=self.database),
            "MIGRATION_DATABASE_URL": postgres.url(OWNER, self.database),
        }

    @property
    def last_words(self) -> str:
        """Return the end of what the processes of the product have said, for a message."""
        return tail(self.lab.log, LOG_LINES)

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect as the owner of the tables, each statement its own transaction."""
        return psycopg.connect(self.lab.postgres.dsn(OWNER, self.database), autocommit=True)

    def python(self, *arguments: str) -> Process:
        """Start a process of the product."""
        return self.lab.start(list(arguments), self.env)

    def run(self, *arguments: str, given: str = "") -> str:
        """Run a process of the product to its end and return what it printed."""
        with self.lab.log.open("ab") as errors:
            done = subprocess.run(
                [sys.executable, *arguments],
                env=self.env,
                cwd=CHECKOUT,
                input=given,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{arguments[:2]} failed:\n{self.last_words}")
        return done.stdout

    @contextmanager
    def web(self, target: str = PRODUCT) -> Iterator["Web"]:
        """Serve a WSGI application as `scripts/run` does: two workers of one thread each."""
        port = private_port()
        process = self.python(
            *("-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)),
            *("--workers", "2", "--blocking-threads", "1", "--no-ws", "--log-level", "warning"),
            target,
        )
        try:
            self.wait(process, port)
            yield Web(port, process)
        finally:
            self.lab.end([process])

    @contextmanager
    def sandbox(self) -> Iterator["Web"]:
        """Run the WeChat sandbox."""
        port = int(self.env["SANDBOX_PORT"])
        process = self.python("-m", "scripts.sandbox")
        try:
            self.wait(process, port)
            yield Web(port, process)
        finally:
            self.lab.end([process])

    def wait(self, process: Process, port: int) -> None:
        """Wait until a server answers; raises where it does not."""

        def check() -> None:
            if process.poll() is not None:
                raise RuntimeError(f"a server ended while starting:\n{self.last_words}")

        url = f"http://{HOST}:{port}/healthz"
        if not wait_until_ok(url, seconds=START_SECONDS, check=check):
            raise RuntimeError(f"{url} did not answer:\n{self.last_words}")


@dataclass(frozen=True)
class Web:
    """A server that answers on a port."""

    port: int
    process: Process


@contextmanager
def open_lab(report: Callable[[Row], None]) -> Iterator[Lab]:
    """Start durable servers, migrate, and remove everything at the end."""
    parent = Path(os.environ.get("BENCH_DIR") or tempfile.gettempdir())
    state = Path(tempfile.mkdtemp(prefix="tuoke-bench-", dir=parent))
    state.chmod(0o711)
    layout = lay_out(state)
    postgres, valkey = Postgres(layout, durable=True), Valkey(layout, durable=False)
    lab = Lab(layout, postgres, _environment(layout, valkey), report)
    try:
        postgres.start()
        postgres.create_database(DATABASE)
        valkey.start()
        _migrate(postgres)
        yield lab
    finally:
        lab.end(lab.processes)
        valkey.stop()
        postgres.stop()
        remove(state)
        shutil.rmtree(state, ignore_errors=True)


def _migrate(postgres: Postgres) -> None:
    """Make the tables, then put the database aside as the template of all others."""
    config = Config(CHECKOUT / "alembic.ini")
    config.attributes.update({"url": postgres.url(OWNER), "command": "upgrade"})
    alembic.command.upgrade(config, "head")
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(DATABASE), sql.Identifier(EMPTY)
            )
        )


def _environment(layout: Layout, valkey: Valkey) -> dict[str, str]:
    sandbox = f"http://{HOST}:{private_port()}"
    return dict(os.environ) | {
        **ensure_keys(layout.state / "keys"),
        "REDIS_URL": valkey.url,
        "STATE_DIR": str(layout.state),
        "WECHAT_API_BASE_URL": sandbox,
        "WECHAT_PAY_BASE_URL": sandbox,
        "SANDBOX_PORT": sandbox.rpartition(":")[2],
        "SANDBOX_STATE_DIR": str(layout.state / "sandbox"),
        "RATE_LIMIT_PER_MINUTE": "100000000",
        "LOG_FORMAT": "json",
        "FLASK_APP": "wsgi",
    }


def pgbench(lab: Lab, *arguments: str) -> str:
    """Run PostgreSQL's own benchmark on the lab's server and return what it prints."""
    command = [
        str(lab.layout.binaries.program("pgbench")),
        *("-h", str(lab.layout.sockets), "-p", "5432", "-U", OWNER),
        *arguments,
        "pgbench",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout + done.stderr
