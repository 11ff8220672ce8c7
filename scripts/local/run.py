"""`scripts/run`: the whole product on one machine, under one supervisor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final

from scripts.local import environment
from scripts.local.arguments import run_parser
from scripts.local.layout import Layout, lay_out, remove, take_lock
from scripts.local.ports import HOST, chosen_port, require_free, wait_until_ok
from scripts.local.postgres import OWNER, Postgres
from scripts.local.problems import Problem, Stopped
from scripts.local.processes import end, owned_by, spawn
from scripts.local.supervisor import Child, Console, Supervisor
from scripts.local.valkey import Valkey

CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent
READY_SECONDS: Final = 180
FAILURES_MAX: Final = 4
LEFTOVER_SECONDS: Final = 10
JOB_SECONDS: Final = 60
"""How long a worker may take to finish its job when everything stops."""

WEB, JOBS, SANDBOX, VALKEY, POSTGRES = range(5)
"""Stages of stopping: whoever takes new work first, what others stand on last."""


class Run:
    """One start of everything, from empty directories to the last stop."""

    def __init__(self, layout: Layout, supervisor: Supervisor, *, services_only: bool) -> None:
        self.layout = layout
        self.supervisor = supervisor
        self.console = supervisor.console
        self.services_only = services_only
        self.port = chosen_port("PORT", 8000)
        self.has_sandbox = environment.needs_sandbox()
        self.sandbox_port = chosen_port("SANDBOX_PORT", 8001) if self.has_sandbox else None
        theirs = environment.user_environment()
        self.workers = environment.count(theirs, "WORKER_COUNT", 2)
        self.web_workers = environment.count(theirs, "WEB_WORKERS", 2)
        self.env: dict[str, str] = {}
        self.logins: list[str] = []

    def start(self) -> None:
        """Start everything and wait until it is ready; raises `Problem` or `Stopped`."""
        begun = time.monotonic()
        for name in ("DATABASE_URL", "REDIS_URL"):
            if environment.given(name):
                self.console.say(f"Using the server that {name} names")
        require_free(self._ports())
        secrets = environment.secrets_for(self.layout, sandbox=self.has_sandbox)
        self.env = environment.build(
            self.layout,
            secrets | self._start_servers(),
            port=self.port,
            sandbox_port=self.sandbox_port,
        )
        exports = environment.write_exports(self.env, self.layout.state / "env.sh")
        if self.has_sandbox:
            self._add("sandbox", ["-m", "scripts.sandbox"], SANDBOX)
        self.console.say("Applying migrations")
        self._step("migrations", ["-m", "alembic", "upgrade", "head"])
        if self.has_sandbox:
            self._wait("The WeChat sandbox", f"http://{HOST}:{self.sandbox_port}/healthz")
        if self.services_only:
            self.console.say("\n".join(["", *exports, "", "Ready. Ctrl-C stops the servers."]))
            return
        self._start_product()
        self._announce(time.monotonic() - begun)

    def _ports(self) -> dict[str, int]:
        wanted = {} if self.services_only else {"PORT": self.port}
        if self.sandbox_port is not None:
            wanted["SANDBOX_PORT"] = self.sandbox_port
        return wanted

    def _start_servers(self) -> dict[str, str]:
        """Start the servers that the user did not bring, and return their addresses."""
        addresses = {}
        if not environment.given("DATABASE_URL"):
            if self.layout.account:
                name = self.layout.account.name
                self.console.say(
                    f"PostgreSQL runs as {name}, its data in {self.layout.pgdata} (it refuses root)"
                )
            postgres = Postgres(self.layout)
            self.console.say("Starting PostgreSQL")
            self._supervise(postgres, POSTGRES, signal.SIGINT)
            postgres.create_database()
            addresses["DATABASE_URL"] = postgres.url()
            addresses["MIGRATION_DATABASE_URL"] = postgres.url(OWNER)
        if not environment.given("REDIS_URL"):
            valkey = Valkey(self.layout)
            self.console.say("Starting Valkey")
            self._supervise(valkey, VALKEY, signal.SIGTERM)
            addresses["REDIS_URL"] = valkey.url
        return addresses

    def _supervise(
        self, server: Postgres | Valkey, stage: int, stop_signal: signal.Signals
    ) -> None:
        def start_again() -> "subprocess.Popen[bytes]":
            server.clear_leftovers()
            return server.respawn()

        server.start(self.supervisor.check)
        self.supervisor.add(
            Child(
                server.name,
                start_again,
                stage,
                grace_seconds=60,
                stop_signal=stop_signal,
                hurries=False,
                process=server.process,
                started_at=time.monotonic(),
            )
        )

    def _start_product(self) -> None:
        """Start web, workers, scheduler and relay on a demo brand.

        The first time the brand is made before anybody works on it. Later there is nothing to make,
        and the logins are asked for while the web server loads. The others follow it: a page is
        wanted first, and all of them loading at once would only keep each other waiting.
        """
        wants_demo = self.env["DEMO"].lower() in {"1", "true", "yes"}
        seeded = self.layout.state / "seeded"
        is_first = not seeded.exists()
        if wants_demo and is_first:
            self.console.say("Making the demo brand (the first time takes a while)")
            self._seed()
            seeded.touch()
        self.console.say("Starting web, workers, scheduler and relay")
        self._add("web", self._web_command(), WEB, grace_seconds=20)
        if wants_demo and not is_first:
            self._seed()
        self._wait("The web server", f"http://{HOST}:{self.port}/readyz")
        for number in range(1, self.workers + 1):
            self._add(f"worker-{number}", ["-m", "flask", "worker"], JOBS, JOB_SECONDS)
        self._add("scheduler", ["-m", "flask", "scheduler"], WEB)
        self._add("relay", ["-m", "flask", "relay"], WEB)

    def _seed(self) -> None:
        """Load the demo; what the command prints besides logs are the logins to announce."""
        command = ["-m", "flask", "seed", "--scenario", "demo"]
        for line in self._step("seed", command, LOG_FORMAT="json"):
            if line.startswith("{"):
                self.console.line("seed", line)
            else:
                self.logins.append(line)

    def _web_command(self) -> list[str]:
        """Return the web server: processes, one thread each; ORM reads are slower with threads."""
        server = ["-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(self.port)]
        server += ["--workers", str(self.web_workers), "--blocking-threads", "1"]
        server += ["--no-ws", "--log-level", "warning", "--respawn-failed-workers"]
        return [*server, "--workers-kill-timeout", "10", "wsgi:application"]

    def _add(self, name: str, command: list[str], stage: int, grace_seconds: float = 10) -> None:
        choose = environment.for_sandbox if stage == SANDBOX else environment.for_product
        env = choose(self.env, self.layout.state)

        def start() -> "subprocess.Popen[bytes]":
            return spawn(
                [sys.executable, *command], env=env, output=subprocess.PIPE, directory=CHECKOUT
            )

        self.supervisor.add(Child(name, start, stage, grace_seconds))

    def _step(self, name: str, command: list[str], **changes: str) -> list[str]:
        env = environment.for_product(self.env, self.layout.state) | changes
        return self.supervisor.step(name, [sys.executable, *command], env=env, directory=CHECKOUT)

    def _wait(self, what: str, url: str) -> None:
        if not wait_until_ok(url, seconds=READY_SECONDS, check=self._check):
            raise Problem(f"{what} was not ready at {url} within {READY_SECONDS} s; see above.")

    def _check(self) -> None:
        """Give up where a process cannot even start; its last words are on the screen."""
        self.supervisor.check()
        for child in self.supervisor.children:
            if child.failures >= FAILURES_MAX:
                raise Problem(f"{child.name} keeps ending; see its messages above.")

    def _announce(self, seconds: float) -> None:
        """Say where everything is and how to get in."""
        base, rule = self.env["PUBLIC_BASE_URL"], "─" * 78
        lines = [
            rule,
            f"Tuoke is running (ready after {seconds:.1f} s).",
            "",
            f"  API, with a page to try it   {base}/docs",
            f"  OpenAPI 3.1                  {base}/openapi.json",
            f"  Admin panel                  {base}/admin/",
        ]
        if self.has_sandbox:
            lines.append(
                f"  WeChat sandbox               http://{HOST}:{self.sandbox_port}/sandbox/"
            )
        lines += ["", *(f"  {line}" if line else "" for line in self.logins)] if self.logins else []
        shown = os.path.relpath(self.layout.state / "env.sh")
        lines += [
            "",
            f"  Commands for this copy, in another terminal:  . {shown} && flask --help",
            f"  Data, keys and logs:  {self.layout.state}",
            "  Ctrl-C stops everything.",
            rule,
        ]
        self.console.say("\n".join(lines))


def own(state: Path) -> tuple[Layout, list[IO[str]]]:
    """Lay out the state directory and become its owner; ends what an earlier owner left behind."""
    layout = lay_out(state)
    locks = [take_lock(directory) for directory in {layout.state, layout.home}]
    left = end(owned_by(layout.state), seconds=LEFTOVER_SECONDS)
    if left:
        print(f"Ended {left} processes that an earlier start had left behind", flush=True)
    return layout, locks


def reset(state: Path, *, confirmed: bool) -> None:
    """Remove the state directory: data, keys, logs."""
    if not state.exists():
        print(f"There is nothing at {state}.")
        return
    if not (state / "owner.lock").exists():
        raise Problem(f"{state} was not made by scripts/run, so it is not removed.")
    if not confirmed:
        if not sys.stdin.isatty():
            raise Problem("Add --yes to confirm where nobody can be asked.")
        answer = input(f"Remove {state} with its database and keys? [y/N] ")
        if answer.strip().lower() not in {"y", "yes"}:
            print("Nothing was removed.")
            return
    layout, locks = own(state)
    Postgres(layout).clear_leftovers()
    Valkey(layout).clear_leftovers()
    remove(state)
    for lock in locks:
        lock.close()
    print(f"Removed {state}.")


def serve(state: Path, *, services_only: bool) -> int:
    """Start, stay, stop; returns the exit status."""
    supervisor = Supervisor(Console())
    layout, locks = own(state)
    environment.forget_exports(layout.state / "env.sh")
    try:
        run = Run(layout, supervisor, services_only=services_only)
        run.start()
        supervisor.run()
    except Stopped:
        pass
    finally:
        supervisor.stop()
        for lock in locks:
            lock.close()
        supervisor.console.say("Stopped.")
    return 0


def main() -> int:
    """Do what the arguments say; a problem is one message and status 1."""
    arguments = run_parser().parse_args()
    state = Path(os.environ.get("STATE_DIR") or CHECKOUT / "var")
    try:
        if arguments.reset:
            reset(state, confirmed=arguments.yes)
            return 0
        return serve(state, services_only=arguments.services_only)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
