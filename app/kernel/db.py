"""The database: the base of every model, and the one way to open a transaction.

A function whose first parameter is `session` works inside its caller's transaction and never
commits. A function without one opens its own with `atomic()`. The signature tells which.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, registry

T = TypeVar("T")

_OPEN = "app.atomic"
_READING = "app.reading"
RETRIES_MAX: Final = 5
PATIENCE_MS: Final = 600_000
_RETRYABLE: Final = frozenset({"40001", "40P01", "55P03"})

Id = Annotated[int, mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)]


class Base(DeclarativeBase):
    """Base of every model. Names of constraints follow one rule, so migrations can name them.

    The types sit in an explicit registry because Flask-SQLAlchemy copies the class body, and a
    second `type_annotation_map` attribute beside a registry is an error.
    """

    registry = registry(
        metadata=sa.MetaData(
            naming_convention={
                "pk": "pk_%(table_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
            }
        ),
        type_annotation_map={
            int: sa.BigInteger,
            str: sa.Text,
            datetime: sa.DateTime(timezone=True),
            date: sa.Date,
            dict[str, Any]: JSONB(none_as_null=True),
            list[Any]: JSONB(none_as_null=True),
            StrEnum: sa.Enum(
                StrEnum,
                native_enum=False,
                create_constraint=True,
                length=32,
                values_callable=lambda kind: [member.value for member in kind],
            ),
        },
    )


db = SQLAlchemy(metadata=Base.metadata)


@contextmanager
def atomic() -> Iterator[Session]:
    """Open the transaction of one service call: commit on success, roll back on any error.

    Calls do not nest. Code that needs to join a transaction takes the session as a parameter.
    What was read outside, such as the caller's token, ends with this transaction's beginning.
    """
    session = db.session()
    if session.info.get(_OPEN):
        raise RuntimeError("a transaction is already open; pass its session down instead")
    if session.info.pop(_READING, False):
        session.rollback()
    session.info[_OPEN] = True
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(_OPEN)


def retrying(act: Callable[[], T]) -> T:
    """Run a whole transaction again where PostgreSQL asks for it: deadlock, serialisation, lock.

    `act` opens and closes its own transaction, so that nothing of a lost try remains.
    """
    for attempt in range(RETRIES_MAX):
        try:
            return act()
        except OperationalError as error:
            last = attempt == RETRIES_MAX - 1
            if last or getattr(error.orig, "sqlstate", None) not in _RETRYABLE:
                raise
            db.session.rollback()
    raise AssertionError("the loop returns or raises")


def database_now() -> datetime:
    """Return the database's instant; it decides what is due on however many machines we run.

    Reads outside `atomic()` and leaves no transaction open.
    """
    session = db.session()
    assert not session.info.get(_OPEN), "inside a transaction take `now` as a parameter"
    now: datetime = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    session.rollback()
    return now


def take_time(session: Session) -> None:
    """Let statements of this transaction run for minutes: those that look at everybody at once.

    All others are ended after half a minute, so that none can hold up the rest.
    """
    session.execute(sa.text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))


def begin_reading() -> None:
    """Let what this context reads be statements of their own: no BEGIN before, no ROLLBACK after.

    Under READ COMMITTED every statement has a view of its own anyway, so nothing is lost. Two round
    trips are saved, and psycopg keeps its prepared statements, which a ROLLBACK makes it discard:
    together a third of a signed-in GET. `atomic()` leaves this state. A session that was bound to
    somebody's connection is part of their transaction and stays so.
    """
    session = db.session()
    if isinstance(session.get_bind(), sa.Engine):
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        session.info[_READING] = True


def end_reading() -> None:
    """End the read transaction that queries outside `atomic()` have opened.

    Long-lived loops call it so that no idle transaction holds back vacuum.
    """
    db.session.remove()
