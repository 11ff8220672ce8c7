"""Who stands where under chain 2+1: joining, counting, rising, leaving."""

from app.engines.chain.teams import ChainPlace
from app.engines.people import Standing
from app.engines.results import Decisions
from tests.unit.engines.chain_world import PRICE_FEN, World, load, original, sold


def test_a_package_of_any_quantity_makes_one_place_under_the_owner() -> None:
    world = World(original())
    world.buy(1)

    decisions = world.buy(2, 1)

    assert [place.member_id for place in decisions.places] == [2, 1]
    assert world.of(2) == ChainPlace(
        member_id=2, recommender_id=1, parent=(1, 1), order_id=2, depth=1, counted=True
    )
    assert world.of(1) == ChainPlace(member_id=1, order_id=1, direct_count=1, counted=True)


def test_whoever_is_brought_by_nobody_with_a_place_is_the_top_of_a_team() -> None:
    world = World(original(root_role="BOSS"))

    world.recruit((1, None), (2, 7))

    assert world.tree() == "1* ; 2*"
    assert world.of(2).recommender_id is None


def test_whoever_recommends_themself_is_the_top_of_a_team_and_people_hear_of_it() -> None:
    world = World(original())

    decisions = world.buy(1, 1)

    assert (world.of(1).recommender_id, world.of(1).parent) == (None, None)
    assert decisions.notes == (
        {
            "schema": 1,
            "model": "CHAIN_2_1",
            "code": "SELF_RECOMMENDATION",
            "member_id": 1,
            "order_id": 1,
        },
    )


def test_less_than_a_package_makes_no_place() -> None:
    world = World(original())

    assert not world.happen(sold(1, None, fen=PRICE_FEN - 1)).places
    assert world.happen(sold(1, None, fen=PRICE_FEN)).places


def test_where_joining_is_free_a_package_makes_no_place_and_approval_does() -> None:
    world = World(load(entry_price_fen=PRICE_FEN))

    assert not world.buy(1).places
    world.join(1)
    world.join(2, 1)

    assert world.tree() == "1(2)"
    assert (world.of(2).order_id, world.of(2).counted, world.of(1).direct_count) == (None, True, 1)


def test_where_a_package_has_to_be_bought_approval_makes_no_place() -> None:
    world = World(original())

    assert world.join(1) == Decisions()


def test_approval_of_somebody_who_has_a_place_changes_nothing_but_is_noted() -> None:
    world = World(load())
    world.join(1)

    decisions = world.join(1)

    assert not decisions.places
    assert [note["code"] for note in decisions.notes] == ["ALREADY_PLACED"]


def test_recruits_of_a_free_plan_can_make_a_boss() -> None:
    world = World(load(promotion_by="RECRUITS", promotion_effective="PAID", promote_count=1))

    world.join(1)
    world.join(2, 1)

    assert world.tree() == "1*(2)"
    assert world.of(1).promotion_order_id is None


def test_a_frozen_recommender_still_gets_recruits_and_rises() -> None:
    world = World(original())
    world.board.standings[1] = Standing.FROZEN

    world.recruit((1, None), (2, 1), (3, 1))

    assert world.tree() == "1*(2 3)"
    assert world.of(1).promotion_order_id == 3


def test_the_left_behind_do_not_count_unless_the_plan_says_so() -> None:
    history = ((1, None), (2, 1), (3, 2), (4, 2))
    plain, counting = World(original()), World(original(count_left_behind=True))

    plain.recruit(*history)
    counting.recruit(*history)

    assert plain.tree() == counting.tree() == "1(3 4) ; 2*"
    assert (plain.of(1).direct_count, counting.of(1).direct_count) == (1, 3)
    plain.buy(5, 1)
    assert plain.of(1).is_boss


def test_somebody_rises_by_those_left_behind_with_the_next_recruit_of_their_own() -> None:
    world = World(original(promote_count=3, count_left_behind=True))
    world.recruit((1, None), (2, 1), (3, 2), (4, 2), (5, 2))

    assert world.tree() == "1(3 4 5) ; 2*"
    assert world.of(1).direct_count == 4
    world.buy(6, 1)
    assert world.tree() == "1*(3 4 5 6) ; 2*"


def test_those_left_to_the_parent_stay_where_the_promoted_stood() -> None:
    world = World(original(leave_to="PARENT"))

    world.recruit((1, None), (2, 1), (3, 1), (4, 2), (5, 4), (6, 4))

    assert world.tree() == "1*(2(5 6) 3) ; 4*"
    assert [world.of(one).boss_id for one in (2, 5, 6)] == [1, 1, 1]
    assert world.of(4).origin_boss_id == 1


def test_those_left_to_the_platform_have_no_boss_any_more_nor_have_those_below() -> None:
    world = World(original(leave_to="PLATFORM"))

    world.recruit((1, None), (2, 1), (3, 1), (4, 2), (5, 4), (6, 2))

    assert world.tree() == "1*(3) ; 2* ; 4(5) ; 6"
    assert [world.of(one).boss_id for one in (4, 5, 6)] == [None, None, None]
    assert world.of(2).origin_boss_id == 1


def test_the_top_of_a_team_can_leave_everybody_to_the_platform() -> None:
    world = World(original(leave_to="PLATFORM", root_keeps_children=False))

    world.recruit((1, None), (2, 1), (3, 1))

    assert world.tree() == "1* ; 2 ; 3"
    assert [world.of(one).boss_id for one in (1, 2, 3)] == [None, None, None]


def test_the_first_by_number_stay_behind_and_the_others_go_along_with_all_below() -> None:
    world = World(original(leave_scope="FIRST_N", leave_count=1))

    world.recruit((1, None), (2, 1), (3, 1), (8, 2), (9, 8), (7, 2))

    assert world.tree() == "1*(3 7) ; 2*(8(9))"
    assert [world.of(one).boss_id for one in (7, 8, 9)] == [1, 2, 2]


def test_with_one_recruit_to_rise_the_first_makes_a_boss() -> None:
    world = World(original(promote_count=1))

    world.recruit((1, None), (2, 1))

    assert world.tree() == "1*(2)"


def test_a_root_that_rises_gives_a_boss_to_all_below_who_had_none() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1), (3, 2), (4, 3))

    assert [world.of(one).boss_id for one in (2, 3, 4)] == [None, None, None]
    world.buy(5, 1)
    assert [world.of(one).boss_id for one in (2, 3, 4, 5)] == [1, 1, 1, 1]


def test_a_promotion_touches_only_the_promoted_and_those_directly_below() -> None:
    world = World(original())
    world.recruit((1, None), (2, 1), (3, 1), (4, 2), (5, 4), (6, 5))

    decisions = world.buy(7, 2)

    assert world.tree() == "1*(3 4(5(6)) 7) ; 2*"
    assert [place.member_id for place in decisions.places] == [2, 4, 7]
