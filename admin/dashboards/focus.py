"""What each role looks at first. What somebody may see is a matter of permissions, not of this."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from app.stores.permissions import RoleName


@dataclass(frozen=True, slots=True)
class Focus:
    """Tiles and charts in the order of their weight."""

    tiles: tuple[str, ...]
    charts: tuple[str, ...]


EVERYTHING: Final = Focus(
    tiles=(
        "paid_fen",
        "net_fen",
        "paid_orders",
        "completed_orders",
        "refunded_fen",
        "first_orders",
        "distributor_fen",
        "new_members",
        "new_bindings",
        "touches",
        "new_distributors",
        "awards_fen",
        "clawbacks_fen",
        "payouts_fen",
        "commission_pending_fen",
        "commission_available_fen",
        "clawback_debt_fen",
    ),
    charts=("money", "customers", "stores", "distributors", "commission", "reach"),
)
"""For auditors and for roles that a brand made itself: all that their permissions allow."""

FOCUS: Final[Mapping[str, Focus]] = {
    RoleName.OWNER: Focus(
        tiles=(
            "paid_fen",
            "net_fen",
            "paid_orders",
            "new_members",
            "first_orders",
            "distributor_fen",
            "awards_fen",
            "payouts_fen",
            "refunded_fen",
            "new_distributors",
            "commission_available_fen",
            "clawback_debt_fen",
        ),
        charts=("money", "customers", "stores", "distributors", "commission", "reach"),
    ),
    RoleName.FINANCE: Focus(
        tiles=(
            "net_fen",
            "paid_fen",
            "refunded_fen",
            "refunds",
            "payouts_fen",
            "awards_fen",
            "clawbacks_fen",
            "commission_pending_fen",
            "commission_available_fen",
            "clawback_debt_fen",
        ),
        charts=("money", "commission", "distributors"),
    ),
    RoleName.OPERATIONS: Focus(
        tiles=(
            "new_members",
            "first_orders",
            "paid_orders",
            "paid_fen",
            "touches",
            "new_bindings",
            "new_distributors",
            "distributor_fen",
            "awards_fen",
            "refunded_fen",
        ),
        charts=("customers", "reach", "stores", "distributors", "money"),
    ),
    RoleName.STORE_MANAGER: Focus(
        tiles=(
            "paid_fen",
            "paid_orders",
            "completed_orders",
            "new_members",
            "first_orders",
            "distributor_fen",
            "refunded_fen",
            "touches",
        ),
        charts=("money", "customers", "distributors", "counter"),
    ),
    RoleName.FRONT_DESK: Focus(
        tiles=("completed_orders", "paid_orders", "new_members", "first_orders"),
        charts=("counter", "customers"),
    ),
    RoleName.AUDITOR: EVERYTHING,
}


def focus_of(roles: Collection[str]) -> Focus:
    """Return what the holder of some roles looks at: the widest of them decides.

    >>> focus_of(["front_desk", "finance"]) is FOCUS["finance"]
    True
    >>> focus_of(["a role of our own"]) is EVERYTHING
    True
    """
    return next((focus for role, focus in FOCUS.items() if role in roles), EVERYTHING)
