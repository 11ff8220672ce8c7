"""Orders that wait for an activity to have its way, as those of a group that is not full yet.

A held order is paid and waits: it is neither handed over nor settled until it is let go, or all
its money goes back.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.orders import refunds
from app.orders.errors import OrderHeld
from app.orders.models import Order, Refund
from app.orders.queries import lock_order
from app.orders.states import REFUNDABLE


def require_free(order: Order) -> None:
    """Raise `OrderHeld` where an order waits for an activity."""
    if order.held_for is not None:
        raise OrderHeld


def let_go(session: Session, order_id: int, *, now: datetime) -> Order:
    """Let a held order go on like any other; a repeat changes nothing."""
    order = lock_order(session, order_id)
    if order.held_for is not None:
        order.held_for, order.let_go_at = None, now
        session.flush()
    return order


def give_back_all(session: Session, order_id: int, *, reason: str, now: datetime) -> Refund | None:
    """Send back all that is left of an order's money, approved at once; None where nothing is.

    Requests that wait for a decision are approved with it: nobody keeps money of a deal that did
    not come about. Repeat it freely. An order that was never paid has nothing to give back; close
    it instead. Raises what WeChat's own limits make impossible: `RefundTooLate`,
    `RefundsExhausted`.
    """
    order = lock_order(session, order_id)
    if order.state not in REFUNDABLE:
        return None
    return refunds.give_back_all(session, order, reason=reason, actor=SYSTEM, now=now)
