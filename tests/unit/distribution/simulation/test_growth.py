import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.distribution.simulation.errors import SimulationInvalid
from app.distribution.simulation.growth import Brand
from app.distribution.simulation.parameters import read_growth
from app.distribution.simulation.stream import Newcomer, Trade
from app.kernel.i18n import ENGLISH, translate
from tests.unit.distribution.simulation.cases import entry, grown_bytes, growth

ROOT = Path(__file__).parents[4]
PRINTS_THE_RESULT = """
import sys
from tests.unit.distribution.simulation.cases import entry, grown_bytes
sys.stdout.buffer.write(grown_bytes(entry(), entry("CHAIN_2_1"), seed=7))
"""


def elsewhere(hash_seed: str) -> bytes:
    """The result of the same seed in a process of its own, whose sets have another order."""
    return subprocess.run(
        [sys.executable, "-c", PRINTS_THE_RESULT],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
    ).stdout


def test_the_same_seed_gives_the_same_bytes_in_any_process() -> None:
    here = grown_bytes(entry(), entry("CHAIN_2_1"), seed=7)

    assert elsewhere("1") == here
    assert elsewhere("2") == here


def test_another_seed_gives_another_result() -> None:
    assert grown_bytes(entry(), seed=7) != grown_bytes(entry(), seed=8)


def test_a_result_holds_whole_numbers_only() -> None:
    assert b"." not in grown_bytes(entry())


def test_a_brand_grows_as_its_parameters_say() -> None:
    meant = growth(members=5_000, months=6, referral_bp=6_000, recruit_bp=1_000, refund_bp=500)
    happened = list(Brand(meant).happenings())
    orders = [one for one in happened if isinstance(one, Trade)]
    newcomers = [one for one in happened if isinstance(one, Newcomer)]
    refunded = [one for one in orders if one.refunds]
    owned = [one for one in orders if one.owner_id is not None]

    assert len(orders) == meant.orders
    assert 450 <= len(newcomers) <= 550
    assert 400 <= 10_000 * len(refunded) // len(orders) <= 600
    assert 5_500 <= 10_000 * len(owned) // len(orders) <= 6_500
    assert {one.store_id for one in orders} == {1, 2}
    bases = sorted(one.lines[0].base_fen for one in orders)
    assert (bases[0] >= 20_000, bases[-1] <= 120_000) == (True, True)
    assert 58_000 <= bases[len(bases) // 2] <= 62_000


def test_happenings_come_in_order_and_nobody_is_brought_by_who_is_not_there_yet() -> None:
    known: set[int] = set()
    happened = list(Brand(growth()).happenings())

    assert [one.at for one in happened] == sorted(one.at for one in happened)
    for one in happened:
        if isinstance(one, Newcomer):
            assert one.recommender_id is None or one.recommender_id in known
            known.add(one.person.member_id)
        else:
            assert one.owner_id is None or one.owner_id in known


def test_only_the_first_order_of_a_customer_is_their_first() -> None:
    seen: set[int] = set()
    for one in Brand(growth()).happenings():
        if isinstance(one, Trade):
            assert one.is_first is (one.buyer_id not in seen)
            seen.add(one.buyer_id)


def test_with_products_every_order_is_for_one_of_them() -> None:
    products = [{"product_id": 5, "price_fen": 100}, {"product_id": 9, "price_fen": 700}]
    orders = [
        one for one in Brand(growth(products=products)).happenings() if isinstance(one, Trade)
    ]

    assert {(one.lines[0].product_id, one.lines[0].base_fen) for one in orders} == {
        (5, 100),
        (9, 700),
    }


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"members": 0}, "members"),
        ({"members": 1_000_001}, "members"),
        ({"months": 61}, "months"),
        ({"refund_bp": 10_001}, "refund_bp"),
        ({"seed": -1}, "seed"),
        ({"members": "many"}, "members"),
        ({"mouths": 3}, "mouths"),
        ({"products": [{"product_id": 1}]}, "products.0.price_fen"),
        ({"min_fen": 500, "typical_fen": 400}, "typical_fen"),
        ({"typical_fen": 500, "max_fen": 400, "min_fen": 1}, "max_fen"),
        ({"members": 1_000_000, "orders_bp": 10_000}, "orders_bp"),
        ({"members": 1, "months": 1, "orders_bp": 1}, "orders_bp"),
        ({"members": 3, "stores": 4}, "stores"),
    ],
)
def test_parameters_out_of_range_name_their_field(document: dict[str, Any], path: str) -> None:
    with pytest.raises(SimulationInvalid) as refused:
        read_growth(document)

    assert path in [fault.path for fault in refused.value.faults]
    assert path in translate(refused.value.message(), ENGLISH)
