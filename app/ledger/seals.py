"""Sealing the ledger: a hash chain over its entries, so that an edit of history shows.

Chaining at the moment of writing would let only one transaction write at a time. So entries are
sealed behind the writers: everything written by transactions that have surely ended, in the order
of ids, every minute. The last hash is worth shipping off the machine.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from app.ledger.models import LedgerEntry, LedgerSeal, LedgerTransfer

GENESIS: Final = "0" * 64
_SEALING_LOCK: Final = 7_310_003
_READ_AT_ONCE: Final = 5_000


def seal(session: Session, *, now: datetime) -> int:
    """Seal all entries that can no longer be joined by others; return how many."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_SEALING_LOCK)))
    last = session.scalar(sa.select(LedgerSeal).order_by(LedgerSeal.id.desc()).limit(1))
    horizon = session.scalar(
        sa.text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    )
    assert horizon is not None
    since = last.below_transaction_id if last else 0
    previous = last.hash if last else GENESIS
    count, digest = _digest(session, since, horizon, previous)
    if count == 0:
        return 0
    session.add(
        LedgerSeal(
            sealed_at=now,
            below_transaction_id=horizon,
            entry_count=count,
            previous_hash=previous,
            hash=digest,
        )
    )
    session.flush()
    return count


def broken_seals(session: Session) -> Iterator[int]:
    """Yield the id of each seal that its entries, or the seal before, no longer bear out."""
    previous, since = GENESIS, 0
    for one in session.scalars(sa.select(LedgerSeal).order_by(LedgerSeal.id)):
        count, digest = _digest(session, since, one.below_transaction_id, previous)
        if (one.previous_hash, one.entry_count, one.hash) != (previous, count, digest):
            yield one.id
        previous, since = one.hash, one.below_transaction_id


def _digest(session: Session, since: int, below: int, previous: str) -> tuple[int, str]:
    """Hash the entries written by the transactions since..below, after the hash before."""
    total, digest = 0, hashlib.sha256(previous.encode())
    after_id = 0
    while rows := _entries(session, since, below, after_id):
        for row in rows:
            facts = [row.id, row.key, row.occurred_at.astimezone(UTC).isoformat(), row.moved]
            digest.update(json.dumps(facts, separators=(",", ":")).encode())
        total += len(rows)
        after_id = rows[-1].id
    return total, digest.hexdigest()


def _entries(session: Session, since: int, below: int, after_id: int) -> list[Any]:
    moved = (
        sa.select(
            sa.func.jsonb_agg(
                postgresql.aggregate_order_by(
                    sa.func.jsonb_build_array(
                        LedgerTransfer.id,
                        LedgerTransfer.source_id,
                        LedgerTransfer.target_id,
                        LedgerTransfer.amount,
                    ),
                    LedgerTransfer.id,
                )
            )
        )
        .where(LedgerTransfer.entry_id == LedgerEntry.id)
        .scalar_subquery()
    )
    return list(
        session.execute(
            sa.select(
                LedgerEntry.id, LedgerEntry.key, LedgerEntry.occurred_at, moved.label("moved")
            )
            .where(
                LedgerEntry.transaction_id >= since,
                LedgerEntry.transaction_id < below,
                LedgerEntry.id > after_id,
            )
            .order_by(LedgerEntry.id)
            .limit(_READ_AT_ONCE)
        )
    )
