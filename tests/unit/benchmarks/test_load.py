"""The load is exact: what is asked, when an answer is whole, and what is refused."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from scripts.benchmarks.load import Ask, Plan, is_complete, run

GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Server:
    """Answers every request on every connection with the same bytes."""

    answer: bytes = GOOD
    requests: list[bytes] = field(default_factory=list)
    listener: socket.socket = field(default_factory=socket.socket)
    accepting: threading.Thread | None = None

    def start(self) -> int:
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()
        port: int = self.listener.getsockname()[1]
        return port

    def stop(self) -> None:
        """Wake and end the thread before the number of its socket may be another server's."""
        if self.accepting is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.accepting.join()
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while request := connection.recv(65_536):
                self.requests.append(request)
                connection.sendall(self.answer)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def test_without_seconds_every_request_is_made_once(server: Server) -> None:
    asks = [Ask(path=f"/{number}", token="t") for number in range(50)]

    outcome = run(Plan(port=server.start(), asks=asks, connections=4))

    assert outcome.answers == 50
    lines = [request.split(b"\r\n") for request in server.requests]
    assert sorted(line[0] for line in lines) == sorted(
        f"GET /{number} HTTP/1.1".encode() for number in range(50)
    )
    assert all(b"Authorization: Bearer t" in line for line in lines)


def test_more_connections_than_requests_are_not_opened(server: Server) -> None:
    outcome = run(Plan(port=server.start(), asks=[Ask(path="/")], connections=16))

    assert (outcome.answers, len(server.requests)) == (1, 1)


def test_an_answer_that_is_not_a_200_ends_the_measurement(server: Server) -> None:
    server.answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

    with pytest.raises(RuntimeError, match="not a 200"):
        run(Plan(port=server.start(), asks=[Ask(path="/")]))


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", False),
        (GOOD, True),
    ],
)
def test_an_answer_is_whole_by_its_content_length(received: bytes, *, expected: bool) -> None:
    assert is_complete(received) is expected


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no Content-Length"):
        is_complete(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_a_plan_reaches_the_other_process_unchanged() -> None:
    plan = Plan(port=1, asks=[Ask(path="/a"), Ask(path="/b", token="t")], seconds=0.5)

    assert Plan.from_json(plan.to_json()) == plan
