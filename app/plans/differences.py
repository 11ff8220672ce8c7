"""What two sets of plan parameters differ in, field by field. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Absent(Enum):
    """Stands for a field that one side does not have; null is a value of its own."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs: where it stands (`levels.upgrades.0.mode`), and both values."""

    path: str
    before: Any
    after: Any


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return every field in which two documents differ, those of the first one first.

    Lists are compared by index. What stands on one side only is told whole, and not field by field.

    >>> diff({"cap": 3, "rates": [1, 2], "old": 1}, {"cap": 3, "rates": [1, 5, 9]})
    [Difference(path='rates.1', before=2, after=5), \
Difference(path='rates.2', before=<Absent.ABSENT: 'absent'>, after=9), \
Difference(path='old', before=1, after=<Absent.ABSENT: 'absent'>)]
    """
    return list(_walk((), before, after))


def _walk(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Difference]:
    pairs = _pairs(before, after)
    if pairs is None:
        if not _same(before, after):
            yield Difference(".".join(path), before, after)
        return
    for name, one, other in pairs:
        yield from _walk((*path, name), one, other)


def _pairs(before: Any, after: Any) -> list[tuple[str, Any, Any]] | None:
    """Return what stands in two containers of one kind, name by name; None where these are none."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = [*before, *(name for name in after if name not in before)]
        return [(str(name), before.get(name, ABSENT), after.get(name, ABSENT)) for name in names]
    if _is_list(before) and _is_list(after):
        return [
            (str(index), _at(before, index), _at(after, index))
            for index in range(max(len(before), len(after)))
        ]
    return None


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _same(before: Any, after: Any) -> bool:
    """Compare as JSON does: 1 is not true."""
    return type(before) is type(after) and bool(before == after)
