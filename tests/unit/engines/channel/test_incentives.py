from datetime import UTC, datetime
from typing import Any

import pytest

from app.engines.documents import load_rules
from app.engines.incentives import (
    Cultivation,
    Incentives,
    Ranking,
    Recommendation,
    close_month,
    months_since,
)
from app.engines.ladders import Ladder
from app.engines.months import Earner, MonthBooks, MonthClose, MonthScope
from app.engines.people import Standing
from app.engines.registry import MODELS

END = datetime(2026, 10, 31, 16, tzinfo=UTC)
"""The end of October 2026 in Shanghai."""
IN_OCTOBER = datetime(2026, 10, 5, tzinfo=UTC)
RANKING = Ranking(prizes_fen=(500, 300), minimum_sales_fen=1_000)
FROZEN = Standing.FROZEN


def books(*people: Earner) -> MonthBooks:
    return MonthBooks(plan_id=3, month="2026-10", ends_at=END, net_fen=0, people=people)


def closed(incentives: Incentives, *people: Earner) -> MonthClose:
    return close_month("CHANNEL_TWO_LEVEL", incentives, books(*people))


def paid(month: MonthClose) -> list[tuple[int, int]]:
    return [(one.beneficiary_id, one.amount_fen) for one in month.awards]


def refused(month: MonthClose) -> list[tuple[int, str]]:
    return [(one.beneficiary_id, one.reason.value) for one in month.refusals]


def seller(member_id: int, sales_fen: int, hour: int | None = None, **more: Any) -> Earner:
    last_at = None if hour is None else datetime(2026, 10, 20, hour, tzinfo=UTC)
    return Earner(member_id=member_id, sales_fen=sales_fen, last_sale_at=last_at, **more)


def ranked(*people: Earner) -> MonthClose:
    return closed(Incentives(ladder=None, ranking=RANKING), *people)


def promoted(
    at: datetime | None = IN_OCTOBER, *, level: int | None = 2, sales_fen: int = 10_050, **more: Any
) -> Earner:
    return Earner(
        member_id=2, recommender_id=1, level=level, sales_fen=sales_fen, promoted_at=at, **more
    )


def of_promotions(*people: Earner, **more: Any) -> MonthClose:
    return closed(Incentives(ladder=None, **more), *people)


REGULAR = Cultivation(rate_bp=100, months=2)
ONCE = Recommendation(rate_bp=200)
LEADER = Earner(member_id=1, level=2)


def test_the_default_is_the_ladder_within_two_steps_alone() -> None:
    incentives = Incentives()

    assert incentives.ladder == Ladder()
    assert (incentives.ranking, incentives.cultivation, incentives.recommendation) == (
        None,
        None,
        None,
    )
    assert paid(closed(incentives, seller(1, 1_000_000))) == [(1, 10_000)]


def test_without_incentives_a_month_brings_nothing() -> None:
    month = close_month("CHANNEL_TWO_LEVEL", None, books(seller(1, 10**9)))

    assert (month.awards, month.refusals, month.facts) == ((), (), {})


@pytest.mark.parametrize("model", ["CHANNEL_TWO_LEVEL", "CHANNEL_DIFFERENTIAL"])
def test_both_models_that_pay_by_the_order_can_pay_by_the_month_too(model: str) -> None:
    rules = load_rules({"model": model, "incentives": {}})
    close = MODELS[model].close_month
    assert close is not None

    month = close(rules, books(seller(1, 1_000_000)))

    assert paid(month) == [(1, 10_000)]
    assert month.awards[0].explanation["model"] == month.facts["model"] == model
    assert MODELS[model].month_scope is MonthScope.PLAN


def test_a_month_keeps_no_pool_and_tells_whose_it_is() -> None:
    month = ranked(seller(1, 1_000))

    assert (month.pool_fen, month.carried_fen, month.deficit_fen) == (0, 0, 0)
    assert month.facts == {"model": "CHANNEL_TWO_LEVEL", "plan_id": 3, "month": "2026-10"}


def test_those_who_sold_most_win_the_prizes_in_order() -> None:
    month = ranked(seller(1, 1_200), seller(2, 5_000), seller(3, 1_100), seller(4, 0))

    assert paid(month) == [(2, 500), (1, 300)]
    assert refused(month) == [(3, "OUTRANKED")]
    assert [(one.base_fen, one.rate_bp) for one in month.awards] == [(5_000, None), (1_200, None)]


def test_a_prize_asks_for_its_minimum_of_sales() -> None:
    month = ranked(seller(1, 1_000), seller(2, 999), seller(3, -5))

    assert paid(month) == [(1, 500)]
    assert refused(month) == [(2, "BELOW_MINIMUM"), (3, "BELOW_MINIMUM")]


def test_equal_sales_go_by_the_earlier_last_order_then_by_member() -> None:
    month = ranked(seller(5, 2_000), seller(4, 2_000, 9), seller(3, 2_000, 8), seller(2, 2_000, 9))

    assert paid(month) == [(3, 500), (2, 300)]
    assert refused(month) == [(4, "OUTRANKED"), (5, "OUTRANKED")]


def test_whoever_may_not_earn_has_no_rank_and_the_next_moves_up() -> None:
    month = ranked(
        seller(1, 9_000, standing=FROZEN), seller(2, 2_000), seller(3, 1_500), seller(4, 1_400)
    )

    assert paid(month) == [(2, 500), (3, 300)]
    assert refused(month) == [(1, "FROZEN"), (4, "OUTRANKED")]
    assert [one.explanation["rank"] for one in month.awards] == [1, 2]
    assert month.refusals[1].explanation["rank"] == 3


@pytest.mark.parametrize(
    ("at", "months"),
    [
        (datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC), 0),
        (datetime(2026, 9, 30, 16, tzinfo=UTC), 0),
        (datetime(2026, 9, 30, 15, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 8, 31, 16, tzinfo=UTC), 1),
        (datetime(2025, 10, 31, 16, tzinfo=UTC), 11),
        (datetime(2025, 10, 31, 15, tzinfo=UTC), 12),
        (datetime(2026, 10, 31, 16, tzinfo=UTC), -1),
    ],
)
def test_months_are_counted_where_the_brand_is(at: datetime, months: int) -> None:
    assert months_since(at, books()) == months


def test_the_month_after_december_is_january() -> None:
    december = MonthBooks(
        plan_id=3,
        month="2026-12",
        ends_at=datetime(2026, 12, 31, 16, tzinfo=UTC),
        net_fen=0,
        people=(),
    )

    assert months_since(datetime(2026, 11, 30, 16, tzinfo=UTC), december) == 0
    assert months_since(datetime(2026, 11, 30, 15, tzinfo=UTC), december) == 1


@pytest.mark.parametrize(
    ("at", "amounts"),
    [
        (datetime(2026, 10, 5, tzinfo=UTC), []),
        (datetime(2026, 9, 5, tzinfo=UTC), [(1, 100)]),
        (datetime(2026, 8, 5, tzinfo=UTC), [(1, 100)]),
        (datetime(2026, 7, 5, tzinfo=UTC), []),
        (datetime(2026, 11, 5, tzinfo=UTC), []),
        (None, []),
    ],
)
def test_cultivation_pays_in_the_months_after_the_promotion(
    at: datetime | None, amounts: list[tuple[int, int]]
) -> None:
    month = of_promotions(LEADER, promoted(at), cultivation=REGULAR)

    assert paid(month) == amounts
    assert refused(month) == []


def test_cultivation_is_a_rate_of_what_the_promoted_one_sold() -> None:
    [award] = of_promotions(
        LEADER, promoted(datetime(2026, 9, 5, tzinfo=UTC)), cultivation=REGULAR
    ).awards

    assert (award.kind.value, award.base_fen, award.rate_bp) == ("CULTIVATION", 10_050, 100)
    assert award.explanation["promoted_id"] == 2
    assert award.explanation["months_since"] == 1
    assert award.explanation["level"] == 2


@pytest.mark.parametrize(
    ("level", "amounts"), [(None, []), (2, []), (3, [(1, 100)]), (4, [(1, 100)])]
)
def test_cultivation_is_for_promotions_to_its_level_or_above(
    level: int | None, amounts: list[tuple[int, int]]
) -> None:
    at = datetime(2026, 9, 5, tzinfo=UTC)
    regular = Cultivation(rate_bp=100, months=2, from_level=3)

    assert paid(of_promotions(LEADER, promoted(at, level=level), cultivation=regular)) == amounts


@pytest.mark.parametrize(
    ("level", "leaders", "amounts"),
    [
        (2, 2, [(1, 201)]),
        (3, 2, [(1, 201)]),
        (2, 3, []),
        (1, 1, []),
        (2, None, []),
        (2, 1, [(1, 201)]),
    ],
)
def test_recommendation_pays_once_whoever_was_caught_up_with(
    level: int, leaders: int | None, amounts: list[tuple[int, int]]
) -> None:
    leader = Earner(member_id=1, level=leaders)

    month = of_promotions(leader, promoted(level=level), recommendation=ONCE)

    assert paid(month) == amounts
    assert [(one.kind.value, one.rate_bp) for one in month.awards] == [
        ("RECOMMENDATION", 200) for _ in amounts
    ]


@pytest.mark.parametrize("month", [9, 11])
def test_recommendation_is_for_the_month_of_the_promotion_alone(month: int) -> None:
    other = promoted(datetime(2026, month, 5, tzinfo=UTC))

    assert paid(of_promotions(LEADER, other, recommendation=ONCE)) == []


def test_both_together_pay_one_share_a_month() -> None:
    before = promoted(datetime(2026, 9, 5, tzinfo=UTC))

    for who, amount_fen in ((promoted(), 201), (before, 100)):
        month = of_promotions(LEADER, who, recommendation=ONCE, cultivation=REGULAR)
        assert paid(month) == [(1, amount_fen)]


@pytest.mark.parametrize(
    ("leader", "who", "reason"),
    [
        (Earner(member_id=1, level=2, standing=FROZEN), promoted(), "FROZEN"),
        (Earner(member_id=1, level=2, standing=Standing.QUIT), promoted(), "QUIT"),
        (LEADER, promoted(standing=FROZEN), "PROMOTED_INACTIVE"),
        (LEADER, promoted(standing=Standing.QUIT), "PROMOTED_INACTIVE"),
        (LEADER, promoted(sales_fen=0), "NO_SALES"),
        (LEADER, promoted(sales_fen=-7), "NO_SALES"),
        (LEADER, promoted(sales_fen=49), "ZERO_AMOUNT"),
    ],
)
def test_a_promotion_that_brings_nothing_says_why(leader: Earner, who: Earner, reason: str) -> None:
    month = of_promotions(leader, who, recommendation=ONCE)

    assert paid(month) == []
    assert refused(month) == [(1, reason)]
    assert month.refusals[0].kind.value == "RECOMMENDATION"


def test_somebody_promoted_whom_nobody_known_recommended_brings_nothing() -> None:
    alone = Earner(member_id=2, level=2, sales_fen=10_000, promoted_at=IN_OCTOBER)

    for people in ((promoted(),), (LEADER, alone)):
        month = of_promotions(*people, recommendation=ONCE, cultivation=REGULAR)
        assert (month.awards, month.refusals) == ((), ())


def test_nobody_is_paid_for_their_own_promotion() -> None:
    own = Earner(member_id=1, recommender_id=1, level=2, sales_fen=10_000, promoted_at=IN_OCTOBER)

    month = of_promotions(own, recommendation=ONCE)

    assert (month.awards, month.refusals) == ((), ())
