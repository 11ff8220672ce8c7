from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.ledger import services as ledger
from app.ledger.models import LedgerEntry, LedgerTransfer
from app.ledger.queries import balance, balances
from app.ledger.services import Entry
from app.ledger.transfers import (
    COMMISSION_EXPENSE,
    WECHAT_PAID_OUT,
    Transfer,
    available,
    debt,
    in_transit,
    pending,
)
from tests.factories.people import make_member


def test_posting_moves_both_balances(session: Session, now: datetime) -> None:
    member = make_member(session)

    new = ledger.post(
        session, "earned:1", [Transfer(COMMISSION_EXPENSE, pending(member.id), 1_990)], now=now
    )

    assert new
    assert balance(session, pending(member.id)) == 1_990
    assert balance(session, COMMISSION_EXPENSE) == -1_990


def test_the_same_fact_is_recorded_once(session: Session, now: datetime) -> None:
    member = make_member(session)
    earned = [Transfer(COMMISSION_EXPENSE, pending(member.id), 1_990)]
    ledger.post(session, "earned:1", earned, now=now)

    again = ledger.post(session, "earned:1", earned, now=now)

    assert not again
    assert balance(session, pending(member.id)) == 1_990
    assert session.scalar(sa.select(sa.func.count(LedgerTransfer.id))) == 1


def test_a_batch_records_the_new_facts_and_passes_over_the_known(
    session: Session, now: datetime
) -> None:
    first, second = make_member(session), make_member(session)
    ledger.post(
        session, "earned:1", [Transfer(COMMISSION_EXPENSE, pending(first.id), 100)], now=now
    )

    new = ledger.post_many(
        session,
        [
            Entry("earned:1", (Transfer(COMMISSION_EXPENSE, pending(first.id), 100),)),
            Entry("earned:2", (Transfer(COMMISSION_EXPENSE, pending(first.id), 20),)),
            Entry(
                "earned:3",
                (
                    Transfer(COMMISSION_EXPENSE, pending(first.id), 3),
                    Transfer(COMMISSION_EXPENSE, pending(second.id), 4),
                ),
            ),
        ],
        now=now,
    )

    assert new == {"earned:2", "earned:3"}
    assert balance(session, pending(first.id)) == 123
    assert balance(session, pending(second.id)) == 4


def test_an_account_below_zero_breaks_the_whole_entry(session: Session, now: datetime) -> None:
    member = make_member(session)
    ledger.post(
        session, "earned:1", [Transfer(COMMISSION_EXPENSE, available(member.id), 100)], now=now
    )
    session.commit()

    with pytest.raises(IntegrityError, match="not_overdrawn"):
        ledger.post(
            session,
            "paid:1",
            [Transfer(available(member.id), WECHAT_PAID_OUT, 101)],
            now=now,
        )
    session.rollback()

    assert balance(session, available(member.id)) == 100
    assert session.scalar(sa.select(LedgerEntry.id).where(LedgerEntry.key == "paid:1")) is None


def test_only_a_debt_may_be_below_zero_and_never_above(session: Session, now: datetime) -> None:
    member = make_member(session)
    ledger.post(session, "owes:1", [Transfer(debt(member.id), COMMISSION_EXPENSE, 70)], now=now)
    session.commit()
    assert balances(session, member.id).debt_fen == 70

    with pytest.raises(IntegrityError, match="debt_not_positive"):
        ledger.post(
            session, "repaid:1", [Transfer(COMMISSION_EXPENSE, debt(member.id), 71)], now=now
        )
    session.rollback()

    assert balances(session, member.id).debt_fen == 70


def test_locking_opens_accounts_and_returns_what_they_hold(session: Session, now: datetime) -> None:
    member = make_member(session)
    ledger.post(
        session, "earned:1", [Transfer(COMMISSION_EXPENSE, available(member.id), 5)], now=now
    )

    held = ledger.lock_balances(session, [available(member.id), in_transit(member.id)])

    assert held == {available(member.id): 5, in_transit(member.id): 0}


@pytest.mark.parametrize(
    "change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
@pytest.mark.parametrize("table", ["ledger_entries", "ledger_transfers", "audit_log", "touches"])
def test_history_cannot_be_changed_by_the_application(
    session: Session, now: datetime, table: str, change: str
) -> None:
    member = make_member(session)
    ledger.post(session, "earned:1", [Transfer(COMMISSION_EXPENSE, pending(member.id), 5)], now=now)
    session.commit()

    with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
        session.execute(sa.text(change.format(table)))
    session.rollback()

    assert balance(session, pending(member.id)) == 5
