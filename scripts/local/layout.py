"""Where the state of one checkout lives, and where its servers can reach it.

Everything is under the state directory (`var/`). Two machines' peculiarities move parts of it, and
a symbolic link inside the state directory then says where to:

- Root cannot run PostgreSQL. It runs as an unprivileged account, which must be able to traverse to
  its files. Where it cannot (a checkout under /root), data, sockets and a copy of the binaries go
  to a directory of their own (`var/outside`). Modes of parent directories are never changed.
- A socket's path must be short, and is part of connection URLs. Where the state directory's path
  is long or unusual, the sockets go to a fresh directory under /tmp (`var/sockets`).
"""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from scripts.local.binaries import PostgresBinaries, postgres_binaries
from scripts.local.problems import Problem
from scripts.local.processes import Account, can, unprivileged_account

SOCKET_DIR_BYTES_MAX: Final = 88
"""macOS allows 104 bytes for `<directory>/.s.PGSQL.5432` and its final zero."""

PLAIN: Final = re.compile(r"[A-Za-z0-9/._-]+")

OUTSIDE_PARENTS: Final = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - made with mkdir, 0711


@dataclass(frozen=True)
class Layout:
    """The directories of one checkout's servers, all absolute and without symbolic links."""

    state: Path
    home: Path
    """Holds PostgreSQL's data; the state directory itself wherever possible."""
    sockets: Path
    binaries: PostgresBinaries
    account: Account | None
    """Whom PostgreSQL runs as, where that is not ourselves."""

    @property
    def pgdata(self) -> Path:
        """Return PostgreSQL's data directory."""
        return self.home / "pgdata"

    @property
    def logs(self) -> Path:
        """Return where the servers' own logs are."""
        return self.state / "log"


def lay_out(state: Path) -> Layout:
    """Make the directories that are missing and return where everything is.

    Raises `Problem` where the state directory cannot be used by this user.
    """
    account = unprivileged_account()
    state = _make_state(state, account)
    home = _home(state, account)
    binaries = postgres_binaries()
    if account and not can(account, [binaries.program("postgres"), "--version"]):
        binaries = binaries.copy_to(_outside(state))
    for name in ("log", "keys"):
        (state / name).mkdir(mode=0o700, exist_ok=True)
    return Layout(state, home, _sockets(state, home, account), binaries, account)


def take_lock(directory: Path) -> IO[str]:
    """Become the one owner of a directory's servers; the kernel frees the lock with our death.

    Keep the returned file open. Raises `Problem` naming the owner where there is one.
    """
    lock = (directory / "owner.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip()
        lock.close()
        raise Problem(
            f"{directory} is in use: this copy is already running as process {owner}.\n"
            f"Stop it with Ctrl-C in its terminal or `kill {owner}`; to run a second copy, use a "
            "second clone\nor set STATE_DIR, PORT and SANDBOX_PORT."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def remove(state: Path) -> None:
    """Remove the state directory and what lives outside on its behalf."""
    for name in ("outside", "sockets"):
        link = state / name
        if link.is_symlink() and link.exists():
            shutil.rmtree(link.resolve())
    if state.exists():
        shutil.rmtree(state)


def _make_state(state: Path, account: Account | None) -> Path:
    """Make the state directory; an unprivileged account may pass through it, not look into it."""
    try:
        if not state.exists():
            state.mkdir(parents=True)
            state.chmod(0o711 if account else 0o700)
        owner = state.stat().st_uid
        if owner != os.geteuid():
            name = pwd.getpwuid(owner).pw_name
            raise Problem(
                f"{state} belongs to {name}: run this as {name}, or set STATE_DIR elsewhere."
            )
        (state / ".writable").touch()
        (state / ".writable").unlink()
    except OSError as error:
        raise Problem(f"The state directory cannot be used: {error}. Set STATE_DIR.") from None
    return state.resolve()


def _home(state: Path, account: Account | None) -> Path:
    if account is None:
        return state
    if (state / "outside" / "pgdata").exists():
        return _outside(state)
    if can(account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(state)]):
        return state
    if (state / "pgdata").exists():
        raise Problem(
            f"{account.name}, whom PostgreSQL runs as, can no longer reach {state}/pgdata.\n"
            "Make the directories above it traversable again, or start anew with --reset."
        )
    return _outside(state)


def _outside(state: Path) -> Path:
    """Return the directory that other accounts can reach, making it on first use."""
    link = state / "outside"
    if link.is_symlink() and link.exists():
        return link.resolve()
    name = "tuoke-" + hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
    parent = next(path for path in OUTSIDE_PARENTS if path.is_dir())
    home = (parent / name).resolve()
    home.mkdir(mode=0o711, exist_ok=True)
    found = home.lstat()
    if home.is_symlink() or found.st_uid != os.geteuid():
        raise Problem(f"{home} is not ours; remove it or set STATE_DIR.")
    home.chmod(0o711)
    _link(link, home)
    return home


def _sockets(state: Path, home: Path, account: Account | None) -> Path:
    """Return the directory of the sockets, which only the servers' user and we can enter."""
    directory = home / "run"
    if len(os.fsencode(directory)) > SOCKET_DIR_BYTES_MAX or not PLAIN.fullmatch(str(directory)):
        link = state / "sockets"
        if not (link.is_symlink() and link.exists()):
            _link(link, Path(tempfile.mkdtemp(prefix="tuoke-", dir="/tmp")))
        directory = link.resolve()
    directory.mkdir(mode=0o700, exist_ok=True)
    wanted = account.uid if account else os.geteuid()
    if account and directory.stat().st_uid != wanted:
        os.chown(directory, account.uid, account.gid)
    if directory.stat().st_uid != wanted:
        raise Problem(f"{directory} belongs to another user; remove {state / 'sockets'}.")
    directory.chmod(0o700)
    return directory


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target, target_is_directory=True)
