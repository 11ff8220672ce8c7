"""Deciding everything again from what happened, and comparing it with what was booked.

What rests on orders alone is decided again from their snapshots; what rests on places from the
events of the plan, one after the other, from the first; what was paid by the month from the books
of the month. Nothing is written. A range chooses orders by the instant of their payment, with all
that came of them until now, and months by their closing.
"""

from app.distribution.replay.report import Difference, Report, Span
from app.distribution.replay.running import Progress, replay, workload

__all__ = ["Difference", "Progress", "Report", "Span", "replay", "workload"]
