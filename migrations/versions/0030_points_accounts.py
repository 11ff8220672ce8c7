"""Accounts for points in the ledger."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MONEY = (
    "commission_expense",
    "wechat_paid_out",
    "commission_pending",
    "commission_available",
    "payout_in_transit",
    "clawback_debt",
)
POINTS = (
    "points_issued",
    "points_redeemed",
    "points_expired",
    "points_pending",
    "points_available",
    "points_reserved",
    "points_debt",
)


def upgrade() -> None:
    _allow(MONEY + POINTS, ("clawback_debt", "points_debt"))


def downgrade() -> None:
    _allow(MONEY, ("clawback_debt",))


def _allow(names: tuple[str, ...], debts: tuple[str, ...]) -> None:
    """Say which accounts there are and which may fall below zero, without holding up writers.

    The new rules are wider than the old, so every row there is keeps them; validating them takes
    no lock that writers feel.
    """
    listed, owed = _list(names), _list(debts)
    for name, rule in {
        "name": f"name IN ({listed})",
        "not_overdrawn": f"balance >= 0 OR name IN ({owed})",
        "debt_not_positive": f"balance <= 0 OR name NOT IN ({owed})",
    }.items():
        op.execute(f"ALTER TABLE ledger_accounts DROP CONSTRAINT ck_ledger_accounts_{name}")
        op.execute(
            f"ALTER TABLE ledger_accounts ADD CONSTRAINT ck_ledger_accounts_{name}"
            f" CHECK ({rule}) NOT VALID"
        )
        op.execute(f"ALTER TABLE ledger_accounts VALIDATE CONSTRAINT ck_ledger_accounts_{name}")


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
