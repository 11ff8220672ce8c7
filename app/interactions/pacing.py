"""When a message that sells something may go out: not at night, and not too many a day. Pure."""

from datetime import datetime, timedelta

from app.kernel.clock import business_day, day_begins_at, next_day_begins_at

DAY_SECONDS = 24 * 3600


def quiet_until(now: datetime, *, from_seconds: int, until_seconds: int) -> datetime | None:
    """Return when the quiet time that `now` lies in ends; None where it lies in none.

    Both are seconds since the day began in Shanghai, and may enclose midnight. Equal ones mean
    that there is no quiet time.
    """
    day = day_begins_at(business_day(now))
    seconds = (now - day).total_seconds()
    if from_seconds < until_seconds:
        is_quiet = from_seconds <= seconds < until_seconds
        return day + timedelta(seconds=until_seconds) if is_quiet else None
    if from_seconds == until_seconds:
        return None
    if seconds < until_seconds:
        return day + timedelta(seconds=until_seconds)
    if seconds >= from_seconds:
        return day + timedelta(seconds=DAY_SECONDS + until_seconds)
    return None


def next_day_from(now: datetime, *, until_seconds: int) -> datetime:
    """Return when the next day's quiet time is over."""
    return next_day_begins_at(now) + timedelta(seconds=until_seconds)
