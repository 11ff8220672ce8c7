"""Points: what one has, how it came to be, and the mall where they are exchanged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.db import db
from app.loyalty import exchanging as loyalty
from app.points import exchanging, mall, queries, redeeming
from app.points.exchanging import Wish
from app.points.mall_models import MallExchange, MallItem
from app.points.models import PointEntry
from app.points.states import EntryKind, ExchangeKind, ExchangeState, PointSource
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import actor, caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.orders import PickupCodeView
from miniprogram_api.fields import Body, QueryRowId, RowId, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.routing import Group

group = Group("points", about="Points and the points mall.")


class RunningOutView(View):
    """Points that run out together."""

    points: int
    expires_at: datetime


class PointsView(View):
    """What the caller has. `pending` can be spent once the after-sale window closes."""

    model_config = View.model_config | example(
        {
            "available": 320,
            "pending": 129,
            "reserved": 0,
            "debt": 0,
            "running_out": [{"points": 120, "expires_at": "2027-03-02T03:00:00Z"}],
            "per_yuan_off": 100,
            "deduction_max_bp": 5_000,
        }
    )

    available: int
    pending: int
    reserved: int
    debt: int
    """What later points fill first."""
    running_out: list[RunningOutView]
    """What runs out when, the next first, at most twelve instants."""
    per_yuan_off: int
    deduction_max_bp: int


RUNNING_OUT_SHOWN = 12


class EntryView(View):
    """One line of the statement."""

    id: int
    kind: EntryKind
    source: PointSource | None
    available_change: int
    pending_change: int
    debt_change: int
    reason: str
    at: datetime

    @classmethod
    def of(cls, entry: PointEntry) -> Self:
        """Show a line; what staff wrote as their reason is for the member to know."""
        return cls(
            id=entry.id,
            kind=entry.kind,
            source=entry.source,
            available_change=entry.available_change,
            pending_change=entry.pending_change,
            debt_change=entry.debt_change,
            reason=entry.reason,
            at=entry.at,
        )


class PointStatementView(View):
    """One page of the statement, the newest first."""

    items: list[EntryView]
    next_cursor: str | None


class MallStoreView(View):
    """A store that hands an item over."""

    id: int
    name: str


class MallItemView(View):
    """Something to be had for points."""

    id: int
    kind: ExchangeKind
    title: str
    title_en: str
    description: str
    points: int
    left: int
    limit_per_member: int | None
    product_id: int | None

    @classmethod
    def of(cls, item: MallItem) -> Self:
        """Show an item."""
        return cls(**_facts(item))


class MallItemDetailView(MallItemView):
    """An item, with the stores where it is handed over; none for a coupon."""

    stores: list[MallStoreView]


class MallView(View):
    """One page of the mall, the newest first."""

    items: list[MallItemView]
    next_cursor: str | None


class MallQuery(PageQuery):
    """Which items: those of one store, where it is said."""

    store_id: Annotated[QueryRowId | None, Field(description="Only what this store gives")] = None


class ExchangeRequest(Body):
    """What is wanted for points; a product with the store where it will be fetched."""

    model_config = Body.model_config | example({"item_id": 3, "store_id": 1})

    item_id: RowId
    store_id: RowId | None = None


class ExchangeView(View):
    """Something the caller had for points. While `waiting` it is fetched in the store."""

    model_config = View.model_config | example(
        {
            "id": 12,
            "number": "E20260302M1Q8T5W0KXJ7RZ3V",
            "item_id": 3,
            "kind": "product",
            "title": "护手霜",
            "points": 800,
            "store_id": 1,
            "coupon_id": None,
            "state": "waiting",
            "created_at": "2026-03-02T03:00:00Z",
            "ended_at": None,
        }
    )

    id: int
    number: str
    item_id: int
    kind: ExchangeKind
    title: str
    points: int
    store_id: int | None
    coupon_id: int | None
    state: ExchangeState
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: MallExchange) -> Self:
        """Show an exchange."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class ExchangesView(View):
    """One page of the caller's exchanges, the newest first."""

    items: list[ExchangeView]
    next_cursor: str | None


@group.operation("GET", "/points")
def show_points() -> PointsView:
    """Say what the caller has, and what of it runs out next."""
    session, now, member_id = db.session(), moment(), caller().member_id
    found = queries.balance_of(session, member_id, now=now)
    soon = queries.running_out(session, member_id, now=now)[:RUNNING_OUT_SHOWN]
    return PointsView(
        available=found.available,
        pending=found.pending,
        reserved=found.reserved,
        debt=found.debt,
        running_out=[RunningOutView(points=one.points, expires_at=one.expires_at) for one in soon],
        per_yuan_off=settings().points_per_yuan_off,
        deduction_max_bp=settings().points_deduction_max_bp,
    )


@group.operation("GET", "/points/statement")
def list_point_entries(query: PageQuery) -> PointStatementView:
    """List how the caller's points came and went, the newest first."""
    rows: Sequence[PointEntry] = queries.statement_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return PointStatementView(items=[EntryView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/points/mall")
def list_mall_items(query: MallQuery) -> MallView:
    """List what can be had for points."""
    rows: Sequence[MallItem] = mall.items_page(
        db.session(), store_id=query.store_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return MallView(items=[MallItemView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/points/mall/<id:item_id>")
def show_mall_item(item_id: int) -> MallItemDetailView:
    """Show one item of the mall and where it is handed over."""
    session = db.session()
    item = mall.item(session, item_id)
    stores = mall.stores_of(session, item) if item.kind is ExchangeKind.PRODUCT else ()
    return MallItemDetailView(
        **_facts(item), stores=[MallStoreView(id=one.id, name=one.name) for one in stores]
    )


@group.operation("POST", "/points/exchanges")
def exchange_points(body: ExchangeRequest) -> Kept[ExchangeView]:
    """Exchange points for an item. A coupon is there at once, a product waits in the store."""
    now, who = moment(), caller()

    def act(session: Session) -> ExchangeView:
        wish = Wish(body.item_id, body.store_id)
        return ExchangeView.of(loyalty.exchange(session, wish, member_id=who.member_id, now=now))

    return keyed.once(act, body, now=now)


@group.operation("GET", "/points/exchanges")
def list_exchanges(query: PageQuery) -> ExchangesView:
    """List what the caller had for points, the newest first."""
    rows: Sequence[MallExchange] = exchanging.exchanges_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return ExchangesView(items=[ExchangeView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/points/exchanges/<id:exchange_id>")
def show_exchange(exchange_id: int) -> ExchangeView:
    """Show one of the caller's exchanges."""
    row = exchanging.exchange_of(db.session(), exchange_id, caller().member_id)
    return ExchangeView.of(row)


@group.operation("POST", "/points/exchanges/<id:exchange_id>/cancel")
def cancel_exchange(exchange_id: int) -> ExchangeView:
    """Give up what waits in the store; the points come back."""
    now, who, by = moment(), caller(), actor()

    def act(session: Session) -> ExchangeView:
        row = exchanging.exchange_of(session, exchange_id, who.member_id)
        return ExchangeView.of(exchanging.cancel(session, row.id, actor=by, now=now))

    return at_once(act)


@group.operation("POST", "/points/exchanges/<id:exchange_id>/code", status=201)
def show_exchange_code(exchange_id: int) -> PickupCodeView:
    """Make a code that staff scan when the item is fetched. It lasts a minute, good once."""
    now, who = moment(), caller()

    def act(session: Session) -> PickupCodeView:
        code = redeeming.show_code(session, exchange_id, member_id=who.member_id, now=now)
        return PickupCodeView(code=str(code), expires_at=code.expires_at)

    return at_once(act)


def _facts(item: MallItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "title": item.title,
        "title_en": item.title_en,
        "description": item.description,
        "points": item.points,
        "left": item.stock - item.exchanged,
        "limit_per_member": item.limit_per_member,
        "product_id": item.product_id,
    }
