"""What is in the books about a batch of orders, loaded in sets and without explanations."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import (
    Award,
    AwardRefusal,
    AwardReversal,
    OrderDecision,
    RefundDecision,
)
from app.distribution.plan_records import Gift
from app.kernel.outbox import OutboxEvent, Task
from app.ledger.models import LedgerAccount, LedgerEntry, LedgerTransfer

Part: TypeAlias = tuple[int, int | None]
"""An order and the version that some of its lines fall under, or none."""
AwardKey: TypeAlias = tuple[int, str, int]
"""Order line, kind, beneficiary."""
Moves: TypeAlias = Mapping[tuple[str, int | None], int]
"""What an entry of the ledger moved into accounts of members, by account and member."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The books about some orders."""

    decisions: Mapping[Part, tuple[int, int]]
    awards: Mapping[Part, Mapping[AwardKey, tuple[Any, ...]]]
    refusals: Mapping[Part, Counter[tuple[Any, ...]]]
    gifts: Mapping[Part, Mapping[tuple[str, int], tuple[str, int]]]
    decided_refunds: frozenset[int]
    reversals: Mapping[int, Mapping[int, int]]
    """What each refund took back of whom."""
    moves: Mapping[str, Moves]


@dataclass(frozen=True, slots=True)
class Underway:
    """Orders and refunds with a task or a fact that has not been worked off."""

    orders: frozenset[int]
    refunds: frozenset[int]


def load(session: Session, order_ids: Collection[int], refund_ids: Collection[int]) -> Recorded:
    """Load what is recorded of orders and of their refunds."""
    decisions = _decisions(session, order_ids)
    keys = [accrued(part) for part in decisions if part[1] is not None]
    keys += [clawed_back(refund_id) for refund_id in refund_ids]
    return Recorded(
        decisions=decisions,
        awards=_awards(session, order_ids),
        refusals=_refusals(session, order_ids),
        gifts=_gifts(session, order_ids),
        decided_refunds=_decided_refunds(session, refund_ids),
        reversals=_reversals(session, refund_ids),
        moves=moves(session, keys),
    )


def accrued(part: Part) -> str:
    """Return the key of the ledger entry of what a part of an order brought."""
    return f"commission-accrued:{part[0]}:{part[1]}"


def clawed_back(refund_id: int) -> str:
    """Return the key of the ledger entry of what a refund took back."""
    return f"commission-clawed-back:{refund_id}"


def underway(session: Session) -> Underway:
    """Return what has been left for later, which is no difference yet."""

    def subjects(jobs: Collection[str], events: Collection[str]) -> frozenset[int]:
        tasks = session.scalars(sa.select(Task.subject_id).where(Task.job.in_(jobs)))
        facts = sa.select(OutboxEvent.subject_id).where(OutboxEvent.name.in_(events))
        return frozenset(tasks) | frozenset(session.scalars(facts))

    return Underway(
        orders=subjects(["award_orders"], ["order_paid", "order_completed", "order_settled"]),
        refunds=subjects(["claw_back_refunds", "note_refunds"], ["refund_succeeded"]),
    )


def moves(session: Session, keys: Collection[str]) -> dict[str, Moves]:
    """Return what entries of the ledger moved into accounts of members, by the entries' keys."""
    if not keys:
        return {}
    rows = session.execute(
        sa.select(
            LedgerEntry.key,
            LedgerTransfer.source_id,
            LedgerTransfer.target_id,
            LedgerTransfer.amount,
        )
        .join(LedgerTransfer, LedgerTransfer.entry_id == LedgerEntry.id)
        .where(LedgerEntry.key == sa.any_(sa.literal(list(keys), sa.ARRAY(sa.Text))))
    ).all()
    whose = _accounts(session, {one for row in rows for one in (row.source_id, row.target_id)})
    found: dict[str, dict[tuple[str, int | None], int]] = {}
    for key, source_id, target_id, amount in rows:
        moved = found.setdefault(key, {})
        for account_id, change in ((source_id, -amount), (target_id, amount)):
            account = whose[account_id]
            if account[1] is not None:
                moved[account] = moved.get(account, 0) + change
    return dict(found)


def _accounts(session: Session, ids: Collection[int]) -> dict[int, tuple[str, int | None]]:
    """Return what accounts hold and for whom; looked up apart, so that no join reads them all."""
    rows = session.execute(
        sa.select(LedgerAccount.id, LedgerAccount.name, LedgerAccount.member_id).where(
            _of(LedgerAccount.id, ids)
        )
    )
    return {account_id: (name, member_id) for account_id, name, member_id in rows}


def _of(column: Any, ids: Collection[int]) -> Any:
    return column == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger)))


def _decisions(session: Session, order_ids: Collection[int]) -> dict[Part, tuple[int, int]]:
    rows = session.execute(
        sa.select(
            OrderDecision.order_id,
            OrderDecision.plan_version_id,
            OrderDecision.base_fen,
            OrderDecision.awarded_fen,
        ).where(_of(OrderDecision.order_id, order_ids))
    )
    return {(order_id, version_id): (base, awarded) for order_id, version_id, base, awarded in rows}


def _awards(
    session: Session, order_ids: Collection[int]
) -> dict[Part, dict[AwardKey, tuple[Any, ...]]]:
    rows: Iterable[Any] = session.execute(
        sa.select(
            Award.order_id,
            Award.plan_version_id,
            Award.order_line_id,
            Award.kind,
            Award.beneficiary_id,
            Award.seat,
            Award.base_fen,
            Award.rate_bp,
            Award.amount_fen,
            Award.reversed_fen,
        ).where(_of(Award.order_id, order_ids))
    )
    found: dict[Part, dict[AwardKey, tuple[Any, ...]]] = {}
    for order_id, version_id, line_id, kind, beneficiary_id, *facts in rows:
        of_part = found.setdefault((order_id, version_id), {})
        of_part[line_id, kind, beneficiary_id] = tuple(facts)
    return found


def _refusals(session: Session, order_ids: Collection[int]) -> dict[Part, Counter[tuple[Any, ...]]]:
    rows: Iterable[Any] = session.execute(
        sa.select(
            AwardRefusal.order_id,
            AwardRefusal.plan_version_id,
            AwardRefusal.order_line_id,
            AwardRefusal.seat,
            AwardRefusal.beneficiary_id,
            AwardRefusal.reason,
        ).where(_of(AwardRefusal.order_id, order_ids))
    )
    found: dict[Part, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for order_id, version_id, *facts in rows:
        found[order_id, version_id][tuple(facts)] += 1
    return dict(found)


def _gifts(
    session: Session, order_ids: Collection[int]
) -> dict[Part, dict[tuple[str, int], tuple[str, int]]]:
    rows: Iterable[Any] = session.execute(
        sa.select(
            Gift.order_id,
            Gift.plan_version_id,
            Gift.kind,
            Gift.beneficiary_id,
            Gift.item,
            Gift.amount,
        ).where(_of(Gift.order_id, order_ids))
    )
    found: dict[Part, dict[tuple[str, int], tuple[str, int]]] = {}
    for order_id, version_id, kind, beneficiary_id, item, amount in rows:
        found.setdefault((order_id, version_id), {})[kind, beneficiary_id] = item, amount
    return found


def _decided_refunds(session: Session, refund_ids: Collection[int]) -> frozenset[int]:
    if not refund_ids:
        return frozenset()
    return frozenset(
        session.scalars(
            sa.select(RefundDecision.refund_id).where(_of(RefundDecision.refund_id, refund_ids))
        )
    )


def _reversals(session: Session, refund_ids: Collection[int]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    if refund_ids:
        rows = session.execute(
            sa.select(
                AwardReversal.refund_id,
                Award.beneficiary_id,
                sa.func.sum(AwardReversal.amount_fen),
            )
            .join(Award, Award.id == AwardReversal.award_id)
            .where(_of(AwardReversal.refund_id, refund_ids))
            .group_by(AwardReversal.refund_id, Award.beneficiary_id)
        )
        for refund_id, beneficiary_id, amount_fen in rows:
            found.setdefault(refund_id, {})[beneficiary_id] = int(amount_fen)
    return found
