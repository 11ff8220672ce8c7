"""The monthly pool of a store."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app.engines.months import MonthClose
from app.engines.people import Standing
from app.engines.results import Reason
from app.engines.shareholders.engine import HoldingReason
from app.engines.shareholders.pool import close_month
from app.engines.shareholders.rules import Excess, ShareholderRules, Split
from tests.unit.engines.shareholders.world import (
    MONTH_END,
    STORE_ID,
    books,
    days_before_the_end,
    earner,
)

DEFAULT = ShareholderRules()
BY_LEVEL = ShareholderRules(split=Split.BY_LEVEL)


def capped(cap_fen: int, excess: Excess, split: Split = Split.BY_WEIGHT) -> ShareholderRules:
    return ShareholderRules(cap_total_fen=cap_fen, excess=excess, split=split)


def paid(close: MonthClose) -> dict[int, int]:
    return {award.beneficiary_id: award.amount_fen for award in close.awards}


def refused(close: MonthClose) -> dict[int, str]:
    return {refusal.beneficiary_id: refusal.reason for refusal in close.refusals}


def test_the_pool_is_shared_by_weight_and_the_rest_is_carried() -> None:
    close = close_month(DEFAULT, books(earner(2, 3), earner(1), earner(3), net_fen=8_643_219))

    assert close.pool_fen == 432_160
    assert list(paid(close).items()) == [(1, 61_737), (2, 308_685), (3, 61_737)]
    assert (close.carried_fen, close.deficit_fen) == (1, 0)
    assert close.total_fen == 432_159
    assert {(a.base_fen, a.rate_bp, a.kind) for a in close.awards} == {(432_160, None, "POOL")}


def test_what_was_carried_is_shared_with_the_next_pool() -> None:
    close = close_month(DEFAULT, books(earner(1), earner(2), net_fen=1_000, carried_fen=3))

    assert (close.pool_fen, paid(close), close.carried_fen) == (53, {1: 26, 2: 26}, 1)


def test_a_month_below_zero_pays_nothing_and_its_shortfall_comes_off_the_next() -> None:
    below = close_month(DEFAULT, books(earner(1), net_fen=-700, deficit_fen=300))
    above = close_month(DEFAULT, books(earner(1), net_fen=3_000, deficit_fen=below.deficit_fen))

    assert (below.pool_fen, paid(below), below.deficit_fen) == (0, {}, 1_000)
    assert below.facts["deficit_fen"] == 1_000
    assert refused(below) == {1: HoldingReason.EMPTY_POOL}
    assert (above.pool_fen, paid(above), above.deficit_fen) == (100, {1: 100}, 0)


def test_a_month_that_just_makes_up_for_the_shortfall_has_an_empty_pool() -> None:
    close = close_month(DEFAULT, books(earner(1), net_fen=300, deficit_fen=300))

    assert (close.pool_fen, close.deficit_fen, paid(close)) == (0, 0, {})


def test_without_an_eligible_holder_the_pool_and_what_was_carried_stay_with_the_store() -> None:
    for people in ((), (earner(1, standing=Standing.FROZEN),)):
        close = close_month(DEFAULT, books(*people, carried_fen=9))

        assert (close.pool_fen, close.awards, close.carried_fen) == (5_009, (), 0)
        assert close.facts["kept_fen"] == 5_009


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"standing": Standing.NONE}, Reason.NOT_DISTRIBUTOR),
        ({"standing": Standing.FROZEN}, Reason.FROZEN),
        ({"standing": Standing.QUIT}, Reason.QUIT),
        ({"until_at": MONTH_END - timedelta(seconds=1)}, HoldingReason.EXPIRED),
        ({"level": None}, HoldingReason.NO_SEAT),
        ({"level": 0}, HoldingReason.NO_SEAT),
        ({"level": 4}, Reason.LEVEL_NOT_IN_PLAN),
        ({"own_settled_at": None}, HoldingReason.INACTIVE),
        ({"own_settled_at": days_before_the_end(90, earlier_s=1)}, HoldingReason.INACTIVE),
    ],
)
def test_who_is_not_eligible_at_the_months_end_gets_nothing_and_weighs_nothing(
    fields: dict[str, Any], reason: str
) -> None:
    close = close_month(DEFAULT, books(earner(1, **fields), earner(2)))

    assert refused(close) == {1: reason}
    assert paid(close) == {2: 5_000}


@pytest.mark.parametrize(
    "fields",
    [{"until_at": MONTH_END}, {"until_at": None}, {"own_settled_at": days_before_the_end(90)}],
)
def test_who_is_just_eligible_takes_part(fields: dict[str, Any]) -> None:
    assert paid(close_month(DEFAULT, books(earner(1, **fields)))) == {1: 5_000}


def test_a_purchase_after_the_month_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(AssertionError, match="bought after the month"):
        close_month(DEFAULT, books(earner(1, own_settled_at=MONTH_END)))


def test_a_share_below_one_fen_is_refused_and_carried() -> None:
    close = close_month(DEFAULT, books(earner(1), earner(2, 3), net_fen=100))

    assert (paid(close), refused(close)) == ({2: 4}, {1: Reason.ZERO_AMOUNT})
    assert close.carried_fen == 1


def test_the_excess_over_a_lifetime_cap_stays_with_the_store() -> None:
    people = (earner(1, received_fen=900), earner(2), earner(3, received_fen=1_000))

    close = close_month(capped(1_000, Excess.KEPT), books(*people, net_fen=20_020))

    assert paid(close) == {1: 100, 2: 333}
    assert refused(close) == {3: Reason.CAPPED_OUT}
    assert close.carried_fen == 2
    assert close.facts["kept_fen"] == 233 + 333


def test_the_excess_over_a_lifetime_cap_goes_to_the_others_where_the_plan_says_so() -> None:
    people = (earner(1, received_fen=900), earner(2), earner(3, received_fen=1_000))

    close = close_month(capped(1_000, Excess.REDISTRIBUTED), books(*people, net_fen=20_020))

    assert paid(close) == {1: 100, 2: 901}
    assert refused(close) == {3: Reason.CAPPED_OUT}
    assert (close.carried_fen, close.facts["kept_fen"]) == (0, 0)


def test_redistribution_may_bring_others_to_their_cap() -> None:
    people = (earner(1, received_fen=990), earner(2, received_fen=600), earner(3, 3))

    close = close_month(capped(1_000, Excess.REDISTRIBUTED), books(*people, net_fen=20_000))

    assert paid(close) == {1: 10, 2: 165, 3: 825}
    close = close_month(capped(1_000, Excess.REDISTRIBUTED), books(*people, net_fen=27_000))
    assert paid(close) == {1: 10, 2: 340, 3: 1_000}
    assert (close.carried_fen, close.facts["kept_fen"]) == (0, 0)


def test_where_everybody_is_at_their_cap_the_rest_stays_with_the_store() -> None:
    people = (earner(1, received_fen=990), earner(2, received_fen=5_000))

    close = close_month(capped(1_000, Excess.REDISTRIBUTED), books(*people))

    assert (paid(close), refused(close)) == ({1: 10}, {2: Reason.CAPPED_OUT})
    assert (close.carried_fen, close.facts["kept_fen"]) == (0, 4_990)


def test_a_share_that_exactly_meets_the_cap_is_not_capped() -> None:
    close = close_month(capped(5_000, Excess.KEPT), books(earner(1)))

    assert paid(close) == {1: 5_000}
    assert close.awards[0].explanation["withheld_fen"] == 0


def test_by_level_each_level_has_its_part_shared_equally() -> None:
    people = (earner(1), earner(2), earner(3), earner(4, 2), earner(5, 3))

    close = close_month(BY_LEVEL, books(*people, net_fen=16_060))

    assert close.pool_fen == 803
    assert paid(close) == {1: 33, 2: 33, 3: 33, 4: 200, 5: 501}
    assert (close.carried_fen, close.facts["kept_fen"]) == (803 - 800, 0)


def test_by_level_the_part_of_an_empty_level_stays_with_the_store() -> None:
    close = close_month(BY_LEVEL, books(earner(1), earner(4, 2), net_fen=16_060))

    assert paid(close) == {1: 100, 4: 200}
    assert (close.carried_fen, close.facts["kept_fen"]) == (2, 501)


def test_by_level_without_anybody_nothing_is_carried() -> None:
    close = close_month(BY_LEVEL, books(net_fen=16_060))

    assert (close.carried_fen, close.facts["kept_fen"]) == (0, 803)


def test_by_level_the_excess_goes_to_others_of_the_same_level_only() -> None:
    rules = capped(100, Excess.REDISTRIBUTED, Split.BY_LEVEL)
    people = (earner(1, received_fen=90), earner(2), earner(4, 2, received_fen=99))

    close = close_month(rules, books(*people, net_fen=16_000))

    assert paid(close) == {1: 10, 2: 90, 4: 1}
    assert (close.carried_fen, close.facts["kept_fen"]) == (0, 199 + 500)


def test_the_order_of_the_people_does_not_matter() -> None:
    people = [earner(4, 2), earner(1), earner(3, 3, standing=Standing.QUIT), earner(2, 3)]

    assert close_month(DEFAULT, books(*people)) == close_month(DEFAULT, books(*people[::-1]))


def test_facts_tell_how_the_pool_came_about_and_survive_json() -> None:
    close = close_month(DEFAULT, books(earner(1), earner(2, 2), earner(3, 0), deficit_fen=50))

    assert json.loads(json.dumps(close.facts)) == close.facts
    assert close.facts == {
        "schema": 1,
        "model": "SHARING_SHAREHOLDERS",
        "kind": "POOL",
        "month": "2026-10",
        "store": STORE_ID,
        "net_fen": 100_000,
        "deficit_before_fen": 50,
        "base_fen": 99_950,
        "pool_bp": 500,
        "carried_before_fen": 0,
        "pool_fen": 4_997,
        "split": "BY_WEIGHT",
        "eligible": 2,
        "paid_fen": 4_996,
        "kept_fen": 0,
        "carried_fen": 1,
        "deficit_fen": 0,
    }
    facts = close.awards[1].explanation
    assert {key: facts[key] for key in ("weight", "weights", "shared_fen", "amount_fen")} == {
        "weight": 2,
        "weights": 3,
        "shared_fen": 4_997,
        "amount_fen": 3_331,
    }
    assert json.loads(json.dumps(close.refusals[0].explanation)) == close.refusals[0].explanation
