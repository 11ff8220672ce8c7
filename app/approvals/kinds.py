"""Every kind of matter that one person asks for and another decides.

A new kind is a `Kind` in a module of its subject beside this one, entered in the tuple below, with
words for its values in the back office (`admin.approval_words`). Rows keep the name of their kind,
so a name that was ever used stays.
"""

from collections.abc import Mapping
from typing import Final

from app.approvals.binding_kinds import BINDING_END, BINDING_TRANSFER, DISPUTE_RESOLUTION
from app.approvals.contract import Kind
from app.approvals.point_kinds import POINTS_ADJUSTMENT
from app.approvals.setting_kinds import SETTING_CHANGE
from app.approvals.staff_kinds import ROLE_PERMISSIONS, STAFF_DUTIES
from app.approvals.team_kinds import LEVEL_BY_HAND, RECOMMENDER_MOVE

KINDS: Final[Mapping[str, Kind]] = {
    one.name: one
    for one in (
        BINDING_TRANSFER,
        BINDING_END,
        DISPUTE_RESOLUTION,
        RECOMMENDER_MOVE,
        LEVEL_BY_HAND,
        POINTS_ADJUSTMENT,
        STAFF_DUTIES,
        ROLE_PERMISSIONS,
        SETTING_CHANGE,
    )
}
"""By name, in the order in which the back office lists them."""
