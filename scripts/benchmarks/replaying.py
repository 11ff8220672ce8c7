"""(r) Replay: paid orders decided again and compared with the books, in brands of growing size.

One order is settled by the job that runs in production; all others get the same by SQL, as that
many orders would take the job an hour. The replay itself says whether they are what it expects.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.settlement import fill, prepare
from scripts.benchmarks.table import Row

AIM: Final = 5_000

REPLAY: Final = """
import json, time
from datetime import UTC, datetime
from app.distribution.replay import replay
from app.kernel.db import database_now
from wsgi import application
with application.app_context():
    now = database_now()
    started = time.perf_counter()
    report = replay(datetime(2000, 1, 1, tzinfo=UTC), now)
    seconds = time.perf_counter() - started
print(json.dumps(report.to_json() | {"seconds": seconds}))
"""

SETTLED: Final = (
    "DELETE FROM tasks",
    """
    CREATE TEMPORARY TABLE undecided AS
    SELECT o.id, l.id AS line_id, l.plan_version_id AS version_id, l.net_fen, o.upline
    FROM orders o JOIN order_lines l ON l.order_id = o.id
    WHERE NOT EXISTS (SELECT 1 FROM order_decisions d WHERE d.order_id = o.id)
    """,
    """
    INSERT INTO order_decisions (order_id, plan_version_id, base_fen, awarded_fen, decided_at)
    SELECT u.id, u.version_id, d.base_fen, d.awarded_fen, now()
    FROM undecided u, (SELECT * FROM order_decisions LIMIT 1) d
    """,
    """
    CREATE TEMPORARY TABLE pattern AS
    SELECT * FROM awards WHERE order_id = (SELECT min(order_id) FROM awards)
    """,
    """
    INSERT INTO awards (order_id, order_line_id, plan_version_id, beneficiary_id, kind, seat,
        base_fen, rate_bp, amount_fen, state, explanation, created_at)
    SELECT u.id, u.line_id, u.version_id, (u.upline->(p.seat::int)->>'member_id')::bigint, p.kind,
        p.seat, p.base_fen, p.rate_bp, p.amount_fen, p.state, p.explanation, now()
    FROM undecided u, pattern p
    """,
    """
    INSERT INTO ledger_accounts (name, unit, member_id, balance)
    SELECT DISTINCT 'commission_pending', 'fen', a.beneficiary_id, 0 FROM awards a
    WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts l
        WHERE l.member_id = a.beneficiary_id AND l.name = 'commission_pending')
    """,
    """
    INSERT INTO ledger_entries (key, occurred_at)
    SELECT 'commission-accrued:' || id || ':' || version_id, now() FROM undecided
    """,
    """
    INSERT INTO ledger_transfers (entry_id, source_id, target_id, amount)
    SELECT e.id, (SELECT id FROM ledger_accounts WHERE name = 'commission_expense'), l.id,
        a.amount_fen
    FROM undecided u JOIN awards a ON a.order_id = u.id
    JOIN ledger_entries e ON e.key = 'commission-accrued:' || u.id || ':' || u.version_id
    JOIN ledger_accounts l ON l.member_id = a.beneficiary_id AND l.name = 'commission_pending'
    """,
    """
    UPDATE ledger_accounts l SET balance = a.fen
    FROM (SELECT beneficiary_id, sum(amount_fen) AS fen FROM awards GROUP BY 1) a
    WHERE l.member_id = a.beneficiary_id AND l.name = 'commission_pending'
    """,
    "VACUUM ANALYZE",
)


def measure(lab: Lab, *, sizes: Sequence[int]) -> None:
    """Print how many orders are replayed a second, and whether the books are what is expected."""
    for size in sizes:
        with lab.database("replay") as bench:
            prepare(bench)
            _settle(bench, orders=size)
            report = _replay(bench)
        rate = report["counts"]["orders"] / report["seconds"]
        lab.add(
            Row(
                name=f"(r) replay of {size:,} orders",
                value=rate,
                unit="orders/s",
                aim=f">= {AIM:,}",
                met=rate >= AIM,
            )
        )


def _settle(bench: Bench, *, orders: int) -> None:
    """Write so many orders with their awards and entries."""
    fill(bench, orders=1)
    bench.run("-m", "flask", "run-job", "award_orders")
    fill(bench, orders=orders - 1)
    with bench.connect() as connection:
        for statement in SETTLED:
            connection.execute(statement)


def _replay(bench: Bench) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(bench.run("-c", REPLAY).splitlines()[-1])
    if not report["ok"]:
        raise RuntimeError(f"the replay differs: {report['differences'][:3]}")
    return report
