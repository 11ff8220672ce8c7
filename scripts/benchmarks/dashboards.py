"""(i) Start pages of the back office in a brand of millions, and making the figures they show.

The figures are made from real rows; then eight hundred stores more get figures of their own for
every day of thirteen months, as a large chain has them. Asked for over HTTP by staff who signed in
as people do.
"""

from typing import Final

from scripts.benchmarks import brand
from scripts.benchmarks.brand import Size
from scripts.benchmarks.desks import Person, appoint, sign_in
from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.load import Ask, Plan, put_load
from scripts.benchmarks.table import Row

AIM_MS: Final = 300
REFRESH_SECONDS_MAX: Final = 5
ASKS: Final = 60
CONNECTIONS: Final = 2
STORES: Final = 1_000
DAYS: Final = 400
LOW_EVERY: Final = 40
"""One shelf in so many has low stock."""

PEOPLE: Final = {
    "owner": Person("owner"),
    "operations": Person("operations"),
    "finance": Person("finance"),
    "manager of a large store": Person("store_manager", (1,)),
    "manager of a tiny store": Person("store_manager", (brand.STORES,)),
    "front desk": Person("front_desk", (57,)),
}
PAGES: Final = {"": "start page", "?days=90": "start page, 90 days"}
TABLES: Final = {"figures/?days=90": "figures by day", "figures/?by=store": "figures by store"}

TIMED: Final = """
import time
from app.insight import refreshing
from app.kernel.db import atomic, database_now
from wsgi import application
with application.app_context():
    now = database_now()
    began = time.perf_counter()
    {what}
    print(time.perf_counter() - began)
"""
REBUILD: Final = f"refreshing.rebuild(days={DAYS}, now=now)"
REFRESH: Final = """with atomic() as session:
        refreshing.refresh(session, now=now)"""

NUMBERS: Final = {
    "first": brand.STORES + 1,
    "stores": STORES,
    "days": DAYS - 1,
    "low_every": LOW_EVERY,
}
STATEMENTS: Final = (
    """
    INSERT INTO stores (id, name, created_at) OVERRIDING SYSTEM VALUE
    SELECT n, '门店' || n, now() FROM generate_series({first}, {stores}) n
    """,
    """
    INSERT INTO day_figures (day, store_id, paid_orders, paid_fen, distributor_orders,
        distributor_fen, first_orders, completed_orders, refunds, refunded_fen, new_members,
        new_bindings, touches, new_distributors, awards, awards_fen, clawbacks, clawbacks_fen,
        payouts, payouts_fen)
    SELECT current_date - d, s, 20, 400000 + s * d, 10, 200000 + s, 5, 18, 1, 9900, 9, 6, 30, 1, 10,
        20000 + d, 1, 990, 2, 9000
    FROM generate_series({first}, {stores}) s, generate_series(0, {days}) d
    """,
    "DELETE FROM day_totals",
    """
    INSERT INTO day_totals
    SELECT day, sum(paid_orders), sum(paid_fen), sum(distributor_orders), sum(distributor_fen),
        sum(first_orders), sum(completed_orders), sum(refunds), sum(refunded_fen), sum(new_members),
        sum(new_bindings), sum(touches), sum(new_distributors), sum(awards), sum(awards_fen),
        sum(clawbacks), sum(clawbacks_fen), sum(payouts), sum(payouts_fen)
    FROM day_figures GROUP BY day
    """,
    """
    INSERT INTO stock_levels (product_id, store_id, on_hand)
    SELECT p.id, s, CASE WHEN (p.id + s) % {low_every} = 0 THEN 3 ELSE 60 END
    FROM products p, generate_series(1, {stores}) s
    """,
    "VACUUM ANALYZE",
)


def measure(lab: Lab, *, size: Size) -> None:
    """Print how long making the figures takes, and every start page."""
    with lab.database("dashboards") as bench:
        brand.build(bench, size)
        _measure_making(lab, bench)
        with bench.connect() as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in STATEMENTS:
                connection.execute(statement.format(**NUMBERS))
        for person in PEOPLE.values():
            appoint(bench, person)
        _measure_pages(lab, bench)


def _measure_making(lab: Lab, bench: Bench) -> None:
    rebuilt = float(bench.run("-c", TIMED.format(what=REBUILD)))
    lab.add(Row(name=f"(i) figures of {DAYS} days made again", value=rebuilt, unit="s"))
    bench.run("-c", TIMED.format(what=REFRESH))
    refreshed = float(bench.run("-c", TIMED.format(what=REFRESH)))
    lab.add(
        Row(
            name="(i) figures of today and yesterday made again",
            value=refreshed,
            unit="s",
            aim=f"<= {REFRESH_SECONDS_MAX} s",
            met=refreshed <= REFRESH_SECONDS_MAX,
        )
    )


def _measure_pages(lab: Lab, bench: Bench) -> None:
    with bench.web() as web:
        for who, person in PEOPLE.items():
            cookie = sign_in(web.port, person)
            pages = {**PAGES, **(TABLES if person.role == "owner" else {})}
            for query, what in pages.items():
                asks = [Ask(path=f"/admin/{query}", cookie=cookie)] * ASKS
                put_load(Plan(port=web.port, asks=asks[:8], connections=CONNECTIONS))
                outcome = put_load(Plan(port=web.port, asks=asks, connections=CONNECTIONS))
                told = {"p50": (outcome.p50_ms, None), "p95": (outcome.p95_ms, AIM_MS)}
                for share, (value, aim) in told.items():
                    lab.add(
                        Row(
                            name=f"(i) {what}, {who}, {share}",
                            value=value,
                            unit="ms",
                            aim=f"<= {aim} ms" if aim else "",
                            met=value <= aim if aim else None,
                        )
                    )
