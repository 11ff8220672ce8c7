"""From which figures on something is suspected: one below the threshold never is."""

import pytest

from app.risk.rules import (
    FrozenAbove,
    Pair,
    Returns,
    Sharing,
    Speed,
    Suspicion,
    Thresholds,
    ids_in,
    suspicions,
)
from app.risk.states import FlagEvent, FlagState, RiskKind, after_flag

BY = Thresholds(
    binds_hour=5,
    binds_day=20,
    shared_people=3,
    unpaid_device_people=4,
    refund_bp=3_000,
    refund_orders_min=10,
    pair_orders=2,
)


def kinds(*figures: object) -> list[RiskKind]:
    return [one.kind for one in suspicions(figures, BY)]  # type: ignore[arg-type]


def sharing(
    what: str, buyers: int = 0, never_paid: int = 0, *, with_owner: bool = False
) -> Sharing:
    return Sharing(
        owner_id=1,
        what=what,
        buyers=tuple(range(10, 10 + buyers)),
        never_paid=tuple(range(50, 50 + never_paid)),
        with_owner=with_owner,
    )


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Speed(owner_id=1, hour=4, day=19, binding_ids=(1,)), []),
        (Speed(owner_id=1, hour=5, day=5, binding_ids=(1,)), [RiskKind.BIND_RATE]),
        (Speed(owner_id=1, hour=1, day=20, binding_ids=(1,)), [RiskKind.BIND_RATE]),
        (Returns(owner_id=1, orders=9, refunded_ids=tuple(range(9))), []),
        (Returns(owner_id=1, orders=10, refunded_ids=(1, 2)), []),
        (Returns(owner_id=1, orders=10, refunded_ids=(1, 2, 3)), [RiskKind.REFUND_RATE]),
        (sharing("phone", buyers=2), []),
        (sharing("phone", buyers=3), [RiskKind.SHARED_IDENTITY]),
        (sharing("payer", buyers=1, with_owner=True), [RiskKind.SHARED_IDENTITY]),
        (sharing("device", never_paid=1, with_owner=True), []),
        (sharing("device", never_paid=3), []),
        (sharing("device", never_paid=4), [RiskKind.UNPAID_DEVICE]),
        (sharing("phone", never_paid=9), []),
        (Pair(owner_id=1, other_id=2, order_ids=(1, 2), other_order_ids=(3,)), []),
        (
            Pair(owner_id=1, other_id=2, order_ids=(1, 2), other_order_ids=(3, 4)),
            [RiskKind.PAIR],
        ),
        (FrozenAbove(owner_id=1, recommender_id=9), [RiskKind.FROZEN_ABOVE]),
    ],
)
def test_a_pattern_is_suspicious_from_its_threshold_on(
    figure: object, expected: list[RiskKind]
) -> None:
    assert kinds(figure) == expected


def test_figures_of_one_kind_become_one_suspicion_with_all_their_evidence() -> None:
    found = suspicions(
        [sharing("phone", buyers=3), sharing("device", buyers=4), sharing("payer", buyers=1)], BY
    )

    assert found == [
        Suspicion(
            1,
            RiskKind.SHARED_IDENTITY,
            {
                "what": ["device", "phone"],
                "with_owner": False,
                "members": [10, 11, 12, 13],
                "people": 4,
            },
        )
    ]


def test_only_having_been_brought_by_somebody_frozen_holds_no_money() -> None:
    held = {kind: Suspicion(1, kind, {}).holds_payouts for kind in RiskKind}

    assert [kind for kind, holds in held.items() if not holds] == [RiskKind.FROZEN_ABOVE]


def test_evidence_names_at_most_a_hundred_rows_of_a_kind_and_tells_how_many_there_are() -> None:
    (found,) = suspicions([sharing("phone", buyers=300)], BY)

    assert len(found.evidence["members"]) == 100
    assert found.evidence["people"] == 300


def test_rows_of_different_kinds_with_one_number_are_different_evidence() -> None:
    assert ids_in({"members": [7], "orders": [7]}) == {("members", 7), ("orders", 7)}


@pytest.mark.parametrize("state", list(FlagState))
@pytest.mark.parametrize("event", list(FlagEvent))
def test_what_was_let_go_or_expired_stays_so(state: FlagState, event: FlagEvent) -> None:
    ended = state in {FlagState.RELEASED, FlagState.EXPIRED}

    assert not ended or after_flag(state, event) is None
