"""What people read about it."""

import pytest

from app.engines.people import Line, Person, Standing
from app.engines.places import Board
from app.engines.results import Reason
from app.engines.shareholders import MODEL
from app.engines.shareholders.engine import AwardKind, HoldingReason, decide
from app.engines.shareholders.holdings import HoldingState
from app.engines.shareholders.pool import close_month
from app.engines.shareholders.rules import (
    EntryMode,
    Excess,
    ProductCommission,
    ShareholderRules,
    Split,
)
from app.engines.shareholders.sentences import (
    KINDS,
    REFUSED,
    describe,
    explain,
    explain_close,
)
from tests.unit.engines.shareholders.world import (
    BUYER_ID,
    OWNER,
    books,
    earner,
    holding,
    read,
    sold,
)

DEFAULT = ShareholderRules()
REBATE = ShareholderRules(rebate_bp=800, payout_cap_bp=1_000)
NAMES = {11: "Li", 1: "Wang"}
BUYER = Person(BUYER_ID, 1, Standing.ACTIVE)
PAID = (
    "¥398.00 was paid for this line, without shipping, coupons and points; commission is paid on"
    " that."
)
MONTH = (
    "¥1,000.00 was settled at the store in 2026-10, less what refunds took back of earlier months."
    " 5% of ¥1,000.00, with ¥0.00 left from the month before, is a pool of ¥50.00."
)


def test_commission_tells_owner_seat_rate_cap_and_rounding() -> None:
    [award] = decide(DEFAULT, sold(Line(70, 5, 25_999)), Board([holding()])).awards

    assert read(explain(award.explanation, NAMES))[1:] == [
        (
            "The buyer belonged to member Li when the order was paid, and member Li is a"
            " shareholder of this store, level Gold."
        ),
        "At this level the plan pays 8%.",
        "The plan caps what is paid on a line at 30%; nothing is lost to that.",
        "8% of ¥259.99, rounded down to whole fen, is ¥20.79; the fraction stays with the brand.",
    ]


def test_a_capped_rebate_tells_what_was_withheld() -> None:
    places = Board([holding(), holding(BUYER_ID)])
    award = decide(REBATE, sold(buyer=BUYER), places).awards[1]

    assert read(explain(award.explanation, {})) == [
        PAID,
        "The buyer, member #1, is a shareholder of this store, level Gold.",
        "The plan gives shareholders 8% back on their own purchases.",
        (
            "The plan caps what is paid on a line at 10%, the commission coming before the rebate."
            " So 2% is paid, and ¥23.88 is withheld."
        ),
        "2% of ¥398.00 is ¥7.96.",
    ]


def test_a_rate_of_the_product_is_told_as_such() -> None:
    rules = ShareholderRules(product_commissions={5: ProductCommission(commissions_bp=(1, 50, 1))})
    [award] = decide(rules, sold(), Board([holding()])).awards

    assert read(explain(award.explanation, NAMES))[2] == (
        "This product has commissions of its own: at this level it pays 0.5%."
    )


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (HoldingState.WAITING, "Member Li has no seat at this store yet."),
        (HoldingState.LEFT, "Member Li had given up their seat at this store."),
        (
            HoldingState.EXPIRED,
            "The term of member Li as a shareholder of this store was over.",
        ),
    ],
)
def test_a_refusal_names_the_reason(state: HoldingState, text: str) -> None:
    [refusal] = decide(DEFAULT, sold(), Board([holding(state=state)])).refusals

    assert read(explain(refusal.explanation, NAMES)) == [text]


def test_a_share_of_the_pool_tells_pool_weight_and_sum() -> None:
    close = close_month(DEFAULT, books(earner(11), earner(12, 2)))

    assert read(explain(close.awards[0].explanation, NAMES)) == [
        MONTH,
        (
            "At the month's end member Li holds level Silver, which weighs 1 of 3 among all who"
            " take part. Of ¥50.00 that makes ¥16.66, rounded down."
        ),
    ]


@pytest.mark.parametrize(
    ("excess", "where"),
    [(Excess.KEPT, "stays with the store"), (Excess.REDISTRIBUTED, "goes to the other holders")],
)
def test_a_lifetime_cap_tells_where_the_rest_goes(excess: Excess, where: str) -> None:
    rules = ShareholderRules(cap_total_fen=1_000, excess=excess)
    close = close_month(rules, books(earner(11, received_fen=1), earner(12, received_fen=1_000)))

    assert read(explain(close.awards[0].explanation, NAMES))[-1] == (
        "Nobody gets more than ¥10.00 from pools altogether, and ¥0.01 was paid before. So ¥9.99"
        f" is paid; the rest {where}."
    )
    assert read(explain(close.refusals[0].explanation, NAMES))[-1] == (
        "Nobody gets more than ¥10.00 from pools altogether, and ¥10.00 was paid before."
    )


def test_an_equal_share_of_a_level_is_told_as_such() -> None:
    people = (earner(11, 2), earner(12, 2))
    close = close_month(ShareholderRules(split=Split.BY_LEVEL), books(*people))

    assert read(explain(close.awards[0].explanation, NAMES))[1] == (
        "At the month's end member Li is one of 2 at level Gold, who share the ¥12.50 of their"
        " level equally: ¥6.25 each, rounded down."
    )


def test_a_share_below_one_fen_and_an_empty_pool_are_told() -> None:
    tiny = close_month(DEFAULT, books(earner(11), earner(12, 3), net_fen=100))
    empty = close_month(DEFAULT, books(earner(11), net_fen=-5, deficit_fen=7))

    assert read(explain(tiny.refusals[0].explanation, NAMES))[-1] == "That is less than one fen."
    assert read(explain(empty.refusals[0].explanation, NAMES)) == [
        (
            "-¥0.05 was settled at the store in 2026-10, less what refunds took back of earlier"
            " months. 5% of ¥0.00, with ¥0.00 left from the month before, is a pool of ¥0.00."
        ),
        "¥0.07 was missing to zero the month before and came off first.",
        "There was nothing to share.",
    ]


def test_who_bought_nothing_lately_is_told_for_how_long() -> None:
    close = close_month(DEFAULT, books(earner(11, own_settled_at=None)))

    assert read(explain(close.refusals[0].explanation, NAMES)) == [
        "Member Li had no settled purchase of their own in the 90 days before the month's end."
    ]


def test_a_close_tells_where_the_pool_went() -> None:
    shared = close_month(DEFAULT, books(earner(1), earner(2), earner(3)))
    below = close_month(DEFAULT, books(earner(1), net_fen=-9))

    assert read(explain_close(shared.facts)) == [
        MONTH,
        (
            "3 holders took part and got ¥49.98; ¥0.02 goes on to the next month, and ¥0.00 stays"
            " with the store."
        ),
    ]
    assert read(explain_close(below.facts))[-1] == (
        "¥0.09 is missing to zero and comes off the next month."
    )


def test_every_kind_and_every_reason_of_its_own_has_words() -> None:
    assert set(KINDS) == set(AwardKind)
    assert set(REFUSED) >= set(HoldingReason)


@pytest.mark.parametrize("reason", list(REFUSED))
def test_each_reason_reads_as_a_sentence(reason: Reason) -> None:
    [refusal] = decide(DEFAULT, sold(chain=(OWNER,)), Board([])).refusals
    facts = refusal.explanation | {
        "reason": reason.value,
        "rate_bp": 1,
        "cap_bp": 100,
        "level_code": "VIP",
        "active_days": 90,
    }

    [told] = read(explain(facts, NAMES))

    assert told.endswith(".")
    assert "%(" not in told


def test_the_rules_are_told_level_by_level() -> None:
    told = read(describe(DEFAULT))

    assert told[:2] == [
        "Level Silver is reached with settled own purchases of ¥1,000.00 at the store.",
        (
            "Level Silver brings 5% on the orders of bound customers, weighs 1 in the pool, and has"
            " 5 guest cards a month to give away."
        ),
    ]
    assert told[6:] == [
        "A store has 20 seats; a seat is held for 12 months.",
        (
            "Each month 5% of the store's net settled sales is shared by weight among the holders"
            " in force who had a settled purchase of their own within 90 days."
        ),
    ]


def test_what_a_plan_has_besides_is_told_as_well() -> None:
    rules = ShareholderRules.model_validate(MODEL.original, strict=False)
    more = ShareholderRules(
        entry_mode=EntryMode.REVIEW,
        split=Split.BY_LEVEL,
        cap_total_fen=100,
        product_commissions={5: ProductCommission(excluded=True)},
    )

    told = read(describe(rules))
    assert told[0] == "Level DIVIDEND is bought with a single top-up of ¥30,000.00."
    assert told[-2:] == [
        (
            "Nobody gets more than ¥30,000.00 from pools altogether; what goes beyond goes to the"
            " other holders."
        ),
        "Shareholders get 8% of their own purchases at the store back.",
    ]
    told = read(describe(more))
    assert told[0].startswith("The store decides who becomes a shareholder at level Silver;")
    assert "divided among the levels by weight" in told[-3]
    assert told[-2].endswith("stays with the store.")
    assert told[-1] == "1 products have commissions of their own."
