"""Which value is in force when: the rule of effective dates, without a database. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.preferences.units import Value


@dataclass(frozen=True, slots=True)
class Planned:
    """One value of one setting from an instant on, as far as it was not withdrawn."""

    name: str
    value: Value
    effective_at: datetime


def in_force(changes: Iterable[Planned], at: datetime) -> dict[str, Value]:
    """Return the value of each setting that a change decides at an instant.

    The latest `effective_at` not after the instant wins; no two of one setting are equal.
    """
    begun = sorted(
        (one for one in changes if one.effective_at <= at), key=lambda one: one.effective_at
    )
    return {one.name: one.value for one in begun}


def moments(changes: Iterable[Planned], *, since: datetime) -> list[datetime]:
    """Return every instant from `since` on at which something changes, `since` among them."""
    later = {one.effective_at for one in changes if one.effective_at > since}
    return [since, *sorted(later)]
