"""Work on payouts in the background. It finds its own work and may run twice."""

import time
from typing import Final

from app import access
from app.kernel.db import database_now
from app.kernel.jobs import job
from app.payouts.recording import record_bill
from app.payouts.sending import begin_next_bill, carry_out

SPENT_SECONDS_MAX: Final = 80
"""The last try may take three timeouts of WeChat's more, and has to fit into the job's time."""


@job("send_payouts")
def send_payouts() -> int:
    """Send or ask about every bill that is due; return how many.

    Bills carry their own due time, so the bell carries nothing. A bill that breaks the run is out
    of reach until its lease ends, and keeps the others waiting no longer than until the next ring.
    """
    settings = access.settings()
    stop_at = time.monotonic() + SPENT_SECONDS_MAX
    count = 0
    while time.monotonic() < stop_at:
        errand = begin_next_bill(settings=settings, now=database_now())
        if errand is None:
            break
        report = carry_out(errand)
        record_bill(errand.bill_id, report, errand=errand, settings=settings, now=database_now())
        count += 1
    return count
