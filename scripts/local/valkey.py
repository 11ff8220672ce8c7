"""Valkey, the Redis server of this checkout, as a foreground child on a socket."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scripts.local.binaries import valkey_binary
from scripts.local.layout import Layout
from scripts.local.postgres import tail
from scripts.local.problems import Problem
from scripts.local.processes import end, open_log, servers_in, spawn

START_SECONDS: Final = 30
STOP_SECONDS: Final = 15


class Valkey:
    """One server on one directory; losing it loses no money, so it syncs once a second."""

    name = "valkey"

    def __init__(self, layout: Layout, *, durable: bool = True) -> None:
        self.layout = layout
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.layout.logs / "valkey.log"

    @property
    def data(self) -> Path:
        """Return the server's working directory."""
        return self.layout.state / "valkey"

    @property
    def socket(self) -> Path:
        """Return the server's socket."""
        return self.layout.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """Return the redis-py URL."""
        return f"unix://{self.socket}?db=0"

    def start(self, check: Callable[[], None] = lambda: None) -> None:
        """Start the server and wait until it has read its file; `check` may raise to give up."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.clear_leftovers()
        self.respawn()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            check()
            if self.process is None or self.process.poll() is not None:
                raise Problem(f"Valkey ended while starting:\n{tail(self.log)}")
            if time.monotonic() > deadline:
                self.stop()
                raise Problem(f"Valkey did not answer within {START_SECONDS} s; see {self.log}")
            time.sleep(0.01)

    def respawn(self) -> subprocess.Popen[bytes]:
        """Start the server process without waiting."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        command = [valkey_binary()]
        for name, value in settings.items():
            command += [f"--{name}", value]
        with open_log(self.log) as output:
            self.process = spawn(command, output=output)
        return self.process

    def stop(self) -> None:
        """Shut down; what was appended is synced."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def clear_leftovers(self) -> None:
        """End a server that outlived its owner, and remove its socket."""
        end(servers_in(self.data, "valkey-server"), by=signal.SIGTERM, seconds=STOP_SECONDS)
        self.socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False
