"""Stores, goods, orders, plans and money, and what was asked for and brought in."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from admin.i18n import gettext
from admin.labels import label_of
from admin.registers.kinds import Register, title_of
from admin.scopes import (
    Scope,
    brand_only,
    by_distributor,
    by_store,
    everybody,
    of_order_or_month,
    region_of_store,
    within_stores,
)
from app.approvals.models import Approval
from app.catalog.models import Product
from app.distribution.models import Award
from app.distribution.plan_records import ClosedMonth
from app.imports.models import HistoricOrder, ImportRun
from app.ledger.models import LedgerAccount
from app.members.models import Member
from app.orders.models import Order, Refund
from app.payouts.models import Payout
from app.plans.models import Plan, PlanVersion
from app.preferences.catalogue import BY_NAME
from app.preferences.models import SettingChange
from app.stores.models import Region, Store


def _account_name(row: Any) -> str:
    name = str(label_of(row.name))
    return f"{name} · {row.nickname}" if row.nickname else name


OF_ORDER: Final[Scope] = by_store(Order.store_id)

REGISTERS: Final[Mapping[str, Register]] = {
    "stores": Register(
        "stores",
        Store.id,
        sa.select(Store.id, Store.name),
        lambda row: str(row.name),
        by_store(Store.id),
    ),
    "regions": Register(
        "regions",
        Region.id,
        sa.select(Region.id, Region.name),
        lambda row: str(row.name),
        region_of_store(Region.id),
    ),
    "orders": Register(
        "orders",
        Order.id,
        sa.select(Order.id, Order.number),
        lambda row: str(row.number),
        OF_ORDER,
    ),
    "refunds": Register(
        "refunds",
        Refund.id,
        sa.select(Refund.id, Refund.number).join(Order, Order.id == Refund.order_id),
        lambda row: str(row.number),
        OF_ORDER,
    ),
    "products": Register(
        "products",
        Product.id,
        sa.select(Product.id, Product.title, Product.title_en),
        title_of,
        everybody,
    ),
    "approvals": Register(
        "approvals",
        Approval.id,
        sa.select(Approval.id),
        lambda row: gettext("Request %(id)s", id=row[0]),
        by_store(Approval.store_id),
    ),
    "awards": Register(
        "awards",
        Award.id,
        sa.select(Award.id),
        lambda row: gettext("Commission %(id)s", id=row[0]),
        of_order_or_month(Award.order_id, Award.closed_month_id),
    ),
    "closed_months": Register(
        "months",
        ClosedMonth.id,
        sa.select(ClosedMonth.id, ClosedMonth.month, Plan.name).join(
            Plan, Plan.id == ClosedMonth.plan_id
        ),
        lambda row: f"{row.name} · {row.month}",
        by_store(ClosedMonth.store_id),
    ),
    "payouts": Register(
        "payouts",
        Payout.id,
        sa.select(Payout.id, Payout.number),
        lambda row: str(row.number),
        by_distributor(Payout.member_id),
    ),
    "plan_versions": Register(
        "plan_versions",
        PlanVersion.id,
        sa.select(PlanVersion.id, PlanVersion.number, Plan.name).join(PlanVersion.plan),
        lambda row: f"{row.name} v{row.number}",
        everybody,
    ),
    "plans": Register(
        "plans", Plan.id, sa.select(Plan.id, Plan.name), lambda row: str(row.name), everybody
    ),
    "accounts": Register(
        "ledger_accounts",
        LedgerAccount.id,
        sa.select(LedgerAccount.id, LedgerAccount.name, Member.nickname).outerjoin(
            Member, Member.id == LedgerAccount.member_id
        ),
        _account_name,
        by_distributor(LedgerAccount.member_id),
    ),
    "historic_orders": Register(
        "historic_orders",
        HistoricOrder.id,
        sa.select(HistoricOrder.id, HistoricOrder.number),
        lambda row: str(row.number),
        by_store(HistoricOrder.store_id),
    ),
    "imports": Register(
        "imports",
        ImportRun.id,
        sa.select(ImportRun.id, ImportRun.file_name),
        lambda row: str(row.file_name),
        within_stores(ImportRun.store_ids),
    ),
    "settings": Register(
        "settings",
        SettingChange.id,
        sa.select(SettingChange.id, SettingChange.name),
        lambda row: gettext(BY_NAME[row.name].label) if row.name in BY_NAME else str(row.name),
        brand_only,
    ),
}
