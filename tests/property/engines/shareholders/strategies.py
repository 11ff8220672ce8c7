"""Random plans, holdings, orders and months: few people and stores, so that they coincide."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from app.engines.events import Sold
from app.engines.months import Earner
from app.engines.people import Line, Person, Sale, Standing
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.engines.shareholders.rules import (
    EntryMode,
    Excess,
    ProductCommission,
    ShareholderLevel,
    ShareholderRules,
    Split,
)

ENDS_AT = datetime(2026, 11, 1, tzinfo=UTC)
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)
CODES = ("A", "B", "C", "D")
STORES = (3, 4)

bases = st.one_of(st.integers(0, 40), st.integers(0, 10**8))
rates = st.one_of(st.integers(0, 2_000), st.integers(0, 10_000))
active = st.just(Standing.ACTIVE)
standings = st.one_of(active, active, active, st.sampled_from(Standing))


@st.composite
def levels(draw: st.DrawFn) -> tuple[ShareholderLevel, ...]:
    count = draw(st.integers(1, 4))
    entries = sorted(draw(st.sets(st.integers(1, 500), min_size=count, max_size=count)))
    weights = sorted(draw(st.lists(st.integers(1, 9), min_size=count, max_size=count)))
    return tuple(
        ShareholderLevel(code=code, weight=weight, entry_fen=entry, commission_bp=draw(rates))
        for code, weight, entry in zip(CODES, weights, entries, strict=False)
    )


@st.composite
def products(draw: st.DrawFn, count: int) -> ProductCommission:
    if draw(st.booleans()):
        return ProductCommission(excluded=True)
    return ProductCommission(commissions_bp=draw(st.tuples(*[rates] * count)))


@st.composite
def plans(draw: st.DrawFn, excess: Excess | None = None) -> ShareholderRules:
    table = draw(levels())
    return ShareholderRules(
        shareholder_levels=table,
        entry_mode=draw(st.sampled_from(EntryMode)),
        rebate_bp=draw(st.one_of(st.just(0), rates)),
        pool_bp=draw(rates),
        split=draw(st.sampled_from(Split)),
        cap_total_fen=draw(st.one_of(st.none(), st.integers(1, 2_000))),
        excess=excess or draw(st.sampled_from(Excess)),
        active_days=draw(st.integers(1, 100)),
        seats_per_store=draw(st.integers(1, 3)),
        payout_cap_bp=draw(st.integers(1, 10_000)),
        product_commissions=draw(
            st.dictionaries(st.sampled_from((6, 7)), products(len(table)), max_size=2)
        ),
    )


people = st.builds(
    Person,
    member_id=st.integers(1, 4),
    level=st.one_of(st.none(), st.integers(1, 3)),
    standing=standings,
    household=st.one_of(
        st.just(frozenset[str]()), st.frozensets(st.sampled_from(("phone:1", "phone:2")))
    ),
)
holdings = st.builds(
    HoldingPlace,
    member_id=st.integers(1, 4),
    number=st.sampled_from(STORES),
    level=st.integers(0, 5),
    state=st.one_of(st.just(HoldingState.ACTIVE), st.sampled_from(HoldingState)),
    spent_fen=st.integers(0, 900),
    until=st.sampled_from((None, "2026-10-20T12:00:00+00:00", "2027-10-20T12:00:00+00:00")),
    wanted=st.just("2026-01-01T00:00:00+00:00"),
)


@st.composite
def sales(draw: st.DrawFn) -> Sold:
    ids = draw(st.lists(st.integers(70, 90), min_size=1, max_size=4, unique=True))
    lines = tuple(
        Line(
            line_id,
            product_id=draw(st.sampled_from((5, 6, 7))),
            base_fen=draw(bases),
            distributable=draw(st.sampled_from((True, True, True, False))),
        )
        for line_id in ids
    )
    sale = Sale(7, draw(people), lines, store_id=draw(st.sampled_from(STORES)), at=NOON)
    return Sold(sale, tuple(draw(st.lists(people, max_size=3))))


@st.composite
def earners(draw: st.DrawFn, member_id: int) -> Earner:
    ago = draw(st.one_of(st.none(), st.integers(1, 100), st.integers(89, 91)))
    until = draw(st.one_of(st.none(), st.integers(-1, 1)))
    return Earner(
        member_id=member_id,
        level=draw(st.one_of(st.integers(1, 2), st.none(), st.integers(0, 5))),
        standing=draw(standings),
        own_settled_at=None if ago is None else ENDS_AT - timedelta(days=ago),
        received_fen=draw(st.integers(0, 1_000)),
        until_at=None if until is None else ENDS_AT + timedelta(days=until),
    )


@st.composite
def crowds(draw: st.DrawFn, max_size: int = 8) -> tuple[Earner, ...]:
    count = draw(st.integers(0, max_size))
    return tuple(draw(earners(member_id)) for member_id in range(1, count + 1))
