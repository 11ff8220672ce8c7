"""(b) Paid order to awards and ledger, against pgbench's TPC-B on the same server.

Orders are prepared as paid, with their tasks; then so many worker processes settle them by the
very job that runs in production. Each settles one order by itself first, so that the start of
Python and the compiling of statements do not count; then the clock runs from the release of all
workers to the last task. TPC-B and every number of workers have two turns, in opposite order, so
that none has the quieter machine.
"""

import re
import time
from typing import Final

import psycopg

from scripts.benchmarks.lab import Bench, Lab, Process, pgbench
from scripts.benchmarks.people import add_distributors
from scripts.benchmarks.table import Row
from scripts.benchmarks.trees import grow

CLIENTS: Final = 8
WORKERS: Final = (1, 2, 4, CLIENTS)
MEMBERS: Final = 10_000
GATE: Final = 4_711
PAUSE_SECONDS: Final = 0.01
WAITING: Final = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
AIM: Final = 0.25

WORKER: Final = """
import sys
import sqlalchemy as sa
from app.distribution.jobs import award_orders
from app.kernel.db import db
from wsgi import application
with application.app_context():
    for gate in sys.argv[1:]:
        db.session.execute(sa.text("SELECT pg_advisory_lock_shared(:gate)"), {"gate": int(gate)})
        db.session.rollback()
        award_orders()
    db.engine.dispose()
"""


def measure(lab: Lab, *, orders: int, seconds: float) -> None:
    """Print the settlement's throughput at 1, 2, 4 and 8 workers beside TPC-B's."""
    taken = dict.fromkeys(WORKERS, 0.0)
    with lab.database("settlement") as bench:
        prepare(bench)
        transactions = tpc_b(lab, seconds) / 2
        for workers in (*WORKERS, *reversed(WORKERS)):
            taken[workers] += settle(bench, workers=workers, orders=orders)
        transactions += tpc_b(lab, seconds) / 2
    rates = {workers: 2 * orders / seconds for workers, seconds in taken.items()}
    lab.add(Row(name=f"(b) pgbench TPC-B, {CLIENTS} clients", value=transactions, unit="tx/s"))
    for workers, rate in rates.items():
        aimed = workers == CLIENTS
        lab.add(
            Row(
                name=f"(b) paid order -> awards -> ledger, {workers} workers",
                value=rate,
                unit="orders/s",
                baseline=transactions,
                aim=f">= {AIM} of TPC-B" if aimed else "",
                met=rate / transactions >= AIM if aimed else None,
            )
        )
    lab.add(
        Row(
            name=f"(b) the same, {CLIENTS} workers against 1",
            value=rates[CLIENTS],
            unit="orders/s",
            baseline=rates[1],
            aim="> 1",
            met=rates[CLIENTS] > rates[1],
        )
    )


def tpc_b(lab: Lab, seconds: float) -> float:
    """Return pgbench's TPC-B transactions per second with 8 clients, prepared, fsync on."""
    with psycopg.connect(lab.postgres.dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS pgbench")
        connection.execute("CREATE DATABASE pgbench")
    pgbench(lab, "-i", "-q", "-s", "10")
    printed = pgbench(
        lab, "-c", str(CLIENTS), "-j", "2", "-M", "prepared", "-T", str(max(1, round(seconds)))
    )
    found = re.search(r"tps = ([0-9.]+)", printed)
    assert found is not None, printed
    return float(found[1])


def prepare(bench: Bench) -> None:
    """Make distributors, a store, a product and a plan in force."""
    add_distributors(bench, grow(MEMBERS))
    with bench.connect() as connection:
        connection.execute("INSERT INTO stores (name) VALUES ('bench')")
        connection.execute(
            "INSERT INTO products (kind, title, price_fen, list_price_fen, created_at)"
            " VALUES ('service', 'bench', 19900, 19900, now())"
        )
    bench.run("-c", PLAN)


PLAN: Final = """
from app.factory import create_app
from app.settings import Settings
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from app.engines.documents import load_rules
from app.engines.two_level import MODEL
from app.plans import publishing
from app.plans import services as plans
from app.plans.services import Draft, Verdict
with create_app(Settings.from_env()).app_context():
    now = database_now()
    with atomic() as session:
        plan = plans.create_plan(session, "bench", model="CHANNEL_TWO_LEVEL", now=now)
        rules = {"model": "CHANNEL_TWO_LEVEL"}
        version = plans.draft(session, plan.id, Draft(rules=rules), actor=SYSTEM, now=now)
        verdict = Verdict(profile="cn", findings=(), bound=MODEL.bound(load_rules(rules)))
        plans.record_check(session, version.id, verdict, actor=SYSTEM, now=now)
        plans.note_simulated(session, version.id, revision=1, actor="system", now=now)
        plans.submit(session, version.id, actor=SYSTEM, now=now)
        plans.approve(session, version.id, actor=SYSTEM, now=now)
        publishing.publish(session, version.id, actor=SYSTEM, effective_from_at=now, now=now)
"""


def fill(bench: Bench, *, orders: int) -> None:
    """Write so many paid orders of one line, each with an owner and a recommender, and tasks."""
    with bench.connect() as connection:
        connection.execute(
            """
            WITH people AS (SELECT array_agg(id ORDER BY id) AS ids, count(*) AS n FROM members),
            drawn AS (SELECT (random() * (n - 3))::int + 1 AS k
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
                    now(), now(), now() FROM drawn, people RETURNING id),
            lines AS (INSERT INTO order_lines (order_id, product_id, title, is_service,
                is_distributable, unit_price_fen, quantity, net_fen, plan_version_id)
                SELECT id, (SELECT id FROM products LIMIT 1), 'bench', true, true, 19900, 1, 19900,
                    (SELECT id FROM plan_versions LIMIT 1) FROM made)
            INSERT INTO tasks (job, subject_id, created_at, due_at)
            SELECT 'award_orders', id, now(), now() FROM made
            """,
            [orders],
        )


def settle(bench: Bench, *, workers: int, orders: int) -> float:
    """Let workers loose on so many orders at once; return the seconds until none is left."""
    with bench.connect() as connection:
        gates = range(GATE, GATE + workers + 1)
        for gate in gates:
            connection.execute("SELECT pg_advisory_lock(%s)", [gate])
        processes = [bench.python("-c", WORKER, str(gate), str(GATE)) for gate in gates[1:]]
        for gate in gates[1:]:
            fill(bench, orders=1)
            _release(bench, connection, gate, processes)
        fill(bench, orders=orders)
        connection.execute("VACUUM ANALYZE orders, order_lines, tasks, awards, ledger_accounts")
        connection.execute("CHECKPOINT")
        seconds = _release(bench, connection, GATE, processes)
    for process in processes:
        process.wait()
    _must_go_on(bench, processes)
    return seconds


def _release(
    bench: Bench,
    connection: "psycopg.Connection[tuple[object, ...]]",
    gate: int,
    processes: list[Process],
) -> float:
    """Open a gate once all who are alive wait at one; return the seconds until no task is left."""
    while connection.execute(WAITING).fetchone() != (len(processes),):
        _must_go_on(bench, processes)
        time.sleep(PAUSE_SECONDS)
    started = time.perf_counter()
    connection.execute("SELECT pg_advisory_unlock(%s)", [gate])
    while connection.execute("SELECT 1 FROM tasks LIMIT 1").fetchone():
        _must_go_on(bench, processes)
        time.sleep(PAUSE_SECONDS)
    return time.perf_counter() - started


def _must_go_on(bench: Bench, processes: list[Process]) -> None:
    if any(process.poll() for process in processes):
        raise RuntimeError(f"a worker failed:\n{bench.last_words}")
