"""Random plans, sales and uplines: small ids, so that people coincide; few keys, so they share."""

from hypothesis import strategies as st

from app.engines.parameters import Levels, ProductRates, Upgrade, direct_sales
from app.engines.people import Line, Person, Sale, Standing
from app.engines.two_level.rules import TwoLevelRules

FEN_MAX = 10**8
LEVELS_MAX = 4
PRODUCTS = (5, 6, 7)
KEYS = ("phone:1", "phone:2", "device:1")

bases = st.one_of(st.integers(0, 40), st.integers(0, FEN_MAX))


def levels(count: int) -> Levels:
    """Levels 1 to `count`; how they are reached does not matter here."""
    return Levels(
        upgrades=tuple(
            Upgrade(level=level, conditions=(direct_sales(1, 1),)) for level in range(2, count + 1)
        )
    )


def rates(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    one = st.one_of(st.integers(0, 3_000), st.integers(0, 10_000))
    return st.tuples(*[one] * count)


@st.composite
def product_rates(draw: st.DrawFn, count: int) -> ProductRates:
    if draw(st.booleans()):
        return ProductRates(excluded=True)
    which = draw(st.sampled_from(("first", "second", "both")))
    return ProductRates(
        rates_first_bp=draw(rates(count)) if which != "second" else None,
        rates_second_bp=draw(rates(count)) if which != "first" else None,
    )


@st.composite
def plans(draw: st.DrawFn) -> TwoLevelRules:
    count = draw(st.integers(1, LEVELS_MAX))
    return TwoLevelRules(
        levels=levels(count),
        rates_first_bp=draw(rates(count)),
        rates_second_bp=draw(rates(count)),
        self_purchase=draw(st.booleans()),
        compress=draw(st.booleans()),
        payout_cap_bp=draw(st.one_of(st.integers(1, 5_000), st.integers(1, 10_000))),
        product_rates=draw(
            st.dictionaries(st.sampled_from(PRODUCTS[1:]), product_rates(count), max_size=2)
        ),
    )


active = st.just(Standing.ACTIVE)
people = st.builds(
    Person,
    member_id=st.integers(1, 5),
    level=st.one_of(st.none(), st.integers(0, LEVELS_MAX + 1), st.integers(1, 2)),
    standing=st.one_of(active, active, st.sampled_from(Standing)),
    household=st.one_of(st.just(frozenset[str]()), st.frozensets(st.sampled_from(KEYS))),
)
chains = st.lists(people, max_size=4)


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    ids = draw(st.lists(st.integers(70, 90), max_size=4, unique=True))
    lines = tuple(
        Line(
            line_id,
            product_id=draw(st.sampled_from(PRODUCTS)),
            base_fen=draw(bases),
            distributable=draw(st.sampled_from((True, True, True, False))),
        )
        for line_id in ids
    )
    return Sale(7, draw(people), lines)
