"""What a replay was asked for, and what it found."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

DIFFERENCES_MAX: Final = 1_000
"""How many differences are kept; all are counted."""


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant until before another; of one plan, or of all."""

    from_at: datetime
    to_at: datetime
    plan_id: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was expected in a table and is not there so, or is there unexpected (None)."""

    table: str
    key: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        return f"{self.table}  {self.key}  expected {self.expected}, found {self.found}"


@dataclass(slots=True)
class Report:
    """What was decided again, by kind, and every difference to what is in the books."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    difference_count: int = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether the books are what the events lead to."""
        return self.difference_count == 0

    def compare(self, table: str, key: object, expected: Any, found: Any) -> None:
        """Note a difference where there is one."""
        if expected == found:
            return
        self.difference_count += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(Difference(table, str(key), _shown(expected), _shown(found)))

    def compare_all(
        self, table: str, key: object, expected: Mapping[Any, Any], found: Mapping[Any, Any]
    ) -> None:
        """Compare rows by their keys within `key`; most are the same at a glance."""
        if expected == found:
            return
        for one in sorted(expected.keys() | found.keys(), key=str):
            self.compare(table, f"{key} {one}", expected.get(one), found.get(one))

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {
            "ok": self.is_empty,
            "counts": dict(sorted(self.counts.items())),
            "difference_count": self.difference_count,
            "differences": [
                {
                    "table": one.table,
                    "key": one.key,
                    "expected": one.expected,
                    "found": one.found,
                }
                for one in self.differences
            ],
        }


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)
