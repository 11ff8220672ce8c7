"""What refunds took back of commissions."""

from typing import ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy.sql import ColumnElement

from admin.base import ScopedView
from admin.filters import Days, Exactly
from admin.scopes import StoreIds
from app.distribution.models import AwardReversal
from app.insight.sources import SOURCES
from app.stores.permissions import Permission


def _of_own_order(store_ids: StoreIds) -> ColumnElement[bool]:
    """Rows of orders placed at one of the person's stores."""
    found: ColumnElement[bool] = SOURCES["clawbacks"].store_id.in_(store_ids)
    return found


class ClawbacksView(ScopedView):
    """What each refund took back of each commission. Never changed."""

    permission = Permission.AWARDS_VIEW
    scope = _of_own_order
    icon = "undo-2"
    intro = _("What refunds took back of commissions, each with its refund. Never changed.")
    is_counted = False
    can_view_details = False

    column_list = ("id", "award_id", "refund_id", "amount_fen", "created_at")
    labels: ClassVar = {"award_id": _("Commission"), "amount_fen": _("Taken back")}
    filters = (
        Exactly("award", _("Commission no."), AwardReversal.award_id, is_id=True),
        Exactly("refund", _("Refund no."), AwardReversal.refund_id, is_id=True),
        Days("created", _("Created"), AwardReversal.created_at),
    )
