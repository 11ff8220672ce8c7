"""Asking for money back."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.db import db
from app.orders import queries, services
from app.orders.models import Refund
from app.orders.pricing import WantedRefund
from app.orders.refund_outlook import RefundOutlook
from app.orders.services import RefundWish
from app.orders.states import RefundState
from miniprogram_api import keyed
from miniprogram_api.acting import moment
from miniprogram_api.auth import actor, caller
from miniprogram_api.fields import Body, RowId, Text, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.routing import Group

group = Group("refunds", about="Refunds of orders.")


class RefundLineWish(Body):
    """So many pieces of an order line back."""

    order_line_id: RowId
    quantity: Annotated[int, Field(ge=1, le=999)]


class RefundRequest(Body):
    """What is asked back and why; without `lines`, all that is left."""

    model_config = Body.model_config | example(
        {"reason": "不想要了", "lines": [{"order_line_id": 31, "quantity": 1}]}
    )

    reason: Text = ""
    lines: Annotated[list[RefundLineWish] | None, Field(min_length=1, max_length=50)] = None

    def wish(self) -> RefundWish:
        """Return the request as orders want it; what pieces are worth is for them to say."""
        if self.lines is None:
            return RefundWish(reason=self.reason)
        lines = [WantedRefund(line.order_line_id, line.quantity) for line in self.lines]
        return RefundWish(lines=lines, reason=self.reason)


class RefundPreviewView(View):
    """What a refund would give back, besides the refunds that are under way already.

    Points come back with the money, by its share; coupons once nothing is left of the order.
    """

    model_config = View.model_config | example(
        {
            "amount_fen": 12_900,
            "points_back": 250,
            "coupon_ids_back": [],
            "lines": [{"order_line_id": 31, "quantity": 1, "amount_fen": 12_900}],
        }
    )

    amount_fen: int
    points_back: int
    coupon_ids_back: list[int]
    lines: list["RefundLineView"]

    @classmethod
    def of(cls, outlook: RefundOutlook) -> Self:
        """Show what would go back."""
        return cls(
            amount_fen=outlook.amount_fen,
            points_back=outlook.points_back,
            coupon_ids_back=list(outlook.coupon_ids_back),
            lines=[
                RefundLineView(
                    order_line_id=part.order_line_id,
                    quantity=part.quantity,
                    amount_fen=part.amount_fen,
                )
                for part in outlook.parts
            ],
        )


class RefundLineView(View):
    """What a refund gives back of one line."""

    order_line_id: int
    quantity: int
    amount_fen: int


class RefundView(View):
    """A refund. It waits for approval while `requested`, and for WeChat once `sent`.

    `points_back` and `coupons_back` say what came back with it besides money, once it succeeded.
    """

    model_config = View.model_config | example(
        {
            "number": "R20260302M1Q8T5W0KXJ7RZ3V",
            "amount_fen": 12_900,
            "reason": "不想要了",
            "state": "approved",
            "requested_at": "2026-03-02T03:00:00Z",
            "ended_at": None,
            "points_back": 0,
            "coupons_back": 0,
            "lines": [{"order_line_id": 31, "quantity": 1, "amount_fen": 12_900}],
        }
    )

    number: str
    amount_fen: int
    reason: str
    state: RefundState
    requested_at: datetime
    ended_at: datetime | None
    points_back: int
    coupons_back: int
    lines: list[RefundLineView]

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """Show a refund whose lines are loaded."""
        return cls(
            number=refund.number,
            amount_fen=refund.amount_fen,
            reason=refund.reason,
            state=refund.state,
            requested_at=refund.requested_at,
            ended_at=refund.ended_at,
            points_back=refund.points_back,
            coupons_back=refund.coupons_back,
            lines=[
                RefundLineView(
                    order_line_id=line.order_line_id,
                    quantity=line.quantity,
                    amount_fen=line.amount_fen,
                )
                for line in refund.lines
            ],
        )


class RefundsView(View):
    """The refunds of one order, the oldest first; WeChat allows fifty."""

    items: list[RefundView]


@group.operation("POST", "/orders/<number:number>/refunds")
def request_refund(number: str, body: RefundRequest) -> Kept[RefundView]:
    """Ask for an order, or some of its pieces, to be refunded."""
    now, who, by = moment(), caller(), actor()

    def act(session: Session) -> RefundView:
        order = queries.order_for_member(session, number, who.member_id)
        refund = services.request_refund(
            session, order.id, wish=body.wish(), actor=by, settings=settings(), now=now
        )
        return RefundView.of(refund)

    return keyed.once(act, body, now=now)


@group.operation("POST", "/orders/<number:number>/refunds/preview")
def preview_refund(number: str, body: RefundRequest) -> RefundPreviewView:
    """Say what a refund would give back: money, points and coupons. Nothing is asked for."""
    session = db.session()
    order = queries.order_for_member(session, number, caller().member_id)
    outlook = services.preview_refund(session, order, wish=body.wish(), now=moment())
    return RefundPreviewView.of(outlook)


@group.operation("GET", "/orders/<number:number>/refunds")
def list_refunds(number: str) -> RefundsView:
    """List the refunds of one of the caller's orders."""
    session = db.session()
    order = queries.order_for_member(session, number, caller().member_id)
    refunds = queries.refunds_of(session, [order.id])[order.id]
    return RefundsView(items=[RefundView.of(refund) for refund in refunds])
