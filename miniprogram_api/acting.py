"""Writes that need no key: doing them again changes nothing, or is refused for what it is."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from app.kernel.db import atomic, database_now, retrying

T = TypeVar("T")


def at_once(act: Callable[[Session], T]) -> T:
    """Run one service in one transaction, again where PostgreSQL asks for it.

    What is shown of the outcome is read in the same transaction.
    """
    return retrying(lambda: _once(act))


def _once(act: Callable[[Session], T]) -> T:
    with atomic() as session:
        return act(session)


def moment() -> datetime:
    """Return the instant at which a write happens; it also ends the reading of who is calling.

    So no transaction stays open while a service talks to WeChat.
    """
    return database_now()
