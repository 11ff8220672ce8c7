"""Of which moment the figures are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from admin.i18n import moment
from app.insight import queries
from app.kernel.db import db

AT_MOST: Final = timedelta(minutes=5)
"""How old figures may be before the page warns."""
DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Freshness:
    """Of which moment figures are, and whether that is too long ago."""

    at: datetime | None
    minutes: int
    is_stale: bool

    @property
    def clock(self) -> str:
        """Return the time of day, with the day where it is another."""
        if self.at is None:
            return ""
        text = moment(self.at)
        return text if self.minutes >= DAY_MINUTES else text.partition(" ")[2]


def freshness(now: datetime) -> Freshness:
    """Return how old the figures are."""
    at = queries.refreshed_at(db.session())
    age = now - at if at is not None else timedelta.max
    minutes = 0 if at is None else max(age // timedelta(minutes=1), 0)
    return Freshness(at, minutes, age > AT_MOST)
