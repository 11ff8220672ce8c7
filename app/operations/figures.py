"""The figures that operations watch, each read from PostgreSQL when asked for."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

Figures = dict[str, tuple[str, dict[str, float]]]

_QUERIES: Final = {
    "tuoke_tasks_due": (
        "Tasks that are due, by job",
        (
            "SELECT job, count(*) FROM tasks WHERE quarantined_at IS NULL AND due_at <= now()"
            " GROUP BY 1"
        ),
    ),
    "tuoke_tasks_quarantined": (
        "Tasks that failed too often and wait for a person, by job",
        "SELECT job, count(*) FROM tasks WHERE quarantined_at IS NOT NULL GROUP BY 1",
    ),
    "tuoke_outbox_age_seconds": (
        "Age of the oldest fact not yet relayed",
        (
            "SELECT 'oldest', coalesce(extract(epoch FROM now() - min(occurred_at)), 0)"
            " FROM outbox_events"
        ),
    ),
    "tuoke_overdue_seconds": (
        "How long the oldest row that waits for WeChat is overdue",
        (
            "SELECT 'payments', coalesce(extract(epoch FROM now() - min(due_at)), 0) FROM payments"
            " UNION ALL SELECT 'refunds', coalesce(extract(epoch FROM now() - min(due_at)), 0)"
            " FROM refunds UNION ALL SELECT 'payout_bills',"
            " coalesce(extract(epoch FROM now() - min(due_at)), 0) FROM payout_bills"
        ),
    ),
    "tuoke_payouts_open": (
        "Payouts that have not ended, by state",
        "SELECT state, count(*) FROM payouts WHERE ended_at IS NULL GROUP BY 1",
    ),
    "tuoke_payout_bills_open": (
        "Transfers at WeChat that have not ended, by state",
        "SELECT state, count(*) FROM payout_bills WHERE ended_at IS NULL GROUP BY 1",
    ),
    "tuoke_team_stops_open": (
        "Teams past the line of the law that nobody has let go on",
        "SELECT 'stopped', count(*) FROM team_stops WHERE lifted_at IS NULL",
    ),
    "tuoke_level_warnings_open": (
        "Distributors who were warned that they will lose their level",
        "SELECT 'open', count(*) FROM level_warnings WHERE ended_at IS NULL",
    ),
    "tuoke_orders_unpaid": (
        "Orders that wait for payment",
        "SELECT 'created', count(*) FROM orders WHERE state = 'created'",
    ),
}


def collect(session: Session) -> Figures:
    """Return every figure with its help text, by the label of its rows."""
    found: Figures = {}
    for name, (help_text, statement) in _QUERIES.items():
        rows = session.execute(sa.text(statement))
        found[name] = (help_text, {str(kind): float(value) for kind, value in rows})
    return found
