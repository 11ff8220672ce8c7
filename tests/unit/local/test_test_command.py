"""What scripts/test leaves out, and never silently."""

from pathlib import Path

import pytest

from scripts.local import test as command
from scripts.local.browser import find_chromium


@pytest.fixture
def no_chromium(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr("scripts.local.browser.MACOS_PATHS", ())


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    program = tmp_path / "my-chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(program))
    return str(program)


def test_a_chromium_named_by_the_environment_is_found(chromium: str) -> None:
    assert find_chromium() == chromium


def test_with_a_chromium_nothing_is_left_out(
    chromium: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.left_out(fast=False, require_browser=True) == []
    assert capsys.readouterr().out == ""


def test_without_a_chromium_the_browser_tests_are_left_out_in_one_line(
    no_chromium: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.left_out(fast=False, require_browser=False) == ["tests/browser"]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Left out: tests/browser, because this machine has no Chromium")


def test_where_a_browser_is_required_its_absence_is_a_failure(no_chromium: None) -> None:
    with pytest.raises(SystemExit, match="No Chromium was found"):
        command.left_out(fast=False, require_browser=True)


def test_fast_leaves_out_browser_and_crash_tests_and_says_so(
    chromium: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.left_out(fast=True, require_browser=False) == ["tests/browser", "tests/crash"]
    assert capsys.readouterr().out == "Left out (--fast): tests/browser, tests/crash\n"


@pytest.mark.parametrize(
    "words", [["tests/unit"], ["tests/unit/local/test_ports.py::test_x"], ["-n", "3"], ["--pdb"]]
)
def test_a_selection_or_a_debugger_runs_in_one_process(words: list[str]) -> None:
    assert command.parallel(words) == []


@pytest.mark.parametrize(("cores", "processes"), [(2, "4"), (4, "6"), (8, "8"), (64, "8")])
def test_the_whole_suite_uses_the_machines_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, processes: str
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    assert command.parallel(["--durations=5"]) == ["-n", processes, "--dist", "worksteal"]
