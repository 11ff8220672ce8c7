"""What is read outside a transaction opens none, and a transaction after it is whole."""

import pytest
import sqlalchemy as sa
from flask import Flask
from psycopg.pq import TransactionStatus
from sqlalchemy.orm import Session

from app.kernel.db import atomic, begin_reading, db, end_reading
from app.stores.models import Store

pytestmark = pytest.mark.commits


def status(session: Session) -> TransactionStatus:
    driver = session.connection().connection.driver_connection
    assert driver is not None
    return TransactionStatus(driver.info.transaction_status)


def stores(session: Session) -> int | None:
    return session.scalar(sa.select(sa.func.count()).select_from(Store))


def test_reading_leaves_no_transaction_open(session: Session) -> None:
    begin_reading()

    assert stores(session) == 0
    assert status(session) is TransactionStatus.IDLE


def test_a_read_sees_what_others_have_committed_since_the_one_before(
    app: Flask, session: Session
) -> None:
    begin_reading()
    assert stores(session) == 0
    with db.engine.begin() as other:
        other.execute(sa.insert(Store).values(name="Store"))

    assert stores(session) == 1


def test_a_transaction_after_reading_rolls_back_as_a_whole(session: Session) -> None:
    begin_reading()
    stores(session)

    def fail() -> None:
        with atomic() as inside:
            inside.add(Store(name="Store"))
            inside.flush()
            raise LookupError(status(inside).name)

    with pytest.raises(LookupError, match="INTRANS"):
        fail()
    assert stores(session) == 0


def test_a_transaction_after_reading_commits(session: Session) -> None:
    begin_reading()
    stores(session)

    with atomic() as inside:
        inside.add(Store(name="Store"))

    end_reading()
    assert stores(db.session()) == 1


def test_a_connection_that_was_read_from_serves_transactions_again(session: Session) -> None:
    begin_reading()
    stores(session)
    end_reading()

    session = db.session()
    stores(session)
    assert status(session) is TransactionStatus.INTRANS
