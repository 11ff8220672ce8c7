"""A member's accounts of points: locked together, moved together, written into the statement.

Whoever changes points locks the member's accounts first and then reads: so everything that happens
to the points of one member happens one after the other, whatever the number of workers.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor
from app.ledger import services as ledger
from app.ledger.transfers import Account, Name, Transfer, Unit
from app.points.models import PointEntry
from app.points.states import EntryKind, PointSource

ISSUED: Final = Account(Name.POINTS_ISSUED, Unit.POINT)
REDEEMED: Final = Account(Name.POINTS_REDEEMED, Unit.POINT)
EXPIRED: Final = Account(Name.POINTS_EXPIRED, Unit.POINT)


def pending(member_id: int) -> Account:
    """Return the account of what purchases brought that can still be refunded."""
    return Account(Name.POINTS_PENDING, Unit.POINT, member_id)


def available(member_id: int) -> Account:
    """Return the account of what can be spent."""
    return Account(Name.POINTS_AVAILABLE, Unit.POINT, member_id)


def reserved(member_id: int) -> Account:
    """Return the account of what is set aside for orders that wait to be paid."""
    return Account(Name.POINTS_RESERVED, Unit.POINT, member_id)


def debt(member_id: int) -> Account:
    """Return the account, at or below zero, of what could not be taken back."""
    return Account(Name.POINTS_DEBT, Unit.POINT, member_id)


@dataclass(frozen=True, slots=True)
class Held:
    """What a member holds, in points; the debt as a positive number."""

    pending: int
    available: int
    reserved: int
    debt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What happened to a member's points, as the statement tells it.

    `key` names the fact in ledger and statement, so that it happens once.
    """

    member_id: int
    key: str
    kind: EntryKind
    source: PointSource | None = None
    order_id: int | None = None
    reason: str = ""
    actor: Actor = SYSTEM


def lock(session: Session, member_id: int) -> Held:
    """Lock all accounts of a member against every other change, and return what they hold."""
    found = ledger.lock_balances(
        session, [account(member_id) for account in (pending, available, reserved, debt)]
    )
    return Held(
        pending=found[pending(member_id)],
        available=found[available(member_id)],
        reserved=found[reserved(member_id)],
        debt=-found[debt(member_id)],
    )


def book(session: Session, fact: Fact, *transfers: Transfer, now: datetime) -> bool:
    """Record a fact in the ledger and in the member's statement, once.

    Return False, and change nothing, where a fact of that key stands already. A fact that moves
    nothing the member sees, as the end of a reservation, has no line in the statement.
    """
    if not ledger.post(session, fact.key, transfers, now=now):
        return False
    changes = {
        "available_change": _change(available(fact.member_id), transfers),
        "pending_change": _change(pending(fact.member_id), transfers),
        "debt_change": -_change(debt(fact.member_id), transfers),
    }
    if any(changes.values()):
        session.execute(
            sa.insert(PointEntry).values(
                member_id=fact.member_id,
                key=fact.key,
                kind=fact.kind,
                source=fact.source,
                order_id=fact.order_id,
                reason=fact.reason,
                actor=str(fact.actor),
                at=now,
                **changes,
            )
        )
    return True


def _change(account: Account, transfers: tuple[Transfer, ...]) -> int:
    return sum(
        one.amount * ((one.target == account) - (one.source == account)) for one in transfers
    )
