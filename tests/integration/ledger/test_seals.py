from datetime import datetime

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.db import atomic
from app.ledger import seals
from app.ledger import services as ledger
from app.ledger.models import LedgerSeal
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, pending
from tests.factories.people import make_member
from tests.servers import Services

pytestmark = pytest.mark.commits


def _earn(session: Session, key: str, now: datetime) -> None:
    member = make_member(session)
    session.commit()
    with atomic() as transaction:
        ledger.post(
            transaction, key, [Transfer(COMMISSION_EXPENSE, pending(member.id), 7)], now=now
        )


def test_sealing_takes_each_entry_once_and_chains_the_seals(
    session: Session, now: datetime
) -> None:
    _earn(session, "earned:1", now)
    with atomic() as transaction:
        assert seals.seal(transaction, now=now) == 1
    _earn(session, "earned:2", now)
    _earn(session, "earned:3", now)

    with atomic() as transaction:
        assert seals.seal(transaction, now=now) == 2
        assert seals.seal(transaction, now=now) == 0

    first, second = session.scalars(sa.select(LedgerSeal).order_by(LedgerSeal.id))
    assert second.previous_hash == first.hash
    assert list(seals.broken_seals(session)) == []


def test_an_entry_edited_past_the_triggers_breaks_its_seal(
    session: Session, now: datetime, services: Services
) -> None:
    for key in ("earned:1", "earned:2"):
        _earn(session, key, now)
        with atomic() as transaction:
            seals.seal(transaction, now=now)
    session.rollback()

    with psycopg.connect(
        services.owner_database_url.replace("+psycopg", ""), autocommit=True
    ) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "UPDATE ledger_transfers SET amount = 8 WHERE entry_id ="
            " (SELECT id FROM ledger_entries WHERE key = 'earned:1')"
        )

    ids = list(session.scalars(sa.select(LedgerSeal.id).order_by(LedgerSeal.id)))
    assert list(seals.broken_seals(session)) == ids[:1]


def test_what_an_open_transaction_writes_is_sealed_after_it_ends(
    session: Session, now: datetime, services: Services
) -> None:
    member = make_member(session)
    session.commit()
    with psycopg.connect(services.database_url.replace("+psycopg", "")) as other:
        other.execute(
            "INSERT INTO ledger_entries (key, occurred_at) VALUES ('late:1', %s) RETURNING id",
            [now],
        )
        with atomic() as transaction:
            ledger.post(
                transaction,
                "early:1",
                [Transfer(COMMISSION_EXPENSE, pending(member.id), 7)],
                now=now,
            )
        with atomic() as transaction:
            assert seals.seal(transaction, now=now) == 0
        other.commit()

    with atomic() as transaction:
        assert seals.seal(transaction, now=now) == 2
