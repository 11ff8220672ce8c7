"""Failing on demand, in the ways the real service and the network do.

A fault is armed for calls whose path, or callbacks whose event type, begins with a prefix, and for
a number of times. The oldest armed fault that fits is the one that strikes.
"""

import threading
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

BEFORE_CALL = {"error_before", "status_429", "drop_before", "errcode", "not_found", "refuse"}
AFTER_CALL = {"delay", "error_after", "drop", "bad_signature"}
DURING_CALL = {"accepted"}
ON_NOTICE = {"silent", "duplicate", "shuffle", "forge", "stale", "signtest", "alter"}
FAULTS = BEFORE_CALL | AFTER_CALL | DURING_CALL | ON_NOTICE


@dataclass
class Fault:
    """One armed fault; `times` 0 means until it is deleted."""

    number: int
    path_prefix: str
    fault: str
    times: int = 1
    seconds: float = 1.0
    changes: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    @property
    def is_armed(self) -> bool:
        """Say whether it will strike again."""
        return self.times == 0 or self.hits < self.times


class Faults:
    """All faults that were armed since the last clearing, spent ones too, for their hits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._all: list[Fault] = []

    def arm(self, **values: Any) -> Fault:
        """Add a fault; ValueError or TypeError where it is none."""
        if values.get("fault") not in FAULTS:
            raise ValueError(f"fault is one of {', '.join(sorted(FAULTS))}")
        with self._lock:
            fault = Fault(number=next(self._numbers), **values)
            self._all.append(fault)
        return fault

    def strike(self, name: str, kinds: set[str]) -> Fault | None:
        """Return the fault of these kinds that strikes here, if any, and count the hit."""
        with self._lock:
            for fault in self._all:
                fits = fault.fault in kinds and name.startswith(fault.path_prefix)
                if fits and fault.is_armed:
                    fault.hits += 1
                    return fault
        return None

    def list(self) -> list[dict[str, Any]]:
        """Return all with their hits."""
        with self._lock:
            return [asdict(fault) for fault in self._all]

    def clear(self) -> None:
        """Disarm and forget all."""
        with self._lock:
            self._all.clear()
