"""What is going on at a store: its day so far, and what is still open when it closes."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.orm import Session

from admin.details import Section, pairs_of
from admin.i18n import ngettext
from app.attribution.models import Binding, ShareCode
from app.catalog.models import StockLevel
from app.insight import queries as insight
from app.insight.queries import Asked
from app.kernel.clock import business_day
from app.members.models import Distributor, Standing
from app.orders.models import Order, Refund
from app.orders.states import FINAL_REFUND_STATES, OrderState
from app.stores.models import Staff

FIGURES: Final = {
    "paid_orders": _("Orders paid today"),
    "paid_fen": _("Paid today"),
    "completed_orders": _("Handed over today"),
    "refunded_fen": _("Refunded today"),
    "new_members": _("New customers today"),
}


def today_section(session: Session, store_id: int, *, now: datetime) -> Section:
    """Return the figures of a store's day; they are minutes old at most."""
    day = business_day(now)
    asked = Asked(day, day, frozenset({store_id}), tuple(FIGURES))
    figures = insight.of_days(session, [day], asked)[day]
    return Section(lazy_pgettext("store", "Today"), "facts", facts=pairs_of(figures, FIGURES))


def open_matters(
    session: Session, store_id: int, *, works_here: sa.ColumnElement[bool]
) -> list[str]:
    """Return what is open at a store, a sentence for each kind; nothing where all is done.

    `works_here` is the condition on staff, by store or by region.
    """
    counts = _counts(session, store_id, works_here)
    return [text for name, text in _sentences(counts).items() if counts[name]]


def _sentences(counts: dict[str, int]) -> dict[str, str]:
    return {
        "to_hand_over": ngettext(
            "%(num)s paid order is to be handed over",
            "%(num)s paid orders are to be handed over",
            counts["to_hand_over"],
        ),
        "unpaid": ngettext(
            "%(num)s order waits for payment",
            "%(num)s orders wait for payment",
            counts["unpaid"],
        ),
        "refunds": ngettext(
            "%(num)s refund is under way", "%(num)s refunds are under way", counts["refunds"]
        ),
        "pieces": ngettext(
            "%(num)s piece of stock is on the shelf",
            "%(num)s pieces of stock are on the shelf",
            counts["pieces"],
        ),
        "staff": ngettext("%(num)s person works here", "%(num)s people work here", counts["staff"]),
        "customers": ngettext(
            "%(num)s customer belongs to the store",
            "%(num)s customers belong to the store",
            counts["customers"],
        ),
        "distributors": ngettext(
            "%(num)s active distributor belongs to the store",
            "%(num)s active distributors belong to the store",
            counts["distributors"],
        ),
        "codes": ngettext(
            "%(num)s share code of the store is live",
            "%(num)s share codes of the store are live",
            counts["codes"],
        ),
    }


def _counts(session: Session, store_id: int, works_here: sa.ColumnElement[bool]) -> dict[str, int]:
    """Count what is open, each by an index of the store."""
    count = sa.func.count()
    of_store = sa.select(count).select_from(Order).where(Order.store_id == store_id)
    queries: dict[str, Any] = {
        "to_hand_over": of_store.where(Order.state == OrderState.PAID),
        "unpaid": of_store.where(Order.state == OrderState.CREATED),
        "refunds": sa.select(count)
        .select_from(Refund)
        .join(Order, Order.id == Refund.order_id)
        .where(Order.store_id == store_id, Refund.state.not_in(FINAL_REFUND_STATES)),
        "pieces": sa.select(sa.func.coalesce(sa.func.sum(StockLevel.on_hand), 0)).where(
            StockLevel.store_id == store_id
        ),
        "staff": sa.select(count).select_from(Staff).where(works_here, Staff.active),
        "customers": sa.select(count)
        .select_from(Binding)
        .where(Binding.owner_store_id == store_id, Binding.valid_until_at > sa.func.now()),
        "distributors": sa.select(count)
        .select_from(Distributor)
        .where(Distributor.store_id == store_id, Distributor.standing == Standing.ACTIVE),
        "codes": sa.select(count)
        .select_from(ShareCode)
        .where(ShareCode.owner_store_id == store_id, ShareCode.revoked_at.is_(None)),
    }
    columns = [query.scalar_subquery().label(name) for name, query in queries.items()]
    row = session.execute(sa.select(*columns)).one()
    return {name: int(value) for name, value in row._mapping.items()}
