"""The supervisor keeps its children running and takes them along when it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scripts.local.processes import end, owned_by

PATIENCE_SECONDS = 30


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen; only its absence takes the whole time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


class Stage:
    """The directory in which the stand-ins play, and what was noted there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.supervisor = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.local.stand_ins", str(directory)],
            stdout=subprocess.PIPE,
            text=True,
        )
        eventually(lambda: self.pids().keys() == {"web", "worker", "server"})

    def events(self) -> list[list[str]]:
        path = self.directory / "events"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def pids(self) -> dict[str, int]:
        """The last process that started under each name."""
        return {name: int(pid) for name, what, pid in self.events() if what == "started"}

    def ended(self) -> list[str]:
        return [name for name, what, _ in self.events() if what == "ended"]

    def finish_job(self) -> None:
        (self.directory / "job-done").touch()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    playing = Stage(tmp_path.resolve())
    yield playing
    playing.finish_job()
    playing.supervisor.kill()
    playing.supervisor.communicate()
    end(owned_by(tmp_path.resolve()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_stage_ends_before_the_next_is_asked(stage: Stage, number: signal.Signals) -> None:
    stage.finish_job()

    stage.supervisor.send_signal(number)
    said, _ = stage.supervisor.communicate(timeout=PATIENCE_SECONDS)

    assert stage.supervisor.returncode == 0
    assert stage.ended() == ["web", "worker", "server"]
    asked = [line for line in said.splitlines() if line.startswith("Stopping")]
    assert asked == ["Stopping web", "Stopping worker", "Stopping server"]


def test_a_worker_finishes_its_job_while_its_server_stays(stage: Stage) -> None:
    stage.supervisor.terminate()
    eventually(lambda: stage.ended() == ["web"])
    assert psutil.pid_exists(stage.pids()["worker"])
    assert psutil.pid_exists(stage.pids()["server"])

    stage.finish_job()
    stage.supervisor.communicate(timeout=PATIENCE_SECONDS)

    assert stage.ended() == ["web", "worker", "server"]


def test_a_second_request_to_stop_does_not_wait_for_jobs(stage: Stage) -> None:
    stage.supervisor.terminate()
    eventually(lambda: stage.ended() == ["web"])

    stage.supervisor.terminate()
    said, _ = stage.supervisor.communicate(timeout=PATIENCE_SECONDS)

    assert stage.ended() == ["web", "server"]
    assert "worker did not stop in time and is killed" in said.splitlines()


def test_a_child_that_dies_is_started_again(stage: Stage) -> None:
    first = stage.pids()["web"]

    os.kill(first, signal.SIGKILL)

    eventually(lambda: stage.pids()["web"] != first)
    stage.finish_job()
    stage.supervisor.terminate()
    said, _ = stage.supervisor.communicate(timeout=PATIENCE_SECONDS)
    assert "web ended with status -9; starting it again in 0.5 s" in said.splitlines()


def test_what_children_say_carries_their_name(stage: Stage) -> None:
    stage.finish_job()
    stage.supervisor.terminate()
    said, _ = stage.supervisor.communicate(timeout=PATIENCE_SECONDS)

    spoken = {line.partition(" ")[2] for line in said.splitlines() if "hello" in line}
    assert spoken == {
        "web    | web says hello",
        "worker | worker says hello",
        "server | server says hello",
    }


def test_nobody_outlives_a_killed_supervisor(stage: Stage) -> None:
    """Linux tells the children at once; elsewhere the next start finds and ends them."""
    pids = stage.pids().values()
    stage.finish_job()

    stage.supervisor.kill()

    if sys.platform != "linux":
        end(owned_by(stage.directory))
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_the_next_owner_finds_what_an_earlier_one_left(stage: Stage) -> None:
    found = {process.pid for process in owned_by(stage.directory)}

    assert found == set(stage.pids().values())
