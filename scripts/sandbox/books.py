"""The sandbox's memory: rows in dictionaries, and a journal that survives whatever happens to us.

One journal line is one change: all rows it touches, so that it is there whole or not at all. A line
about money is on disk before anybody hears of it. At the start the lines are read back; a last line
cut short by a crash was never answered for and is cut off.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from scripts.sandbox.rows import ROW_TYPES, Clock, Money, Row, Terms

R = TypeVar("R", bound=Row)


class Books:
    """All rows by type and key. Whoever reads in order to write holds `lock`."""

    def __init__(self, folder: Path, opening: Terms) -> None:
        """Read the journal in a folder, and begin with `opening` where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._opening = opening
        self._path = folder / "journal.jsonl"
        self._tables: dict[type[Row], dict[str, Any]] = {}
        self._aliases: dict[tuple[type[Row], str], str] = {}
        self._pending: dict[type[Row], dict[str, None]] = {}
        self._balance_moved = 0
        self._clear()
        self._replay()
        self._file = self._path.open("ab")

    def _clear(self) -> None:
        self._tables = {kind: {} for kind in ROW_TYPES.values()}
        self._aliases = {}
        self._pending = {kind: {} for kind in ROW_TYPES.values()}
        self._balance_moved = 0
        self._apply(Clock())
        self._apply(self._opening)

    def _replay(self) -> None:
        """Read the journal back, cutting off a last line that was never finished."""
        if not self._path.exists():
            return
        sound = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                sound += len(line)
                self._replay_line(json.loads(line))
        os.truncate(self._path, sound)

    def _replay_line(self, entry: dict[str, Any]) -> None:
        if entry.get("reset"):
            self._clear()
        for name, values in entry.get("rows", ()):
            self._apply(_restore(ROW_TYPES[name], values))

    def _apply(self, row: Row) -> None:
        table = self._tables[type(row)]
        if isinstance(row, Money):
            former = table.get(row.key)
            self._balance_moved += row.effect - (former.effect if former else 0)
        table[row.key] = row
        for name in row.aliases:
            self._aliases[type(row), name] = row.key
        if row.is_pending:
            self._pending[type(row)][row.key] = None
        else:
            self._pending[type(row)].pop(row.key, None)

    def _append(self, entry: dict[str, Any], *, is_durable: bool) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        if is_durable:
            os.fsync(self._file.fileno())

    def put(self, *rows: Row, is_durable: bool = True) -> None:
        """Record a change: all these rows, together."""
        with self.lock:
            entry = {"at": time.time(), "rows": [[type(row).__name__, asdict(row)] for row in rows]}
            self._append(entry, is_durable=is_durable)
            for row in rows:
                self._apply(row)

    def reset(self) -> None:
        """Forget everything; the journal remembers that it was forgotten."""
        with self.lock:
            self._append({"at": time.time(), "reset": True}, is_durable=True)
            self._clear()

    def close(self) -> None:
        """Let go of the journal."""
        self._file.close()

    def get(self, kind: type[R], key: str) -> R | None:
        """Return a row or None."""
        with self.lock:
            found: R | None = self._tables[kind].get(key)
            return found

    def find(self, kind: type[R], alias: str) -> R | None:
        """Return a row by another number of its own, such as a prepay id, or None."""
        with self.lock:
            key = self._aliases.get((kind, alias))
            return self.get(kind, key) if key else None

    def pending(self, kind: type[R]) -> list[R]:
        """Return the rows of a type that wait for something, oldest first."""
        with self.lock:
            return [self._tables[kind][key] for key in self._pending[kind]]

    def count(self, kind: type[Row]) -> int:
        """Return how many rows of a type there are."""
        with self.lock:
            return len(self._tables[kind])

    def all(self, kind: type[R]) -> Iterator[R]:
        """Return all rows of a type as they are now, oldest first."""
        with self.lock:
            return iter(list(self._tables[kind].values()))

    @property
    def terms(self) -> Terms:
        """Return the limits in force."""
        found = self.get(Terms, "terms")
        assert found is not None
        return found

    @property
    def balance_fen(self) -> int:
        """Return what the merchant could send or refund now."""
        return self.terms.opening_fen + self._balance_moved

    def now(self) -> float:
        """Return the sandbox's time in seconds; it may be ahead of the machine's."""
        clock = self.get(Clock, "clock")
        return time.time() + (clock.ahead_seconds if clock else 0)


def _restore(kind: type[Row], values: dict[str, Any]) -> Row:
    """Make a row of what JSON kept of it."""
    names = {spec.name for spec in fields(kind)}
    return kind(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name in names
        }
    )
