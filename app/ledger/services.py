"""Writing to the ledger. Every function here joins its caller's transaction.

Many entries are written in a handful of statements, whatever their number, because a batch of
orders is settled at once. Member accounts are locked in one order everywhere (by id), so two
transactions can wait for each other but never deadlock over accounts.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.ledger.models import LedgerAccount, LedgerEntry, LedgerTransfer
from app.ledger.transfers import BRAND_NAMES, Account, Transfer


@dataclass(frozen=True, slots=True)
class Entry:
    """One business fact to record. `key` names the fact, so that it is recorded only once."""

    key: str
    transfers: tuple[Transfer, ...]


def post(session: Session, key: str, transfers: Sequence[Transfer], *, now: datetime) -> bool:
    """Record the transfers of one business fact, once.

    Return False, and change nothing, where an entry of that key already stands.
    """
    return bool(post_many(session, [Entry(key, tuple(transfers))], now=now))


def post_many(session: Session, entries: Sequence[Entry], *, now: datetime) -> set[str]:
    """Record many facts at once; return the keys that are new.

    An account that would fall below zero breaks the whole transaction by its CHECK.
    """
    if not entries:
        return set()
    assert all(entry.transfers for entry in entries), "an entry moves something"
    ids = _insert_entries(session, [entry.key for entry in entries], now=now)
    new = [entry for entry in entries if entry.key in ids]
    if not new:
        return set()
    moved = [(ids[entry.key], transfer) for entry in new for transfer in entry.transfers]
    accounts = _account_ids(session, {a for _, t in moved for a in (t.source, t.target)})
    _move_balances(session, [transfer for _, transfer in moved], accounts)
    columns = {
        "entry_id": [entry_id for entry_id, _ in moved],
        "source_id": [accounts[transfer.source] for _, transfer in moved],
        "target_id": [accounts[transfer.target] for _, transfer in moved],
        "amount": [transfer.amount for _, transfer in moved],
    }
    rows = sa.select(*(_unnest(values, sa.BigInteger()) for values in columns.values()))
    session.execute(sa.insert(LedgerTransfer).from_select(list(columns), rows))
    return set(ids)


def lock_balances(session: Session, accounts: Collection[Account]) -> dict[Account, int]:
    """Lock accounts of members against every other writer and return their balances.

    Accounts that do not exist yet are opened. Call it once for all accounts a decision needs.
    """
    by_id = {row_id: account for account, row_id in _account_ids(session, set(accounts)).items()}
    rows = session.execute(
        sa.select(LedgerAccount.id, LedgerAccount.balance)
        .where(_is_one_of(LedgerAccount.id, list(by_id)))
        .order_by(LedgerAccount.id)
        .with_for_update()
    )
    return {by_id[row_id]: balance or 0 for row_id, balance in rows}


def _insert_entries(session: Session, keys: list[str], *, now: datetime) -> dict[str, int]:
    rows = session.execute(
        insert(LedgerEntry)
        .from_select(
            ["key", "occurred_at"],
            sa.select(
                _unnest(sorted(keys), sa.Text()), sa.literal(now, sa.DateTime(timezone=True))
            ),
        )
        .on_conflict_do_nothing()
        .returning(LedgerEntry.key, LedgerEntry.id)
    )
    return {str(row[0]): int(row[1]) for row in rows}


def _account_ids(session: Session, wanted: set[Account]) -> dict[Account, int]:
    """Return the ids of accounts, opening those that are new."""
    found = _find_accounts(session, wanted)
    missing = sorted(wanted - found.keys(), key=str)
    if missing:
        session.execute(
            insert(LedgerAccount).on_conflict_do_nothing(),
            [
                {
                    "name": account.name,
                    "unit": account.unit,
                    "member_id": account.member_id,
                    "balance": None if account.name in BRAND_NAMES else 0,
                }
                for account in missing
            ],
        )
        found |= _find_accounts(session, set(missing))
    assert found.keys() == wanted
    return found


def _find_accounts(session: Session, wanted: set[Account]) -> dict[Account, int]:
    """Look accounts up by member, which an index serves, and by name among the brand's few."""
    members = {account.member_id for account in wanted if account.member_id is not None}
    brand = {account.name for account in wanted if account.member_id is None}
    rows = session.execute(
        sa.select(
            LedgerAccount.id, LedgerAccount.name, LedgerAccount.unit, LedgerAccount.member_id
        ).where(
            sa.or_(
                _is_one_of(LedgerAccount.member_id, sorted(members)),
                sa.and_(LedgerAccount.member_id.is_(None), LedgerAccount.name.in_(brand)),
            )
        )
    )
    found = {Account(name, unit, member_id): row_id for row_id, name, unit, member_id in rows}
    return {account: row_id for account, row_id in found.items() if account in wanted}


def _move_balances(
    session: Session, transfers: Sequence[Transfer], accounts: dict[Account, int]
) -> None:
    """Add to each member account the sum of what comes and goes, in the order of ids.

    The accounts are locked first: an UPDATE over a join takes its locks in any order.
    """
    changes: dict[int, int] = defaultdict(int)
    for transfer in transfers:
        for account, amount in (
            (transfer.source, -transfer.amount),
            (transfer.target, transfer.amount),
        ):
            if account.name not in BRAND_NAMES:
                changes[accounts[account]] += amount
    if not changes:
        return
    ordered = sorted(changes)
    session.execute(
        sa.select(LedgerAccount.id)
        .where(_is_one_of(LedgerAccount.id, ordered))
        .order_by(LedgerAccount.id)
        .with_for_update()
    )
    pairs = sa.select(
        _unnest(ordered, sa.BigInteger()).label("id"),
        _unnest([changes[one] for one in ordered], sa.BigInteger()).label("change"),
    ).subquery()
    session.execute(
        sa.update(LedgerAccount)
        .where(LedgerAccount.id == pairs.c.id)
        .values(balance=LedgerAccount.balance + pairs.c.change)
        .execution_options(synchronize_session=False)
    )


def _is_one_of(column: Any, values: list[int]) -> sa.ColumnElement[bool]:
    """Compare with a set sent as one array, however many: thousands of parameters take longer."""
    found: sa.ColumnElement[bool] = column == sa.func.any(
        sa.literal(values, sa.ARRAY(sa.BigInteger))
    )
    return found


def _unnest(values: list[Any], item: sa.types.TypeEngine[Any]) -> Any:
    return sa.func.unnest(sa.literal(values, sa.ARRAY(item)))
