"""Instants and business days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def utc_now() -> datetime:
    """Return this machine's instant, aware and in UTC.

    Only for what never decides about money, such as log lines and signatures to WeChat. What is
    due, expired or in order asks `app.kernel.db.database_now`, so that one clock decides however
    many machines run.
    """
    return datetime.now(UTC)


def business_day(instant: datetime) -> date:
    """Return the day of the brand's calendar that an instant falls on.

    >>> business_day(datetime(2026, 3, 1, 16, 0, tzinfo=UTC))
    datetime.date(2026, 3, 2)
    """
    return instant.astimezone(SHANGHAI).date()


def day_begins_at(day: date) -> datetime:
    """Return the instant at which a business day begins, in UTC.

    >>> day_begins_at(date(2026, 3, 2))
    datetime.datetime(2026, 3, 1, 16, 0, tzinfo=datetime.timezone.utc)
    """
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def next_day_begins_at(instant: datetime) -> datetime:
    """Return the instant at which the business day after this one begins, in UTC."""
    return day_begins_at(business_day(instant) + timedelta(days=1))
