import json
from typing import Any

import pytest

from app.engines.bound import explain_bound
from app.engines.explaining import explain, explain_facts
from app.engines.level_wording import explain_promotion
from app.engines.levels import Figure, promote
from app.engines.parameters import ConditionKind, Levels, Mode, ProductRates
from app.engines.people import Line, Person, Sale, Standing
from app.engines.results import Award, Reason, Refusal
from app.engines.reversals import AwardNet, Reversal, reverse
from app.engines.two_level.engine import decide
from app.engines.two_level.profile import payout_bound
from app.engines.two_level.rules import TwoLevelRules
from app.engines.two_level.sentences import REFUSED
from app.kernel.i18n import Message, translate

BUYER = Person(1)
B = Person(11, 1, Standing.ACTIVE)
A = Person(12, 2, Standing.ACTIVE)
NAMES = {11: "Li", 12: "Wang"}
DEFAULT = TwoLevelRules()


def read(messages: tuple[Message, ...]) -> list[str]:
    return [translate(message, "en") for message in messages]


def award(
    rules: TwoLevelRules = DEFAULT, *, seat: int = 1, base_fen: int = 25_999, chain: Any = (B, A)
) -> Award:
    decisions = decide(rules, Sale(7, BUYER, (Line(70, 5, base_fen),)), chain)
    return next(award for award in decisions.awards if award.seat == seat)


def refusal(
    rules: TwoLevelRules = DEFAULT, *, line: Line | None = None, chain: Any = (), nth: int = 0
) -> Refusal:
    sale = Sale(7, BUYER, (line or Line(70, 5, 25_999),))
    return decide(rules, sale, chain).refusals[nth]


def test_an_award_tells_base_seat_level_rate_cap_and_rounding() -> None:
    assert read(explain(award(), names=NAMES)) == [
        (
            "¥259.99 was paid for this line, without shipping, coupons and points; commission is"
            " paid on that."
        ),
        "The buyer belonged to member Li when the order was paid, so the first seat is theirs.",
        "At level 1 the plan pays 10% in seat 1.",
        "The plan caps all commission on a line at 30%; that takes nothing away here.",
        "10% of ¥259.99, rounded down to whole fen, is ¥25.99; the fraction stays with the brand.",
    ]


def test_the_second_seat_tells_through_whom_it_came() -> None:
    told = read(explain(award(seat=2)))

    assert told[1] == (
        "Member #12 brought member #11, to whom the buyer belonged, into the team, so the second"
        " seat is theirs."
    )


def test_an_amount_without_fractions_is_not_called_rounded() -> None:
    assert read(explain(award(base_fen=20_000)))[-1] == "10% of ¥200.00 is ¥20.00."


def test_a_capped_award_tells_what_was_withheld() -> None:
    told = read(explain(award(TwoLevelRules(payout_cap_bp=750), base_fen=20_000)))

    assert told[3:] == [
        (
            "The plan caps all commission on a line at 7.5%, the first seat coming first. So 7.5%"
            " is paid, and ¥5.00 is withheld."
        ),
        "7.5% of ¥200.00 is ¥15.00.",
    ]


def test_a_cap_that_costs_less_than_a_fen_withholds_nothing() -> None:
    told = read(explain(award(TwoLevelRules(payout_cap_bp=999), base_fen=19)))

    assert "So 9.99% is paid, and ¥0.00 is withheld." in told[3]


def test_a_product_with_its_own_rates_says_so() -> None:
    rules = TwoLevelRules(product_rates={5: ProductRates(rates_first_bp=(250, 250, 250))})

    assert read(explain(award(rules)))[2] == (
        "This product has rates of its own: at level 1 it pays 2.5% in seat 1."
    )


def test_a_seat_that_was_passed_on_says_from_whom() -> None:
    rules = TwoLevelRules(compress=True)
    chain = (Person(11, 1, Standing.FROZEN), A)

    assert read(explain(award(rules, chain=chain), names=NAMES))[1] == (
        "Seat 1 passed from Li, who could not take it, to the next above, member Wang."
    )
    assert read(explain(refusal(rules, chain=chain), names=NAMES)) == [
        "Member Li was frozen when the order was paid.",
        "So seat 1 passed to the next person above.",
    ]


def test_self_purchase_says_why_the_seats_moved() -> None:
    rules = TwoLevelRules(self_purchase=True)
    buyer = Person(1, 1, Standing.ACTIVE)
    first, second = decide(rules, Sale(7, buyer, (Line(70, 5, 25_999),)), [B]).awards

    assert read(explain(first))[1] == (
        "The buyer, member #1, is a distributor, and this plan pays on their own purchases, so the"
        " first seat is theirs."
    )
    assert read(explain(second))[1] == (
        "The first seat is the buyer's own; the buyer belonged to member #11, so the second seat"
        " is theirs."
    )


def test_an_award_tells_what_refunds_took_back_and_what_is_left() -> None:
    given = award()
    [first] = reverse([AwardNet(1, 70, 25_999, 1_000, 2_599)], {70: 9_999})
    [second] = reverse([AwardNet(1, 70, 25_999, 1_000, 1_600)], {70: 25_999})

    one = explain_facts(given.explanation, reversals=[first.explanation])
    both = explain_facts(
        given.explanation, reversals=[first.explanation, second.explanation], names=NAMES
    )

    assert read(one)[5:] == [
        (
            "¥99.99 of the ¥259.99 has been refunded. 10% of the remaining ¥160.00 is ¥16.00, so"
            " ¥9.99 was taken back."
        ),
        "¥16.00 is left of this commission.",
    ]
    assert read(both)[5:] == [
        (
            "¥99.99 of the ¥259.99 has been refunded. 10% of the remaining ¥160.00 is ¥16.00, so"
            " ¥9.99 was taken back."
        ),
        "The whole ¥259.99 has been refunded, so ¥16.00 was taken back.",
        "¥0.00 is left of this commission.",
    ]
    assert read(explain(first)) == read(one)[5:6]


@pytest.mark.parametrize(
    ("line", "chain", "nth", "told"),
    [
        (
            None,
            (),
            0,
            ["The buyer belonged to nobody when the order was paid."],
        ),
        (None, (B,), 0, ["There is nobody above who could take seat 2."]),
        (None, (BUYER,), 0, ["Member #1 is the buyer, and nobody earns on their own purchase."]),
        (None, (B, B), 0, ["Member #11 holds a seat already; nobody is paid twice."]),
        (
            None,
            (Person(11, 1, Standing.NONE),),
            0,
            ["Member #11 was not an approved distributor when the order was paid."],
        ),
        (
            None,
            (Person(11, 1, Standing.QUIT),),
            0,
            ["Member #11 had left before the order was paid."],
        ),
        (
            None,
            (Person(11, None, Standing.ACTIVE),),
            0,
            ["Member #11 had no level when the order was paid."],
        ),
        (
            None,
            (Person(11, 4, Standing.ACTIVE),),
            0,
            ["The plan has no rate for level 4 of member #11."],
        ),
        (
            Line(70, 5, 25_999, distributable=False),
            (B, A),
            0,
            ["This product pays no commission."],
        ),
        (Line(70, 6, 25_999), (B, A), 0, ["The plan leaves this product out."]),
        (
            Line(70, 5, 0),
            (B, A),
            0,
            ["Nothing was paid for this line, so there is nothing to share."],
        ),
        (
            Line(70, 5, 9),
            (B, A),
            0,
            [
                (
                    "The buyer belonged to member #11 when the order was paid, so the first seat is"
                    " theirs."
                ),
                "At level 1 the plan pays 10% in seat 1.",
                "10% of ¥0.09 is less than one fen.",
            ],
        ),
    ],
)
def test_a_refusal_tells_its_reason(
    line: Line | None, chain: Any, nth: int, told: list[str]
) -> None:
    rules = TwoLevelRules(product_rates={6: ProductRates(excluded=True)})

    assert read(explain(refusal(rules, line=line, chain=chain, nth=nth))) == told


def test_a_refusal_by_household_names_no_phone_or_device() -> None:
    buyer = Person(1, household=frozenset({"phone:138"}))
    kin = Person(11, 1, Standing.ACTIVE, frozenset({"phone:138"}))
    [first, _] = decide(DEFAULT, Sale(7, buyer, (Line(70, 5, 25_999),)), [kin]).refusals

    assert read(explain(first)) == [
        (
            "Member #11 shares a phone, a device or a payment account with the buyer. That counts"
            " as their own purchase."
        )
    ]


def test_a_seat_without_a_rate_or_without_room_under_the_cap_says_so() -> None:
    unpaid = refusal(TwoLevelRules(rates_second_bp=(0, 0, 0)), chain=(B, A))
    capped = refusal(TwoLevelRules(payout_cap_bp=900), chain=(B, A))

    assert read(explain(unpaid))[1:] == ["At level 2 the plan pays nothing in seat 2."]
    assert read(explain(capped))[1:] == [
        "At level 2 the plan pays 5% in seat 2.",
        "The plan caps all commission on a line at 9%, and that leaves nothing for seat 2.",
    ]


def test_a_seat_passed_on_to_someone_who_gets_nothing_still_reads() -> None:
    rules = TwoLevelRules(compress=True)
    nothing = refusal(rules, line=Line(70, 5, 1), chain=(Person(11, 1, Standing.FROZEN), A), nth=1)

    assert read(explain(nothing)) == [
        "Seat 1 passed from #11, who could not take it, to the next above, member #12.",
        "At level 2 the plan pays 15% in seat 1.",
        "15% of ¥0.01 is less than one fen.",
    ]


def test_facts_read_the_same_after_they_were_stored() -> None:
    given = award()

    assert explain_facts(json.loads(json.dumps(given.explanation))) == explain(given)


def test_every_reason_that_this_model_knows_has_a_sentence() -> None:
    assert set(REFUSED) == set(Reason) - {Reason.NO_PLACE, Reason.TOO_FAR}


def test_the_bound_is_told_with_its_derivation() -> None:
    rules = TwoLevelRules(
        product_rates={8: ProductRates(rates_first_bp=(3_000, 0, 0))}, payout_cap_bp=3_500
    )

    assert read(explain_bound(payout_bound(rules))) == [
        (
            "At most the plan pays 20% to level 3 in the first seat and 8% to level 3 in the"
            " second: 28% together."
        ),
        (
            "For product 8 it pays at most 30% to level 1 in the first seat and 8% to level 3 in"
            " the second: 38% together."
        ),
        (
            "An order mixes products and is rounded down, so the rates allow 38% at most. The cap"
            " withholds whatever goes beyond 35%."
        ),
    ]


def test_a_bound_below_the_cap_is_told_as_such() -> None:
    assert read(explain_bound(payout_bound(DEFAULT)))[-1] == (
        "An order mixes products and is rounded down, so none pays more than 28%. The cap of 30%"
        " never has to withhold anything."
    )


def test_a_promotion_tells_each_condition() -> None:
    figures = {
        Figure(ConditionKind.DIRECT_SALES, 180): 2_345_678,
        Figure(ConditionKind.PAYING_CUSTOMERS, 180): 12,
    }
    promotion = promote(Levels(), 1, figures)

    assert promotion is not None
    assert read(explain_promotion(promotion.explanation)) == [
        "Level 1 became level 3, for all conditions were met.",
        "Settled sales to own customers within 180 days: ¥23,456.78, where ¥20,000.00 is needed.",
        "Own customers with a settled order within 180 days: 12, where 10 are needed.",
    ]


def test_a_promotion_by_one_of_several_conditions_says_so() -> None:
    facts = {"from_level": 1, "to_level": 2, "mode": Mode.ANY.value, "conditions": []}

    assert read(explain_promotion(facts)) == [
        "Level 1 became level 2, for one condition is enough."
    ]


def test_a_reversal_explains_itself() -> None:
    change = Reversal(1, 70, 10_000, 5_000, 1_000, 1_000, 500)

    assert read(explain(change)) == [
        (
            "¥50.00 of the ¥100.00 has been refunded. 10% of the remaining ¥50.00 is ¥5.00, so"
            " ¥5.00 was taken back."
        )
    ]
