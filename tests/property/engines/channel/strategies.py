"""Random plans of the channel family, months and teams."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from app.engines.differential.rules import DifferentialProduct, DifferentialRules, PeerBase
from app.engines.incentives import Cultivation, Incentives, Ranking, Recommendation
from app.engines.ladders import Ladder, Rung
from app.engines.months import Earner, MonthBooks
from app.engines.people import Person, Standing
from tests.property.engines.strategies import KEYS, PRODUCTS, levels

LEVELS_MAX = 5
MONTH_END = datetime(2026, 10, 31, 16, tzinfo=UTC)
"""The end of October 2026 in Shanghai."""

few_rates = st.sampled_from((0, 1, 300, 500, 800, 1_500))
depths = st.one_of(st.none(), st.integers(1, 9))


def rates(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Rates that often coincide."""
    return st.tuples(*[st.one_of(few_rates, few_rates, st.integers(0, 10_000))] * count)


@st.composite
def differential_plans(draw: st.DrawFn) -> DifferentialRules:
    count = draw(st.integers(1, LEVELS_MAX))
    products = st.one_of(
        st.just(DifferentialProduct(excluded=True)),
        st.builds(DifferentialProduct, rates_bp=rates(count)),
    )
    return DifferentialRules(
        levels=levels(count),
        rates_bp=draw(rates(count)),
        peer_bp=draw(st.one_of(st.sampled_from((0, 100, 1_000)), st.integers(0, 10_000))),
        peer_generations=draw(st.integers(0, 3)),
        peer_base=draw(st.sampled_from(PeerBase)),
        max_depth=draw(depths),
        payout_cap_bp=draw(st.one_of(st.integers(1, 3_000), st.integers(1, 10_000))),
        product_rates=draw(st.dictionaries(st.sampled_from(PRODUCTS[1:]), products, max_size=2)),
    )


uplines = st.lists(
    st.builds(
        Person,
        member_id=st.one_of(st.integers(1, 30), st.integers(1, 30), st.integers(1, 4)),
        level=st.one_of(st.integers(1, LEVELS_MAX), st.integers(1, 3), st.none(), st.just(0)),
        standing=st.one_of(*[st.just(Standing.ACTIVE)] * 4, st.sampled_from(Standing)),
        household=st.one_of(*[st.just(frozenset[str]())] * 3, st.frozensets(st.sampled_from(KEYS))),
    ),
    max_size=9,
)


@st.composite
def ladders(draw: st.DrawFn, depths: st.SearchStrategy[int | None] | None = None) -> Ladder:
    steps = draw(st.integers(1, 4))
    froms = draw(st.sets(st.integers(1, 3_000), min_size=steps, max_size=steps))
    bps = draw(st.sets(st.integers(1, 10_000), min_size=steps, max_size=steps))
    rungs = zip(sorted(froms), sorted(bps), strict=True)
    return Ladder(
        rungs=tuple(Rung(from_fen=from_fen, rate_bp=bp) for from_fen, bp in rungs),
        max_depth=draw(st.sampled_from((None, 1, 2)) if depths is None else depths),
    )


instants = st.one_of(
    st.none(),
    st.integers(0, 60 * 24 * 250).map(lambda minutes: MONTH_END - timedelta(minutes=minutes + 1)),
)


def recommenders(number: int) -> st.SearchStrategy[int | None]:
    """Nobody, somebody unknown, or mostly one of those before."""
    others = [st.integers(1, number - 1)] * 4 if number > 1 else []
    return st.one_of(st.none(), st.just(99), *others)


@st.composite
def earners(draw: st.DrawFn, *, losses: bool = True, size: int = 9) -> tuple[Earner, ...]:
    """People who recommended each other in trees: everybody by somebody before them, or nobody."""
    count = draw(st.integers(0, size))
    least = -3_000 if losses else 0
    sales = st.one_of(st.integers(0, 3_000), st.integers(least, 3_000), st.just(1_000))
    return tuple(
        Earner(
            member_id=number,
            recommender_id=draw(recommenders(number)),
            level=draw(st.one_of(st.none(), st.integers(1, 3))),
            standing=draw(st.one_of(*[st.just(Standing.ACTIVE)] * 3, st.sampled_from(Standing))),
            sales_fen=draw(sales),
            last_sale_at=draw(st.one_of(st.none(), st.just(MONTH_END), instants)),
            promoted_at=draw(instants),
        )
        for number in range(1, count + 1)
    )


def books(people: tuple[Earner, ...]) -> MonthBooks:
    """The books of October 2026 with these people."""
    net_fen = sum(one.sales_fen for one in people)
    return MonthBooks(plan_id=3, month="2026-10", ends_at=MONTH_END, net_fen=net_fen, people=people)


@st.composite
def rankings(draw: st.DrawFn) -> Ranking:
    minimum_fen = draw(st.integers(1, 2_500))
    prizes = draw(st.lists(st.integers(1, minimum_fen), min_size=1, max_size=4))
    return Ranking(prizes_fen=tuple(sorted(prizes, reverse=True)), minimum_sales_fen=minimum_fen)


@st.composite
def incentives(draw: st.DrawFn) -> Incentives:
    bps = st.integers(1, 10_000)
    ranking = draw(st.one_of(st.none(), rankings()))
    cultivation = draw(
        st.one_of(
            st.none(),
            st.builds(
                Cultivation, rate_bp=bps, months=st.integers(1, 8), from_level=st.integers(2, 3)
            ),
        )
    )
    recommendation = draw(st.one_of(st.none(), st.builds(Recommendation, rate_bp=bps)))
    some = ranking or cultivation or recommendation
    return Incentives(
        ladder=draw(st.one_of(ladders(), st.none()) if some else ladders()),
        ranking=ranking,
        cultivation=cultivation,
        recommendation=recommendation,
    )
