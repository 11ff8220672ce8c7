"""One module for each group of endpoints."""

from typing import Final

from miniprogram_api.endpoints import (
    awards,
    catalog,
    coupons,
    data_requests,
    disputes,
    distributor,
    me,
    orders,
    payouts,
    plans,
    refunds,
    sessions,
    share_codes,
    staff,
    statements,
    touches,
    wechat,
)
from miniprogram_api.routing import Group

GROUPS: Final[tuple[Group, ...]] = (
    sessions.group,
    me.group,
    data_requests.group,
    catalog.group,
    orders.group,
    refunds.group,
    coupons.group,
    touches.group,
    share_codes.group,
    distributor.group,
    disputes.group,
    awards.group,
    statements.group,
    plans.group,
    payouts.group,
    staff.group,
    wechat.group,
)
