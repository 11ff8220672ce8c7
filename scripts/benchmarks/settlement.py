"""(b) Paid order to awards and ledger, against pgbench's TPC-B on the same server.

Orders are prepared as paid, with their tasks; then so many worker processes settle them by the
very job that runs in production. The clock runs from the release of the workers to the last task.
"""

import re
import subprocess
import sys
import time
from typing import Final

from scripts.benchmarks.lab import CHECKOUT, Lab, Row, pgbench

CLIENTS: Final = 8
PGBENCH_SECONDS: Final = 8
GATE: Final = 4_711
AIM: Final = 0.25

WORKER: Final = f"""
import sqlalchemy as sa
from app.factory import create_app
from app.settings import Settings
from app.distribution.jobs import award_orders
from app.kernel.db import db
app = create_app(Settings.from_env())
with app.app_context():
    db.session.execute(sa.text("SELECT pg_advisory_lock_shared({GATE})"))
    db.session.rollback()
    award_orders()
    db.engine.dispose()
"""


def measure(lab: Lab, *, orders: int, members: int) -> None:
    """Print the settlement's throughput at 1, 2, 4 and 8 workers beside TPC-B's."""
    pgbench_tps = tpc_b(lab)
    prepare(lab, members=members)
    for workers in (1, 2, 4, CLIENTS):
        fill(lab, orders=orders)
        rate = orders / settle(lab, workers=workers)
        last = workers == CLIENTS
        lab.add(
            Row(
                f"(b) paid order -> awards -> ledger, {workers} workers",
                rate,
                "orders/s",
                pgbench_tps,
                f">= {AIM} of TPC-B" if last else "",
                rate / pgbench_tps >= AIM if last else None,
            )
        )


def tpc_b(lab: Lab) -> float:
    """Return pgbench's TPC-B transactions per second with 8 clients, prepared, fsync on."""
    with lab.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS pgbench")
        connection.execute("CREATE DATABASE pgbench")
    pgbench(lab, "-i", "-q", "-s", "10")
    printed = pgbench(
        lab, "-c", str(CLIENTS), "-j", "2", "-M", "prepared", "-T", str(PGBENCH_SECONDS)
    )
    found = re.search(r"tps = ([0-9.]+)", printed)
    assert found is not None, printed
    return float(found[1])


def prepare(lab: Lab, *, members: int) -> None:
    """Make members, half of them distributors in pairs, a product and a plan in force."""
    with lab.connect() as connection:
        connection.execute("INSERT INTO stores (name) VALUES ('bench')")
        connection.execute(
            "INSERT INTO members (wechat_openid, registered_at)"
            " SELECT 'bench-' || n, now() FROM generate_series(1, %s) n",
            [members],
        )
        connection.execute(
            "INSERT INTO distributors (member_id, standing, agreement_version, applied_at,"
            " team_order) SELECT id, 'active', 'bench', now(), id FROM members ORDER BY id"
        )
        connection.execute(
            "INSERT INTO products (kind, title, price_fen, list_price_fen, created_at)"
            " VALUES ('service', 'bench', 19900, 19900, now())"
        )
    subprocess.run(
        [sys.executable, "-c", PLAN], env=lab.env, cwd=CHECKOUT, check=True, capture_output=True
    )


PLAN: Final = """
from app.factory import create_app
from app.settings import Settings
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from app.plans import services as plans
with create_app(Settings.from_env()).app_context():
    now = database_now()
    with atomic() as session:
        plan = plans.create_plan(session, "bench", model="CHANNEL_TWO_LEVEL", now=now)
        version = plans.draft(
            session, plan.id, {"model": "CHANNEL_TWO_LEVEL"}, actor=SYSTEM, note="", now=now
        )
        plans.submit(session, version.id, actor=SYSTEM, now=now)
        plans.publish(session, version.id, actor=SYSTEM, effective_from_at=now, now=now)
"""


def fill(lab: Lab, *, orders: int) -> None:
    """Write so many paid orders of one line, each with an owner and a recommender, and tasks."""
    with lab.connect() as connection:
        connection.execute(
            """
            WITH people AS (SELECT array_agg(id ORDER BY id) AS ids, count(*) AS n FROM members),
            drawn AS (SELECT (random() * (n - 3))::int + 1 AS k, ids
                FROM people, generate_series(1, %s)),
            made AS (INSERT INTO orders (number, member_id, store_id, state, fulfilment, goods_fen,
                payable_fen, paid_fen, owner_id, upline, created_at, pay_by_at, paid_at)
                SELECT 'B' || replace(gen_random_uuid()::text, '-', '')::varchar(31), ids[k],
                    (SELECT id FROM stores LIMIT 1), 'paid', 'service', 19900, 19900, 19900,
                    ids[k + 1], jsonb_build_array(
                        jsonb_build_object('member_id', ids[k], 'level', NULL, 'standing', NULL,
                            'is_household', false),
                        jsonb_build_object('member_id', ids[k + 1], 'level', 1,
                            'standing', 'active', 'is_household', false),
                        jsonb_build_object('member_id', ids[k + 2], 'level', 2,
                            'standing', 'active', 'is_household', false)),
                    now(), now(), now() FROM drawn RETURNING id),
            lines AS (INSERT INTO order_lines (order_id, product_id, title, is_service,
                is_distributable, unit_price_fen, quantity, net_fen, plan_version_id)
                SELECT id, (SELECT id FROM products LIMIT 1), 'bench', true, true, 19900, 1, 19900,
                    (SELECT id FROM plan_versions LIMIT 1) FROM made)
            INSERT INTO tasks (job, subject_id, created_at, due_at)
            SELECT 'award_orders', id, now(), now() FROM made
            """,
            [orders],
        )
        connection.execute("VACUUM ANALYZE orders, order_lines, tasks, awards, ledger_accounts")
        connection.execute("CHECKPOINT")


def settle(lab: Lab, *, workers: int) -> float:
    """Let workers loose on the tasks at once; return the seconds until none is left."""
    with lab.connect() as connection:
        connection.execute(f"SELECT pg_advisory_lock({GATE})")
        processes = [lab.python("-c", WORKER) for _ in range(workers)]
        while _waiting(connection) < workers:
            time.sleep(0.05)
        started = time.perf_counter()
        connection.execute(f"SELECT pg_advisory_unlock({GATE})")
        while connection.execute("SELECT 1 FROM tasks LIMIT 1").fetchone():
            time.sleep(0.01)
        seconds = time.perf_counter() - started
    for process in processes:
        assert process.wait() == 0, f"a worker failed; see {lab.layout.logs}"
    return seconds


def _waiting(connection: "object") -> int:
    row = connection.execute(  # type: ignore[attr-defined]
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    ).fetchone()
    return int(row[0])
