import json
from enum import StrEnum

import pytest

from app.engines.parameters import Levels, ProductRates, Upgrade, direct_sales
from app.engines.people import Line, Person, Sale, Standing
from app.engines.results import Decisions, Reason
from app.engines.two_level.engine import AwardKind, Role, decide
from app.engines.two_level.rules import TwoLevelRules

BUYER = Person(1)
B = Person(11, 1, Standing.ACTIVE)
A = Person(12, 2, Standing.ACTIVE)
ABOVE = Person(13, 3, Standing.ACTIVE)
LINE = Line(70, product_id=5, base_fen=25_999)
SALE = Sale(7, BUYER, (LINE,))
DEFAULT = TwoLevelRules()
SELF = TwoLevelRules(self_purchase=True)
COMPRESS = TwoLevelRules(compress=True)


def paid(decisions: Decisions) -> list[tuple[int, int, int | None, int]]:
    return [(a.line_id, a.seat, a.beneficiary_id, a.amount_fen) for a in decisions.awards]


def refused(decisions: Decisions) -> list[tuple[int, int, int | None, StrEnum]]:
    return [(r.line_id, r.seat, r.beneficiary_id, r.reason) for r in decisions.refusals]


def test_the_owner_takes_the_first_seat_and_their_recommender_the_second() -> None:
    decisions = decide(DEFAULT, SALE, [B, A])

    assert paid(decisions) == [(70, 1, 11, 2_599), (70, 2, 12, 1_299)]
    assert [award.kind for award in decisions.awards] == [AwardKind.L1, AwardKind.L2]
    assert decisions.refusals == ()
    assert decisions.total_fen == 3_898


@pytest.mark.parametrize(("level", "first_fen"), [(1, 2_599), (2, 3_899), (3, 5_199)])
def test_the_first_seat_pays_by_the_level_of_its_holder(level: int, first_fen: int) -> None:
    decisions = decide(DEFAULT, SALE, [Person(11, level, Standing.ACTIVE)])

    assert paid(decisions) == [(70, 1, 11, first_fen)]


@pytest.mark.parametrize(("level", "second_fen"), [(1, 779), (2, 1_299), (3, 2_079)])
def test_the_second_seat_pays_by_the_level_of_its_holder(level: int, second_fen: int) -> None:
    decisions = decide(DEFAULT, SALE, [B, Person(12, level, Standing.ACTIVE)])

    assert paid(decisions) == [(70, 1, 11, 2_599), (70, 2, 12, second_fen)]


@pytest.mark.parametrize("level", [0, 4, 40])
def test_a_level_is_a_rank_and_the_id_of_its_row_is_refused(level: int) -> None:
    decisions = decide(DEFAULT, SALE, [Person(11, level, Standing.ACTIVE)])

    assert paid(decisions) == []
    assert refused(decisions)[0] == (70, 1, 11, Reason.LEVEL_NOT_IN_PLAN)


def test_each_line_pays_on_its_own_base_and_not_on_the_sum_so_far() -> None:
    lines = (Line(70, 5, 5_000), Line(71, 5, 3_000), Line(72, 6, 19))

    decisions = decide(DEFAULT, Sale(7, BUYER, lines), [B])

    assert paid(decisions) == [(70, 1, 11, 500), (71, 1, 11, 300), (72, 1, 11, 1)]


def test_fractions_are_lost_line_by_line() -> None:
    lines = (Line(70, 5, 19), Line(71, 5, 19))

    assert decide(DEFAULT, Sale(7, BUYER, lines), [B]).total_fen == 2


def test_where_nobody_owns_the_buyer_both_seats_stay_empty() -> None:
    decisions = decide(DEFAULT, SALE, [])

    assert paid(decisions) == []
    assert refused(decisions) == [
        (70, 1, None, Reason.NO_OWNER),
        (70, 2, None, Reason.NO_OWNER),
    ]


def test_an_owner_without_a_recommender_leaves_the_second_seat_empty() -> None:
    decisions = decide(DEFAULT, SALE, [B])

    assert paid(decisions) == [(70, 1, 11, 2_599)]
    assert refused(decisions) == [(70, 2, None, Reason.NO_UPLINE)]


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        (Person(11, 1, Standing.FROZEN), Reason.FROZEN),
        (Person(11, 1, Standing.QUIT), Reason.QUIT),
        (Person(11, 1, Standing.NONE), Reason.NOT_DISTRIBUTOR),
        (Person(11, None, Standing.ACTIVE), Reason.NO_LEVEL),
        (Person(11, 9, Standing.ACTIVE), Reason.LEVEL_NOT_IN_PLAN),
    ],
)
def test_an_owner_who_cannot_earn_leaves_the_seat_empty_and_moves_nobody(
    owner: Person, reason: Reason
) -> None:
    decisions = decide(DEFAULT, SALE, [owner, A])

    assert paid(decisions) == [(70, 2, 12, 1_299)]
    assert refused(decisions) == [(70, 1, 11, reason)]


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        (Person(11, 1, Standing.FROZEN), Reason.FROZEN),
        (Person(11, 1, Standing.QUIT), Reason.QUIT),
        (Person(11, None, Standing.NONE), Reason.NOT_DISTRIBUTOR),
        (Person(11, None, Standing.ACTIVE), Reason.NO_LEVEL),
        (Person(11, 9, Standing.ACTIVE), Reason.LEVEL_NOT_IN_PLAN),
    ],
)
def test_compression_gives_the_seat_of_an_owner_who_cannot_earn_to_the_next_above(
    owner: Person, reason: Reason
) -> None:
    decisions = decide(COMPRESS, SALE, [owner, A])

    assert paid(decisions) == [(70, 1, 12, 3_899)]
    assert refused(decisions) == [(70, 1, 11, reason), (70, 2, None, Reason.NO_UPLINE)]
    assert decisions.awards[0].explanation["passed_over"] == [11]
    assert decisions.refusals[0].explanation["passed_on"] is True


def test_compression_never_reaches_a_third_person_above() -> None:
    frozen = Person(11, 1, Standing.FROZEN)

    decisions = decide(COMPRESS, SALE, [frozen, A, ABOVE])

    assert paid(decisions) == [(70, 1, 12, 3_899)]


def test_compression_with_nobody_left_says_so() -> None:
    decisions = decide(
        COMPRESS, SALE, [Person(11, 1, Standing.FROZEN), Person(12, 2, Standing.QUIT)]
    )

    assert paid(decisions) == []
    assert refused(decisions) == [
        (70, 1, 11, Reason.FROZEN),
        (70, 1, 12, Reason.QUIT),
        (70, 1, None, Reason.NO_UPLINE),
        (70, 2, None, Reason.NO_UPLINE),
    ]


def test_compression_does_not_pass_on_the_seat_of_the_buyers_household() -> None:
    buyer = Person(1, household=frozenset({"phone:1"}))
    kin = Person(11, 1, Standing.ACTIVE, frozenset({"phone:1"}))

    decisions = decide(COMPRESS, Sale(7, buyer, (LINE,)), [kin, A])

    assert paid(decisions) == [(70, 2, 12, 1_299)]
    assert refused(decisions) == [(70, 1, 11, Reason.HOUSEHOLD)]


@pytest.mark.parametrize("rules", [DEFAULT, COMPRESS])
def test_a_buyer_in_their_own_upline_earns_nothing(rules: TwoLevelRules) -> None:
    buyer = Person(12, 2, Standing.ACTIVE)

    decisions = decide(rules, Sale(7, buyer, (LINE,)), [B, A])

    assert paid(decisions) == [(70, 1, 11, 2_599)]
    assert refused(decisions) == [(70, 2, 12, Reason.BENEFICIARY_IS_BUYER)]


def test_a_buyer_who_owns_themselves_earns_nothing_and_moves_nobody() -> None:
    buyer = Person(11, 1, Standing.ACTIVE)

    decisions = decide(DEFAULT, Sale(7, buyer, (LINE,)), [buyer, A])

    assert paid(decisions) == [(70, 2, 12, 1_299)]
    assert refused(decisions) == [(70, 1, 11, Reason.BENEFICIARY_IS_BUYER)]


def test_who_shares_any_key_with_the_buyer_counts_as_the_buyer() -> None:
    buyer = Person(1, household=frozenset({"phone:1", "device:2"}))
    kin = Person(11, 1, Standing.ACTIVE, frozenset({"device:2", "payer:9"}))
    stranger = Person(12, 2, Standing.ACTIVE, frozenset({"payer:9"}))

    decisions = decide(DEFAULT, Sale(7, buyer, (LINE,)), [kin, stranger])

    assert paid(decisions) == [(70, 2, 12, 1_299)]
    assert refused(decisions) == [(70, 1, 11, Reason.HOUSEHOLD)]
    assert "device:2" not in json.dumps([r.explanation for r in decisions.refusals])


def test_nobody_takes_both_seats() -> None:
    decisions = decide(DEFAULT, SALE, [B, B])

    assert paid(decisions) == [(70, 1, 11, 2_599)]
    assert refused(decisions) == [(70, 2, 11, Reason.ALREADY_SEATED)]


def test_a_distributor_who_buys_takes_no_seat_while_self_purchase_is_off() -> None:
    buyer = Person(1, 1, Standing.ACTIVE)

    assert paid(decide(DEFAULT, Sale(7, buyer, (LINE,)), [B, A])) == [
        (70, 1, 11, 2_599),
        (70, 2, 12, 1_299),
    ]


def test_self_purchase_seats_the_buyer_first_and_the_owner_second() -> None:
    buyer = Person(1, 1, Standing.ACTIVE)

    decisions = decide(SELF, Sale(7, buyer, (LINE,)), [B, A])

    assert paid(decisions) == [(70, 1, 1, 2_599), (70, 2, 11, 779)]
    assert [award.explanation["role"] for award in decisions.awards] == [Role.BUYER, Role.OWNER]
    assert decisions.refusals == ()


@pytest.mark.parametrize("standing", [Standing.NONE, Standing.QUIT])
def test_self_purchase_changes_nothing_for_a_buyer_who_is_no_distributor(
    standing: Standing,
) -> None:
    decisions = decide(SELF, Sale(7, Person(1, 1, standing), (LINE,)), [B, A])

    assert paid(decisions) == [(70, 1, 11, 2_599), (70, 2, 12, 1_299)]


def test_a_frozen_buyer_keeps_the_first_seat_empty_under_self_purchase() -> None:
    buyer = Person(1, 1, Standing.FROZEN)

    decisions = decide(SELF, Sale(7, buyer, (LINE,)), [B, A])

    assert paid(decisions) == [(70, 2, 11, 779)]
    assert refused(decisions) == [(70, 1, 1, Reason.FROZEN)]


def test_compression_passes_on_the_seat_of_a_frozen_buyer_under_self_purchase() -> None:
    buyer = Person(1, 1, Standing.FROZEN)
    rules = TwoLevelRules(self_purchase=True, compress=True)

    decisions = decide(rules, Sale(7, buyer, (LINE,)), [B, A])

    assert paid(decisions) == [(70, 1, 11, 2_599), (70, 2, 12, 1_299)]
    assert refused(decisions) == [(70, 1, 1, Reason.FROZEN)]


def test_self_purchase_without_an_owner_leaves_the_second_seat_empty() -> None:
    decisions = decide(SELF, Sale(7, Person(1, 2, Standing.ACTIVE), (LINE,)), [])

    assert paid(decisions) == [(70, 1, 1, 3_899)]
    assert refused(decisions) == [(70, 2, None, Reason.NO_UPLINE)]


def test_self_purchase_opens_no_second_seat_to_the_buyer_or_their_household() -> None:
    keys = frozenset({"phone:1"})
    buyer = Person(1, 1, Standing.ACTIVE, keys)
    kin = Person(11, 1, Standing.ACTIVE, keys)

    to_self = decide(SELF, Sale(7, buyer, (LINE,)), [buyer])
    to_kin = decide(SELF, Sale(7, buyer, (LINE,)), [kin])

    assert paid(to_self) == paid(to_kin) == [(70, 1, 1, 2_599)]
    assert refused(to_self) == [(70, 2, 1, Reason.BENEFICIARY_IS_BUYER)]
    assert refused(to_kin) == [(70, 2, 11, Reason.HOUSEHOLD)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Line(70, 5, 25_999, distributable=False), Reason.NOT_DISTRIBUTABLE),
        (Line(70, 6, 25_999), Reason.PRODUCT_EXCLUDED),
        (Line(70, 5, 0), Reason.ZERO_BASE),
    ],
)
def test_a_line_that_pays_nobody_says_so_for_both_seats(line: Line, reason: Reason) -> None:
    rules = TwoLevelRules(product_rates={6: ProductRates(excluded=True)})

    decisions = decide(rules, Sale(7, BUYER, (line,)), [Person(11, 1, Standing.FROZEN), A])

    assert paid(decisions) == []
    assert refused(decisions) == [(70, 1, 11, reason), (70, 2, 12, reason)]


def test_one_line_without_commission_does_not_touch_the_others() -> None:
    rules = TwoLevelRules(product_rates={6: ProductRates(excluded=True)})
    lines = (Line(70, 6, 10_000), Line(71, 5, 10_000))

    assert paid(decide(rules, Sale(7, BUYER, lines), [B])) == [(71, 1, 11, 1_000)]


def test_a_product_pays_by_its_own_rates_and_by_the_plans_where_it_has_none() -> None:
    rules = TwoLevelRules(
        product_rates={
            6: ProductRates(rates_first_bp=(100, 200, 300)),
            7: ProductRates(rates_second_bp=(11, 22, 33)),
        }
    )
    lines = (Line(70, 6, 10_000), Line(71, 7, 10_000))

    decisions = decide(rules, Sale(7, BUYER, lines), [B, A])

    assert paid(decisions) == [
        (70, 1, 11, 100),
        (70, 2, 12, 500),
        (71, 1, 11, 1_000),
        (71, 2, 12, 22),
    ]
    assert [award.explanation["rates_of"] for award in decisions.awards] == [
        "PRODUCT",
        "PLAN",
        "PLAN",
        "PRODUCT",
    ]


def test_a_rate_of_zero_is_refused_and_told_from_a_rounded_one() -> None:
    rules = TwoLevelRules(rates_second_bp=(0, 0, 0))

    decisions = decide(rules, Sale(7, BUYER, (Line(70, 5, 9),)), [B, A])

    assert refused(decisions) == [
        (70, 1, 11, Reason.ZERO_AMOUNT),
        (70, 2, 12, Reason.ZERO_RATE),
    ]


def test_the_second_seat_gives_way_to_the_cap_first() -> None:
    rules = TwoLevelRules(payout_cap_bp=2_200)

    decisions = decide(rules, Sale(7, BUYER, (Line(70, 5, 10_001),)), [ABOVE, A])

    assert [(a.rate_bp, a.amount_fen, a.capped_from_fen) for a in decisions.awards] == [
        (2_000, 2_000, None),
        (200, 200, 500),
    ]


def test_the_first_seat_is_cut_only_once_the_second_has_nothing() -> None:
    rules = TwoLevelRules(payout_cap_bp=1_900)

    decisions = decide(rules, Sale(7, BUYER, (Line(70, 5, 10_000),)), [ABOVE, A])

    [award] = decisions.awards
    assert (award.beneficiary_id, award.rate_bp) == (13, 1_900)
    assert (award.amount_fen, award.capped_from_fen) == (1_900, 2_000)
    assert refused(decisions) == [(70, 2, 12, Reason.CAPPED_OUT)]


def test_a_cap_that_exactly_fits_cuts_nothing() -> None:
    rules = TwoLevelRules(payout_cap_bp=2_500)

    decisions = decide(rules, Sale(7, BUYER, (Line(70, 5, 10_000),)), [ABOVE, A])

    assert paid(decisions) == [(70, 1, 13, 2_000), (70, 2, 12, 500)]
    assert [award.capped_from_fen for award in decisions.awards] == [None, None]


def test_an_empty_first_seat_leaves_the_whole_cap_to_the_second() -> None:
    rules = TwoLevelRules(payout_cap_bp=500)

    decisions = decide(rules, SALE, [Person(11, 1, Standing.FROZEN), A])

    assert paid(decisions) == [(70, 2, 12, 1_299)]


def test_a_cap_too_small_for_one_fen_refuses_even_the_first_seat() -> None:
    rules = TwoLevelRules(payout_cap_bp=1)

    decisions = decide(rules, Sale(7, BUYER, (Line(70, 5, 100),)), [B])

    assert refused(decisions)[0] == (70, 1, 11, Reason.CAPPED_OUT)


def test_the_cap_of_a_line_is_not_spent_by_another() -> None:
    rules = TwoLevelRules(payout_cap_bp=1_000)
    lines = (Line(70, 5, 10_000), Line(71, 5, 10_000))

    decisions = decide(rules, Sale(7, BUYER, lines), [B, A])

    assert paid(decisions) == [(70, 1, 11, 1_000), (71, 1, 11, 1_000)]


def test_a_plan_may_have_fewer_levels() -> None:
    levels = Levels(upgrades=(Upgrade(level=2, conditions=(direct_sales(1, 1),)),))
    rules = TwoLevelRules(levels=levels, rates_first_bp=(100, 200), rates_second_bp=(10, 20))

    decisions = decide(rules, SALE, [A, ABOVE])

    assert paid(decisions) == [(70, 1, 12, 519)]
    assert refused(decisions) == [(70, 2, 13, Reason.LEVEL_NOT_IN_PLAN)]


def test_an_order_without_lines_brings_nothing() -> None:
    assert decide(DEFAULT, Sale(7, BUYER, ()), [B, A]) == Decisions((), ())


def test_a_line_cannot_have_been_paid_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="line 70"):
        Line(70, 5, -1)


def test_an_award_carries_every_fact_that_decided_it() -> None:
    rules = TwoLevelRules(payout_cap_bp=2_200)

    [_, second] = decide(rules, Sale(7, BUYER, (Line(70, 5, 10_001),)), [ABOVE, A]).awards

    assert json.loads(json.dumps(second.explanation)) == {
        "schema": 1,
        "model": "CHANNEL_TWO_LEVEL",
        "outcome": "AWARD",
        "order_id": 7,
        "buyer_id": 1,
        "owner_id": 13,
        "line_id": 70,
        "product_id": 5,
        "base_fen": 10_001,
        "seat": 2,
        "kind": "L2",
        "beneficiary_id": 12,
        "role": "RECOMMENDER",
        "level": 2,
        "passed_over": [],
        "rates_of": "PLAN",
        "plan_rate_bp": 500,
        "rate_bp": 200,
        "cap_bp": 2_200,
        "amount_fen": 200,
        "capped_from_fen": 500,
    }


def test_a_refusal_carries_every_fact_that_decided_it() -> None:
    [first, _] = decide(DEFAULT, SALE, [Person(11, 1, Standing.FROZEN)]).refusals

    assert json.loads(json.dumps(first.explanation)) == {
        "schema": 1,
        "model": "CHANNEL_TWO_LEVEL",
        "outcome": "REFUSAL",
        "reason": "FROZEN",
        "order_id": 7,
        "buyer_id": 1,
        "owner_id": 11,
        "line_id": 70,
        "product_id": 5,
        "base_fen": 25_999,
        "seat": 1,
        "kind": "L1",
        "beneficiary_id": 11,
        "role": "OWNER",
        "level": 1,
        "passed_over": [],
    }
