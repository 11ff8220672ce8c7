"""Work on orders that waits for time or for WeChat. Each job may run anywhere, any number of times.

A job takes one piece after the other, each claimed in PostgreSQL, until nothing is due. It ends
early when WeChat does not answer several times in a row: what was claimed is due again soon.
"""

from collections.abc import Callable
from typing import Final

from app.access import settings
from app.kernel.db import database_now
from app.kernel.jobs import job
from app.orders import services, unpaid
from app.orders.refund_sending import claim_refund, send_refund

PIECES_MAX: Final = 500
SILENCES_MAX: Final = 3


@job("close_unpaid_orders")
def close_unpaid_orders() -> int:
    """Close orders whose time to pay is over or that their members gave up."""
    count = 0
    while count < PIECES_MAX and unpaid.close_never_offered(now=database_now()):
        count += 1
    return count + _work_off(
        lambda: unpaid.close_next(settings=settings(), now=database_now()),
    )


@job("query_payments")
def query_payments() -> int:
    """Ask WeChat about payments of which no notice came."""
    return _work_off(lambda: unpaid.query_next(settings=settings(), now=database_now()))


@job("send_refunds")
def send_refunds() -> int:
    """Send approved refunds, and ask what became of those that were sent."""

    def send_next() -> bool | None:
        refund_id = claim_refund(settings=settings(), now=database_now())
        if refund_id is None:
            return None
        return send_refund(refund_id, settings=settings(), now=database_now())

    return _work_off(send_next)


@job("settle_orders")
def settle_orders() -> int:
    """Settle completed orders whose after-sale window is over."""
    count = 0
    while settled := services.settle_due(now=database_now()):
        count += settled
    return count


def _work_off(do_next: Callable[[], bool | None]) -> int:
    """Do piece after piece until none is due (None) or WeChat has fallen silent (False)."""
    count = silences = 0
    while count < PIECES_MAX and silences < SILENCES_MAX:
        answered = do_next()
        if answered is None:
            break
        silences = 0 if answered else silences + 1
        count += 1
    return count
