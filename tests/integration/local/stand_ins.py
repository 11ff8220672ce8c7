"""A supervisor with stand-ins for web, worker and server; run as a process of its own.

`python -m tests.integration.local.stand_ins DIRECTORY` writes who started and ended, in order, to
`DIRECTORY/events`. A worker told to stop works on until `DIRECTORY/job-done` exists.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from scripts.local.processes import OWNER_VARIABLE, spawn
from scripts.local.supervisor import Child, Console, Supervisor

STAGES = {"web": 0, "worker": 1, "server": 2}


def note(directory: Path, event: str) -> None:
    """Append one event; appends of this size are whole."""
    with (directory / "events").open("a") as file:
        file.write(f"{event} {os.getpid()}\n")


def be(name: str, directory: Path) -> None:
    """Play one process until told to stop."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    note(directory, f"{name} started")
    sys.stdout.write(f"{name} says hello\n")
    sys.stdout.flush()
    while not asked or (name == "worker" and not (directory / "job-done").exists()):
        time.sleep(0.01)
    note(directory, f"{name} ended")


def supervise(directory: Path) -> None:
    """Supervise one of each until told to stop."""
    supervisor = Supervisor(Console(width=6))
    environment = os.environ | {OWNER_VARIABLE: str(directory)}
    for name, stage in STAGES.items():
        command = [sys.executable, "-m", "tests.integration.local.stand_ins", str(directory), name]

        def start(command: list[str] = command) -> "subprocess.Popen[bytes]":
            return spawn(command, env=environment, output=subprocess.PIPE)

        supervisor.add(Child(name, start, stage, grace_seconds=30, hurries=name != "server"))
    supervisor.run()
    supervisor.stop()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        be(sys.argv[2], Path(sys.argv[1]))
    else:
        supervise(Path(sys.argv[1]))
