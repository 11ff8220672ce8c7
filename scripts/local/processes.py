"""Start children that do not outlive their owner, and find those that did."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil

from scripts.local.problems import Problem

TRAMPOLINE: Final = Path(__file__).with_name("trampoline.py")

OWNER_VARIABLE: Final = "TUOKE_OWNED_BY"
"""Set in the environment of every child to its state directory; by it a next start knows them."""

LOG_BYTES_MAX: Final = 20_000_000

UNPRIVILEGED: Final = ("postgres", "nobody")
"""Accounts to run PostgreSQL as where we are root; it refuses to run as root itself."""


@dataclass(frozen=True)
class Account:
    """A user of this machine, with whose rights a server runs."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Return whom to run PostgreSQL as where we are root; None where we are not."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise Problem(
        "PostgreSQL does not run as root, and this machine has no account 'postgres' or 'nobody'.\n"
        "Run the command as an ordinary user."
    )


def spawn(
    command: list[str],
    *,
    env: Mapping[str, str] | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    directory: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a command in a process group of its own, so that Ctrl-C reaches only its owner.

    `death_signal` is what the kernel sends it when this process is gone, kill -9 included (Linux).
    """
    program = shutil.which(command[0]) or command[0]
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    shim = [sys.executable, "-I", "-S", str(TRAMPOLINE)]
    order = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid), "--"]
    return subprocess.Popen(
        [*shim, *order, program, *command[1:]],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=directory,
        process_group=0,
    )


def open_log(path: Path) -> IO[bytes]:
    """Open a server's log to add to it; a large one is put aside first, and the one before lost."""
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def can(account: Account | None, command: list[str]) -> bool:
    """Tell whether a command ends well with that account's rights."""
    child = spawn(command, account=account)
    return child.wait() == 0


def servers_in(directory: Path, program: str) -> list[psutil.Process]:
    """Return the running servers of that program whose working directory is `directory`.

    Both servers change into their data directory, so this finds one whatever became of its
    pid file, and never takes a stranger for it.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith(program) and Path(process.cwd()) == directory:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def owned_by(state: Path) -> Iterator[psutil.Process]:
    """Yield the processes that an earlier owner of this state directory left behind."""
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(OWNER_VARIABLE) == str(state)
        except (psutil.Error, OSError):
            continue
        if ours and process.pid != os.getpid():
            yield process


def end(
    processes: Iterable[psutil.Process],
    *,
    by: signal.Signals = signal.SIGTERM,
    seconds: float = 20,
) -> int:
    """End processes politely, then by force; returns how many there were."""
    waiting = list(processes)
    for process in waiting:
        _send(process, by)
    _, alive = psutil.wait_procs(waiting, timeout=seconds)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=seconds)
    return len(waiting)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
