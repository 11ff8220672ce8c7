"""What a customer's file tells of their points: the figures, the newest lines, the timeline."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin import staff
from admin.cells import Badge
from admin.details import Section
from admin.directory import Reference
from admin.i18n import gettext
from admin.labels import label_of
from admin.timeline import Item, Wanted, rows_of, scalars
from app.members.models import Member
from app.points.mall_models import MallExchange
from app.points.models import PointEntry, PointLot
from app.stores.permissions import Permission


def point_sections(view: Any, row: Member) -> Iterable[Section | None]:
    """Yield the newest lines of a customer's points, the lots with something left, exchanges."""
    if not staff.may(Permission.POINTS_VIEW):
        return
    yield view.related(
        "point_entries",
        PointEntry.member_id == row.id,
        title=_("Points"),
        without=("member_id",),
        hides_empty=True,
        member=row.id,
    )
    yield view.related(
        "point_lots",
        sa.and_(PointLot.member_id == row.id, PointLot.left_points > 0),
        title=_("Points left, by when they run out"),
        without=("member_id",),
        hides_empty=True,
        member=row.id,
        left="yes",
    )
    yield view.related(
        "mall_exchanges",
        MallExchange.member_id == row.id,
        without=("member_id",),
        hides_empty=True,
        member=row.id,
    )


def points_moved(wanted: Wanted) -> Sequence[Item]:
    """Return what happened to the points of a customer, where the reader may see them."""
    query = rows_of("point_entries", PointEntry, PointEntry.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.at,
            one.id,
            Badge(gettext("Points: %(event)s", event=label_of(one.kind)), "calm"),
            Reference("orders", one.order_id) if one.order_id is not None else None,
            one.actor,
            _told(one),
        )
        for one in scalars(wanted.page(query, PointEntry.at, PointEntry.id))
    ]


def _told(one: PointEntry) -> str:
    """Say how many points came or went, and why."""
    change = one.available_change or one.pending_change or -one.debt_change
    return f"{change:+d} · {one.reason}" if one.reason else f"{change:+d}"
