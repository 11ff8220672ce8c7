"""What staff decide really happens, once, through the services, with a trail."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import AuditRecord
from app.kernel.outbox import Task
from app.members.models import Distributor, Standing
from app.orders.models import Order, Refund
from app.orders.states import OrderState, RefundState
from app.payouts.models import Payout
from app.payouts.states import PayoutState
from app.settings import Settings
from app.stores.models import Staff
from tests.admin.conftest import Desk
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import make_earner, make_payout
from tests.factories.people import make_distributor, make_share_code, make_staff, make_store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fresh(session: Session, row: Any) -> Any:
    session.expire_all()
    return session.get_one(type(row), sa.inspect(row).identity)


def trail(session: Session, desk: Desk) -> list[str]:
    """Return what the audit trail knows of a desk."""
    query = sa.select(AuditRecord.action).where(AuditRecord.actor_id == desk.staff_id)
    return list(session.scalars(query.order_by(AuditRecord.id)))


@pytest.mark.parametrize(
    ("before", "decision", "fields", "after"),
    [
        (Standing.APPLIED, "approve", {}, Standing.ACTIVE),
        (Standing.APPLIED, "refuse", {"reason": "no answer"}, Standing.REFUSED),
        (Standing.ACTIVE, "freeze", {"reason": "complaint"}, Standing.FROZEN),
        (Standing.FROZEN, "unfreeze", {"reason": "cleared"}, Standing.ACTIVE),
    ],
)
def test_a_distributor_is_decided_about(
    session: Session,
    sit_down: Callable[..., Desk],
    before: Standing,
    decision: str,
    fields: dict[str, str],
    after: Standing,
) -> None:
    row = make_distributor(session, standing=before)
    desk = sit_down("operations")

    desk.decide("distributors", decision, row.member_id, **fields)

    assert fresh(session, row).standing is after
    [action] = trail(session, desk)
    assert action.startswith("distributor_")


def test_a_decision_that_needs_a_reason_waits_for_one(session: Session, owner: Desk) -> None:
    row = make_distributor(session, standing=Standing.ACTIVE)
    session.commit()

    answer = owner.decide("distributors", "freeze", row.member_id, reason=" ")

    assert answer.status_code == 200
    assert 'id="reason-errors"' in answer.get_data(as_text=True)
    assert fresh(session, row).standing is Standing.ACTIVE


def test_a_small_payout_needs_one_person(
    session: Session, settings: Settings, sit_down: Callable[..., Desk]
) -> None:
    payout = make_payout(session, make_earner(session, 5_000), 2_000, settings=settings)
    desk = sit_down("finance")

    desk.decide("payouts", "approve", payout.id)

    row: Payout = fresh(session, payout)
    assert row.state is PayoutState.APPROVED
    assert row.first_approver_id == desk.staff_id
    assert trail(session, desk) == ["payout.approved"]


def test_a_large_payout_needs_a_second_person(
    session: Session, settings: Settings, sit_down: Callable[..., Desk]
) -> None:
    payout = make_payout(session, make_earner(session, 60_000), 60_000, settings=settings)
    first, second = sit_down("finance"), sit_down("finance")

    first.decide("payouts", "approve", payout.id)
    first.decide("payouts", "approve", payout.id)
    assert fresh(session, payout).state is PayoutState.APPROVED_ONCE
    told = first.flashes()
    second.decide("payouts", "approve", payout.id)

    row: Payout = fresh(session, payout)
    assert row.state is PayoutState.APPROVED
    assert (row.first_approver_id, row.second_approver_id) == (first.staff_id, second.staff_id)
    assert any(payout.number in text for text in told)


def test_a_rejected_payout_tells_why(
    session: Session, settings: Settings, sit_down: Callable[..., Desk]
) -> None:
    payout = make_payout(session, make_earner(session, 5_000), 2_000, settings=settings)
    desk = sit_down("finance")

    desk.decide("payouts", "reject", payout.id, reason="name does not match")

    assert fresh(session, payout).state is PayoutState.REJECTED
    page = desk.get("/payouts/details/", id=payout.id).get_data(as_text=True)
    assert "name does not match" in page


def test_several_payouts_are_confirmed_with_their_sum(
    session: Session, settings: Settings, sit_down: Callable[..., Desk]
) -> None:
    payouts = [
        make_payout(session, make_earner(session, 5_000), fen, settings=settings)
        for fen in (2_000, 1_234)
    ]
    desk = sit_down("finance")

    page = desk.post(
        "/payouts/action/", {"action": "approve", "rowid": [one.id for one in payouts]}
    ).get_data(as_text=True)

    assert '<strong class="money">¥32.34</strong>' in page
    assert all(one.number in page for one in payouts)


def test_an_order_is_handed_over(session: Session, sit_down: Callable[..., Desk]) -> None:
    store = make_store(session)
    order = make_order(session, store=store, state=OrderState.PAID)
    desk = sit_down("front_desk", store)

    desk.decide("orders", "complete", order.id)

    row: Order = fresh(session, order)
    assert row.state is OrderState.COMPLETED
    assert row.after_sale_until_at is not None
    assert trail(session, desk) == ["order_completed"]


def test_what_the_core_refuses_is_told_in_words(session: Session, owner: Desk) -> None:
    order = make_order(session, state=OrderState.CLOSED)
    session.commit()

    owner.decide("orders", "complete", order.id)

    assert fresh(session, order).state is OrderState.CLOSED
    assert owner.flashes() == [f"{order.number}: This cannot be done: the order is Closed."]


@pytest.mark.parametrize(
    ("decision", "fields", "state"),
    [
        ("approve", {"returns_stock": "y"}, RefundState.APPROVED),
        ("reject", {"reason": "used up"}, RefundState.REJECTED),
    ],
)
def test_a_refund_is_decided_about(
    session: Session,
    sit_down: Callable[..., Desk],
    decision: str,
    fields: dict[str, str],
    state: RefundState,
) -> None:
    order = make_order(session, state=OrderState.COMPLETED)
    refund = make_refund(session, order, state=RefundState.REQUESTED)
    desk = sit_down("finance")

    desk.decide("refunds", decision, refund.id, **fields)

    row: Refund = fresh(session, refund)
    assert row.state is state
    assert row.returns_stock is (decision == "approve")


def test_a_share_code_is_revoked_and_replaced(session: Session, owner: Desk) -> None:
    gone, replaced = make_share_code(session), make_share_code(session)
    session.commit()

    owner.decide("share_codes", "revoke", gone.id)
    owner.decide("share_codes", "regenerate", replaced.id)

    assert fresh(session, gone).revoked_at is not None
    assert fresh(session, replaced).revoked_at is not None
    assert trail(session, owner).count("share_code_revoked") == 2


def test_a_quarantined_task_is_tried_again(session: Session, sit_down: Callable[..., Desk]) -> None:
    task = Task(
        job="award_orders",
        subject_id=1,
        created_at=NOON,
        due_at=NOON,
        attempts=8,
        last_error="broken",
        quarantined_at=NOON,
    )
    session.add(task)
    desk = sit_down("operations")

    desk.decide("tasks", "retry", task.id)

    row: Task = fresh(session, task)
    assert (row.quarantined_at, row.attempts) == (None, 0)
    assert trail(session, desk) == ["task_retried"]


def test_a_disabled_colleague_is_out_at_once(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    colleague = make_staff(session, "finance")
    desk = sit_down(staff=colleague)
    assert desk.get("/").status_code == 200

    owner.decide("staff", "disable", colleague.id, reason="left the brand")

    assert desk.get("/").status_code == 302
    row: Staff = fresh(session, colleague)
    assert row.active is False


def test_sessions_of_a_colleague_can_be_ended(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    colleague = make_staff(session, "finance")
    desk = sit_down(staff=colleague)

    owner.decide("staff", "sign-out", colleague.id)

    assert desk.get("/").status_code == 302


def test_the_last_owner_stays(session: Session, owner: Desk) -> None:
    assert owner.staff_id is not None
    owner.decide("staff", "disable", owner.staff_id, reason="tired")

    assert session.get_one(Staff, owner.staff_id).active is True
    assert any("last active owner" in text for text in owner.flashes())


def test_everything_decided_carries_the_number_of_its_request(
    session: Session, owner: Desk
) -> None:
    row = make_distributor(session, standing=Standing.APPLIED)
    session.commit()

    answer = owner.decide("distributors", "approve", row.member_id)

    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "distributor_approved")
    ).one()
    assert record.request_id == answer.headers["X-Request-Id"]
    assert isinstance(session.get_one(Distributor, row.member_id), Distributor)
