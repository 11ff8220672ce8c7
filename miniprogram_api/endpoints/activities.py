"""Activities: what takes place in a store, and taking part in it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.activities import bargains, flash_sales, groups, queries
from app.activities.dealing import Purchase
from app.activities.guesses import BARGAIN_CODES, GROUP_CODES
from app.activities.models import Activity, ActivityEntry, ActivityItem
from app.activities.states import ActivityKind, ActivityState, EntryState
from app.catalog import queries as catalog
from app.catalog.models import Product
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.orders.models import Fulfilment
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.activity_views import BargainView, CutView, GroupView
from miniprogram_api.endpoints.orders import OrderView
from miniprogram_api.fields import Body, Query, RowId, View, example
from miniprogram_api.guesses import counted
from miniprogram_api.keyed import Kept
from miniprogram_api.limits import Limit
from miniprogram_api.routing import Group

group = Group("activities", about="Flash sales, group buys and bargains.")

COUPONS_MAX = 20
POINTS_MAX = 100_000_000


class HowToGet(Body):
    """How the pieces get to the customer, and what else pays for them where the rules allow it."""

    model_config = Body.model_config | example({"fulfilment": "pickup"})

    fulfilment: Fulfilment
    coupon_ids: Annotated[list[RowId], Field(default_factory=list, max_length=COUPONS_MAX)]
    points: Annotated[int, Field(ge=0, le=POINTS_MAX)] = 0

    def purchase(self, store_id: int, *, quantity: int = 1) -> Purchase:
        """Return the request of the caller as activities want it."""
        return Purchase(
            member_id=caller().member_id,
            store_id=store_id,
            fulfilment=self.fulfilment,
            quantity=quantity,
            coupon_ids=tuple(self.coupon_ids),
            points=self.points,
        )


class GroupRequest(HowToGet):
    """In which store a group is opened."""

    model_config = Body.model_config | example({"store_id": 1, "fulfilment": "pickup"})

    store_id: RowId


class FlashRequest(GroupRequest):
    """So many pieces of what is on sale."""

    model_config = Body.model_config | example(
        {"store_id": 1, "fulfilment": "pickup", "quantity": 1}
    )

    quantity: Annotated[int, Field(ge=1, le=999)] = 1


class BargainRequest(Body):
    """In which store the piece is to be bought."""

    model_config = Body.model_config | example({"store_id": 1})

    store_id: RowId


class CutRequest(Body):
    """Nothing: who cuts is the caller."""

    model_config = Body.model_config | example({})


class ActivityItemView(View):
    """A product of an activity; `price_fen` is the floor of a bargain. `left` may come back."""

    id: int
    product_id: int
    title: str
    regular_fen: int
    price_fen: int
    stock: int
    left: int

    @classmethod
    def of(cls, item: ActivityItem, product: Product) -> Self:
        """Show an item."""
        return cls(
            id=item.id,
            product_id=item.product_id,
            title=product.title,
            regular_fen=product.price_fen,
            price_fen=item.price_fen,
            stock=item.stock,
            left=item.stock - item.sold,
        )


class ActivityView(View):
    """An activity with its rules, as its kind has them; `is_open` says whether it takes people."""

    id: int
    kind: ActivityKind
    name: str
    state: ActivityState
    is_open: bool
    starts_at: datetime
    ends_at: datetime
    rules: dict[str, int | bool | str]
    limit_per_member: int | None
    items: list[ActivityItemView]

    @classmethod
    def of(cls, activity: Activity, products: Mapping[int, Product], *, now: datetime) -> Self:
        """Show an activity whose items are loaded."""
        return cls(
            id=activity.id,
            kind=activity.kind,
            name=activity.name,
            state=activity.state,
            is_open=queries.is_open(activity, now=now),
            starts_at=activity.starts_at,
            ends_at=activity.ends_at,
            rules=_plain(activity.rules),
            limit_per_member=activity.limit_per_member,
            items=[ActivityItemView.of(one, products[one.product_id]) for one in activity.items],
        )


class ActivitiesView(View):
    """What takes place in a store now, the first to end first."""

    items: list[ActivityView]


class ActivitiesQuery(Query):
    """Which activities."""

    kind: Annotated[ActivityKind | None, Field(description="Only this kind")] = None


class ActivityEntryView(View):
    """What the caller took part in. `order_number` is of the order that pays for it."""

    id: int
    activity_id: int
    kind: ActivityKind
    name: str
    item_id: int | None
    quantity: int
    price_fen: int | None
    state: EntryState
    created_at: datetime
    order_number: str | None
    group_code: str | None
    bargain_code: str | None

    @classmethod
    def of(cls, told: queries.Told) -> Self:
        """Show an entry with what belongs to it."""
        entry: ActivityEntry = told.entry
        return cls(
            id=entry.id,
            activity_id=entry.activity_id,
            kind=told.kind,
            name=told.name,
            item_id=entry.item_id,
            quantity=entry.quantity,
            price_fen=entry.price_fen,
            state=entry.state,
            created_at=entry.created_at,
            order_number=told.order_number,
            group_code=told.group_code,
            bargain_code=told.bargain_code,
        )


class ActivityEntriesView(View):
    """A page of what the caller took part in, the newest first."""

    items: list[ActivityEntryView]
    next_cursor: str | None


class JoinedView(View):
    """A group and the order for one's seat; the seat counts once it is paid."""

    group: GroupView
    order: OrderView


@group.operation("GET", "/stores/<id:store_id>/activities")
def list_activities(store_id: int, query: ActivitiesQuery) -> ActivitiesView:
    """List what takes place in a store now."""
    session, now = db.session(), utc_now()
    rows = queries.open_in_store(session, store_id, kind=query.kind, now=now)
    ids = [item.product_id for row in rows for item in row.items]
    products = catalog.by_ids(session, ids)
    return ActivitiesView(items=[ActivityView.of(row, products, now=now) for row in rows])


@group.operation("GET", "/activities/<id:activity_id>")
def show_activity(activity_id: int) -> ActivityView:
    """Show an activity; its link may be shared."""
    session = db.session()
    activity = queries.shown_activity(session, activity_id)
    products = catalog.by_ids(session, [item.product_id for item in activity.items])
    return ActivityView.of(activity, products, now=utc_now())


@group.operation("GET", "/me/activities")
def list_my_activities(query: PageQuery) -> ActivityEntriesView:
    """List what the caller took part in, the newest first."""
    rows = queries.told_of_member(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.entry.id)
    return ActivityEntriesView(
        items=[ActivityEntryView.of(row) for row in shown], next_cursor=next_cursor
    )


@group.operation("POST", "/activity-items/<id:item_id>/orders")
def buy_in_flash_sale(item_id: int, body: FlashRequest) -> Kept[OrderView]:
    """Order pieces of a flash sale.

    They are the caller's until `pay_by_at`; then they go back on sale.
    """
    now, wanted = moment(), body.purchase(body.store_id, quantity=body.quantity)

    def act(session: Session) -> OrderView:
        order = flash_sales.buy(session, item_id, wanted, settings=settings(), now=now)
        return OrderView.of(order)

    return keyed.once(act, body, now=now)


@group.operation("POST", "/activity-items/<id:item_id>/groups")
def open_group(item_id: int, body: GroupRequest) -> Kept[JoinedView]:
    """Open a group and order one's own seat."""
    now, wanted = moment(), body.purchase(body.store_id)

    def act(session: Session) -> JoinedView:
        opened, order = groups.open_group(session, item_id, wanted, settings=settings(), now=now)
        seats = groups.live_seats(session, opened.id)
        view = GroupView.of(opened, seats, member_id=wanted.member_id)
        return JoinedView(group=view, order=OrderView.of(order))

    return keyed.once(act, body, now=now)


@group.operation("GET", "/groups/<number:group_code>", limit=Limit.GUESS)
def show_group(group_code: str) -> GroupView:
    """Show a group to anybody who was sent its link; people in it stay without a name.

    Unknown codes of groups, bargains and invitations are counted; too many shut the caller out.
    """
    now, who = moment(), caller()

    def act(session: Session) -> GroupView:
        found = groups.group_by_code(session, group_code)
        seats = groups.live_seats(session, found.id)
        return GroupView.of(found, seats, member_id=who.member_id)

    with counted(GROUP_CODES, now=now):
        return at_once(act)


@group.operation("POST", "/groups/<number:group_code>/orders", limit=Limit.GUESS)
def join_group(group_code: str, body: HowToGet) -> Kept[JoinedView]:
    """Order a free seat of a group, in the store where it was opened."""
    now, who = moment(), caller()

    def act(session: Session) -> JoinedView:
        store_id = groups.group_by_code(session, group_code).store_id
        wanted = body.purchase(store_id)
        joined, order = groups.join(session, group_code, wanted, settings=settings(), now=now)
        seats = groups.live_seats(session, joined.id)
        view = GroupView.of(joined, seats, member_id=who.member_id)
        return JoinedView(group=view, order=OrderView.of(order))

    with counted(GROUP_CODES, now=now):
        return keyed.once(act, body, now=now)


@group.operation("POST", "/activity-items/<id:item_id>/bargains")
def start_bargain(item_id: int, body: BargainRequest) -> Kept[BargainView]:
    """Begin to bargain; a piece is set aside until `expires_at`."""
    now, who = moment(), caller()

    def act(session: Session) -> BargainView:
        begun = bargains.start(
            session, item_id, member_id=who.member_id, store_id=body.store_id, now=now
        )
        return BargainView.of(begun, (), member_id=who.member_id)

    return keyed.once(act, body, now=now)


@group.operation("GET", "/bargains/<number:bargain_code>", limit=Limit.GUESS)
def show_bargain(bargain_code: str) -> BargainView:
    """Show a bargain to anybody who was sent its link; friends stay without a name."""
    now, who = moment(), caller()

    def act(session: Session) -> BargainView:
        found = bargains.bargain_by_code(session, bargain_code)
        cuts = bargains.cuts_of(session, found.id)
        return BargainView.of(found, cuts, member_id=who.member_id)

    with counted(BARGAIN_CODES, now=now):
        return at_once(act)


@group.operation("POST", "/bargains/<number:bargain_code>/cuts", limit=Limit.GUESS)
def cut_price(bargain_code: str, body: CutRequest) -> Kept[CutView]:
    """Cut a friend's price, or one's own; everybody once."""
    now, who = moment(), caller()

    def act(session: Session) -> CutView:
        made = bargains.cut(session, bargain_code, helper_id=who.member_id, now=now)
        cuts = bargains.cuts_of(session, made.bargain.id)
        view = BargainView.of(made.bargain, cuts, member_id=who.member_id)
        return CutView(amount_fen=made.amount_fen, bargain=view)

    with counted(BARGAIN_CODES, now=now):
        return keyed.once(act, body, now=now)


@group.operation("POST", "/bargains/<number:bargain_code>/orders", limit=Limit.GUESS)
def buy_bargain(bargain_code: str, body: HowToGet) -> Kept[OrderView]:
    """Order the piece of one's own bargain at the price it has come down to."""
    now = moment()

    def act(session: Session) -> OrderView:
        store_id = bargains.bargain_by_code(session, bargain_code).store_id
        wanted = body.purchase(store_id)
        order = bargains.buy(session, bargain_code, wanted, settings=settings(), now=now)
        return OrderView.of(order)

    with counted(BARGAIN_CODES, now=now):
        return keyed.once(act, body, now=now)


def _plain(rules: Mapping[str, Any]) -> dict[str, int | bool | str]:
    return {name: value for name, value in rules.items() if isinstance(value, int | str)}
