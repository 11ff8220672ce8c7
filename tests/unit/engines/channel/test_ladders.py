import json

import pytest

from app.engines.ladders import Ladder, LadderReason, Month, MonthKind, Rung, close, teams
from app.engines.months import Earner
from app.engines.people import Standing

LADDER = Ladder(rungs=(Rung(from_fen=1_000, rate_bp=1_000), Rung(from_fen=3_000, rate_bp=2_000)))
FAR = LADDER.model_copy(update={"max_depth": None})
ALONE = LADDER.model_copy(update={"max_depth": 1})
MONTH = Month("CHANNEL_TEAM_LADDER", 3, "2026-10")


def one(
    member_id: int, sales_fen: int, by: int | None = None, standing: Standing = Standing.ACTIVE
) -> Earner:
    return Earner(member_id=member_id, recommender_id=by, sales_fen=sales_fen, standing=standing)


def outcome(ladder: Ladder, *people: Earner) -> tuple[dict[int, int], dict[int, str]]:
    awards, refusals = close(ladder, people, MONTH)
    assert all(award.kind is MonthKind.TEAM_LADDER for award in awards)
    return (
        {award.beneficiary_id: award.amount_fen for award in awards},
        {refusal.beneficiary_id: refusal.reason.value for refusal in refusals},
    )


@pytest.mark.parametrize(
    ("sales_fen", "bonus_fen"), [(1_000, 100), (2_999, 299), (3_000, 600), (9_999, 1_999)]
)
def test_the_step_that_a_team_reaches_pays_on_all_of_its_sales(
    sales_fen: int, bonus_fen: int
) -> None:
    for ladder in (ALONE, LADDER, FAR):
        assert outcome(ladder, one(1, sales_fen)) == ({1: bonus_fen}, {})


@pytest.mark.parametrize("sales_fen", [-5_000, -1, 1, 999])
def test_below_the_first_step_the_ladder_pays_nothing(sales_fen: int) -> None:
    for ladder in (ALONE, LADDER, FAR):
        assert outcome(ladder, one(1, sales_fen)) == ({}, {1: "BELOW_LADDER"})


def test_whose_team_has_no_sales_is_not_mentioned() -> None:
    for ladder in (ALONE, LADDER, FAR):
        assert outcome(ladder, one(1, 0), one(2, 0, by=1)) == ({}, {})


def test_somebody_whose_losses_cancel_a_recruits_sales_is_told() -> None:
    assert outcome(LADDER, one(1, -700), one(2, 700, by=1)) == (
        {},
        {1: "BELOW_LADDER", 2: "BELOW_LADDER"},
    )


def test_within_two_steps_the_sales_of_recruits_count_and_those_further_down_do_not() -> None:
    people = (one(1, 0), one(2, 900, by=1), one(3, 2_100, by=1), one(4, 5_000, by=2))

    paid, refused = outcome(LADDER, *people)

    assert paid == {1: 600 - 180 - 210, 2: 1_180 - 1_000, 3: 210, 4: 1_000}
    assert refused == {}


def test_with_depth_one_recruits_bring_nothing() -> None:
    paid, refused = outcome(ALONE, one(1, 0), one(2, 3_000, by=1))

    assert (paid, refused) == ({2: 600}, {})


def test_what_a_recruit_has_is_taken_off_at_the_rate_the_recruit_reached() -> None:
    assert outcome(LADDER, one(1, 1_500), one(2, 1_500, by=1))[0] == {1: 450, 2: 150}
    assert outcome(LADDER, one(1, 1_500), one(2, 3_000, by=1))[0] == {1: 300, 2: 600}
    assert outcome(LADDER, one(1, 2_500), one(2, 999, by=1)) == ({1: 699}, {2: "BELOW_LADDER"})


def test_a_leader_whose_rate_a_recruit_has_too_gets_what_they_sold_themselves() -> None:
    assert outcome(LADDER, one(1, 0), one(2, 3_000, by=1)) == ({2: 600}, {1: "BELONGS_BELOW"})
    assert outcome(FAR, one(1, 0), one(2, 3_000, by=1)) == ({2: 600}, {1: "BELONGS_BELOW"})
    assert outcome(LADDER, one(1, 500), one(2, 3_000, by=1))[0] == {1: 100, 2: 600}


def test_what_belongs_below_is_rounded_up_within_two_steps() -> None:
    paid, _ = outcome(LADDER, one(1, 995), one(2, 1_005, by=1))

    assert paid == {1: 200 - 101, 2: 100}


def test_to_any_depth_everything_below_counts_and_whole_bonuses_are_taken_off() -> None:
    people = (one(1, 0), one(2, 0, by=1), one(3, 1_000, by=2), one(4, 2_005, by=2))

    paid, refused = outcome(FAR, *people)

    assert paid == {2: 601 - 100 - 200, 3: 100, 4: 200}
    assert refused == {1: "BELONGS_BELOW"}


def test_a_recruits_loss_lowers_the_team_and_takes_nothing_off_besides() -> None:
    assert outcome(LADDER, one(1, 3_500), one(2, -1_000, by=1)) == (
        {1: 250},
        {2: "BELOW_LADDER"},
    )


def test_a_recruits_loss_is_no_gain_above_though_their_team_reached_a_rate() -> None:
    people = (one(1, 4_000), one(2, -1_000, by=1), one(3, 5_000, by=2))

    assert outcome(LADDER, *people) == ({1: 600, 3: 1_000}, {2: "BELONGS_BELOW"})


def test_to_any_depth_a_loss_between_does_not_let_a_sale_pay_twice() -> None:
    people = (one(1, 2_000), one(2, -2_000, by=1), one(3, 3_000, by=2))

    paid, refused = outcome(FAR, *people)

    assert paid == {3: 600}
    assert refused == {1: "BELONGS_BELOW", 2: "BELONGS_BELOW"}


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing.FROZEN, "FROZEN"),
        (Standing.QUIT, "QUIT"),
        (Standing.NONE, "NOT_DISTRIBUTOR"),
    ],
)
@pytest.mark.parametrize("ladder", [LADDER, FAR])
def test_whoever_may_not_earn_gets_nothing_and_raises_nobody(
    ladder: Ladder, standing: Standing, reason: str
) -> None:
    people = (one(1, 2_000), one(2, 2_000, by=1, standing=standing))

    assert outcome(ladder, *people) == ({1: 600}, {2: reason})


def test_the_reason_of_a_small_team_comes_before_that_of_its_leader() -> None:
    assert outcome(LADDER, one(1, 10, standing=Standing.FROZEN)) == ({}, {1: "BELOW_LADDER"})


def test_somebody_recommended_by_a_stranger_leads_a_team_of_their_own() -> None:
    for ladder in (LADDER, FAR):
        assert outcome(ladder, one(2, 1_000, by=99)) == ({2: 100}, {})


def test_people_in_a_circle_are_refused() -> None:
    circle = (one(1, 1_000, by=2), one(2, 1_000, by=1), one(3, 1_000))

    with pytest.raises(ValueError, match="circle"):
        close(FAR, circle, MONTH)


@pytest.mark.parametrize("ladder", [LADDER, FAR])
def test_nobody_can_have_recommended_themselves(ladder: Ladder) -> None:
    with pytest.raises(ValueError, match="member 1 cannot"):
        close(ladder, (one(1, 1_000, by=1),), MONTH)


def test_a_line_of_five_thousand_people_is_no_trouble() -> None:
    line = tuple(one(n, 1, by=n - 1 or None) for n in range(1, 5_001))

    paid, _ = outcome(FAR, *line)

    assert sum(paid.values()) == 1_000


def test_teams_come_before_those_above_and_know_their_sums() -> None:
    found = {team.leader.member_id: team for team in teams(FAR, (one(1, 5), one(2, 1_000, by=1)))}

    assert list(found) == [2, 1]
    assert (found[1].sales_fen, found[1].rate_bp, found[1].gross_fen) == (1_005, 1_000, 100)
    assert (found[1].below_fen, found[1].claim_fen, found[1].bonus_fen) == (100, 100, 0)


def test_awards_come_by_member_and_carry_what_decided_them() -> None:
    awards, _ = close(LADDER, (one(9, 1_500, by=2), one(2, 1_500)), MONTH)

    first, second = awards
    assert (first.beneficiary_id, second.beneficiary_id) == (2, 9)
    assert (first.base_fen, first.rate_bp, first.amount_fen) == (3_000, None, 450)
    assert json.loads(json.dumps(first.explanation)) == {
        "schema": 1,
        "model": "CHANNEL_TEAM_LADDER",
        "plan_id": 3,
        "month": "2026-10",
        "kind": "TEAM_LADDER",
        "beneficiary_id": 2,
        "sales_fen": 1_500,
        "team_fen": 3_000,
        "max_depth": 2,
        "first_step_fen": 1_000,
        "ladder_bp": 2_000,
        "gross_fen": 600,
        "below_fen": 150,
        "outcome": "AWARD",
        "base_fen": 3_000,
        "rate_bp": None,
        "amount_fen": 450,
    }


def test_a_refusal_carries_its_reason() -> None:
    _, [refusal] = close(LADDER, (one(1, 10),), MONTH)

    assert refusal.kind is MonthKind.TEAM_LADDER
    assert refusal.reason is LadderReason.BELOW_LADDER
    assert refusal.explanation["outcome"] == "REFUSAL"
    assert refusal.explanation["reason"] == "BELOW_LADDER"
    assert refusal.explanation["first_step_fen"] == 1_000
