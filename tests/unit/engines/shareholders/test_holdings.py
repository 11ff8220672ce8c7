"""How a holding begins, rises and ends."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.engines.places import Board
from app.engines.results import NOTHING, Decisions
from app.engines.shareholders.engine import decide
from app.engines.shareholders.holdings import (
    HoldingPlace,
    HoldingRefused,
    HoldingState,
    NotQualified,
    SeatsTaken,
    allot,
    apply_for,
    change_level,
    expire,
    grant,
    leave,
)
from app.engines.shareholders.rules import EntryMode, ShareholderRules
from tests.unit.engines.shareholders.world import (
    BUYER_ID,
    NOON,
    STORE_ID,
    holding,
    refunded,
    settled,
)

DEFAULT = ShareholderRules()
REVIEW = ShareholderRules(entry_mode=EntryMode.REVIEW)
TOPUP = ShareholderRules(entry_mode=EntryMode.TOPUP)
TWO_SEATS = ShareholderRules(seats_per_store=2)


def candidate(member_id: int = BUYER_ID, **fields: Any) -> HoldingPlace:
    return replace(HoldingPlace(member_id=member_id, number=STORE_ID, order_id=7), **fields)


def waiting(member_id: int, *, minutes: int = 0, **fields: Any) -> HoldingPlace:
    wanted = (NOON + timedelta(minutes=minutes)).isoformat()
    state = HoldingState.WAITING
    return candidate(member_id, **{"state": state, "level": 1, "wanted": wanted} | fields)


def after(decisions: Decisions) -> HoldingPlace:
    [place] = decisions.places
    assert isinstance(place, HoldingPlace)
    return place


def codes(decisions: Decisions) -> list[Any]:
    return [note["code"] for note in decisions.notes]


def bought(base_fen: int, *places: HoldingPlace, rules: ShareholderRules = DEFAULT) -> Decisions:
    return decide(rules, settled(base_fen), Board(places))


def gave_back(fen: int, *places: HoldingPlace, rules: ShareholderRules = DEFAULT) -> Decisions:
    return decide(rules, refunded(fen), Board(places))


def test_the_first_settled_order_begins_to_count_for_its_buyer_at_its_store() -> None:
    decisions = bought(99_999)

    assert after(decisions) == candidate(spent_fen=99_999)
    assert decisions.notes == ()
    assert (decisions.awards, decisions.refusals) == ((), ())


def test_an_order_of_which_nothing_is_left_counts_for_nothing() -> None:
    assert bought(0) == NOTHING


def test_reaching_a_threshold_asks_for_a_seat_and_takes_none() -> None:
    decisions = bought(1, candidate(spent_fen=99_999))

    assert after(decisions) == candidate(
        spent_fen=100_000, state=HoldingState.WAITING, level=1, wanted=NOON.isoformat()
    )
    assert decisions.notes == (
        {
            "code": "SEAT_WANTED",
            "member_id": BUYER_ID,
            "store": STORE_ID,
            "level": 0,
            "reached": 1,
            "spent_fen": 100_000,
        },
    )


def test_one_large_order_reaches_the_highest_level_at_once() -> None:
    assert after(bought(500_000)).level == 3


def test_who_waits_goes_on_counting_and_keeps_their_turn() -> None:
    before = waiting(BUYER_ID, spent_fen=100_000)

    decisions = bought(200_000, before)

    assert after(decisions) == replace(before, spent_fen=300_000, level=2)
    assert decisions.notes == ()


def test_a_holder_rises_with_what_they_buy_and_needs_no_new_seat() -> None:
    before = holding(BUYER_ID, level=1, spent_fen=299_999, under_review=True)

    decisions = bought(1, before)

    assert after(decisions) == replace(
        before, spent_fen=300_000, term_fen=1, level=2, under_review=False
    )
    assert codes(decisions) == ["LEVEL_RAISED"]


def test_a_holder_may_rise_by_several_levels_at_once() -> None:
    assert after(bought(500_000, holding(BUYER_ID, level=1))).level == 3


def test_a_holder_who_was_given_more_than_they_bought_does_not_fall() -> None:
    before = holding(BUYER_ID, level=3, spent_fen=10)

    assert after(bought(100_000, before)).level == 3


def test_only_what_is_bought_with_a_seat_counts_for_the_next_term() -> None:
    assert after(bought(50, candidate())).term_fen == 0
    assert after(bought(50, holding(BUYER_ID, term_fen=8))).term_fen == 58


def test_an_expired_holder_can_reach_a_seat_again_by_buying() -> None:
    before = candidate(state=HoldingState.EXPIRED, spent_fen=60_000)

    decisions = bought(40_000, before)

    assert (after(decisions).state, after(decisions).level) == (HoldingState.WAITING, 1)
    assert codes(decisions) == ["SEAT_WANTED"]


def test_who_left_is_not_taken_back_unasked() -> None:
    before = candidate(state=HoldingState.LEFT)

    decisions = bought(900_000, before)

    assert after(decisions) == replace(before, spent_fen=900_000)
    assert decisions.notes == ()


def test_where_the_store_reviews_purchases_are_counted_and_decide_nothing() -> None:
    decisions = bought(900_000, rules=REVIEW)

    assert after(decisions) == candidate(spent_fen=900_000)
    assert after(bought(900_000, holding(BUYER_ID, level=1), rules=REVIEW)).level == 1


def test_a_topup_is_one_order_and_many_small_ones_are_none() -> None:
    before = candidate(spent_fen=99_999)

    assert after(bought(99_999, before, rules=TOPUP)).state is HoldingState.CANDIDATE
    assert after(bought(100_000, before, rules=TOPUP)).level == 1


def test_a_refund_before_settlement_takes_back_nothing_that_was_counted() -> None:
    places = Board([candidate(spent_fen=500)])

    assert decide(DEFAULT, refunded(100, is_settled=False), places) == NOTHING
    assert decide(DEFAULT, refunded(0), places) == NOTHING
    assert decide(DEFAULT, refunded(100), Board[HoldingPlace]()) == NOTHING


def test_a_refund_takes_no_level_from_a_holder_but_marks_them() -> None:
    before = holding(BUYER_ID, level=2, spent_fen=300_000, term_fen=7)

    decisions = gave_back(1, before)

    assert after(decisions) == replace(before, spent_fen=299_999, term_fen=6, under_review=True)
    assert codes(decisions) == ["LEVEL_NOT_COVERED"]


def test_the_mark_goes_when_purchases_reach_the_level_again() -> None:
    marked = holding(BUYER_ID, level=2, spent_fen=299_998, under_review=True)

    assert after(bought(1, marked)).under_review
    assert not after(bought(2, marked)).under_review


def test_a_refund_that_leaves_the_level_covered_is_only_counted() -> None:
    before = holding(BUYER_ID, level=2, spent_fen=300_001)

    decisions = gave_back(1, before)

    assert after(decisions) == replace(before, spent_fen=300_000)
    assert decisions.notes == ()


def test_a_refund_of_more_than_is_counted_leaves_nothing_and_not_less() -> None:
    place = after(gave_back(900, candidate(spent_fen=500)))

    assert (place.spent_fen, place.term_fen, place.state) == (0, 0, HoldingState.CANDIDATE)


def test_who_waits_falls_with_a_refund_and_out_of_the_queue_below_the_first_level() -> None:
    before = waiting(BUYER_ID, level=2, spent_fen=300_000)

    lower, out = gave_back(1, before), gave_back(200_001, before)

    assert after(lower) == replace(before, spent_fen=299_999, level=1)
    assert lower.notes == ()
    assert after(out) == candidate(spent_fen=99_999)
    assert codes(out) == ["SEAT_NO_LONGER_WANTED"]


def test_a_review_is_not_undone_by_a_refund() -> None:
    before = holding(BUYER_ID, level=3, spent_fen=100)

    assert after(gave_back(100, before, rules=REVIEW)) == replace(before, spent_fen=0)


def test_a_seat_is_held_for_the_term_and_begins_a_new_count() -> None:
    before = waiting(5, level=2, spent_fen=300_000, term_fen=9, under_review=True)

    assert grant(DEFAULT, before, now=NOON, seats_taken=19) == candidate(
        5,
        state=HoldingState.ACTIVE,
        level=2,
        spent_fen=300_000,
        granted="2026-10-20T12:00:00+00:00",
        until="2027-10-20T12:00:00+00:00",
    )


def test_a_full_store_has_no_seat() -> None:
    with pytest.raises(SeatsTaken) as caught:
        grant(DEFAULT, waiting(5), now=NOON, seats_taken=20)

    assert str(caught.value) == "All 20 seats of this store are taken."


def test_a_review_may_choose_the_level_and_only_one_that_there_is() -> None:
    assert grant(REVIEW, candidate(), now=NOON, seats_taken=0, level=3).level == 3
    for level in (0, 4):
        with pytest.raises(NotQualified):
            grant(REVIEW, candidate(), now=NOON, seats_taken=0, level=level)


def test_without_a_choice_what_was_bought_decides() -> None:
    assert grant(DEFAULT, candidate(spent_fen=300_000), now=NOON, seats_taken=0).level == 2
    with pytest.raises(NotQualified):
        grant(DEFAULT, candidate(spent_fen=99_999), now=NOON, seats_taken=0)


def test_nobody_gets_a_second_seat_at_a_store() -> None:
    with pytest.raises(HoldingRefused) as caught:
        grant(DEFAULT, holding(), now=NOON, seats_taken=0)

    assert caught.value.message().parameters["state"].text == "in force"


def test_asking_for_a_seat_once_is_enough() -> None:
    asked = apply_for(candidate(), now=NOON)

    assert asked == candidate(state=HoldingState.WAITING, wanted=NOON.isoformat())
    for place in (asked, holding()):
        with pytest.raises(HoldingRefused):
            apply_for(place, now=NOON)


def test_a_review_changes_the_level_of_a_holder_and_of_nobody_else() -> None:
    before = holding(level=3, under_review=True)

    assert change_level(DEFAULT, before, level=1) == replace(before, level=1, under_review=False)
    with pytest.raises(NotQualified):
        change_level(DEFAULT, before, level=4)
    with pytest.raises(HoldingRefused):
        change_level(DEFAULT, candidate(), level=1)


def test_a_term_ends_at_its_end_and_not_before() -> None:
    place = holding(until=NOON.isoformat(), term_fen=99_999, spent_fen=400_000, under_review=True)

    assert expire(DEFAULT, place, now=NOON - timedelta(seconds=1)) is place
    assert expire(DEFAULT, place, now=NOON) == replace(
        place, state=HoldingState.EXPIRED, level=0, spent_fen=99_999, term_fen=0, under_review=False
    )


def test_who_bought_enough_during_the_term_waits_for_the_next_seat() -> None:
    place = holding(until=NOON.isoformat(), term_fen=100_000, spent_fen=900_000)

    renewed = expire(DEFAULT, place, now=NOON + timedelta(days=3))

    assert (renewed.state, renewed.level, renewed.spent_fen) == (HoldingState.WAITING, 1, 100_000)
    assert renewed.wanted == NOON.isoformat()
    assert expire(REVIEW, place, now=NOON).state is HoldingState.EXPIRED


def test_a_holding_without_an_end_and_those_not_in_force_never_expire() -> None:
    late = datetime(2100, 1, 1, tzinfo=UTC)
    for place in (holding(until=None), waiting(5), candidate(until="2020-01-01T00:00:00+00:00")):
        assert expire(DEFAULT, place, now=late) is place


def test_who_leaves_starts_again_with_nothing() -> None:
    place = leave(holding(spent_fen=9, term_fen=9, under_review=True), now=NOON)

    assert place == holding(state=HoldingState.LEFT, level=0, until="2026-10-20T12:00:00+00:00")
    assert leave(waiting(5, spent_fen=9), now=NOON) == candidate(5, state=HoldingState.LEFT)
    for other in (candidate(), place):
        with pytest.raises(HoldingRefused):
            leave(other, now=NOON)


def test_free_seats_go_to_those_who_wait_longest_then_by_number() -> None:
    holdings = [waiting(9, minutes=1), waiting(8), waiting(7), candidate(6, spent_fen=900_000)]

    changed = allot(TWO_SEATS, holdings, now=NOON)

    assert [(one.member_id, one.state) for one in changed] == [
        (8, HoldingState.ACTIVE),
        (7, HoldingState.ACTIVE),
    ]


def test_a_seat_whose_term_is_over_is_given_at_once_and_its_holder_queues_behind() -> None:
    over = holding(1, until=NOON.isoformat(), term_fen=100_000)
    there = holding(2)
    holdings = [over, there, waiting(3, minutes=-1)]

    changed = {one.member_id: one for one in allot(TWO_SEATS, holdings, now=NOON)}

    assert {one: place.state for one, place in changed.items()} == {
        1: HoldingState.WAITING,
        3: HoldingState.ACTIVE,
    }


def test_allotting_again_changes_nothing() -> None:
    holdings = Board([waiting(9, minutes=1), waiting(8), waiting(7), holding(1)])
    holdings.apply(allot(TWO_SEATS, list(holdings.all()), now=NOON))

    assert allot(TWO_SEATS, list(holdings.all()), now=NOON) == ()
    assert sum(one.is_in_force(NOON) for one in holdings.all()) == 2


def test_who_asked_without_having_bought_enough_does_not_block_the_queue() -> None:
    holdings = [waiting(8, level=0, spent_fen=5), waiting(9, minutes=1)]

    assert [one.member_id for one in allot(TWO_SEATS, holdings, now=NOON)] == [9]


def test_where_the_store_reviews_no_seat_is_given_by_itself() -> None:
    over = holding(1, until=NOON.isoformat())

    changed = allot(REVIEW, [over, waiting(2)], now=NOON)

    assert [(one.member_id, one.state) for one in changed] == [(1, HoldingState.EXPIRED)]


def test_a_holding_read_back_from_json_is_the_same() -> None:
    place = grant(DEFAULT, waiting(5), now=NOON, seats_taken=0)
    stored = asdict(place) | {"state": "ACTIVE"}

    again = HoldingPlace(**stored)

    assert again == place
    assert again.is_in_force(NOON)
    assert again.until_at == datetime(2027, 10, 20, 12, tzinfo=UTC)
