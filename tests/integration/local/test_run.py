"""`scripts/run` on its servers: starting, stopping, and starting again after anything."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.local.layout import remove
from scripts.local.ports import HOST, private_port, wait_until_ok
from scripts.local.processes import owned_by, servers_in
from tests.servers import CHECKOUT

PATIENCE_SECONDS = 60
OURS = ("DATABASE_URL", "REDIS_URL", "MIGRATION_DATABASE_URL", "STATE_DIR", "PORT", "SANDBOX_PORT")
ROLES = {"scripts.sandbox": 1, "granian": 3, "worker": 2, "scheduler": 1, "relay": 1}


class Copy:
    """One copy of the product: a state directory and ports of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        clean = {name: value for name, value in os.environ.items() if name not in OURS}
        self.port, sandbox_port = private_port(), private_port()
        self.env = clean | {"STATE_DIR": str(state), "SANDBOX_PORT": str(sandbox_port)}
        self.env["PORT"] = str(self.port)
        self.process: subprocess.Popen[str] | None = None
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, whole: bool = False, **env: str) -> list[str]:
        """Start and return what was said until all was ready, or until the end."""
        if not (arguments or whole):
            arguments = ("--services-only",)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scripts.local.run", *arguments],
            cwd=CHECKOUT,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(self.process)
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith(("Ready.", "  Ctrl-C stops everything.")):
                break
        return said

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, wait, and return its status."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        sockets = (self.state / "run").resolve()
        return psycopg.connect(f"host={sockets} port=5432 user=postgres dbname=tuoke")

    def servers(self) -> list[int]:
        found = servers_in(self.state / "pgdata", "postgres")
        found += servers_in(self.state / "valkey", "valkey-server")
        return [process.pid for process in found]


@pytest.fixture
def copy() -> Iterator[Copy]:
    directory = Path(tempfile.mkdtemp(prefix="tuoke-run-", dir="/tmp")).resolve()
    directory.chmod(0o711)
    running = Copy(directory / "var")
    yield running
    for process in running.started:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)
    remove(running.state)
    shutil.rmtree(directory)


def test_it_starts_migrated_servers_says_where_they_are_and_stops_them(copy: Copy) -> None:
    said = copy.start()

    assert said[-1] == "Ready. Ctrl-C stops the servers."
    exports = [line for line in said if line.startswith("export ")]
    assert any(line.startswith("export DATABASE_URL='postgresql+psycopg://") for line in exports)
    written = (copy.state / "env.sh").read_text().splitlines()
    assert written == [*exports, f"STATE_DIR={copy.state}; export STATE_DIR"]
    with copy.connect() as connection:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        settings = connection.execute(
            "SELECT current_setting('synchronous_commit'), current_setting('max_connections'),"
            " current_setting('timezone'), current_setting('listen_addresses')"
        ).fetchone()
        locale = connection.execute(
            "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'tuoke'"
        ).fetchone()
    assert version is not None
    assert settings == ("on", "200", "UTC", "")
    assert locale == ("b", "C.UTF-8")

    assert copy.end(signal.SIGINT) == 0
    assert copy.servers() == []


def test_after_kill_9_the_next_start_finds_the_data_and_no_stranger(copy: Copy) -> None:
    copy.start()
    keys = (copy.state / "keys" / "DATA_KEY").read_text()
    with copy.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    before = copy.servers()

    copy.end(signal.SIGKILL)
    said = copy.start()

    assert said[-1] == "Ready. Ctrl-C stops the servers."
    with copy.connect() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert not set(copy.servers()) & set(before)
    assert (copy.state / "keys" / "DATA_KEY").read_text() == keys


def test_a_killed_server_comes_back_by_itself(copy: Copy) -> None:
    copy.start()
    (valkey,) = servers_in(copy.state / "valkey", "valkey-server")

    valkey.kill()

    assert copy.process is not None
    assert copy.process.stdout is not None
    said = copy.process.stdout.readline().rstrip()
    assert said == "valkey ended with status -9; starting it again in 0.5 s"
    while not servers_in(copy.state / "valkey", "valkey-server"):
        assert copy.process.poll() is None
    assert copy.end() == 0


def test_a_second_start_of_the_same_copy_is_refused_by_the_firsts_name(copy: Copy) -> None:
    copy.start()
    assert copy.process is not None
    first = copy.process

    said = copy.start()

    assert copy.process.wait(PATIENCE_SECONDS) == 1
    assert f"already running as process {first.pid}" in "\n".join(said)
    copy.process = first


def test_a_taken_port_is_refused_before_anything_starts(copy: Copy) -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = str(holder.getsockname()[1])
        said = "\n".join(copy.start(SANDBOX_PORT=port))

    assert copy.process is not None
    assert copy.process.wait(PATIENCE_SECONDS) == 1
    assert f"Port {port} (SANDBOX_PORT) is taken by " in said
    assert "Choose another: SANDBOX_PORT=" in said
    assert not (copy.state / "pgdata").exists()


def test_reset_removes_everything_and_only_what_it_made(copy: Copy) -> None:
    copy.start()
    copy.end()

    copy.start("--reset", "--yes")

    assert copy.process is not None
    assert copy.process.wait(PATIENCE_SECONDS) == 0
    assert not copy.state.exists()
    copy.state.mkdir()
    (copy.state / "thesis.txt").write_text("not ours")
    said = "\n".join(copy.start("--reset", "--yes"))
    assert "was not made by scripts/run, so it is not removed" in said
    assert (copy.state / "thesis.txt").exists()


def get(port: int, path: str) -> int:
    """Return the status of a page of the running copy."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def roles(copy: Copy) -> dict[str, list[int]]:
    """Every process of the running copy by what it does."""
    found: dict[str, list[int]] = {}
    for process in owned_by(copy.state):
        words = process.cmdline()
        role = next((name for name in ROLES if name in words), None)
        if role:
            found.setdefault(role, []).append(process.pid)
    return found


def test_everything_runs_is_announced_comes_back_and_ends(copy: Copy) -> None:
    said = "\n".join(copy.start(whole=True, DEMO="false"))
    assert f"http://{HOST}:{copy.port}/docs" in said
    assert f"http://{HOST}:{copy.port}/admin/" in said
    assert [get(copy.port, path) for path in ("/readyz", "/openapi.json", "/docs")] == [200] * 3
    running = roles(copy)
    assert {role: len(pids) for role, pids in running.items()} == ROLES

    web = min(running["granian"])
    os.kill(web, signal.SIGKILL)
    assert wait_until_ok(
        f"http://{HOST}:{copy.port}/readyz",
        seconds=PATIENCE_SECONDS,
        check=lambda: None,
    )

    assert copy.end(signal.SIGINT) == 0
    assert roles(copy) == {}
    assert copy.servers() == []
