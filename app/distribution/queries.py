"""Reading awards: what someone earned, why, and what they did not earn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award, AwardRefusal, AwardReversal, AwardState, OrderDecision
from app.engines.explaining import explain_facts
from app.kernel.clock import business_day, day_begins_at
from app.kernel.i18n import N_, Message
from app.ledger.queries import Balances, balances
from app.orders.models import Order

NO_PLAN = N_("No plan was in force when this order was made, so it pays no commission.")
NOT_DECIDED = N_("The commission on this order has not been worked out yet.")
EARNED = (AwardState.PENDING, AwardState.FROZEN, AwardState.MATURED, AwardState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class AwardRow:
    """An award as its beneficiary sees it; `net_fen` is what refunds have left of it.

    One for a closed month has no order, one of a fixed amount no rate.
    """

    id: int
    order_number: str | None
    kind: str
    base_fen: int
    rate_bp: int | None
    amount_fen: int
    net_fen: int
    state: AwardState
    created_at: datetime
    matures_at: datetime | None
    matured_at: datetime | None
    explanation: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What a distributor sees first. Amounts in fen; `today` is the day in Shanghai."""

    balances: Balances
    today_orders: int
    today_earned_fen: int
    total_earned_fen: int


def awards_page(
    session: Session,
    beneficiary_id: int,
    *,
    after_id: int | None,
    limit: int,
    state: AwardState | None = None,
    granted_within: tuple[datetime, datetime] | None = None,
) -> list[AwardRow]:
    """Return one page of a member's awards, the newest first, each with its explanation.

    `granted_within` is from the first instant until before the second.
    """
    wanted = sa.select(Award, Order.number).outerjoin(Order, Order.id == Award.order_id)
    wanted = wanted.where(Award.beneficiary_id == beneficiary_id)
    if granted_within is not None:
        begins_at, ends_at = granted_within
        wanted = wanted.where(Award.created_at >= begins_at, Award.created_at < ends_at)
    if after_id is not None:
        wanted = wanted.where(Award.id < after_id)
    if state is not None:
        wanted = wanted.where(Award.state == state)
    rows = session.execute(wanted.order_by(Award.id.desc()).limit(limit)).all()
    reversals = _reversals(session, [award.id for award, _ in rows])
    return [_row(award, number, reversals.get(award.id, [])) for award, number in rows]


def award_for_member(session: Session, award_id: int, beneficiary_id: int) -> AwardRow | None:
    """Return one award of a member; None where it does not exist or is somebody else's."""
    found = session.execute(
        sa.select(Award, Order.number)
        .outerjoin(Order, Order.id == Award.order_id)
        .where(Award.id == award_id, Award.beneficiary_id == beneficiary_id)
    ).one_or_none()
    if found is None:
        return None
    award, number = found
    return _row(award, number, _reversals(session, [award.id]).get(award.id, []))


def award_explanation(session: Session, award_id: int) -> tuple[Message, ...]:
    """Return the sentences that explain an award and what refunds did to it."""
    award = session.get_one(Award, award_id)
    reversals = _reversals(session, [award_id]).get(award_id, [])
    return explain_facts(award.explanation, reversals=[one.explanation for one in reversals])


def order_explanation(session: Session, order_id: int) -> list[tuple[Message, ...]]:
    """Return why each seat of each line of an order was or was not paid, for staff."""
    decided = session.scalars(
        sa.select(OrderDecision.plan_version_id).where(OrderDecision.order_id == order_id)
    ).all()
    if not decided:
        return [(Message(NOT_DECIDED),)]
    without_plan = [(Message(NO_PLAN),)] if None in decided else []
    awards = session.scalars(
        sa.select(Award).where(Award.order_id == order_id).order_by(Award.order_line_id, Award.seat)
    ).all()
    refusals = session.scalars(
        sa.select(AwardRefusal)
        .where(AwardRefusal.order_id == order_id)
        .order_by(AwardRefusal.order_line_id, AwardRefusal.seat)
    )
    reversals = _reversals(session, [award.id for award in awards])
    return (
        without_plan
        + [
            explain_facts(
                award.explanation,
                reversals=[one.explanation for one in reversals.get(award.id, [])],
            )
            for award in awards
        ]
        + [explain_facts(refusal.explanation) for refusal in refusals]
    )


def dashboard(session: Session, member_id: int, *, now: datetime) -> Dashboard:
    """Return a distributor's balances and what today has brought."""
    today = day_begins_at(business_day(now))
    net = Award.amount_fen - Award.reversed_fen
    orders, earned = session.execute(
        sa.select(
            sa.func.count(sa.distinct(Award.order_id)), sa.func.coalesce(sa.func.sum(net), 0)
        ).where(Award.beneficiary_id == member_id, Award.created_at >= today)
    ).one()
    total = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(net), 0)).where(
            Award.beneficiary_id == member_id, Award.state.in_(EARNED)
        )
    )
    return Dashboard(balances(session, member_id), int(orders), int(earned), int(total or 0))


def _reversals(session: Session, award_ids: Sequence[int]) -> dict[int, list[AwardReversal]]:
    found: dict[int, list[AwardReversal]] = {}
    for one in session.scalars(
        sa.select(AwardReversal)
        .where(AwardReversal.award_id.in_(award_ids))
        .order_by(AwardReversal.id)
    ):
        found.setdefault(one.award_id, []).append(one)
    return found


def _row(award: Award, order_number: str | None, reversals: Sequence[AwardReversal]) -> AwardRow:
    return AwardRow(
        id=award.id,
        order_number=order_number,
        kind=award.kind,
        base_fen=award.base_fen,
        rate_bp=award.rate_bp,
        amount_fen=award.amount_fen,
        net_fen=award.amount_fen - award.reversed_fen,
        state=award.state,
        created_at=award.created_at,
        matures_at=award.matures_at,
        matured_at=award.matured_at,
        explanation=explain_facts(
            award.explanation, reversals=[one.explanation for one in reversals]
        ),
    )
