"""Loopback ports: is one free, who holds it, and which others are free."""

import contextlib
import http.client
import os
import random
import socket
import time
import urllib.request
from collections.abc import Callable
from typing import Final

import psutil

from scripts.local.problems import Problem

HOST: Final = "127.0.0.1"
PORT_MAX: Final = 65535
PRIVATE_RANGE: Final = range(20_000, 32_000)
"""Below the ports that the kernel gives to outgoing connections."""

PAUSE_SECONDS: Final = 0.1
PROBE_SECONDS: Final = 2


def chosen_port(variable: str, default: int) -> int:
    """Return the port an environment variable names."""
    text = os.environ.get(variable) or str(default)
    if not (text.isdecimal() and 0 < int(text) <= PORT_MAX):
        raise Problem(f"{variable}={text} is not a port; it must be a number from 1 to {PORT_MAX}.")
    return int(text)


def is_free(port: int) -> bool:
    """Tell whether we can listen on the port; one below 1024 may be refused to us."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((HOST, port)) == 0:
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(wanted: dict[str, int]) -> None:
    """Refuse to start where a port is taken; names each port, its holder and its variable."""
    if len(set(wanted.values())) < len(wanted):
        pairs = " and ".join(f"{name}={port}" for name, port in wanted.items())
        raise Problem(f"{pairs}: each needs a port of its own.")
    taken = {name: port for name, port in wanted.items() if not is_free(port)}
    if not taken:
        return
    lines = [f"Port {port} ({name}) is taken{_holder(port)}." for name, port in taken.items()]
    other = " ".join(f"{name}={port}" for name, port in _alternatives(taken, wanted).items())
    raise Problem("\n".join([*lines, f"Choose another: {other} scripts/run"]))


def private_port() -> int:
    """Return a free port for a server of a test."""
    while True:
        port = random.choice(PRIVATE_RANGE)  # noqa: S311 - nobody is harmed by a guess
        if is_free(port):
            return port


def wait_until_ok(url: str, *, seconds: float, check: Callable[[], None]) -> bool:
    """Ask the URL until it answers 200; `check` may raise to give up. False: time is over."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        check()
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            opener.open(url, timeout=PROBE_SECONDS),
        ):
            return True
        time.sleep(PAUSE_SECONDS)
    return False


def _alternatives(taken: dict[str, int], wanted: dict[str, int]) -> dict[str, int]:
    chosen = dict(wanted)
    for name, port in taken.items():
        candidates = range(port + 1, min(port + 1000, PORT_MAX))
        chosen[name] = next(
            (n for n in candidates if n not in chosen.values() and is_free(n)), private_port()
        )
    return {name: chosen[name] for name in taken}


def _holder(port: int) -> str:
    """Return who listens there, as far as this user may know."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status != psutil.CONN_LISTEN or not address or not connection.pid:
                continue
            if address.port == port:
                return f" by {psutil.Process(connection.pid).name()}, process {connection.pid}"
    return ""
