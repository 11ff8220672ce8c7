"""What an order pays to shareholders."""

import json

import pytest

from app.engines.events import Joined
from app.engines.people import Line, Person, Standing
from app.engines.places import Board
from app.engines.results import NOTHING, Decisions, Reason
from app.engines.shareholders.engine import AwardKind, HoldingReason, decide
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.engines.shareholders.rules import ProductCommission, ShareholderRules
from tests.unit.engines.shareholders.world import (
    BUYER_ID,
    LINE,
    NOON,
    OWNER,
    OWNER_ID,
    STORE_ID,
    holding,
    sold,
)

DEFAULT = ShareholderRules()
REBATE = ShareholderRules(rebate_bp=800)


def paid(decisions: Decisions) -> list[tuple[int, str, int, int]]:
    return [(a.seat, a.kind.value, a.beneficiary_id, a.amount_fen) for a in decisions.awards]


def refused(decisions: Decisions) -> list[tuple[int, str, int | None, str]]:
    return [(r.seat, r.kind.value, r.beneficiary_id, r.reason) for r in decisions.refusals]


def board(*places: HoldingPlace) -> Board[HoldingPlace]:
    return Board(places)


@pytest.mark.parametrize(("level", "amount_fen"), [(1, 1_990), (2, 3_184), (3, 3_980)])
def test_the_owner_earns_at_the_rate_of_their_holding_and_not_of_their_rank(
    level: int, amount_fen: int
) -> None:
    decisions = decide(DEFAULT, sold(), board(holding(level=level)))

    assert paid(decisions) == [(1, "COMMISSION", OWNER_ID, amount_fen)]
    assert decisions.refusals == ()
    assert decisions.places == ()


def test_nobody_above_the_owner_earns() -> None:
    above = Person(12, 3, Standing.ACTIVE)

    decisions = decide(DEFAULT, sold(chain=(OWNER, above)), board(holding(), holding(12)))

    assert paid(decisions) == [(1, "COMMISSION", OWNER_ID, 3_184)]


def test_a_seat_at_another_store_brings_nothing_here() -> None:
    decisions = decide(DEFAULT, sold(), board(holding(number=STORE_ID + 1)))

    assert paid(decisions) == []
    assert refused(decisions) == [(1, "COMMISSION", OWNER_ID, Reason.NO_PLACE)]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (HoldingState.CANDIDATE, HoldingReason.NO_SEAT),
        (HoldingState.WAITING, HoldingReason.NO_SEAT),
        (HoldingState.EXPIRED, HoldingReason.EXPIRED),
        (HoldingState.LEFT, HoldingReason.LEFT),
    ],
)
def test_an_owner_without_a_seat_keeps_the_customer_and_gets_nothing(
    state: HoldingState, reason: HoldingReason
) -> None:
    decisions = decide(DEFAULT, sold(), board(holding(state=state)))

    assert paid(decisions) == []
    assert refused(decisions) == [(1, "COMMISSION", OWNER_ID, reason)]
    assert decisions.refusals[0].explanation["level"] is None


@pytest.mark.parametrize(
    ("until", "is_paid"),
    [
        ("2026-10-20T12:00:00+00:00", False),
        ("2026-10-20T12:00:01+00:00", True),
        ("2026-10-20T20:00:01+08:00", True),
        (None, True),
    ],
)
def test_a_holding_is_in_force_until_its_end_and_not_at_it(until: str, *, is_paid: bool) -> None:
    decisions = decide(DEFAULT, sold(), board(holding(until=until)))

    assert bool(decisions.awards) is is_paid
    assert [r.reason for r in decisions.refusals] == [HoldingReason.EXPIRED] * (not is_paid)


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing.NONE, Reason.NOT_DISTRIBUTOR),
        (Standing.FROZEN, Reason.FROZEN),
        (Standing.QUIT, Reason.QUIT),
    ],
)
def test_only_an_approved_distributor_earns(standing: Standing, reason: Reason) -> None:
    decisions = decide(DEFAULT, sold(chain=(Person(OWNER_ID, 1, standing),)), board(holding()))

    assert paid(decisions) == []
    assert refused(decisions) == [(1, "COMMISSION", OWNER_ID, reason)]


def test_an_order_of_nobody_pays_nobody() -> None:
    decisions = decide(DEFAULT, sold(chain=()), board(holding()))

    assert paid(decisions) == []
    assert refused(decisions) == [(1, "COMMISSION", None, Reason.NO_OWNER)]


def test_nobody_earns_commission_on_their_own_order_or_that_of_their_household() -> None:
    own = sold(buyer=OWNER)
    kin = sold(
        buyer=Person(BUYER_ID, household=frozenset({"phone:1", "device:2"})),
        chain=(Person(OWNER_ID, 1, Standing.ACTIVE, frozenset({"phone:1"})),),
    )

    decisions = [decide(DEFAULT, one, board(holding())) for one in (own, kin)]

    assert [paid(one) for one in decisions] == [[], []]
    assert [one.refusals[0].reason for one in decisions] == [
        Reason.BENEFICIARY_IS_BUYER,
        Reason.HOUSEHOLD,
    ]


def test_a_level_that_the_plan_no_longer_has_earns_nothing() -> None:
    decisions = decide(DEFAULT, sold(), board(holding(level=4)))

    assert refused(decisions) == [(1, "COMMISSION", OWNER_ID, Reason.LEVEL_NOT_IN_PLAN)]


def test_lines_are_decided_one_by_one() -> None:
    rules = ShareholderRules(
        product_commissions={
            6: ProductCommission(excluded=True),
            7: ProductCommission(commissions_bp=(0, 2_000, 0)),
        }
    )
    lines = (
        Line(70, 5, 1_000),
        Line(71, 6, 1_000),
        Line(72, 7, 1_000),
        Line(73, 5, 1_000, distributable=False),
        Line(74, 5, 0),
        Line(75, 5, 12),
    )

    decisions = decide(rules, sold(*lines), board(holding()))

    assert [(a.line_id, a.amount_fen, a.rate_bp) for a in decisions.awards] == [
        (70, 80, 800),
        (72, 200, 2_000),
    ]
    assert [(r.line_id, r.reason) for r in decisions.refusals] == [
        (71, Reason.PRODUCT_EXCLUDED),
        (73, Reason.NOT_DISTRIBUTABLE),
        (74, Reason.ZERO_BASE),
        (75, Reason.ZERO_AMOUNT),
    ]


def test_why_a_line_pays_nobody_is_told_before_why_somebody_is_not_paid() -> None:
    rules = ShareholderRules(product_commissions={6: ProductCommission(excluded=True)})
    lines = (Line(70, 6, 0), Line(71, 6, 5, distributable=False), Line(72, 5, 0), Line(73, 5, 5))

    decisions = decide(rules, sold(*lines, chain=()), board())

    assert [(r.line_id, r.reason) for r in decisions.refusals] == [
        (70, Reason.PRODUCT_EXCLUDED),
        (71, Reason.NOT_DISTRIBUTABLE),
        (72, Reason.ZERO_BASE),
        (73, Reason.NO_OWNER),
    ]


def test_a_level_whose_rate_is_zero_is_told_so() -> None:
    rules = ShareholderRules(
        product_commissions={5: ProductCommission(commissions_bp=(500, 0, 500))}
    )

    decisions = decide(rules, sold(), board(holding()))

    assert refused(decisions) == [(1, "COMMISSION", OWNER_ID, Reason.ZERO_RATE)]


def test_a_rebate_goes_to_a_buyer_with_a_seat_besides_the_owners_commission() -> None:
    buyer = Person(BUYER_ID, 1, Standing.ACTIVE)

    decisions = decide(REBATE, sold(buyer=buyer), board(holding(), holding(BUYER_ID, level=1)))

    assert paid(decisions) == [
        (1, "COMMISSION", OWNER_ID, 3_184),
        (0, "REBATE", BUYER_ID, 3_184),
    ]


def test_a_holder_who_belongs_to_themselves_gets_the_rebate_alone() -> None:
    decisions = decide(REBATE, sold(buyer=OWNER), board(holding()))

    assert paid(decisions) == [(0, "REBATE", OWNER_ID, 3_184)]
    assert refused(decisions) == [(1, "COMMISSION", OWNER_ID, Reason.BENEFICIARY_IS_BUYER)]


def test_without_a_rebate_in_the_plan_a_holder_pays_like_anybody() -> None:
    buyer = Person(BUYER_ID, 1, Standing.ACTIVE)

    decisions = decide(DEFAULT, sold(buyer=buyer, chain=()), board(holding(BUYER_ID)))

    assert refused(decisions) == [(1, "COMMISSION", None, Reason.NO_OWNER)]


@pytest.mark.parametrize("state", [HoldingState.CANDIDATE, HoldingState.WAITING])
def test_a_rebate_is_no_matter_for_customers_who_never_had_a_seat(state: HoldingState) -> None:
    buyer = Person(BUYER_ID, 1, Standing.ACTIVE)
    before = board(holding(BUYER_ID, state=state))

    decisions = [decide(REBATE, sold(buyer=buyer), one) for one in (before, board())]

    assert [one.refusals[0].kind for one in decisions] == [AwardKind.COMMISSION] * 2
    assert [len(one.refusals) for one in decisions] == [1, 1]


@pytest.mark.parametrize(
    ("state", "reason"),
    [(HoldingState.EXPIRED, HoldingReason.EXPIRED), (HoldingState.LEFT, HoldingReason.LEFT)],
)
def test_a_former_holder_is_told_why_there_is_no_rebate(
    state: HoldingState, reason: HoldingReason
) -> None:
    buyer = Person(BUYER_ID, 1, Standing.ACTIVE)

    decisions = decide(REBATE, sold(buyer=buyer), board(holding(), holding(BUYER_ID, state=state)))

    assert paid(decisions) == [(1, "COMMISSION", OWNER_ID, 3_184)]
    assert refused(decisions) == [(0, "REBATE", BUYER_ID, reason)]


def test_the_cap_cuts_the_rebate_before_the_commission() -> None:
    buyer = Person(BUYER_ID, 1, Standing.ACTIVE)
    rules = ShareholderRules(rebate_bp=800, payout_cap_bp=1_000)

    decisions = decide(rules, sold(buyer=buyer), board(holding(), holding(BUYER_ID)))

    assert paid(decisions) == [(1, "COMMISSION", OWNER_ID, 3_184), (0, "REBATE", BUYER_ID, 796)]
    assert [award.capped_from_fen for award in decisions.awards] == [None, 3_184]
    assert [award.rate_bp for award in decisions.awards] == [800, 200]


def test_a_rebate_for_which_the_cap_leaves_nothing_is_refused() -> None:
    buyer = Person(BUYER_ID, 1, Standing.ACTIVE)
    rules = ShareholderRules(rebate_bp=800, payout_cap_bp=800)

    decisions = decide(rules, sold(buyer=buyer), board(holding(), holding(BUYER_ID)))

    assert paid(decisions) == [(1, "COMMISSION", OWNER_ID, 3_184)]
    assert refused(decisions) == [(0, "REBATE", BUYER_ID, Reason.CAPPED_OUT)]


def test_other_events_are_none_of_its_business() -> None:
    assert decide(DEFAULT, Joined(OWNER, None, NOON), board(holding())) == NOTHING


def test_facts_survive_json_and_name_nobody() -> None:
    decisions = decide(REBATE, sold(), board(holding()))

    facts = decisions.awards[0].explanation
    assert json.loads(json.dumps(facts)) == facts
    assert facts == {
        "schema": 1,
        "model": "SHARING_SHAREHOLDERS",
        "outcome": "AWARD",
        "kind": "COMMISSION",
        "order_id": 7,
        "store": STORE_ID,
        "line_id": LINE.line_id,
        "product_id": 5,
        "buyer_id": BUYER_ID,
        "owner_id": OWNER_ID,
        "beneficiary_id": OWNER_ID,
        "seat": 1,
        "level": 2,
        "level_code": "GOLD",
        "base_fen": 39_800,
        "is_product_rate": False,
        "plan_rate_bp": 800,
        "rate_bp": 800,
        "cap_bp": 3_000,
        "amount_fen": 3_184,
        "withheld_fen": 0,
    }
