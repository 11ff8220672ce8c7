"""A load of GET requests over keep-alive connections, made in a process of its own.

One thread and one loop over plain sockets: a request costs it some ten microseconds, so what is
measured is the server. Every connection asks again as soon as it has its answer (a closed loop).
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Final, Self
from urllib.parse import quote

from scripts.benchmarks.table import percentile
from scripts.local.ports import HOST

CONNECTIONS: Final = 16
WARM_UP_SECONDS: Final = 0.5
ANSWER_BYTES: Final = 262_144
SILENCE_SECONDS: Final = 30
SAFE: Final = "/?&=%-._~:+,"
HEAD_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: a path, and the bearer token or the cookies of whoever asks, if any."""

    path: str
    token: str = ""
    cookie: str = ""

    def to_bytes(self, port: int) -> bytes:
        """Return the request as it goes over the wire."""
        signed_in = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        if self.cookie:
            signed_in += f"Cookie: {self.cookie}\r\n"
        head = (
            f"GET {quote(self.path, safe=SAFE)} HTTP/1.1\r\nHost: {HOST}:{port}\r\n{signed_in}\r\n"
        )
        return head.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask and for how long. Without `seconds` each request is made exactly once."""

    port: int
    asks: list[Ask]
    connections: int = CONNECTIONS
    seconds: float | None = None

    def to_json(self) -> str:
        """Return the plan for the other process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls(**values | {"asks": [Ask(**one) for one in values["asks"]]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the server did: answers a second, and how long they took."""

    per_second: float
    p50_ms: float
    p95_ms: float
    answers: int


def put_load(plan: Plan) -> Outcome:
    """Run a plan in a process of its own. Raises where any answer was not a 200."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.load"],
        input=plan.to_json(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Outcome(**json.loads(done.stdout))


@dataclass(slots=True)
class _Connection:
    """One connection and the answer it waits for."""

    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    asked_at: float = 0.0

    def ask(self, request: bytes) -> None:
        self.received.clear()
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> bool:
        """Take what has arrived; True once the answer is complete."""
        data = self.socket.recv(ANSWER_BYTES)
        if not data:
            raise ConnectionError(f"the server hung up after {bytes(self.received[:200])!r}")
        self.received += data
        return is_complete(self.received)

    def check(self) -> None:
        """Refuse any answer but a good one; figures of errors would mean nothing."""
        status = self.received[9:12]
        if status != b"200":
            raise RuntimeError(f"not a 200: {bytes(self.received[:600])!r}")


def is_complete(received: bytes | bytearray) -> bool:
    """Tell whether an answer has arrived whole, by its Content-Length."""
    end = received.find(HEAD_END)
    if end < 0:
        return False
    head = received[:end].lower()
    start = head.find(b"content-length:")
    if start < 0:
        raise RuntimeError(f"no Content-Length in {bytes(head)!r}")
    length = int(head[start + 15 :].split(b"\r\n", 1)[0])
    return len(received) >= end + len(HEAD_END) + length


def _connect(port: int) -> socket.socket:
    made = socket.create_connection((HOST, port), timeout=SILENCE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def run(plan: Plan) -> Outcome:
    """Put the load on the server from this process."""
    requests = [ask.to_bytes(plan.port) for ask in plan.asks]
    if plan.seconds is None:
        began = time.perf_counter()
        durations = [taken for _, taken in _answers(plan, iter(requests))]
        return _outcome(durations, time.perf_counter() - began)
    began = time.perf_counter() + WARM_UP_SECONDS
    durations = []
    for ended_at, taken in _answers(plan, cycle(requests)):
        if ended_at - began > plan.seconds:
            break
        if ended_at > began:
            durations.append(taken)
    return _outcome(durations, plan.seconds)


def _outcome(durations: list[float], seconds: float) -> Outcome:
    if not durations:
        raise TimeoutError("no answer came in time")
    return Outcome(
        per_second=len(durations) / seconds,
        p50_ms=1000 * percentile(durations, 0.50),
        p95_ms=1000 * percentile(durations, 0.95),
        answers=len(durations),
    )


def _answers(plan: Plan, requests: Iterator[bytes]) -> Iterator[tuple[float, float]]:
    """Yield when each answer came and how long it took, until there are no more requests."""
    with selectors.DefaultSelector() as selector, ExitStack() as opened:
        for _, request in zip(range(plan.connections), requests, strict=False):
            connection = _Connection(opened.enter_context(_connect(plan.port)))
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask(request)
        while selector.get_map():
            for connection in _answered(selector):
                ended_at = time.perf_counter()
                yield ended_at, ended_at - connection.asked_at
                following = next(requests, None)
                if following is None:
                    selector.unregister(connection.socket)
                else:
                    connection.ask(following)


def _answered(selector: selectors.BaseSelector) -> Iterator[_Connection]:
    """Wait for the server and yield the connections whose answer is complete, and good."""
    ready = selector.select(SILENCE_SECONDS)
    if not ready:
        raise TimeoutError("the server has fallen silent")
    for key, _ in ready:
        connection: _Connection = key.data
        if connection.read():
            connection.check()
            yield connection


if __name__ == "__main__":
    print(json.dumps(asdict(run(Plan.from_json(sys.stdin.read())))))
