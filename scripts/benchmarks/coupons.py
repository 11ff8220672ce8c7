"""(k) Claims of one hot coupon, and a million coupons that expire while others are claimed.

Claims go through the service that the mini-program's endpoint calls, each in a transaction of its
own, by as many connections as the baseline has: pgbench running one conditional UPDATE of one row,
prepared, durable, which is what the machine can do at best where every commit waits for the one
before it. As pgbench does, they share as many processes as the machine has cores, and so many
workers the web server has: more would only take turns on the cores, each with its own megabytes of
Python to bring back into the caches. The bare driver is measured in the same way. Expiry is the job
that the scheduler runs, in a process of its own, beside claims.
"""

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Final

import psycopg

from app.coupons.models import SLOTS, STOCK_MAX
from scripts.benchmarks.lab import Bench, Lab, pgbench
from scripts.benchmarks.table import Row

CONNECTIONS: Final = 8
PROCESSES: Final = max(one for one in (1, 2, 4, 8) if one <= (os.cpu_count() or 1))
THREADS: Final = CONNECTIONS // PROCESSES
"""One connection each."""
AIM_RATIO: Final = 0.5
COUPONS: Final = 1_000_000
MEMBERS: Final = 100_000
AIM_SECONDS: Final = 60.0
AIM_WAIT_SECONDS: Final = 1.0
ROUNDS: Final = 3
"""Of each figure; the best counts for both, as a machine is never alone."""


def measure(lab: Lab, *, seconds: float, coupons: int = COUPONS) -> None:
    """Print claims a second beside the baseline, and how long the coupons take to expire."""
    with lab.database("coupons") as bench:
        prepare(bench, coupons)
        raw = max(conditional_updates(lab, seconds) for _ in range(ROUNDS))
        bare = max(updated(bench, seconds) for _ in range(ROUNDS))
        claims = max(claimed(bench, seconds) for _ in range(ROUNDS))
        printed = bench.run("-m", "scripts.benchmarks.coupon_runs", "expire")
    lab.add(Row(name=f"(k) conditional UPDATE, {CONNECTIONS} connections", value=raw, unit="tx/s"))
    found = json.loads(printed.splitlines()[-1])  # what was logged comes before
    name = f"(k) the same by the bare driver, {PROCESSES} processes of {THREADS} threads"
    lab.add(Row(name=name, value=bare, unit="tx/s", baseline=raw))
    assert found["coupons"] == coupons, f"{found['coupons']:,} coupons expired, not {coupons:,}"
    for row in rows(coupons, raw, claims, found):
        lab.add(row)


def rows(coupons: int, raw: float, claims: float, found: dict[str, float]) -> list[Row]:
    """Return the lines of the table."""
    seconds, wait = found["seconds"], found["longest"]
    return [
        Row(
            name=f"(k) claims of one coupon, {CONNECTIONS} connections",
            value=claims,
            unit="tx/s",
            baseline=raw,
            aim=f">= {AIM_RATIO:g} of baseline",
            met=claims >= AIM_RATIO * raw,
        ),
        Row(
            name=f"(k) {coupons:,} coupons expire",
            value=seconds,
            unit="s",
            aim=f"<= {AIM_SECONDS:g} s",
            met=seconds <= AIM_SECONDS,
        ),
        Row(
            name=f"(k) longest of {int(found['claims']):,} claims beside it",
            value=wait,
            unit="s",
            aim=f"<= {AIM_WAIT_SECONDS:g} s",
            met=wait <= AIM_WAIT_SECONDS,
        ),
        Row(name="(k) median of these claims", value=found["median"], unit="s"),
    ]


def conditional_updates(lab: Lab, seconds: float) -> float:
    """Return how often a second pgbench takes one from the same stock."""
    with psycopg.connect(lab.postgres.dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS pgbench")
        connection.execute("CREATE DATABASE pgbench")
    with psycopg.connect(lab.postgres.dsn(database="pgbench"), autocommit=True) as connection:
        connection.execute("CREATE TABLE stock (id int PRIMARY KEY, issued int, stock int)")
        connection.execute("INSERT INTO stock VALUES (1, 0, 1000000000)")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "take.sql"
        script.write_text("UPDATE stock SET issued = issued + 1 WHERE id = 1 AND issued < stock;\n")
        printed = pgbench(
            lab,
            *("-n", "-f", str(script), "-c", str(CONNECTIONS), "-j", "2", "-M", "prepared"),
            *("-T", str(max(1, round(seconds)))),
        )
    found = re.search(r"tps = ([0-9.]+)", printed)
    assert found is not None, printed
    return float(found[1])


def updated(bench: Bench, seconds: float) -> float:
    """Return how many such updates a second Python makes on one row, each committed."""
    return _per_second(bench, "update", seconds)


def claimed(bench: Bench, seconds: float) -> float:
    """Return how many claims a second are made of one template."""
    return _per_second(bench, "claim", seconds)


def _per_second(bench: Bench, what: str, seconds: float) -> float:
    printed = bench.run(
        *("-m", "scripts.benchmarks.coupon_runs", what),
        *(str(PROCESSES), str(THREADS), str(seconds)),
    )
    return float(json.loads(printed.splitlines()[-1])["per_second"])


def prepare(bench: Bench, coupons: int) -> None:
    """Write members, a template to claim, and another whose coupons are all over."""
    with bench.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        given = {"members": MEMBERS, "coupons": coupons, "slots": SLOTS, "stock": STOCK_MAX}
        for statement in (PEOPLE, TEMPLATES, STOCKS, OVER, HELD, STEPS):
            connection.execute(statement, given)
        connection.execute(
            "VACUUM ANALYZE members, coupon_templates, coupon_stocks, coupons, coupon_holdings,"
            " coupon_steps"
        )


PEOPLE: Final = """
    INSERT INTO members (wechat_openid, nickname, registered_at)
    SELECT 'bench-' || n, '', now() - interval '800 days' FROM generate_series(1, %(members)s) AS n
"""
TEMPLATES: Final = """
    INSERT INTO coupon_templates (kind, title, amount_fen, per_member, stock, ways,
        claim_from_at, claim_until_at, valid_seconds, created_at)
    SELECT 'amount_off', 'bench', 1000, 1000, %(stock)s, ARRAY['centre'],
        now() - interval '1 day', now() + interval '1 day', 864000, now() - interval '1 day'
    FROM generate_series(1, 2)
"""
STOCKS: Final = """
    INSERT INTO coupon_stocks (template_id, slot, stock, issued)
    SELECT id, slot, stock / %(slots)s, CASE id WHEN 2 THEN %(coupons)s / %(slots)s ELSE 0 END
    FROM coupon_templates, generate_series(0, %(slots)s - 1) AS slot
"""
OVER: Final = """
    INSERT INTO coupons (template_id, member_id, seq, state, channel, claimed_at, valid_from_at,
        valid_until_at)
    SELECT 2, 1 + n %% %(members)s, 1 + n / %(members)s, 'unused', 'centre',
        now() - interval '20 days', now() - interval '20 days',
        now() - interval '1 day' - (n %% 86400) * interval '1 second'
    FROM generate_series(0, %(coupons)s - 1) AS n
"""
HELD: Final = """
    INSERT INTO coupon_holdings (template_id, member_id, issued)
    SELECT 2, member_id, count(*) FROM coupons GROUP BY 2
"""
STEPS: Final = """
    INSERT INTO coupon_steps (coupon_id, event, to_state, at, actor)
    SELECT id, 'claim', 'unused', claimed_at, 'member:' || member_id FROM coupons
"""
