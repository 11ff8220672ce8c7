"""What refunds and settlement change in the teams of chain 2+1, and sales that promote."""

from typing import Any

import pytest

from app.engines.chain.rules import Role
from app.engines.events import Settled
from app.engines.results import Decisions
from tests.unit.engines.chain_world import World, load, original, sold

SETTLED_HEADS = {"promotion_effective": "AFTER_SALE_CLOSED"}


def test_a_refund_before_settlement_takes_the_membership_and_the_count_back() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1), (3, 2))

    decisions = world.refund(2)

    assert (world.of(2).revoked, world.of(2).counted, world.of(1).direct_count) == (True, False, 0)
    assert world.tree() == "1(2(3))"
    assert decisions.notes == ()
    world.buy(4, 1)
    assert not world.of(1).is_boss


@pytest.mark.parametrize(
    "refund",
    [{"left_fen": 1}, {"is_settled": True}, {"order": 77}],
    ids=["in part", "after settlement", "of another order"],
)
def test_other_refunds_take_no_membership(refund: dict[str, Any]) -> None:
    world = World(original())
    world.recruit((1, None), (2, 1))

    assert world.refund(2, 1, **refund) == Decisions()


def test_a_refund_of_somebody_without_a_place_moves_nobody() -> None:
    assert World(original()).refund(1) == Decisions()


def test_a_boss_whose_recruits_are_refunded_stays_one_under_review() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1), (3, 1))

    decisions = world.refund(3)

    assert (world.of(1).role, world.of(1).under_review) == (Role.BOSS, True)
    assert decisions.notes == (
        {
            "schema": 1,
            "model": "CHAIN_2_1",
            "code": "BOSS_UNDER_REVIEW",
            "member_id": 1,
            "order_id": 3,
            "refund_id": 900,
            "direct_count": 1,
        },
    )
    world.buy(4, 1)
    assert not world.of(1).under_review


def test_a_boss_with_recruits_enough_is_not_reviewed() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1), (3, 1), (4, 1))

    assert world.refund(2).notes == ()
    assert (world.of(1).direct_count, world.of(1).under_review) == (2, False)


def test_a_review_goes_on_while_recruits_are_missing() -> None:
    world = World(original(promote_count=3))
    world.recruit((1, None), (2, 1), (3, 1), (4, 1))

    world.refund(2)
    world.refund(3)
    world.buy(5, 1)

    assert (world.of(1).direct_count, world.of(1).under_review) == (2, True)


def test_who_joined_as_a_boss_is_not_reviewed_for_want_of_recruits() -> None:
    world = World(original(root_role="BOSS"))
    world.recruit((1, None), (2, 1))

    assert world.refund(2).notes == ()
    assert not world.of(1).under_review


def test_a_refund_takes_a_left_behind_one_from_both_with_whom_they_count() -> None:
    world = World(original(count_left_behind=True))
    world.recruit((1, None), (2, 1), (3, 2), (4, 2))

    world.refund(4)

    assert (world.of(1).direct_count, world.of(2).direct_count) == (2, 1)


def test_whoever_was_revoked_joins_again_where_they_stood() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1), (3, 2), (9, None))
    world.refund(2)

    decisions = world.buy(2, 9, order=50)

    assert (world.of(2).recommender_id, world.of(2).parent) == (1, (1, 1))
    assert (world.of(2).revoked, world.of(2).order_id, world.of(2).counted) == (False, 50, True)
    assert (world.of(1).direct_count, world.of(9).direct_count) == (1, 0)
    assert [one.beneficiary_id for one in decisions.awards] == [9]


def test_a_revoked_recommender_keeps_counting_but_does_not_rise() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1))
    world.refund(1)

    world.buy(3, 1)

    assert (world.of(1).direct_count, world.of(1).role) == (2, Role.AGENT)


def test_a_second_refund_of_the_same_order_takes_nothing_more() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1), (3, 1))

    world.refund(2)
    world.refund(2)

    assert world.of(1).direct_count == 1


def test_recruits_can_have_to_settle_before_they_count() -> None:
    world = World(original(**SETTLED_HEADS))
    world.recruit((1, None), (2, 1), (3, 1))

    assert (world.of(1).direct_count, world.of(2).counted) == (0, False)
    world.settle(2)
    world.settle(2)
    assert (world.of(1).direct_count, world.of(1).role) == (1, Role.AGENT)
    world.settle(3)
    assert (world.of(1).direct_count, world.of(1).role) == (2, Role.BOSS)


def test_a_recruit_refunded_before_settlement_never_counted_and_never_will() -> None:
    world = World(original(**SETTLED_HEADS))
    world.recruit((1, None), (2, 1), (3, 1))

    world.refund(2)
    world.settle(2)
    world.settle(3, fen=0)

    assert world.of(1).direct_count == 0
    assert not world.settle(4).places


def test_another_order_of_a_recruit_does_not_let_them_count() -> None:
    world = World(original(**SETTLED_HEADS))
    world.recruit((1, None), (2, 1))
    again = sold(2, 1, order=51)

    assert not world.happen(Settled(again.sale, again.chain)).places


def seller(**given: Any) -> World:
    world = World(load(**given))
    world.join(1)
    world.join(2, 1)
    return world


def test_settled_sales_to_own_customers_make_a_boss() -> None:
    world = seller(promote_sales_fen=100_000)

    world.settle(50, 2, fen=60_000)
    world.settle(51, 1, fen=99_999)
    assert world.tree() == "1(2)"
    world.settle(52, 2, fen=40_000)

    assert world.tree() == "1 ; 2*"
    assert (world.of(2).sales_fen, world.of(1).sales_fen) == (100_000, 99_999)
    assert world.of(2).promotion_order_id is None


def test_the_last_fen_makes_a_boss_and_an_order_of_nothing_changes_nothing() -> None:
    world = seller(promote_sales_fen=1)

    assert not world.settle(50, 2, fen=0).places
    world.settle(51, 2, fen=1)

    assert (world.of(2).sales_fen, world.of(2).role) == (1, Role.BOSS)


def test_refunds_after_settlement_lower_the_sales_and_nobody() -> None:
    world = seller(promote_sales_fen=100_000)
    world.settle(50, 2, fen=100_000)

    world.refund(50, 2, is_settled=True, taken_fen=30_000, left_fen=70_000)

    assert (world.of(2).sales_fen, world.of(2).role) == (70_000, Role.BOSS)
    world.refund(50, 2, is_settled=True, taken_fen=70_001)
    assert world.of(2).sales_fen == 0


def test_refunds_before_settlement_leave_the_sales_alone() -> None:
    world = seller(promote_sales_fen=100_000)
    world.settle(50, 2, fen=60_000)

    assert not world.refund(51, 2, taken_fen=30_000).places


def test_nobody_is_their_own_customer_and_strangers_have_no_sales() -> None:
    world = seller(promote_sales_fen=1)

    assert not world.settle(2, 2).places
    assert not world.settle(50, 77).places
    assert not world.settle(50).places
    assert not world.refund(2, 2, is_settled=True).places
    assert not world.refund(50, 77, is_settled=True).places


def test_sales_promote_nobody_where_recruits_do() -> None:
    world = World(original(promote_sales_fen=1))
    world.buy(1)

    assert not world.settle(50, 1).places
    assert not world.refund(50, 1, is_settled=True).places


def test_recruits_promote_nobody_where_sales_do_and_bosses_by_sales_are_not_reviewed() -> None:
    rules = original(promotion_by="OWN_SALES", promote_sales_fen=100_000, **SETTLED_HEADS)
    world = World(rules)
    world.recruit((1, None), (2, 1), (3, 1))

    world.settle(2, 1)
    assert (world.of(1).direct_count, world.of(1).role) == (1, Role.AGENT)
    world.settle(3, 1)
    world.settle(50, 1, fen=200)
    assert (world.of(1).sales_fen, world.of(1).role) == (100_000, Role.BOSS)


def test_the_sales_of_a_revoked_place_stand_still() -> None:
    rules = original(promotion_by="OWN_SALES", promote_sales_fen=1, **SETTLED_HEADS)
    world = World(rules)
    world.buy(1)
    world.refund(1)

    assert not world.settle(50, 1).places
