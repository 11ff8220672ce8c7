"""What happens around every call of both APIs: counting, armed faults, wounded connections."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock

from flask import Response, g, request

from scripts.sandbox.faults import AFTER_CALL, BEFORE_CALL, Fault, Faults


class CallCounter:
    """How often each path was called since the last reset."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def add(self, path: str) -> None:
        """Count one call."""
        with self._lock:
            self._counts[path] += 1

    def read(self) -> dict[str, int]:
        """Return the counts by path."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Begin again."""
        with self._lock:
            self._counts.clear()


def strike_before(
    faults: Faults, answers: Mapping[str, Callable[[Fault], Response]]
) -> Response | None:
    """Return the answer of a fault that keeps the call from being carried out, if one is armed."""
    fault = faults.strike(request.path, BEFORE_CALL & answers.keys() | {"drop_before"})
    if fault is None:
        return None
    if fault.fault == "drop_before":
        return cut_connection()
    return answers[fault.fault](fault)


def strike_after(faults: Faults, failure: Callable[[], Response], response: Response) -> Response:
    """Let a fault fall on an answer to a call that was carried out."""
    if g.get("was_struck"):
        return response
    fault = faults.strike(request.path, AFTER_CALL)
    if fault is None:
        return response
    match fault.fault:
        case "delay":
            time.sleep(fault.seconds)
        case "error_after":
            return failure()
        case "drop":
            return cut_connection()
        case "bad_signature":
            g.is_badly_signed = True
        case other:
            raise AssertionError(other)
    return response


def cut_connection() -> Response:
    """Close the caller's connection without a word."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)
