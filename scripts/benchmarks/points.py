"""(p) A million lots of points that run out at once, while members go on spending theirs.

Each member has five lots that are over and one that is not. Timed is the job that the scheduler
runs, in a process of its own; beside it another process spends and releases points of members drawn
at random, whose lots the job is about to take, and the longest that one of them waited is told.
"""

import json
from typing import Final

from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.table import Row

LOTS: Final = 1_000_000
LOTS_EACH: Final = 5
AIM_SECONDS: Final = 60.0
AIM_WAIT_SECONDS: Final = 1.0


def measure(lab: Lab, *, lots: int = LOTS) -> None:
    """Print how long the lots take to run out, and how long a spend waits beside it."""
    with lab.database("points") as bench:
        prepare(bench, lots)
        printed = bench.run("-m", "scripts.benchmarks.point_runs")
    found = json.loads(printed.splitlines()[-1])  # what was logged comes before
    assert found["lots"] == lots, f"{found['lots']:,} lots ran out, not {lots:,}"
    for row in rows(lots, found):
        lab.add(row)


def rows(lots: int, found: dict[str, float]) -> list[Row]:
    """Return the lines of the table."""
    seconds, wait = found["seconds"], found["longest"]
    return [
        Row(
            name=f"(p) {lots:,} lots run out",
            value=seconds,
            unit="s",
            aim=f"<= {AIM_SECONDS:g} s",
            met=seconds <= AIM_SECONDS,
        ),
        Row(
            name=f"(p) longest of {int(found['spends']):,} spends beside it",
            value=wait,
            unit="s",
            aim=f"<= {AIM_WAIT_SECONDS:g} s",
            met=wait <= AIM_WAIT_SECONDS,
        ),
        Row(name="(p) median of these spends", value=found["median"], unit="s"),
    ]


def prepare(bench: Bench, lots: int) -> None:
    """Write members, their lots, and the accounts that say the same."""
    members = lots // LOTS_EACH
    with bench.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in (MEMBERS, LOTS_OVER, LOTS_GOOD, ACCOUNTS, ENTRIES, TRANSFERS, LINES):
            connection.execute(statement, {"members": members, "lots": lots})
        connection.execute(
            "VACUUM ANALYZE members, point_lots, point_entries, ledger_accounts, ledger_transfers"
        )


MEMBERS: Final = """
    INSERT INTO members (wechat_openid, nickname, registered_at)
    SELECT 'bench-' || n, '', now() - interval '800 days' FROM generate_series(1, %(members)s) AS n
"""
LOTS_OVER: Final = """
    INSERT INTO point_lots (member_id, key, source, granted_points, left_points, granted_at,
        expires_at)
    SELECT 1 + (n %% %(members)s), 'over:' || n, 'order', 20, 20, now() - interval '400 days',
        now() - interval '1 day' - (n %% 86400) * interval '1 second'
    FROM generate_series(1, %(lots)s) AS n
"""
LOTS_GOOD: Final = """
    INSERT INTO point_lots (member_id, key, source, granted_points, left_points, granted_at,
        expires_at)
    SELECT n, 'good:' || n, 'order', 100, 100, now() - interval '1 day', now() + interval '1 year'
    FROM generate_series(1, %(members)s) AS n
"""
ACCOUNTS: Final = """
    INSERT INTO ledger_accounts (name, unit, member_id, balance)
    SELECT 'points_available', 'point', member_id, sum(left_points) FROM point_lots GROUP BY 3
    UNION ALL SELECT 'points_issued', 'point', NULL, NULL
"""
ENTRIES: Final = """
    INSERT INTO ledger_entries (key, occurred_at)
    SELECT 'bench:' || member_id, now() FROM ledger_accounts WHERE name = 'points_available'
"""
TRANSFERS: Final = """
    INSERT INTO ledger_transfers (entry_id, source_id, target_id, amount)
    SELECT e.id, (SELECT id FROM ledger_accounts WHERE name = 'points_issued'), a.id, a.balance
    FROM ledger_accounts a JOIN ledger_entries e ON e.key = 'bench:' || a.member_id
    WHERE a.name = 'points_available'
"""
LINES: Final = """
    INSERT INTO point_entries (member_id, key, kind, source, available_change, actor, at)
    SELECT member_id, 'bench:' || member_id, 'granted', 'order', balance, 'system', now()
    FROM ledger_accounts WHERE name = 'points_available'
"""
