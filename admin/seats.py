"""How many seats of shareholders are taken, store by store."""

from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin import staff
from admin.i18n import gettext
from admin.spots import rules_for
from admin.tables import Shape
from app.distribution import shareholders
from app.distribution.plan_records import PlanPlace
from app.engines.shareholders.holdings import HoldingState
from app.kernel.db import db
from app.plans.models import Plan

STORES_SHOWN: Final = 20
SEATS: Final = Shape(
    ("store_id", "plan_id", "seats", "waiting"),
    {"seats": _("Seats taken"), "waiting": _("Waiting for a seat")},
)


def taken_of(taken: int, seats: int) -> str:
    """Return how many seats are taken, and of how many."""
    return gettext("%(taken)s of %(seats)s", taken=taken, seats=seats)


def counted(store_id: int | None) -> list[dict[str, Any]]:
    """Return how many seats are taken at each store that the reader sees, or at one."""
    state = PlanPlace.facts["state"].astext
    until_at = sa.cast(PlanPlace.facts["until"].astext, sa.DateTime(timezone=True))
    is_taken = sa.and_(
        state == HoldingState.ACTIVE.value, sa.or_(until_at.is_(None), until_at > sa.func.now())
    )
    query = (
        sa.select(
            PlanPlace.plan_id,
            PlanPlace.number.label("store_id"),
            sa.func.count().filter(is_taken).label("taken"),
            sa.func.count().filter(state == HoldingState.WAITING.value).label("waiting"),
        )
        .join(Plan, Plan.id == PlanPlace.plan_id)
        .where(
            Plan.model == shareholders.MODEL,
            state.in_([HoldingState.ACTIVE.value, HoldingState.WAITING.value]),
        )
        .group_by(PlanPlace.plan_id, PlanPlace.number)
        .order_by(sa.literal_column("taken").desc(), PlanPlace.number)
        .limit(STORES_SHOWN)
    )
    store_ids = staff.visible_store_ids()
    if store_ids is not None:
        query = query.where(PlanPlace.number.in_(store_ids))
    if store_id is not None:
        query = query.where(PlanPlace.number == store_id)
    return [
        {
            "plan_id": row.plan_id,
            "store_id": row.store_id,
            "seats": taken_of(row.taken, rules.seats_per_store),
            "waiting": row.waiting,
        }
        for row in db.session.execute(query)
        if (rules := rules_for(row.plan_id)) is not None
    ]
