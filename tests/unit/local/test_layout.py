"""Where state goes, and who owns it."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.local import layout as layouts
from scripts.local.layout import SOCKET_DIR_BYTES_MAX, Layout, lay_out, remove, take_lock
from scripts.local.problems import Problem
from scripts.local.processes import can

is_root = os.geteuid() == 0


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that other accounts can pass through, as most checkouts are."""
    directory = Path(tempfile.mkdtemp(prefix="tuoke-", dir="/tmp"))
    directory.chmod(0o711)
    yield directory
    remove(directory / "var")
    shutil.rmtree(directory)


def is_usable_by_postgres(layout: Layout) -> bool:
    program = layout.binaries.program("postgres")
    enter = ["/bin/sh", "-c", 'cd "$1"', "sh", str(layout.sockets)]
    return can(layout.account, [program, "--version"]) and can(layout.account, enter)


def test_everything_is_inside_the_state_directory_where_possible(reachable: Path) -> None:
    layout = lay_out(reachable / "var")

    assert layout.pgdata == reachable / "var" / "pgdata"
    assert layout.sockets == reachable / "var" / "run"
    assert is_usable_by_postgres(layout)


def test_only_the_servers_user_can_enter_the_sockets_directory(reachable: Path) -> None:
    found = lay_out(reachable / "var").sockets.stat()

    assert stat.S_IMODE(found.st_mode) == 0o700


@pytest.mark.parametrize("name", ["spaces and ü", "comma,quote'", "d" * 120])
def test_sockets_of_a_long_or_unusual_path_go_to_a_short_one(reachable: Path, name: str) -> None:
    state = reachable / "var" / name

    layout = lay_out(state)

    assert len(os.fsencode(layout.sockets)) <= SOCKET_DIR_BYTES_MAX
    assert layouts.PLAIN.fullmatch(str(layout.sockets))
    assert lay_out(state).sockets == layout.sockets
    assert is_usable_by_postgres(layout)
    remove(state)
    assert not layout.sockets.exists()


def test_a_state_directory_that_other_accounts_cannot_reach_keeps_its_parents_modes(
    tmp_path: Path,
) -> None:
    """As root the data goes elsewhere; as an ordinary user there is nobody else who must reach."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    layout = lay_out(closed / "var")

    try:
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert (layout.home != layout.state) is is_root
        assert lay_out(closed / "var") == layout
        assert is_usable_by_postgres(layout)
    finally:
        remove(closed / "var")
    assert not layout.home.exists()


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    with take_lock(tmp_path), pytest.raises(Problem, match=f"running as process {os.getpid()}"):
        take_lock(tmp_path)


def test_a_lock_ends_with_its_owner(tmp_path: Path) -> None:
    code = "import pathlib, sys\nfrom scripts.local.layout import take_lock\n"
    code += "take_lock(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)

    take_lock(tmp_path).close()


def test_a_file_in_the_place_of_the_state_directory_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a directory")

    with pytest.raises(Problem, match="The state directory cannot be used"):
        lay_out(tmp_path / "var")
