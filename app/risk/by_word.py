"""Things handed over on the word of the staff alone, where one person does it unusually often.

A code on the customer's phone proves that somebody was there; a word does not. Phones run empty, so
some words are honest trade; many of one person on one day ask for somebody to look. Nothing is held
for it: what is asked about is gone already.
"""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.guest_cards.models import CardUse
from app.orders.handover_models import Handover, HandoverProof

ZONE: Final = "Asia/Shanghai"
LOOK_BACK: Final = timedelta(days=7)
"""Older ones are not shown any more: whoever wanted to has looked."""


def unusual_uses(*, least: int, now: datetime) -> ColumnElement[bool]:
    """Return the condition for uses of guest cards without a code, `least` or more in a day.

    Counted for one member of staff and one day in Shanghai.
    """
    other = aliased(CardUse)
    is_word = sa.and_(~other.is_by_code, other.at > now - LOOK_BACK)
    busy = _busy(other.staff_id, other.at, is_word, least=least)
    mine = sa.tuple_(CardUse.staff_id, _day(CardUse.at))
    return sa.and_(~CardUse.is_by_code, CardUse.at > now - LOOK_BACK, mine.in_(busy))


def unusual_orders(
    order_id: InstrumentedAttribute[int], *, least: int, now: datetime
) -> ColumnElement[bool]:
    """Return the condition for orders handed over without a code, likewise."""
    other = aliased(Handover)
    is_word = sa.and_(other.proof == HandoverProof.STAFF_WORD, other.at > now - LOOK_BACK)
    busy = _busy(other.staff_id, other.at, is_word, least=least)
    mine = sa.tuple_(Handover.staff_id, _day(Handover.at))
    return order_id.in_(
        sa.select(Handover.order_id).where(
            Handover.proof == HandoverProof.STAFF_WORD,
            Handover.at > now - LOOK_BACK,
            mine.in_(busy),
        )
    )


def _busy(
    staff_id: InstrumentedAttribute[int],
    at: InstrumentedAttribute[datetime],
    where: ColumnElement[bool],
    *,
    least: int,
) -> sa.Select[int, datetime]:
    day = _day(at)
    counted = sa.select(staff_id, day).where(where).group_by(staff_id, day)
    return counted.having(sa.func.count() >= least)


def _day(at: InstrumentedAttribute[datetime]) -> ColumnElement[datetime]:
    return sa.func.date(sa.func.timezone(ZONE, at))
