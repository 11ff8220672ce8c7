"""A durable PostgreSQL, a Valkey and a WeChat sandbox for measurements, and figures to print."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import alembic.command
import psycopg
from alembic.config import Config

from scripts.local.keys import ensure_keys
from scripts.local.layout import Layout, lay_out, remove
from scripts.local.ports import HOST, private_port, wait_until_ok
from scripts.local.postgres import OWNER, Postgres
from scripts.local.processes import spawn
from scripts.local.valkey import Valkey

CHECKOUT: Final = Path(__file__).resolve().parents[2]
START_SECONDS: Final = 60


@dataclass
class Row:
    """One line of the table: what was measured, and the baseline and aim beside it."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    aim: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """Return the value as a multiple of its baseline."""
        return self.value / self.baseline if self.baseline else None


@dataclass
class Lab:
    """Where the servers are, and what was measured so far."""

    layout: Layout
    postgres: Postgres
    env: dict[str, str]
    rows: list[Row] = field(default_factory=list)

    def connect(self, role: str = OWNER) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect to the product's database, each statement its own transaction."""
        return psycopg.connect(self.postgres.dsn(role, "tuoke"), autocommit=True)

    def add(self, row: Row) -> None:
        """Keep and print one figure."""
        self.rows.append(row)
        print(render(row), flush=True)

    def python(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a process of the product; its output goes to the logs of the lab."""
        with (self.layout.logs / "processes.log").open("ab") as output:
            return spawn(
                [sys.executable, *arguments],
                env={**self.env, **(env or {})},
                output=output,
                directory=CHECKOUT,
            )

    @contextmanager
    def web(self, target: str, *, workers: int = 2) -> Iterator[str]:
        """Serve a WSGI application as `scripts/run` does and give its base URL."""
        port = private_port()
        process = self.python(
            *("-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)),
            *("--workers", str(workers), "--blocking-threads", "1", "--no-ws"),
            *("--log-level", "error", target),
        )
        base = f"http://{HOST}:{port}"
        try:
            if not wait_until_ok(f"{base}/healthz", seconds=START_SECONDS):
                raise RuntimeError(f"{target} did not answer; see {self.layout.logs}")
            yield base
        finally:
            process.terminate()
            process.wait()


@contextmanager
def open_lab() -> Iterator[Lab]:
    """Start durable servers, migrate, and remove everything at the end."""
    parent = Path(os.environ.get("BENCH_DIR", tempfile.gettempdir()))
    state = Path(tempfile.mkdtemp(prefix="tuoke-bench-", dir=parent))
    state.chmod(0o711)
    layout = lay_out(state)
    postgres, valkey = Postgres(layout, durable=True), Valkey(layout, durable=False)
    try:
        postgres.start()
        postgres.create_database()
        valkey.start()
        config = Config(CHECKOUT / "alembic.ini")
        config.attributes.update({"url": postgres.url(OWNER), "command": "upgrade"})
        alembic.command.upgrade(config, "head")
        yield Lab(layout, postgres, _environment(layout, postgres, valkey))
    finally:
        valkey.stop()
        postgres.stop()
        remove(state)
        shutil.rmtree(state, ignore_errors=True)


def _environment(layout: Layout, postgres: Postgres, valkey: Valkey) -> dict[str, str]:
    sandbox = f"http://{HOST}:{private_port()}"
    return dict(os.environ) | {
        **ensure_keys(layout.state / "keys"),
        "DATABASE_URL": postgres.url(),
        "MIGRATION_DATABASE_URL": postgres.url(OWNER),
        "REDIS_URL": valkey.url,
        "STATE_DIR": str(layout.state),
        "WECHAT_API_BASE_URL": sandbox,
        "WECHAT_PAY_BASE_URL": sandbox,
        "SANDBOX_PORT": sandbox.rpartition(":")[2],
        "SANDBOX_STATE_DIR": str(layout.state / "sandbox"),
        "RATE_LIMIT_PER_MINUTE": "100000000",
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


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the given percentile of some durations, in milliseconds."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def timed(act: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def peak_memory_mb() -> float:
    """Return the largest resident size that this process has had, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "linux" else peak / 1024**2


def render(row: Row) -> str:
    """Write one figure as a line of the table."""
    baseline = "" if row.baseline is None else f"{row.baseline:>12,.1f}"
    ratio = "" if row.ratio is None else f"{row.ratio:>8.2f}"
    verdict = {True: "ok", False: "MISSED", None: ""}[row.met]
    figures = f"{row.value:>12,.1f} {row.unit:<8} {baseline:>12} {ratio:>8}"
    return f"{row.name:<58} {figures}  {row.aim:<16} {verdict}"
