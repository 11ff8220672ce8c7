"""A brand of millions, written in bulk: members, orders, commission and books.

Numbers come from one series, so that foreign keys hold without being checked row by row. Stores are
unequal, as they are: the first has a tenth of everything, the last next to nothing, the others
share the rest. That is where scopes are slow or quick.
"""

from dataclasses import dataclass
from typing import Final

from scripts.benchmarks.lab import Bench

STORES: Final = 200
PEOPLE_PER_DISTRIBUTOR: Final = 50
PHONES: Final = 1_000
TINY_EVERY: Final = 5_003
"""One member in so many belongs to the tiny store."""

STORE_OF: Final = (
    f"CASE WHEN {{n}} % {TINY_EVERY} = 1 THEN {STORES} WHEN {{n}} % 10 = 0 THEN 1"
    f" ELSE 2 + ({{n}} % {STORES - 2}) END"
)
BEGAN: Final = "(now() - interval '720 days')"

SEALED: Final = f"""
from app.kernel.secrecy import vault
from wsgi import application
with application.app_context():
    for n in range({PHONES}):
        phone = "+8613" + str(800_000_000 + n)
        print(vault().seal(phone), vault().look_up("phone", phone))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the brand is."""

    members: int
    orders: int
    ledger_rows: int

    @property
    def distributors(self) -> int:
        """Return how many members recommend others."""
        return max(1, self.members // PEOPLE_PER_DISTRIBUTOR)


def build(bench: Bench, size: Size) -> None:
    """Write the brand and let PostgreSQL look at it."""
    phones = [line.split() for line in bench.run("-c", SEALED).splitlines()]
    names = {
        "members": size.members,
        "orders": size.orders,
        "distributors": size.distributors,
        "entries": size.ledger_rows // 2,
        "stores": STORES,
        "phones": PHONES,
        "began": BEGAN,
        "store_of_n": STORE_OF.format(n="n"),
        "store_of_m": STORE_OF.format(n="m"),
    }
    with bench.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("CREATE TABLE bench_phones (k int, sealed text, hash text)")
        with connection.cursor() as cursor, cursor.copy("COPY bench_phones FROM STDIN") as to:
            for n, pair in enumerate(phones):
                to.write_row((n, *pair))
        for statement in STATEMENTS:
            connection.execute(statement.format(**names))
        for table in SEQUENCES:
            connection.execute(
                f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"  # noqa: S608 - our own names
            )
        connection.execute("DROP TABLE bench_phones")
        connection.execute("VACUUM ANALYZE")


SEQUENCES: Final = (
    *("stores", "members", "products", "channels", "share_codes", "bindings", "touches"),
    *("orders", "order_lines", "refunds", "awards", "payouts"),
    *("ledger_accounts", "ledger_entries", "ledger_transfers"),
)

STATEMENTS: Final = (
    """
    INSERT INTO regions (name) SELECT '大区' || n FROM generate_series(1, 10) n
    """,
    """
    INSERT INTO stores (id, name, region_id, created_at) OVERRIDING SYSTEM VALUE
    SELECT n, '门店' || n, 1 + n % 10, {began} FROM generate_series(1, {stores}) n
    """,
    """
    INSERT INTO products (kind, title, price_fen, list_price_fen, created_at)
    SELECT 'service', '护理' || n, 9900 + n * 100, 9900 + n * 100, {began}
    FROM generate_series(1, 50) n
    """,
    """
    INSERT INTO members (id, wechat_openid, nickname, phone_sealed, phone_hash, origin_store_id,
        registered_at, first_paid_at) OVERRIDING SYSTEM VALUE
    SELECT n, 'bench-' || n,
        substr('赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨', 1 + n % 16, 1)
            || substr('小美丽芳敏静秀娟英华慧巧雅', 1 + n % 13, 1) || n,
        p.sealed, p.hash, {store_of_n},
        {began} + n::float8 / {members} * interval '720 days',
        CASE WHEN n % 3 > 0 THEN {began} + n::float8 / {members} * interval '720 days' END
    FROM generate_series(1, {members}) n JOIN bench_phones p ON p.k = n % {phones}
    """,
    """
    INSERT INTO distributors (member_id, team_order, recommender_id, recommender_team_order,
        second_recommender_id, direct_count, second_count, standing, level, agreement_version,
        store_id, applied_at, approved_at)
    SELECT n, n, nullif(n / 7, 0), nullif(n / 7, 0), nullif(n / 49, 0), 7, 49,
        CASE WHEN n % 500 = 0 THEN 'applied' ELSE 'active' END, 1 + n % 3, 'bench', {store_of_n},
        {began}, {began}
    FROM generate_series(1, {distributors}) n
    """,
    """
    INSERT INTO channels (id, name, kind, owner_id, created_at) OVERRIDING SYSTEM VALUE
    SELECT n, 'bench', 'personal', n, {began} FROM generate_series(1, {distributors}) n
    """,
    """
    INSERT INTO share_codes (id, code, distributor_id, channel_id, page, created_at)
        OVERRIDING SYSTEM VALUE
    SELECT n, lpad(n::text, 22, '0'), n, n, 'pages/index/index', {began}
    FROM generate_series(1, {distributors}) n
    """,
    """
    INSERT INTO bindings (customer_id, owner_id, state, source, valid_from_at, valid_until_at,
        rule)
    SELECT n, 1 + n % {distributors}, 'locked', 'poster',
        {began} + n::float8 / {members} * interval '720 days',
        {began} + n::float8 / {members} * interval '720 days' + interval '180 days', '{{}}'
    FROM generate_series({distributors} + 1, {members}) n WHERE n % 5 < 3
    """,
    """
    INSERT INTO touches (share_code_id, member_id, source, occurred_at, outcome, reason)
    SELECT 1 + n % {distributors}, n, 'poster',
        {began} + n::float8 / {members} * interval '720 days',
        'bound', 'new_customer'
    FROM generate_series({distributors} + 1, {members}) n
    """,
    """
    INSERT INTO orders (id, number, member_id, store_id, state, fulfilment, goods_fen, payable_fen,
        paid_fen, refunded_fen, owner_id, created_at, pay_by_at, paid_at, completed_at, settled_at)
        OVERRIDING SYSTEM VALUE
    SELECT n, 'B' || lpad(n::text, 20, '0'), m, {store_of_m},
        CASE WHEN is_closed THEN 'closed' WHEN n > {orders} * 0.99 THEN 'paid'
            WHEN n > {orders} * 0.97 THEN 'completed' ELSE 'settled' END,
        'service', fen, fen, CASE WHEN is_closed THEN 0 ELSE fen END, 0,
        CASE WHEN m % 5 < 3 THEN 1 + m % {distributors} END,
        at, at + interval '30 minutes', CASE WHEN NOT is_closed THEN at END,
        CASE WHEN NOT is_closed AND n <= {orders} * 0.99 THEN at + interval '1 day' END,
        CASE WHEN NOT is_closed AND n <= {orders} * 0.97 THEN at + interval '8 days' END
    FROM (SELECT n, 1 + (n * 7919) % {members} AS m, abs(hashint8(n)) % 40 = 0 AS is_closed,
        9900 + abs(hashint8(n)) % 997 * 100 AS fen,
        {began} + n::float8 / {orders} * interval '720 days' AS at
        FROM generate_series(1, {orders}::bigint) n) drawn
    """,
    """
    INSERT INTO order_lines (order_id, product_id, title, is_service, is_distributable,
        unit_price_fen, quantity, net_fen)
    SELECT id, 1 + id % 50, '护理', true, true, payable_fen, 1, payable_fen FROM orders
    """,
    """
    INSERT INTO refunds (number, order_id, amount_fen, reason, state, requested_by, requested_at)
    SELECT 'R' || lpad(n::text, 20, '0'), n, 1000, 'bench',
        CASE WHEN n > {orders} * 0.999 THEN 'requested' ELSE 'succeeded' END, 'member:1',
        {began} + n::float8 / {orders} * interval '720 days'
    FROM generate_series(41, {orders}, 53) n
    """,
    """
    INSERT INTO awards (order_id, order_line_id, plan_version_id, beneficiary_id, kind, seat,
        base_fen, rate_bp, amount_fen, state, explanation, created_at, matures_at, matured_at)
    SELECT o.id, l.id, 1, o.owner_id, 'direct', 1, o.payable_fen, 1000, o.payable_fen / 10,
        CASE WHEN o.state = 'settled' THEN 'matured' WHEN o.state = 'completed' THEN 'frozen'
            ELSE 'pending' END,
        jsonb_build_object('schema', 1, 'outcome', 'AWARD', 'model', 'CHANNEL_TWO_LEVEL',
            'kind', 'L1', 'role', 'OWNER', 'seat', 1, 'level', 1, 'rates_of', 'PLAN',
            'order_id', o.id, 'line_id', l.id, 'product_id', l.product_id,
            'buyer_id', o.member_id, 'owner_id', o.owner_id, 'beneficiary_id', o.owner_id,
            'base_fen', o.payable_fen, 'rate_bp', 1000, 'plan_rate_bp', 1000, 'cap_bp', 3000,
            'amount_fen', o.payable_fen / 10, 'capped_from_fen', NULL, 'passed_over', '[]'::jsonb),
        o.created_at,
        CASE WHEN o.state <> 'paid' THEN o.created_at + interval '8 days' END, o.settled_at
    FROM orders o JOIN order_lines l ON l.order_id = o.id
    WHERE o.owner_id IS NOT NULL AND o.state <> 'closed'
    """,
    """
    INSERT INTO payouts (number, member_id, amount_fen, payee_openid, state, needs_second_approval,
        first_approver_id, requested_at, approved_at, ended_at)
    SELECT 'P' || lpad(n::text, 20, '0'), 1 + n % {distributors}, 1000 + n % 9000, 'bench',
        CASE WHEN n % 100 = 0 THEN 'requested' ELSE 'succeeded' END, false,
        CASE WHEN n % 100 > 0 THEN 1 END, at, CASE WHEN n % 100 > 0 THEN at END,
        CASE WHEN n % 100 > 0 THEN at END
    FROM (SELECT n, {began} + n::float8 / {members} * interval '720 days' AS at
        FROM generate_series(1, {members} / 10) n) drawn
    """,
    """
    INSERT INTO ledger_accounts (name, unit, member_id, balance)
    SELECT kind, 'fen', n, 10000 + n % 777
    FROM generate_series(1, {distributors}) n,
        unnest(ARRAY['commission_pending', 'commission_available']) kind
    """,
    """
    INSERT INTO ledger_accounts (name, unit) SELECT 'commission_expense', 'fen'
    WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts WHERE name = 'commission_expense')
    """,
    """
    INSERT INTO ledger_entries (id, key, occurred_at) OVERRIDING SYSTEM VALUE
    SELECT n, 'commission-accrued:' || n || ':1',
        {began} + n::float8 / {entries} * interval '720 days'
    FROM generate_series(1, {entries}) n
    """,
    """
    INSERT INTO ledger_transfers (entry_id, source_id, target_id, amount)
    SELECT e.n, (SELECT id FROM ledger_accounts WHERE name = 'commission_expense'), a.id, 990
    FROM generate_series(1, {entries}) e(n)
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS k FROM ledger_accounts
        WHERE member_id IS NOT NULL) a ON a.k = 1 + e.n % (2 * {distributors})
    CROSS JOIN generate_series(1, 2)
    """,
    """
    INSERT INTO member_stores (store_id, member_id)
    SELECT origin_store_id, id FROM members
    UNION SELECT store_id, member_id FROM orders
    UNION SELECT store_id, member_id FROM distributors
    UNION SELECT d.store_id, b.customer_id
    FROM bindings b JOIN distributors d ON d.member_id = b.owner_id
    """,
)
