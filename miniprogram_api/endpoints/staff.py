"""Staff mode: members of staff hand orders over with their own phones.

Whoever calls signs in as a member, like everybody; a code from the back office ties that member to
their staff account once. Every call asks anew whether they still work here, what their roles allow
and which stores are theirs. What belongs to another store is the same as nothing.
"""

from datetime import date, datetime
from typing import Annotated, Self

from flask import request
from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution.guessing import STAFF_CODES, counting_misses
from app.counter import codes
from app.kernel.clock import business_day, utc_now
from app.kernel.db import db
from app.kernel.secrecy import mask_phone, vault
from app.members import queries as members
from app.orders import handovers, services
from app.orders.handover_models import Handover, HandoverProof
from app.orders.models import Order
from app.orders.states import OrderState
from app.stores import finding, staff_mode
from app.stores.permissions import Permission
from app.stores.staff_mode import OnDuty
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import actor, caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.orders import OrderView
from miniprogram_api.fields import Body, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.limits import Limit
from miniprogram_api.routing import Group
from miniprogram_api.tracing import request_id

group = Group("staff", about="Staff mode: the work of a store, on a phone.")

PickupCodeText = Annotated[str, Field(pattern=codes.PATTERN, max_length=120)]
CODE_SHOWN = "TK1.order:T20260301K3J9X0QW7RT2MN5B.1772366460.mC0vBqQ2Zt8rY1nK." + "0f" * 16


class BindingRequest(Body):
    """The code that the back office shows at "My account"."""

    model_config = Body.model_config | example({"code": "7KQM-3XWP"})

    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z \-]{4,20}$")]


class PickupRequest(Body):
    """What the customer's phone shows, as it was scanned."""

    model_config = Body.model_config | example({"pickup_code": CODE_SHOWN})

    pickup_code: PickupCodeText


class CompletionRequest(Body):
    """What proves that the customer is here; without a code it is the staff's word alone."""

    model_config = Body.model_config | example({"pickup_code": CODE_SHOWN})

    pickup_code: PickupCodeText | None = None


class StaffStoreView(View):
    """A store where somebody works."""

    id: int
    name: str
    code: str | None


class StaffView(View):
    """The caller as a member of staff; `permissions` are what their roles allow."""

    model_config = View.model_config | example(
        {
            "name": "李静",
            "roles": ["front_desk"],
            "permissions": ["orders.complete", "orders.view", "staff.mode"],
            "sees_all_stores": False,
            "stores": [{"id": 1, "name": "静安店", "code": "JA"}],
            "bound_at": "2026-03-01T12:00:00Z",
        }
    )

    name: str
    roles: list[str]
    permissions: list[str]
    sees_all_stores: bool
    stores: list[StaffStoreView]
    bound_at: datetime


class BuyerView(View):
    """Whose order it is, as the counter may know them: the phone number is masked."""

    nickname: str
    phone: str | None


class StaffOrderView(View):
    """An order at the counter."""

    order: OrderView
    customer: BuyerView

    @classmethod
    def of(cls, session: Session, order: Order) -> Self:
        """Show an order whose lines are loaded."""
        found = members.profile(session, order.member_id)
        phone = mask_phone(vault().open(found.phone_sealed)) if found.phone_sealed else None
        return cls(
            order=OrderView.of(order),
            customer=BuyerView(nickname=found.nickname, phone=phone),
        )


class StaffOrdersView(View):
    """A page of a store's orders, the newest first."""

    items: list[OrderView]
    next_cursor: str | None


class StaffOrdersQuery(PageQuery):
    """Which orders of the store; those to hand over where nothing is said."""

    state: Annotated[OrderState, Field(description="Only orders in this state")] = OrderState.PAID


class HandoverView(View):
    """An order that the caller handed over."""

    number: str
    store_id: int
    paid_fen: int
    proof: HandoverProof
    at: datetime

    @classmethod
    def of(cls, handover: Handover, order: Order) -> Self:
        """Show a hand-over."""
        return cls(
            number=order.number,
            store_id=order.store_id,
            paid_fen=order.paid_fen,
            proof=handover.proof,
            at=handover.at,
        )


class StaffDayView(View):
    """The caller's own day, by the shops' clock: how many orders, and what was paid for them."""

    day_on: date
    handover_count: int
    paid_fen: int
    items: list[HandoverView]
    next_cursor: str | None


@group.operation("POST", "/staff/binding", status=201, limit=Limit.GUESS)
def bind_staff(body: BindingRequest) -> StaffView:
    """Open staff mode with a code from the back office.

    The code lasts ten minutes and is good once. Codes that are not valid are counted, and too many
    shut the caller out for a while.
    """
    now, who, ip, request_number = moment(), caller(), request.remote_addr or None, request_id()

    def act(session: Session) -> StaffView:
        staff_mode.bind(
            session, code=body.code, member_id=who.member_id, request_id=request_number, now=now
        )
        return _shown(session, staff_mode.on_duty(session, who.member_id, now=now))

    with counting_misses(
        member_id=who.member_id, ip=ip, settings=settings(), now=now, guess=STAFF_CODES
    ):
        return at_once(act)


@group.operation("DELETE", "/staff/binding")
def unbind_staff() -> None:
    """Close staff mode on this account. Doing it twice is no error."""
    now, who, by = moment(), caller(), actor()
    at_once(
        lambda session: staff_mode.end_binding_of_member(session, who.member_id, actor=by, now=now)
    )


@group.operation("GET", "/staff/me")
def show_staff() -> StaffView:
    """Show the caller as a member of staff."""
    session = db.session()
    return _shown(session, _on_duty(session, Permission.STAFF_MODE, now=utc_now()))


@group.operation("GET", "/staff/stores/<id:store_id>/orders")
def list_store_orders(store_id: int, query: StaffOrdersQuery) -> StaffOrdersView:
    """List the orders of one of the caller's stores, the newest first."""
    session = db.session()
    duty = _on_duty(session, Permission.ORDERS_VIEW, now=utc_now())
    duty.require_store(store_id)
    finding.store(session, store_id)
    rows = handovers.store_page(
        session, store_id, state=query.state, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return StaffOrdersView(items=OrderView.many(session, shown), next_cursor=next_cursor)


@group.operation("GET", "/staff/orders/<number:number>")
def show_store_order(number: str) -> StaffOrderView:
    """Show an order of the caller's stores, and whose it is."""
    session = db.session()
    duty = _on_duty(session, Permission.ORDERS_VIEW, now=utc_now())
    order = handovers.order_in_stores(session, number, store_ids=duty.store_ids)
    return StaffOrderView.of(session, order)


@group.operation("POST", "/staff/pickups")
def look_up_pickup(body: PickupRequest) -> StaffOrderView:
    """Find the order that a customer's code is for. The code is not used up by it."""
    now, who = moment(), caller()

    def act(session: Session) -> StaffOrderView:
        duty = _on_duty(session, Permission.ORDERS_VIEW, member_id=who.member_id, now=now)
        order = handovers.order_by_code(
            session, body.pickup_code, store_ids=duty.store_ids, now=now
        )
        return StaffOrderView.of(session, order)

    return at_once(act)


@group.operation("POST", "/staff/orders/<number:number>/completion")
def complete_store_order(number: str, body: CompletionRequest) -> Kept[OrderView]:
    """Hand an order of the caller's stores over, or redeem it.

    The customer's code, where it is sent, is used up. Nobody hands over their own order or one of
    their own customers'.
    """
    now, who, request_number = moment(), caller(), request_id()

    def act(session: Session) -> OrderView:
        duty = _on_duty(session, Permission.ORDERS_COMPLETE, member_id=who.member_id, now=now)
        done = services.complete(
            session,
            number,
            actor=duty.actor(request_number),
            settings=settings(),
            now=now,
            pickup_code=body.pickup_code,
        )
        return OrderView.of(done)

    return keyed.once(act, body, now=now)


@group.operation("GET", "/staff/today")
def show_staff_day(query: PageQuery) -> StaffDayView:
    """Show what the caller handed over today, the last first."""
    session, now = db.session(), utc_now()
    duty = _on_duty(session, Permission.STAFF_MODE, now=now)
    day = handovers.day_of(session, duty.staff.id, now=now)
    rows = handovers.day_page(
        session, duty.staff.id, now=now, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row[0].id)
    return StaffDayView(
        day_on=business_day(now),
        handover_count=day.count,
        paid_fen=day.paid_fen,
        items=[HandoverView.of(handover, order) for handover, order in shown],
        next_cursor=next_cursor,
    )


def _on_duty(
    session: Session, permission: Permission, *, member_id: int | None = None, now: datetime
) -> OnDuty:
    """Return as whom the caller works, or raise where they do not, or may not do this."""
    duty = staff_mode.on_duty(session, member_id or caller().member_id, now=now)
    duty.require(permission)
    return duty


def _shown(session: Session, duty: OnDuty) -> StaffView:
    return StaffView(
        name=duty.staff.name,
        roles=sorted(role.name for role in duty.staff.roles),
        permissions=sorted(duty.permissions),
        sees_all_stores=duty.store_ids is None,
        stores=[
            StaffStoreView(id=store.id, name=store.name, code=store.code)
            for store in finding.some_stores(session, duty.store_ids)
        ],
        bound_at=duty.binding.bound_at,
    )
