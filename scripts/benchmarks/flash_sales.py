"""(f) A flash sale of a thousand pieces under 64 clients, through the product's own web server.

Each client is a signed-in member with a connection of their own and tries 25 times, one try after
the other: 1,600 tries for 1,000 pieces. What counts is that exactly 1,000 are sold, with as many
orders, pieces set aside in the store and answers of 201, and that everybody else is told so.
"""

import http.client
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.people import add_distributors, sign_in
from scripts.benchmarks.table import Row
from scripts.benchmarks.trees import grow
from scripts.local.ports import HOST

PIECES: Final = 1_000
CLIENTS: Final = 64
TRIES: Final = 25
SILENCE_SECONDS: Final = 60
SOLD: Final = 201
SOLD_OUT: Final = 409


def measure(lab: Lab) -> None:
    """Print how many pieces were sold, and how fast they went."""
    with lab.database("flash_sale") as bench:
        add_distributors(bench, grow(CLIENTS))
        _prepare(bench)
        tokens = sign_in(bench, list(range(1, CLIENTS + 1)))
        with bench.web() as web:
            began = time.perf_counter()
            answers, sold_out_after = crowd(web.port, tokens)
            seconds = time.perf_counter() - began
        counted = _counted(bench)
    assert sum(answers.values()) == CLIENTS * TRIES, answers
    is_exact = set(counted) == {PIECES} and answers == {
        SOLD: PIECES,
        SOLD_OUT: CLIENTS * TRIES - PIECES,
    }
    lab.add(
        Row(
            name=f"(f) sold of {PIECES:,} pieces, {CLIENTS} clients, {CLIENTS * TRIES:,} tries",
            value=answers[SOLD],
            unit="pieces",
            aim=f"= {PIECES:,}",
            met=is_exact,
        )
    )
    lab.add(
        Row(
            name="(f) orders a second until it was sold out",
            value=PIECES / sold_out_after,
            unit="orders/s",
        )
    )
    lab.add(Row(name="(f) all tries answered", value=seconds, unit="s"))


def crowd(port: int, tokens: list[str]) -> tuple[Counter[int], float]:
    """Let everybody try at once; returns the answers by status, and when the last piece went."""
    start = threading.Barrier(len(tokens))

    def client(token: str) -> tuple[Counter[int], float]:
        connection = http.client.HTTPConnection(HOST, port, timeout=SILENCE_SECONDS)
        answers: Counter[int] = Counter()
        start.wait(SILENCE_SECONDS)
        began, last = time.perf_counter(), 0.0
        for number in range(TRIES):
            status = _buy(connection, token, f"flash-try-{number:04d}")
            answers[status] += 1
            if status == SOLD:
                last = time.perf_counter() - began
        connection.close()
        return answers, last

    with ThreadPoolExecutor(len(tokens)) as pool:
        found = list(pool.map(client, tokens))
    return sum((one for one, _ in found), Counter[int]()), max(last for _, last in found)


def _buy(connection: http.client.HTTPConnection, token: str, key: str) -> int:
    body = json.dumps({"store_id": 1, "fulfilment": "pickup", "quantity": 1})
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    connection.request("POST", "/api/v1/activity-items/1/orders", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _prepare(bench: Bench) -> None:
    """Write the goods, more of them in the store than the sale gives, and the sale."""
    with bench.connect() as connection:
        given = {"pieces": PIECES}
        for statement in (STORE, PRODUCT, STOCK, SALE, ITEM):
            connection.execute(statement, given)


def _counted(bench: Bench) -> list[int]:
    """Return what the books say was sold: of the item, orders, entries, pieces set aside."""
    with bench.connect() as connection:
        row = connection.execute(COUNTED).fetchone()
    assert row is not None
    return [int(str(one)) for one in row]


STORE: Final = """
    INSERT INTO stores (id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'flash') ON CONFLICT DO NOTHING
"""
PRODUCT: Final = """
    INSERT INTO products (id, kind, title, price_fen, list_price_fen, is_published, created_at)
    OVERRIDING SYSTEM VALUE VALUES (1, 'goods', 'Serum', 10000, 10000, true, now())
"""
STOCK: Final = """
    INSERT INTO stock_levels (product_id, store_id, on_hand) VALUES (1, 1, 2 * %(pieces)s)
"""
SALE: Final = """
    INSERT INTO activities (id, kind, name, state, starts_at, ends_at, rules, pays_commission,
        created_by, created_at)
    OVERRIDING SYSTEM VALUE VALUES (1, 'flash_sale', 'Flash', 'running', now() - interval '1 hour',
        now() + interval '1 hour', '{"pay_seconds": 300}', true, 'system', now())
"""
ITEM: Final = """
    INSERT INTO activity_items (id, activity_id, product_id, price_fen, stock)
    OVERRIDING SYSTEM VALUE VALUES (1, 1, 1, 5000, %(pieces)s)
"""
COUNTED: Final = """
    SELECT (SELECT sold FROM activity_items), (SELECT count(*) FROM orders),
        (SELECT sum(quantity) FROM activity_entries WHERE state = 'held'),
        (SELECT reserved FROM stock_levels), (SELECT sum(taken) FROM activity_tallies)
"""
