"""The virtual environment is made once, completely, from pins."""

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, working on a virtual environment in a directory of this test."""
    spec = importlib.util.spec_from_file_location("bootstrap", CHECKOUT / "scripts/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to("/bin/sh")
    monkeypatch.setattr(module, "VENV", venv)
    monkeypatch.setattr(module, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(module, "MARK", venv / ".installing")
    return module


def test_an_environment_made_from_these_pins_is_current(bootstrap: ModuleType) -> None:
    name = "requirements.txt"
    bootstrap.stamp(name).write_text(bootstrap.digest(name))

    assert bootstrap.is_current(name)
    assert not bootstrap.is_current("requirements-dev.txt")


def test_other_pins_make_it_stale(bootstrap: ModuleType) -> None:
    bootstrap.stamp("requirements.txt").write_text("digest of older pins")

    assert not bootstrap.is_current("requirements.txt")


def test_an_interrupted_install_counts_for_nothing(bootstrap: ModuleType) -> None:
    name = "requirements.txt"
    bootstrap.stamp(name).write_text(bootstrap.digest(name))
    bootstrap.MARK.touch()

    assert not bootstrap.is_current(name)
    assert not bootstrap.is_usable()


def test_an_environment_whose_python_is_gone_is_not_usable(bootstrap: ModuleType) -> None:
    bootstrap.PYTHON.unlink()
    bootstrap.PYTHON.symlink_to("/nowhere/python3")

    assert not bootstrap.is_current("requirements.txt")
    assert not bootstrap.is_usable()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned(name: str) -> None:
    lines = (CHECKOUT / name).read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]

    assert [line for line in wanted if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9a-z.]+", line)] == []
    assert len({line.partition("==")[0].lower() for line in wanted}) == len(wanted)


def test_a_machine_without_python_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)

    ended = subprocess.run(
        ["/bin/sh", CHECKOUT / "scripts" / "run"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "Python 3.11 or newer is needed and was not found." in ended.stderr
    assert "apt install python3 python3-venv" in ended.stderr


def test_an_unknown_argument_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    ended = subprocess.run(
        [CHECKOUT / "scripts" / "run", "--sevices-only"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert "unrecognized arguments: --sevices-only" in ended.stderr
