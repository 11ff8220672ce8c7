"""For which stores and products a version is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import Range

from app.engines.faults import PlanRulesInvalid
from app.plans.scopes import EVERYTHING, RECTANGLES_MAX, Scope

IDS = st.none() | st.lists(st.integers(1, 12), min_size=1, max_size=8, unique=True).map(tuple)


def holds(span: Range[int], number: int) -> bool:
    return span.contains(number)


@given(stores=IDS, products=IDS)
def test_rectangles_hold_each_wanted_pair_once_and_no_other(
    stores: tuple[int, ...] | None, products: tuple[int, ...] | None
) -> None:
    scope = Scope(store_ids=stores, product_ids=products)

    rectangles = list(scope.rectangles())

    for store in range(1, 14):
        for product in range(1, 14):
            wanted = (stores is None or store in stores) and (
                products is None or product in products
            )
            found = [one for one in rectangles if holds(one[0], store) and holds(one[1], product)]
            assert len(found) == wanted, (store, product)


@given(ids=st.lists(st.integers(1, 30), min_size=1, unique=True))
def test_neighbours_share_a_range_so_there_are_as_few_as_can_be(ids: list[int]) -> None:
    ranges = [one for one, _ in Scope(store_ids=tuple(ids)).rectangles()]

    assert len(ranges) == sum(one - 1 not in ids for one in ids)


@given(stores=IDS, products=IDS)
def test_a_scope_is_the_same_after_a_trip_through_json(
    stores: tuple[int, ...] | None, products: tuple[int, ...] | None
) -> None:
    scope = Scope(store_ids=stores, product_ids=products)

    assert Scope.read(scope.to_json()) == scope


def test_what_is_left_out_is_not_limited() -> None:
    assert Scope.read({}) == Scope()
    assert Scope().to_json() == {}
    assert list(Scope().rectangles()) == [(EVERYTHING, EVERYTHING)]


@pytest.mark.parametrize(
    ("document", "path", "code"),
    [
        ({"store_ids": []}, "store_ids", "too_short"),
        ({"store_ids": [0]}, "store_ids.0", "greater_than_equal"),
        ({"store_ids": [3, 3]}, "store_ids", "id_twice"),
        ({"product_ids": ["3"]}, "product_ids.0", "int_type"),
        ({"product_ids": [True]}, "product_ids.0", "int_type"),
        ({"shop_ids": [1]}, "shop_ids", "extra_forbidden"),
        (
            {"store_ids": list(range(1, 102)), "product_ids": list(range(1, RECTANGLES_MAX))},
            "product_ids",
            "scope_too_large",
        ),
    ],
)
def test_what_is_no_scope_is_refused_by_field(
    document: dict[str, object], path: str, code: str
) -> None:
    with pytest.raises(PlanRulesInvalid) as refused:
        Scope.read(document)

    assert [(one.path, one.code) for one in refused.value.faults] == [(path, code)]
