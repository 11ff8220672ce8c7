"""Writing decisions down: awards, refusals and gifts, and what they move in the ledger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.distribution.models import Award, AwardRefusal, AwardState, OrderDecision
from app.distribution.plan_records import Gift, GiftState
from app.engines.results import Decisions
from app.ledger import services as ledger
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, pending


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided on one order under one version, or none.

    `event_id` is the event of a plan with places; `matures_at` is known for what counted once the
    order was received, since its waiting time is running.
    """

    order_id: int
    version_id: int | None
    base_fen: int
    decisions: Decisions
    event_id: int | None = None
    matures_at: datetime | None = None


def claim(session: Session, decided: Sequence[Decided], *, now: datetime) -> list[Decided]:
    """Claim decisions for good and return those that were not made before.

    A unique index lets the lines of an order under one version be decided once.
    """
    if not decided:
        return []
    new = {
        (order_id, version_id)
        for order_id, version_id in session.execute(
            insert(OrderDecision)
            .on_conflict_do_nothing()
            .returning(OrderDecision.order_id, OrderDecision.plan_version_id),
            [
                {
                    "order_id": one.order_id,
                    "plan_version_id": one.version_id,
                    "base_fen": one.base_fen,
                    "awarded_fen": one.decisions.total_fen,
                    "decided_at": now,
                }
                for one in decided
            ],
        )
    }
    return [one for one in decided if (one.order_id, one.version_id) in new]


def record(session: Session, decided: Sequence[Decided], *, now: datetime) -> None:
    """Write what was claimed: rows in bulk, then one ledger entry for each."""
    awards = [row for one in decided for row in _award_rows(one, now)]
    refusals = [row for one in decided for row in _refusal_rows(one, now)]
    gifts = [row for one in decided for row in _gift_rows(one, now)]
    if awards:
        session.execute(sa.insert(Award), awards)
    if refusals:
        session.execute(sa.insert(AwardRefusal), refusals)
    if gifts:
        session.execute(sa.insert(Gift), gifts)
    entries = [
        ledger.Entry(
            f"commission-accrued:{one.order_id}:{one.version_id}",
            tuple(
                Transfer(COMMISSION_EXPENSE, pending(award.beneficiary_id), award.amount_fen)
                for award in one.decisions.awards
            ),
        )
        for one in decided
        if one.decisions.awards
    ]
    ledger.post_many(session, entries, now=now)


def _award_rows(one: Decided, now: datetime) -> Iterator[dict[str, Any]]:
    for award in one.decisions.awards:
        yield {
            "order_id": one.order_id,
            "order_line_id": award.line_id,
            "plan_version_id": one.version_id,
            "beneficiary_id": award.beneficiary_id,
            "kind": award.kind.value,
            "seat": award.seat,
            "base_fen": award.base_fen,
            "rate_bp": award.rate_bp,
            "amount_fen": award.amount_fen,
            "state": AwardState.FROZEN if one.matures_at else AwardState.PENDING,
            "matures_at": one.matures_at,
            "explanation": award.explanation,
            "created_at": now,
        }


def _refusal_rows(one: Decided, now: datetime) -> Iterator[dict[str, Any]]:
    for refusal in one.decisions.refusals:
        yield {
            "order_id": one.order_id,
            "order_line_id": refusal.line_id,
            "plan_version_id": one.version_id,
            "beneficiary_id": refusal.beneficiary_id,
            "seat": refusal.seat,
            "reason": refusal.reason.value,
            "explanation": refusal.explanation,
            "created_at": now,
        }


def _gift_rows(one: Decided, now: datetime) -> Iterator[dict[str, Any]]:
    for gift in one.decisions.gifts:
        assert one.event_id is not None, "only plans with places give gifts"
        yield {
            "event_id": one.event_id,
            "plan_version_id": one.version_id,
            "order_id": one.order_id,
            "beneficiary_id": gift.beneficiary_id,
            "kind": gift.kind.value,
            "item": gift.item,
            "amount": gift.amount,
            "state": GiftState.DUE,
            "explanation": gift.explanation,
            "created_at": now,
        }
