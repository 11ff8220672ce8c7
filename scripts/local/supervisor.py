"""Keep processes running, show what they say, and stop them in order.

One thread and one loop: output is read as it comes, whoever ends is started again after a pause
that grows, and a stop goes stage by stage so that nobody loses the server it still needs.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scripts.local.problems import Problem, Stopped
from scripts.local.processes import spawn

TICK_SECONDS: Final = 0.1
STEADY_SECONDS: Final = 30
"""Who ran this long counts as having started well; the next pause is short again."""
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30
KILL_SECONDS: Final = 5
HURRIED_SECONDS: Final = 1
PATIENCE_SECONDS: Final = 5
"""After this long a step that still runs says so, again and again."""
LINE_BYTES_MAX: Final = 65_536
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COLOURS: Final = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


@dataclass
class Child:
    """One process to keep running."""

    name: str
    start: Callable[[], "subprocess.Popen[bytes]"]
    stage: int
    """Stages stop one after the other, the lowest first."""
    grace_seconds: float = 10
    stop_signal: signal.Signals = signal.SIGTERM
    hurries: bool = True
    """A second request to stop cuts its grace short; never for what keeps data."""
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0
    failures: int = 0
    restart_at: float = 0

    @property
    def is_alive(self) -> bool:
        """Tell whether its process runs."""
        return self.process is not None and self.process.poll() is None


class Console:
    """Lines on stdout, each with the name of who said it."""

    def __init__(self, width: int = 11) -> None:
        self.width = width
        self.is_lost = False
        """The terminal or pipe is gone; whoever reads nothing more wants us to stop."""
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """Show what a process said."""
        clock = time.strftime("%H:%M:%S")
        prefix = f"{clock} {name:<{self.width}} |"
        if self._coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        self.say(f"{prefix} {text}")

    def say(self, text: str) -> None:
        """Show a line of our own."""
        if self.is_lost:
            return
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except OSError:
            self.is_lost = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass
class _Pipe:
    """The output of one process, cut into lines."""

    take: Callable[[str], None]
    rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > LINE_BYTES_MAX:
            lines.append(self.rest)
            self.rest = b""
        for line in lines:
            self.take(line.decode(errors="replace").rstrip("\r"))

    def close(self) -> None:
        if self.rest:
            self.take(self.rest.decode(errors="replace"))


class Supervisor:
    """Owns the children from the first to the last."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.children: list[Child] = []
        self.stops = 0
        """How often we were asked to stop; the second time we do not wait for jobs."""
        self._selector = selectors.DefaultSelector()
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def add(self, child: Child) -> None:
        """Start a child and keep it running from now on."""
        self.children.append(child)
        if not child.is_alive:
            self._start(child)

    def check(self) -> None:
        """Let time pass while something starts; raises `Stopped` where the user gave up."""
        self.tick()
        if self.stops or self.console.is_lost:
            raise Stopped

    def run(self) -> None:
        """Keep everything running until asked to stop."""
        while not self.stops and not self.console.is_lost:
            self.tick()

    def tick(self) -> None:
        """Show what was said in the meantime and start again whoever is due."""
        self._read(TICK_SECONDS)
        for child in self.children:
            if child.process is None and time.monotonic() >= child.restart_at:
                self._start(child)
            elif child.process is not None and child.process.poll() is not None:
                self._mourn(child)

    def step(
        self, name: str, command: list[str], *, env: Mapping[str, str], directory: Path
    ) -> list[str]:
        """Run a command to its end and return what it said; raises `Problem` where it failed."""
        said: list[str] = []
        process = spawn(command, env=env, output=subprocess.PIPE, directory=directory)
        pipe = self._listen(process, said.append)
        begun = told = time.monotonic()
        try:
            while process.poll() is None:
                self.check()
                if time.monotonic() > told + PATIENCE_SECONDS:
                    told = time.monotonic()
                    self.console.say(f"  {name}: {told - begun:.0f} s so far")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        self._drain(process, pipe)
        if process.returncode:
            for line in said[-40:]:
                self.console.line(name, line)
            raise Problem(f"{name} failed with status {process.returncode}; see above.")
        return said

    def stop(self) -> None:
        """Stop stage by stage; who does not end in its grace is killed, with its group."""
        for stage in sorted({child.stage for child in self.children}):
            batch = [c for c in self.children if c.stage == stage and c.is_alive]
            if batch:
                self.console.say("Stopping " + ", ".join(child.name for child in batch))
                self._stop_batch(batch)
        self.children.clear()

    def _stop_batch(self, batch: list[Child]) -> None:
        begun = time.monotonic()
        for child in batch:
            self._send(child, child.stop_signal)
        while alive := [child for child in batch if child.is_alive]:
            self._read(TICK_SECONDS / 5)
            waited = time.monotonic() - begun
            for child in alive:
                hurried = child.hurries and self.stops > 1
                if waited > (HURRIED_SECONDS if hurried else child.grace_seconds):
                    self._kill(child)
        for child in batch:
            _kill_group(child)
        self._read(0)

    def _kill(self, child: Child) -> None:
        assert child.process is not None
        self.console.say(f"{child.name} did not stop in time and is killed")
        child.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(KILL_SECONDS)

    def _send(self, child: Child, number: signal.Signals) -> None:
        """Signal the process alone: a worker's job, in its group or its own, goes on to its end."""
        if child.process is not None:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(number)

    def _start(self, child: Child) -> None:
        child.process = child.start()
        child.started_at = time.monotonic()
        if child.process.stdout is not None:
            self._listen(child.process, lambda text: self.console.line(child.name, text))

    def _mourn(self, child: Child) -> None:
        """Note an unwanted end and when to start again."""
        assert child.process is not None
        _kill_group(child)
        steady = time.monotonic() - child.started_at > STEADY_SECONDS
        child.failures = 1 if steady else child.failures + 1
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (child.failures - 1))
        self.console.say(
            f"{child.name} ended with status {child.process.returncode};"
            f" starting it again in {pause:g} s"
        )
        child.process, child.restart_at = None, time.monotonic() + pause

    def _listen(self, process: "subprocess.Popen[bytes]", take: Callable[[str], None]) -> _Pipe:
        assert process.stdout is not None
        pipe = _Pipe(take)
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, pipe)
        return pipe

    def _read(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._read_one(key)

    def _read_one(self, key: selectors.SelectorKey) -> None:
        try:
            data = os.read(key.fd, LINE_BYTES_MAX)
        except BlockingIOError:
            return
        if data:
            key.data.feed(data)
            return
        key.data.close()
        self._selector.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr]  # we register files only

    def _drain(self, process: "subprocess.Popen[bytes]", pipe: _Pipe) -> None:
        """Read what an ended process said last; its own children may hold the pipe open."""
        stream = process.stdout
        if stream is None or stream.closed:
            return
        with contextlib.suppress(BlockingIOError):
            while data := os.read(stream.fileno(), LINE_BYTES_MAX):
                pipe.feed(data)
        pipe.close()
        self._selector.unregister(stream)
        stream.close()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stops += 1


def _kill_group(child: Child) -> None:
    """End what an ended process left in its group, such as a web server's workers."""
    if child.process is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
