"""The joins that are timed are joins: everybody gets in, and people rise."""

from scripts.benchmarks.chain_joins import BATCH, batches, joins_per_second
from scripts.benchmarks.trees import grow


def test_everybody_joins_once_under_who_brought_them() -> None:
    recommenders = grow(BATCH + 3)

    joins = [event for batch in batches(recommenders) for event in batch]

    assert [one.sale.buyer.member_id for one in joins] == list(range(1, BATCH + 4))
    brought = [one.chain[0].member_id if one.chain else None for one in joins]
    assert brought == recommenders


def test_joins_take_time() -> None:
    assert joins_per_second(20) > 0
