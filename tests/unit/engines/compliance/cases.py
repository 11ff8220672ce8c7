"""For each rule what just breaks it and what just does not, at the exact figures."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final, NamedTuple

from app.engines.bound import PayoutBound
from app.engines.compliance.dossier import Dossier, PayoutFacts, ProductFacts, TextFacts
from app.engines.parameters import Conduct, Entry
from app.engines.practices import Practices

DAY_S: Final = 86_400
BLAMELESS: Final = Dossier(
    model="ANY",
    practices=Practices(entry=Entry.FREE, paid_depth=1),
    bound=PayoutBound(bound_bp=1_000, cap_bp=3_000, steps=()),
    conduct=Conduct(),
    settle_seconds=7 * DAY_S,
)
"""A dossier in which nothing is wrong."""

IN_PRACTICES: Final = {one.name for one in fields(Practices)}


def dossier(**changed: Any) -> Dossier:
    """Return the blameless dossier with some things changed, wherever they belong.

    `promises_return` and `entry` are in two places; the plan's conduct is meant by `declared_...`.
    """
    practices = {name: value for name, value in changed.items() if name in IN_PRACTICES}
    declared = {
        name.removeprefix("declared_"): value
        for name, value in changed.items()
        if name not in IN_PRACTICES and name.removeprefix("declared_") in Conduct.model_fields
    }
    bound = {
        name: changed[name] for name in ("bound_bp", "cap_bp", "monthly_bp") if name in changed
    }
    around = {name: changed[name] for name in OUTSIDE if name in changed}
    unknown = set(changed) - {"settle_seconds"} - set(bound) - set(around) - set(practices)
    assert all(name.removeprefix("declared_") in Conduct.model_fields for name in unknown), unknown
    return replace(
        BLAMELESS,
        practices=replace(BLAMELESS.practices, **practices),
        conduct=BLAMELESS.conduct.model_copy(update=declared),
        bound=replace(BLAMELESS.bound, **bound),
        outside=replace(BLAMELESS.outside, **around),
        settle_seconds=changed.get("settle_seconds", BLAMELESS.settle_seconds),
    )


OUTSIDE: Final = (
    "products",
    "texts",
    "payout",
    "store_count",
    "shareholders",
    "cap_max_bp",
)
CHEAP: Final = ProductFacts(product_id=5, price_fen=15_000, list_price_fen=10_000)
DEAR: Final = ProductFacts(product_id=6, price_fen=15_001, list_price_fen=10_000)
DEARER: Final = ProductFacts(product_id=7, price_fen=90_001, list_price_fen=60_000)


class Case(NamedTuple):
    """What is changed, how severe the rule finds it, and what it says."""

    rule: str
    changed: Mapping[str, Any]
    severity: str
    text: str


BREAKING: Final = (
    Case(
        "C1",
        {"entry": Entry.BUY_PACKAGE},
        "BLOCK",
        "Nobody may earn without buying a package first.",
    ),
    Case(
        "C1", {"declared_entry": Entry.FEE}, "BLOCK", "Nobody may earn without paying a fee first."
    ),
    Case("C1", {"entry": Entry.TOPUP}, "BLOCK", "Nobody may earn without a top-up first."),
    Case("C1", {"entry_spend_fen": 1}, "WARN", "Earning begins with own purchases of ¥0.01."),
    Case(
        "C2",
        {"pays_per_head": True},
        "BLOCK",
        "A reward is paid for somebody who joins, and not for a settled order.",
    ),
    Case(
        "C2",
        {"fixed_share_bp": 2_001},
        "BLOCK",
        "A fixed reward makes up to 20.01% of the order that brings it; more than 20% counts as pay"
        " for a head.",
    ),
    Case("C3", {"paid_depth": 3}, "BLOCK", "One order pays people up to 3 levels above its buyer."),
    Case(
        "C3",
        {"paid_depth": None},
        "BLOCK",
        "People above a buyer are paid without any limit to how far they stand away.",
    ),
    Case(
        "C4",
        {"paid_depth": 2},
        "HIGH",
        "One order pays two levels above its buyer; the second earns on another's sale.",
    ),
    Case(
        "C5",
        {"has_unlimited_team_pay": True},
        "BLOCK",
        "Team pay reaches down without a limit: the plan sets no greatest depth.",
    ),
    Case(
        "C6",
        {"pays_after_leaving": True},
        "BLOCK",
        "A promoted member who has left the team still brings pay to whom they left.",
    ),
    Case(
        "C7",
        {"promotion_recruits": 2},
        "HIGH",
        "Bringing 2 recruits lifts a member to the next level or role.",
    ),
    Case(
        "C7",
        {"promotion_recruits": 1},
        "BLOCK",
        "Bringing 1 recruits lifts a member to the next level or role.",
    ),
    Case(
        "C8",
        {"has_spillover": True},
        "BLOCK",
        "Newcomers are placed below people who did not bring them, and pay them.",
    ),
    Case(
        "C8",
        {"has_queue": True},
        "HIGH",
        "People wait in a queue that only later buyers can pay; its end is never paid.",
    ),
    Case(
        "C9",
        {"bound_bp": 3_001, "cap_bp": 9_000},
        "WARN",
        "At worst 30.01% of what is paid goes out again; the line is 30%.",
    ),
    Case(
        "C9",
        {"bound_bp": 4_000, "cap_bp": 5_000, "monthly_bp": 1_001},
        "HIGH",
        "At worst 50.01% of what is paid goes out again; the line is 50%.",
    ),
    Case(
        "C10",
        {"settle_seconds": 7 * DAY_S - 1},
        "HIGH",
        "Commission matures 6 days and 86399 seconds after the order is received; 7 days are the"
        " least.",
    ),
    Case(
        "C10", {"settle_seconds": -1}, "BLOCK", "Commission matures before the order is received."
    ),
    Case(
        "C11",
        {"products": (CHEAP, replace(CHEAP, product_id=8, is_refundable=False))},
        "BLOCK",
        "1 products of the plan cannot be returned, such as 8.",
    ),
    Case(
        "C11", {"reverses_on_refund": False}, "BLOCK", "A refund does not take the commission back."
    ),
    Case(
        "C12", {"promises_return": True}, "BLOCK", "The plan promises a return, or the stake back."
    ),
    Case(
        "C12",
        {"declared_promises_return": True},
        "BLOCK",
        "The plan promises a return, or the stake back.",
    ),
    Case(
        "C13",
        {"pool_bp": 2_001},
        "HIGH",
        "The pool takes 20.01% of sales; more than 20% reads like a share.",
    ),
    Case(
        "C13",
        {"seats_per_store": 67, "store_count": 3},
        "HIGH",
        "201 people may hold a share of a pool overall; the line is 200.",
    ),
    Case(
        "C13",
        {"shareholders": 201},
        "HIGH",
        "201 people may hold a share of a pool overall; the line is 200.",
    ),
    Case(
        "C14",
        {"topup_max_fen": 500_001},
        "BLOCK",
        "A card in somebody's name holds up to ¥5,000.01; the law allows ¥5,000.00.",
    ),
    Case(
        "C14",
        {"topup_max_fen": 100_001, "topup_is_registered": False},
        "BLOCK",
        "A card in nobody's name holds up to ¥1,000.01; the law allows ¥1,000.00.",
    ),
    Case(
        "C14",
        {"topup_max_fen": 1, "topup_expires": True},
        "BLOCK",
        "A card in somebody's name expires.",
    ),
    Case(
        "C15",
        {"products": (DEAR, CHEAP, DEARER)},
        "HIGH",
        "2 products cost more than one and a half times their list price, such as 7: ¥900.01, on"
        " the list ¥600.00.",
    ),
    Case(
        "C16",
        {"checks_adults": False},
        "BLOCK",
        "Money is paid out without a real name and an age of 18.",
    ),
    Case(
        "C16",
        {"checks_professions": False},
        "WARN",
        "Nobody asks for professions that may not take part.",
    ),
    Case(
        "C17",
        {"tax_method": None},
        "BLOCK",
        "The plan pays cash and says nothing of how tax is withheld.",
    ),
    Case(
        "C18",
        {"agreement_version": " "},
        "BLOCK",
        "There is no version of the distributor agreement.",
    ),
    Case("C18", {"public_rules": "\n"}, "BLOCK", "There are no public rules."),
    Case("C18", {"income_disclaimer": False}, "BLOCK", "The income disclaimer is missing."),
    Case(
        "C19",
        {"public_rules": "稳赚不赔，保 本！"},
        "BLOCK",
        "The public rules say: 稳赚、保本.",
    ),
    Case(
        "C19",
        {"texts": (TextFacts("poster 12", "发展下线"), TextFacts("page", "好"))},
        "BLOCK",
        "A text says what none may (poster 12): 下线.",
    ),
    Case("C20", {"forces_sharing": True}, "BLOCK", "People have to share before they can go on."),
    Case("C20", {"rewards_sharing": True}, "BLOCK", "The act of sharing itself is rewarded."),
    Case(
        "C21",
        {"repurchase_lock_days": 1},
        "HIGH",
        "Earnings stay locked for 1 days unless people buy again.",
    ),
    Case(
        "C21",
        {"settle_seconds": 30 * DAY_S + 1},
        "HIGH",
        "Commission matures only 30 days and 1 seconds after receipt; more than 30 days lock it"
        " up.",
    ),
    Case(
        "C22",
        {"payout": PayoutFacts(is_scene_set=False)},
        "WARN",
        "WeChat's transfer scene is not set: every withdrawal will be refused.",
    ),
    Case(
        "C22",
        {"payout": PayoutFacts(single_min_fen=100, single_max_fen=99)},
        "WARN",
        "No withdrawal can pass: the least transfer is ¥1.00, the most ¥0.99.",
    ),
    Case(
        "C22",
        {"payout": PayoutFacts(single_min_fen=100, person_day_max_fen=99)},
        "WARN",
        "No withdrawal can pass: the least transfer is ¥1.00, the most ¥0.99.",
    ),
    Case(
        "C24",
        {"products": (CHEAP, replace(CHEAP, product_id=9, is_medical=True))},
        "HIGH",
        "1 products are medical aesthetics, such as 9.",
    ),
    Case(
        "S1",
        {"cap_bp": 3_001, "cap_max_bp": 3_000},
        "BLOCK",
        "The plan's cap is 30.01%; the brand's settings allow 30% at most.",
    ),
    Case(
        "S1",
        {"cap_bp": 1_500, "monthly_bp": 501, "cap_max_bp": 1_500},
        "BLOCK",
        "At worst the plan pays 15.01%; the brand's settings allow 15% at most.",
    ),
)

PASSING: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("C1", {"entry_spend_fen": 0}),
    ("C2", {"fixed_share_bp": 2_000}),
    ("C3", {"paid_depth": 1}),
    ("C4", {"paid_depth": 1}),
    ("C7", {"promotion_recruits": None}),
    ("C9", {"bound_bp": 3_000}),
    ("C9", {"bound_bp": 9_999, "cap_bp": 2_500, "monthly_bp": 500}),
    ("C10", {"settle_seconds": 7 * DAY_S}),
    ("C11", {"products": (CHEAP,)}),
    ("C12", {"pool_bp": 500}),
    ("C13", {"pool_bp": 2_000, "seats_per_store": 50, "store_count": 4, "shareholders": 200}),
    ("C14", {"topup_max_fen": 500_000}),
    ("C14", {"topup_max_fen": 100_000, "topup_is_registered": False, "topup_expires": True}),
    ("C14", {"topup_max_fen": 0, "topup_expires": True}),
    ("C15", {"products": (CHEAP, replace(DEAR, list_price_fen=None))}),
    ("C17", {"tax_method": None, "pays_cash": False}),
    ("C19", {"texts": (TextFacts("page", "转赠后相应扣回。本店保留解释权，线下门店可用"),)}),
    ("C21", {"settle_seconds": 30 * DAY_S}),
    ("C22", {"payout": PayoutFacts(single_min_fen=10, single_max_fen=10, person_day_max_fen=10)}),
    ("C22", {"payout": PayoutFacts(is_scene_set=False), "pays_cash": False}),
    (
        "C22",
        {"payout": PayoutFacts(single_min_fen=None, single_max_fen=None, person_day_max_fen=None)},
    ),
    ("C24", {"products": (CHEAP,)}),
    ("S1", {"cap_bp": 3_000, "cap_max_bp": 3_000}),
    ("S1", {"bound_bp": 2_000, "cap_bp": 1_000, "monthly_bp": 500, "cap_max_bp": 1_500}),
)
