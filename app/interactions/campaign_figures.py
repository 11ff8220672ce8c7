"""What a campaign brought: counted from its own rows, compared with those left alone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions.audience_models import CampaignRecipient
from app.interactions.campaigns import DUE, GIVEN
from app.interactions.message_models import Message
from app.interactions.states import MessageState
from app.orders.models import Order

ORDERS_WITHIN: Final = timedelta(days=7)
"""An order paid within so many days after somebody was taken up counts."""


@dataclass(frozen=True, slots=True)
class Side:
    """Those written to, or those left alone: how many, how many bought, for how much."""

    people: int
    buyers: int
    paid_fen: int

    @property
    def buyers_bp(self) -> int:
        """Return the share of them that bought, in 1/10000, rounded down."""
        return self.buyers * 10_000 // self.people if self.people else 0


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """Messages by how far they came, coupons, clicks, and both sides of the comparison."""

    messages: dict[MessageState, int]
    coupons_given: int
    coupons_refused: int
    clicked: int
    reached: Side
    control: Side


def figures_of(session: Session, campaign_id: int) -> CampaignFigures:
    """Count what a campaign brought so far."""
    states = session.execute(
        sa.select(Message.state, sa.func.count())
        .where(Message.campaign_id == campaign_id)
        .group_by(Message.state)
    )
    who = CampaignRecipient
    coupons = session.execute(
        sa.select(
            sa.func.count().filter(who.coupon_note == GIVEN),
            sa.func.count().filter(who.coupon_note.not_in(("", DUE, GIVEN))),
            sa.func.count(who.clicked_at),
        ).where(who.campaign_id == campaign_id)
    ).one()
    return CampaignFigures(
        {MessageState(row.state): int(row[1]) for row in states},
        coupons[0],
        coupons[1],
        coupons[2],
        _side(session, campaign_id, is_control=False),
        _side(session, campaign_id, is_control=True),
    )


def _side(session: Session, campaign_id: int, *, is_control: bool) -> Side:
    who = CampaignRecipient
    people = session.scalar(
        sa.select(sa.func.count()).where(
            who.campaign_id == campaign_id, who.is_control.is_(is_control)
        )
    )
    bought = session.execute(
        sa.select(
            sa.func.count(sa.distinct(who.member_id)),
            sa.func.coalesce(sa.func.sum(Order.paid_fen - Order.refunded_fen), 0),
        )
        .select_from(who)
        .join(
            Order,
            sa.and_(
                Order.member_id == who.member_id,
                Order.paid_at >= who.taken_at,
                Order.paid_at < who.taken_at + ORDERS_WITHIN,
            ),
        )
        .where(who.campaign_id == campaign_id, who.is_control.is_(is_control))
    ).one()
    return Side(people or 0, bought[0], int(bought[1]))
