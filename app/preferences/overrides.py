"""What staff set, laid over the environment: known to each process, at most seconds old.

Every process of the product reads the changes in force by itself, so nothing needs to reach it.
One thread looks again some time before the known values are too old, and the others go on with
them meanwhile. Where the database does not answer, the last known values count.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
import structlog
from flask import Flask, current_app
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import SQLAlchemyError

from app.kernel.db import db
from app.preferences.catalogue import BY_NAME
from app.preferences.models import SettingChange
from app.preferences.units import Value, is_kind_of
from app.settings import Settings

RENEWED_SECONDS: Final = 4.0
"""From this age on, whoever asks first looks again."""
KNOWN_SECONDS: Final = 5.0
"""From this age on, whoever asks looks again: nobody works with older values."""
EXTENSION: Final = "preferences"

log = structlog.get_logger()

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Laid:
    """Settings with what staff set, and what they were made from."""

    base: Settings
    values: Values
    settings: Settings


class Overrides:
    """The changes in force, as this process knows them."""

    def __init__(
        self, read: Callable[[], Values], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin knowing nothing; the first question reads."""
        self._read = read
        self._clock = clock
        self._values: Values = {}
        self._renew_at = self._known_until = float("-inf")
        self._writes = 0
        self._laid: _Laid | None = None

    def over(self, base: Settings) -> Settings:
        """Return the environment's settings with what staff set; the same object while it holds."""
        if self._clock() >= self._renew_at:
            self._renew()
        laid, values = self._laid, self._values
        if laid is None or laid.base is not base or laid.values is not values:
            laid = _Laid(base, values, _replaced(base, values))
            self._laid = laid
        return laid.settings

    def forget(self) -> None:
        """Look again at the next question: this process has written."""
        self._writes += 1
        self._renew_at = self._known_until = float("-inf")

    def _renew(self) -> None:
        """Read again, unless another thread is at it and what is known is young enough."""
        asked_at = self._clock()
        if asked_at < self._known_until:
            self._renew_at = self._known_until
        writes = self._writes
        try:
            values = self._read()
        except SQLAlchemyError as error:
            log.warning("settings_not_read", error=type(error).__name__)
            values = self._values
        if writes != self._writes:
            return
        if values != self._values:
            self._values = values
        self._known_until = asked_at + KNOWN_SECONDS
        self._renew_at = asked_at + RENEWED_SECONDS


def _replaced(base: Settings, values: Values) -> Settings:
    named: dict[str, Any] = dict(values)
    return replace(base, **named) if named else base


def newest_at(instant: Any) -> sa.Select[str, Value]:
    """Select the value of each setting that a change decides at an instant."""
    return (
        sa.select(SettingChange.name, SettingChange.value)
        .ext(distinct_on(SettingChange.name))
        .where(SettingChange.withdrawn_at.is_(None), SettingChange.effective_at <= instant)
        .order_by(SettingChange.name, SettingChange.effective_at.desc())
    )


def read_in_force() -> Values:
    """Return what staff set that is in force now, by the database's clock.

    It has a connection of its own, so that it neither sees nor ends its caller's transaction, and
    works inside one that is about to fail.
    """
    newest = newest_at(sa.func.clock_timestamp())
    bind: Any = db.engine
    if isinstance(bind, sa.Engine):
        with bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            found = connection.execute(newest).all()
    else:
        found = bind.execute(newest).all()
    return {row.name: row.value for row in found if _is_understood(row.name, row.value)}


def _is_understood(name: str, value: Any) -> bool:
    """Tell whether this version of the product has such a setting."""
    spec = BY_NAME.get(name)
    return spec is not None and is_kind_of(spec.unit, value)


def init_app(app: Flask) -> None:
    """Give an application its own knowledge of what staff set."""
    app.extensions[EXTENSION] = Overrides(read_in_force)


def overrides() -> Overrides:
    """Return what the running application knows of the changes in force."""
    found: Overrides = current_app.extensions[EXTENSION]
    return found
