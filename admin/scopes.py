"""Whose rows a member of staff may see: the one place that says it.

`store_ids` is None for staff of the brand, who see all stores; anybody else sees what belongs to
one of their stores, and nothing where the store is not known. Every list, detail page, form,
action, lookup and export filters by the conditions below (reliability B35).
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql import ColumnElement, Select

from app.distribution.plan_records import ClosedMonth
from app.members.models import Distributor, MemberStore
from app.orders.models import Order
from app.stores.models import Staff, Store, staff_regions, staff_stores

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
StoreIds: TypeAlias = frozenset[int]
Scope: TypeAlias = Callable[[StoreIds], ColumnElement[bool]]
"""From the stores of a person to the condition that a row must meet. Not asked for all stores."""


def by_store(column: InstrumentedAttribute[Any]) -> Scope:
    """Rows that name a store: only those of the person's own."""
    return lambda store_ids: column.in_(store_ids)


def within_stores(column: InstrumentedAttribute[Any]) -> Scope:
    """Rows that name several stores: only where all of them are the person's own.

    Where no store is named the row is of the whole brand.
    """

    def condition(store_ids: StoreIds) -> ColumnElement[bool]:
        own = sa.cast(sorted(store_ids), ARRAY(sa.BigInteger))
        return sa.and_(sa.func.cardinality(column) > 0, column.op("<@")(own))

    return condition


def touching_stores(column: InstrumentedAttribute[Any]) -> Scope:
    """Rows good in several stores: where one of them is the person's own.

    Where no store is named the row is of the whole brand, and everybody's to see.
    """

    def condition(store_ids: StoreIds) -> ColumnElement[bool]:
        own = sa.cast(sorted(store_ids), ARRAY(sa.BigInteger))
        return sa.or_(column.is_(None), column.op("&&")(own))

    return condition


def by_distributor(column: InstrumentedAttribute[Any]) -> Scope:
    """Rows of distributors who belong to one of the person's stores."""
    return lambda store_ids: column.in_(_distributor_ids(store_ids))


def by_member(column: InstrumentedAttribute[Any]) -> Scope:
    """Rows of members whom one of the person's stores knows.

    Who came from a store, bought there, belongs to it or to one of its distributors. The database
    keeps these ties (`MemberStore`), so that the few members of a small store are found at once,
    and those of a large one row by row, whichever is less.
    """
    return lambda store_ids: column.in_(
        sa.select(MemberStore.member_id).where(MemberStore.store_id.in_(store_ids))
    )


def by_store_else_member(
    store_id: InstrumentedAttribute[Any], member_id: InstrumentedAttribute[Any]
) -> Scope:
    """Rows of the person's own stores; those that name no store by whose member it is."""

    def condition(store_ids: StoreIds) -> ColumnElement[bool]:
        of_member = by_member(member_id)(store_ids)
        return sa.or_(store_id.in_(store_ids), sa.and_(store_id.is_(None), of_member))

    return condition


def region_of_store(column: InstrumentedAttribute[Any]) -> Scope:
    """Rows of regions in which one of the person's stores lies."""
    return lambda store_ids: column.in_(sa.select(Store.region_id).where(Store.id.in_(store_ids)))


def by_order(column: InstrumentedAttribute[Any]) -> Scope:
    """Rows of orders placed at one of the person's stores."""
    return lambda store_ids: column.in_(sa.select(Order.id).where(Order.store_id.in_(store_ids)))


def works_with(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    """Staff of the reader's stores, by store or by region; those of the whole brand are not."""
    by_store = sa.select(staff_stores.c.staff_id).where(staff_stores.c.store_id.in_(store_ids))
    by_region = (
        sa.select(staff_regions.c.staff_id)
        .join(Store, Store.region_id == staff_regions.c.region_id)
        .where(Store.id.in_(store_ids))
    )
    ours = sa.or_(Staff.id.in_(by_store), Staff.id.in_(by_region))
    return sa.and_(ours, sa.not_(Staff.sees_all_stores))


def of_order_or_month(
    order_id: InstrumentedAttribute[Any], closed_month_id: InstrumentedAttribute[Any]
) -> Scope:
    """Rows of orders placed at one of the person's stores, or of a month closed for such a store.

    Asked of each row by index, as `by_member` is. A month of the whole brand is for all stores.
    """

    def condition(store_ids: StoreIds) -> ColumnElement[bool]:
        order, month = aliased(Order), aliased(ClosedMonth)
        return sa.or_(
            sa.exists().where(order.id == order_id, order.store_id.in_(store_ids)),
            sa.exists().where(month.id == closed_month_id, month.store_id.in_(store_ids)),
        )

    return condition


def either(*scopes: Scope) -> Scope:
    """Rows that meet any of several conditions."""
    return lambda store_ids: sa.or_(*(scope(store_ids) for scope in scopes))


def brand_only(_store_ids: StoreIds) -> ColumnElement[bool]:
    """Rows that belong to no store: for staff who see all stores."""
    return sa.false()


def everybody(_store_ids: StoreIds) -> ColumnElement[bool]:
    """Rows of the brand that each store needs, such as products and plans."""
    return sa.true()


def _distributor_ids(store_ids: StoreIds) -> Select[int]:
    return sa.select(Distributor.member_id).where(Distributor.store_id.in_(store_ids))
