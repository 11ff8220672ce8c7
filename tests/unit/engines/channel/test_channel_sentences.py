"""What the channel family tells people, in English; the catalogue is tested elsewhere."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.engines.differential import sentences as differential_sentences
from app.engines.differential.engine import AwardKind, DifferentialReason, decide
from app.engines.differential.rules import DifferentialProduct, DifferentialRules, PeerBase
from app.engines.explaining import explain, explain_facts
from app.engines.incentives import (
    Cultivation,
    IncentiveReason,
    Incentives,
    Ranking,
    Recommendation,
    close_month,
)
from app.engines.incentives_wording import KINDS, REFUSED
from app.engines.ladders import Ladder, LadderReason, MonthKind, Rung
from app.engines.months import Earner, MonthBooks, MonthClose
from app.engines.people import Line, Person, Sale, Standing
from app.engines.registry import MODELS
from app.engines.results import Decisions, Reason
from app.engines.team_ladder.rules import TeamLadderRules
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import Message, translate

NAMES = {11: "Li", 12: "Wang"}
FAR = DifferentialRules(max_depth=None)
BASE = (
    "¥100.00 was paid for this line, without shipping, coupons and points; commission is paid on"
    " that."
)
CAP = "The plan caps all commission on a line at 30%; that takes nothing away here."
LADDER = Ladder(rungs=(Rung(from_fen=1_000, rate_bp=1_000), Rung(from_fen=3_000, rate_bp=2_000)))


def read(messages: tuple[Message, ...]) -> list[str]:
    return [translate(message, "en") for message in messages]


def sold(rules: DifferentialRules, *levels: int, base_fen: int = 10_000) -> Decisions:
    chain = [Person(11 + n, level, Standing.ACTIVE) for n, level in enumerate(levels)]
    return decide(rules, Sale(7, Person(1), (Line(70, 5, base_fen),)), chain)


def month(incentives: Incentives, *people: Earner) -> MonthClose:
    end = datetime(2026, 11, 1, tzinfo=UTC)
    books = MonthBooks(plan_id=3, month="2026-10", ends_at=end, net_fen=0, people=people)
    return close_month("CHANNEL_DIFFERENTIAL", incentives, books)


def described(rules: Any) -> list[str]:
    return read(tuple(MODELS[rules.model].describe(rules)))


def test_a_difference_tells_place_rate_and_who_has_how_much_below() -> None:
    first, second = sold(FAR, 1, 2).awards

    assert read(explain(first, names=NAMES)) == [
        BASE,
        "The buyer belonged to member Li when the order was paid, the first step above.",
        "At level 1 the plan's rate is 5%.",
        "Nobody below earns on it, so the whole rate is theirs.",
        CAP,
        "5% of ¥100.00 is ¥5.00.",
    ]
    assert read(explain(second, names=NAMES)) == [
        BASE,
        "Member Wang stands 2 steps above the buyer.",
        "At level 2 the plan's rate is 8%.",
        "Below them member Li has 5%, so the difference of 3% is theirs.",
        CAP,
        "3% of ¥100.00 is ¥3.00.",
    ]


def test_a_peer_reward_tells_of_what_it_is_a_share() -> None:
    of_order = sold(FAR, 2, 2).awards[1]
    rules = FAR.model_copy(update={"peer_base": PeerBase.INCOME, "peer_bp": 1_000})
    of_income = sold(rules, 2, 2).awards[1]

    assert read(explain(of_order))[3] == (
        "That equals the rate of member #11 below, so as peer number 1 they get the peer reward of"
        " 1%."
    )
    assert read(explain(of_income))[3] == (
        "That equals the rate of member #11 below, so as peer number 1 they get 10% of what that"
        " one gets for the difference, 8%: 0.8% of what was paid."
    )


def test_a_cap_and_a_rounding_are_told() -> None:
    capped = sold(DifferentialRules(payout_cap_bp=301), 1, base_fen=10_001).awards[0]

    assert read(explain(capped))[4:] == [
        (
            "The plan caps all commission on a line at 3.01%, the first seat coming first. So 3.01%"
            " is paid, and ¥1.99 is withheld."
        ),
        (
            "3.01% of ¥100.01, rounded down to whole fen, is ¥3.01; the fraction stays with the"
            " brand."
        ),
    ]


def test_a_product_with_rates_of_its_own_says_so() -> None:
    own = DifferentialProduct(rates_bp=(100, 100, 100, 100))
    award = sold(DifferentialRules(product_rates={5: own}), 1).awards[0]

    assert read(explain(award))[2] == (
        "This product has rates of its own: at level 1 its rate is 1%."
    )


@pytest.mark.parametrize(
    ("rules", "levels", "told"),
    [
        (
            FAR,
            (3, 1),
            [
                "Member #12 stands 2 steps above the buyer.",
                "At level 1 the plan's rate is 5%.",
                ("Below them member #11 has 12%, which is more, so there is no difference to pay."),
            ],
        ),
        (
            DifferentialRules(peer_bp=0),
            (1, 1),
            [
                "Member #12 stands 2 steps above the buyer.",
                "At level 1 the plan's rate is 5%.",
                (
                    "Below them member #11 has as much, and the plan pays no peer reward for that,"
                    " or not to so many."
                ),
            ],
        ),
        (
            DifferentialRules(peer_base=PeerBase.INCOME, peer_bp=1),
            (1, 1),
            [
                "Member #12 stands 2 steps above the buyer.",
                "At level 1 the plan's rate is 5%.",
                (
                    "That equals the rate of member #11 below; 0.01% of what that one gets is"
                    " nothing."
                ),
            ],
        ),
        (DifferentialRules(rates_bp=(0, 0, 0, 0)), (1,), ["At level 1 the plan's rate is zero."]),
        (
            DifferentialRules(payout_cap_bp=500),
            (1, 2),
            [
                "Member #12 stands 2 steps above the buyer.",
                "At level 2 the plan's rate is 8%.",
                "Below them member #11 has 5%, so the difference of 3% is theirs.",
                (
                    "The plan caps all commission on a line at 5%, and those nearer the buyer leave"
                    " nothing of that."
                ),
            ],
        ),
        (FAR, (), ["The buyer belonged to nobody when the order was paid."]),
    ],
)
def test_a_refusal_tells_its_reason(
    rules: DifferentialRules, levels: tuple[int, ...], told: list[str]
) -> None:
    assert read(explain(sold(rules, *levels).refusals[-1])) == told


def test_less_than_a_fen_tells_the_sum() -> None:
    assert read(explain(sold(FAR, 1, base_fen=19).refusals[0]))[1:] == [
        "At level 1 the plan's rate is 5%.",
        "Nobody below earns on it, so the whole rate is theirs.",
        "5% of ¥0.19 is less than one fen.",
    ]


def test_every_reason_and_kind_has_words() -> None:
    not_here = {Reason.NO_UPLINE, Reason.NO_PLACE, Reason.TOO_FAR}
    assert set(differential_sentences.REFUSED) == {*Reason, *DifferentialReason} - not_here
    of_standing = {Reason.FROZEN, Reason.QUIT, Reason.NOT_DISTRIBUTOR, Reason.ZERO_AMOUNT}
    assert set(REFUSED) == {*LadderReason, *IncentiveReason, *of_standing}
    assert set(KINDS) == set(MonthKind)
    assert set(MODELS["CHANNEL_DIFFERENTIAL"].kinds) == {*AwardKind, *MonthKind}
    assert set(MODELS["CHANNEL_TWO_LEVEL"].kinds) == {"L1", "L2", *MonthKind}
    assert set(MODELS["CHANNEL_TEAM_LADDER"].kinds) == {MonthKind.TEAM_LADDER}


@pytest.mark.parametrize(
    ("depth", "whose"),
    [
        (1, "member #1 sold ¥30.00"),
        (2, "member #1 and those they recommended sold ¥50.00"),
        (None, "member #1 and everybody below them sold ¥50.00"),
    ],
)
def test_a_ladder_bonus_tells_team_rate_and_what_belongs_below(
    depth: int | None, whose: str
) -> None:
    ladder = LADDER.model_copy(update={"max_depth": depth})
    people = (
        Earner(member_id=1, sales_fen=3_000),
        Earner(member_id=2, recommender_id=1, sales_fen=2_000),
    )

    told = read(explain_facts(month(Incentives(ladder=ladder), *people).awards[0].explanation))

    assert told[0] == f"In 2026-10 {whose} to their own customers, settled."
    assert told[1:] == (
        ["The ladder pays 20% on that: ¥6.00.", "¥6.00 is left as the bonus."]
        if depth == 1
        else [
            "The ladder pays 20% on that: ¥10.00.",
            "Of this ¥2.00 belongs to leaders below.",
            "¥8.00 is left as the bonus.",
        ]
    )


def test_a_team_without_a_bonus_is_told_why() -> None:
    people = (
        Earner(member_id=1),
        Earner(member_id=2, recommender_id=1, sales_fen=2_000),
        Earner(member_id=3, sales_fen=10),
        Earner(member_id=4, sales_fen=1_000, standing=Standing.FROZEN),
    )

    told = [
        read(explain_facts(one.explanation, names={4: "Wu"}))
        for one in month(Incentives(ladder=LADDER), *people).refusals
    ]

    assert [one[1:] for one in told] == [
        [
            "The ladder pays 10% on that: ¥2.00.",
            "Of this ¥2.00 belongs to leaders below.",
            "Nothing is left as a bonus.",
        ],
        ["The ladder begins at ¥10.00, so it pays nothing."],
        ["The ladder pays 10% on that: ¥1.00.", "Member Wu was frozen when the month was closed."],
    ]


def test_prizes_tell_rank_and_sum() -> None:
    ranking = Ranking(prizes_fen=(100,), minimum_sales_fen=1_000)
    people = tuple(Earner(member_id=n, sales_fen=3_000 - n) for n in (1, 2))

    result = month(
        Incentives(ladder=None, ranking=ranking), *people, Earner(member_id=3, sales_fen=1)
    )

    assert read(explain_facts(result.awards[0].explanation)) == [
        (
            "In 2026-10 member #1 sold ¥29.99 to their own customers, settled. That is rank 1,"
            " where equal sales go by the earlier last order."
        ),
        "The prize for rank 1 is ¥1.00.",
    ]
    assert read(explain_facts(result.refusals[0].explanation))[1:] == [
        "Prizes go to the first 1 alone."
    ]
    assert read(explain_facts(result.refusals[1].explanation)) == [
        (
            "In 2026-10 member #3 sold ¥0.01 to their own customers, settled. A prize asks for"
            " ¥10.00."
        )
    ]


@pytest.mark.parametrize(
    ("promoted_at", "told"),
    [
        (
            datetime(2026, 10, 3, tzinfo=UTC),
            [
                (
                    "Member #1 recommended member #2, who reached level 3 in 2026-10 and so caught"
                    " up with them."
                ),
                (
                    "The plan pays once 2% of what member #2 sold to their own customers in that"
                    " month; that was ¥100.00."
                ),
                "2% of ¥100.00 is ¥2.00.",
            ],
        ),
        (
            datetime(2026, 8, 3, tzinfo=UTC),
            [
                (
                    "Member #1 recommended member #2, who reached level 3; 2026-10 is month 2 after"
                    " that."
                ),
                (
                    "The plan pays 1% a month of what member #2 sells to their own customers; that"
                    " was ¥100.00."
                ),
                "1% of ¥100.00 is ¥1.00.",
            ],
        ),
    ],
)
def test_shares_for_a_promotion_tell_whose_and_of_what(
    promoted_at: datetime, told: list[str]
) -> None:
    both = Incentives(ladder=None, cultivation=Cultivation(), recommendation=Recommendation())
    promoted = Earner(
        member_id=2, recommender_id=1, level=3, sales_fen=10_000, promoted_at=promoted_at
    )

    [award] = month(both, Earner(member_id=1, level=3), promoted).awards

    assert read(explain_facts(award.explanation)) == told


def test_the_rules_of_differential_are_described() -> None:
    assert described(DifferentialRules()) == [
        (
            "Whoever stands above a seller earns what their rate is higher: 5%, 8%, 12%, 15% by"
            " level."
        ),
        (
            "Each time a rate is reached, the first 1 above with the same rate get 1% of what was"
            " paid."
        ),
        "Nobody more than 2 steps above the buyer earns.",
    ]
    other = DifferentialRules(
        peer_generations=0,
        max_depth=None,
        product_rates={5: DifferentialProduct(excluded=True)},
        incentives=Incentives(ladder=None, recommendation=Recommendation()),
    )
    assert described(other)[1:] == [
        "Equal rates bring no peer reward.",
        "Everybody above the buyer can earn, however far.",
        "1 products have rates of their own.",
        (
            "Whoever recommended somebody who catches up with their level gets once 2% of what that"
            " one sold to their own customers in that month."
        ),
    ]
    of_income = DifferentialRules(peer_base=PeerBase.INCOME)
    assert "of what the one who reached it gets." in described(of_income)[1]


def test_the_rules_of_ladder_and_incentives_are_described() -> None:
    assert described(TeamLadderRules(ladder=LADDER)) == [
        "No order pays commission by itself.",
        (
            "By the month the ladder pays on what a distributor and those they recommended sell to"
            " their own customers:"
        ),
        "From ¥10.00 on it pays 10%, less what belongs to leaders below.",
        "From ¥30.00 on it pays 20%, less what belongs to leaders below.",
    ]
    incentives = Incentives(ladder=LADDER, ranking=Ranking(), cultivation=Cultivation())
    assert described(TwoLevelRules(incentives=incentives))[-2:] == [
        (
            "The 3 who sell most in a month get prizes, the first ¥500.00; each asks for sales of"
            " ¥50,000.00."
        ),
        (
            "Whoever recommended somebody promoted to level 2 or above gets 1% of what that one"
            " sells to their own customers in the 6 months after it."
        ),
    ]
