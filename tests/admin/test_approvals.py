"""Asking a colleague at another desk, and deciding what waits there."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.approvals.models import Approval, ApprovalState
from app.attribution import services as bindings
from app.attribution.models import Binding
from app.kernel.audit import AuditRecord
from app.members.models import Distributor
from tests.admin.conftest import Desk
from tests.factories.approvals import Case, as_actor, ask_transfer, make_case
from tests.factories.people import make_distributor, make_member, make_store, make_team

TODAY = datetime.now(UTC)
ASKED = {"way": "ask", "reason": "she moved to our city"}


@pytest.fixture
def case(session: Session) -> Case:
    return make_case(session, name="Contested customer")


def owners(session: Session, case: Case) -> list[int | None]:
    session.expire_all()
    query = sa.select(Binding.owner_id).where(Binding.customer_id == case.customer.id)
    return list(session.scalars(query.order_by(Binding.id)))


def the_request(session: Session) -> Approval:
    session.expire_all()
    return session.scalars(sa.select(Approval)).one()


def test_a_transfer_can_wait_for_a_colleague_without_their_password(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down(staff=case.maker)

    answer = desk.post(
        "/members/form/transfer/",
        ASKED | {"to_owner_id": str(case.claimant.member_id)},
        query_string={"id": case.customer.id},
    )

    row = the_request(session)
    assert answer.headers["Location"] == f"/admin/approvals/details/?id={row.id}"
    assert (row.kind, row.asked_by_id, row.state) == (
        "binding_transfer",
        case.maker.id,
        ApprovalState.REQUESTED,
    )
    assert owners(session, case) == [case.owner.member_id]
    assert desk.flashes() == [
        "Nothing has changed yet: the request waits until a colleague decides it."
    ]


def test_the_colleague_finds_it_reads_it_and_agrees(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    row = ask_transfer(session, case, now=TODAY, reason="she moved to our city")
    desk = sit_down(staff=case.checker)

    inbox = desk.get("/approvals/", inbox="mine").get_data(as_text=True)
    page = desk.get("/approvals/details/", id=row.id).get_data(as_text=True)
    desk.decide("approvals", "approve", row.id, note="spoke with both")

    assert "she moved to our city" in inbox
    assert '<span class="nav-count">1<' in inbox
    assert "Contested customer" in page
    assert "Hand a customer over" in page
    assert "When it was asked" in page
    assert 'value="approve"' in page
    assert owners(session, case) == [case.owner.member_id, case.claimant.member_id]
    done = the_request(session)
    assert (done.state, done.decision_reason) == (ApprovalState.APPROVED, "spoke with both")
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "binding_transferred")
    ).one()
    assert record.request_id
    assert record.actor_id == case.maker.id
    assert record.after["second_actor"] == f"staff:{case.checker.id}"
    assert "nav-count" not in desk.get("/approvals/").get_data(as_text=True)


def test_the_asker_is_offered_to_withdraw_and_nothing_else(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    row = ask_transfer(session, case, now=TODAY)
    desk = sit_down(staff=case.maker)

    page = desk.get("/approvals/details/", id=row.id).get_data(as_text=True)
    desk.decide("approvals", "approve", row.id)
    desk.decide("approvals", "refuse", row.id, reason="changed my mind")
    refused = desk.flashes()

    assert 'value="withdraw"' in page
    assert 'value="approve"' not in page
    assert len(refused) == 2
    assert all("You asked for this yourself" in one for one in refused)
    assert the_request(session).state is ApprovalState.REQUESTED
    desk.decide("approvals", "withdraw", row.id)
    assert the_request(session).state is ApprovalState.WITHDRAWN
    assert owners(session, case) == [case.owner.member_id]


def test_whoever_may_see_but_not_decide_is_offered_nothing_and_refused(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    row = ask_transfer(session, case, now=TODAY)
    auditor = sit_down("auditor")

    page = auditor.get("/approvals/details/", id=row.id).get_data(as_text=True)
    auditor.decide("approvals", "approve", row.id)

    assert 'name="action"' not in page
    assert "You may not decide this request." in auditor.flashes()[0]
    assert the_request(session).state is ApprovalState.REQUESTED


def test_a_stale_request_is_refused_and_its_page_shows_both_values(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    row = ask_transfer(session, case, now=TODAY)
    third = make_distributor(session, make_member(session, nickname="Third seller"))
    bindings.transfer_binding(
        session,
        customer_id=case.customer.id,
        to_owner_id=third.member_id,
        actor=as_actor(case.maker),
        second_actor=as_actor(case.checker),
        reason="at the desk",
        now=TODAY,
    )
    desk = sit_down(staff=case.checker)

    desk.decide("approvals", "approve", row.id)
    told = desk.flashes()
    page = desk.get("/approvals/details/", id=row.id).get_data(as_text=True)

    assert "What it is about has changed meanwhile; its page shows both values." in told[0]
    assert the_request(session).state is ApprovalState.VOID
    assert owners(session, case) == [case.owner.member_id, third.member_id]
    assert "What had changed meanwhile" in page
    assert "Third seller" in page


def test_a_request_of_another_store_is_as_good_as_none(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    row = ask_transfer(session, make_case(session, store=there), now=TODAY, reason="far away")
    desk = sit_down("operations", here)

    assert desk.get("/approvals/details/", id=row.id).status_code == 404
    assert desk.decide("approvals", "approve", row.id).status_code == 404
    assert "far away" not in desk.get("/approvals/").get_data(as_text=True)
    assert the_request(session).state is ApprovalState.REQUESTED


def test_the_list_offers_no_decision_without_reading(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    ask_transfer(session, case, now=TODAY)

    page = sit_down(staff=case.checker).get("/approvals/").get_data(as_text=True)

    assert "she moved to our city" in page
    assert 'name="rowid"' not in page


def test_the_three_tabs_part_what_waits_what_i_asked_and_what_is_decided(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    row = ask_transfer(session, case, now=TODAY, reason="needle")
    maker, checker = sit_down(staff=case.maker), sit_down(staff=case.checker)

    def shown(desk: Desk) -> list[bool]:
        pages = (desk.get("/approvals/", inbox=tab) for tab in ("mine", "asked", "decided"))
        return ["needle" in page.get_data(as_text=True) for page in pages]

    before = (shown(maker), shown(checker))
    checker.decide("approvals", "refuse", row.id, reason="no proof")

    assert before == ([False, True, False], [True, False, False])
    assert (shown(maker), shown(checker)) == ([False, True, True], [False, False, True])


def test_the_same_request_twice_is_told_as_such(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    row = ask_transfer(session, case, now=TODAY)
    desk = sit_down(staff=case.maker)

    page = desk.post(
        "/members/form/transfer/",
        ASKED | {"to_owner_id": str(case.claimant.member_id)},
        query_string={"id": case.customer.id},
    ).get_data(as_text=True)

    assert f"A request about this is waiting already: no. {row.id}." in page
    assert the_request(session).id == row.id


def test_deciding_together_still_needs_the_second_person(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down(staff=case.maker)

    page = desk.post(
        "/members/form/transfer/",
        {"way": "together", "reason": "because", "to_owner_id": str(case.claimant.member_id)},
        query_string={"id": case.customer.id},
    ).get_data(as_text=True)

    for name in ("email", "password", "code"):
        assert f'id="second_{name}-errors"' in page
    assert owners(session, case) == [case.owner.member_id]
    assert session.scalars(sa.select(Approval)).all() == []


def test_asking_needs_a_reason_and_a_known_way(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down(staff=case.maker)
    target = {"to_owner_id": str(case.claimant.member_id)}

    for fields in ({"way": "ask", "reason": ""}, {"way": "alone", "reason": "because"}):
        answer = desk.post(
            "/members/form/transfer/", target | fields, query_string={"id": case.customer.id}
        )
        assert answer.status_code == 200

    assert session.scalars(sa.select(Approval)).all() == []


def test_a_distributor_is_moved_when_a_colleague_agrees(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    _top, below = make_team(session, 2)
    sit_down(staff=case.maker).post(
        "/distributors/form/move/",
        ASKED | {"to_member_id": str(case.claimant.member_id)},
        query_string={"id": below.member_id},
    )
    row = the_request(session)

    sit_down(staff=case.checker).decide("approvals", "approve", row.id)

    parent = sa.select(Distributor.recommender_id).where(Distributor.member_id == below.member_id)
    assert session.scalar(parent) == case.claimant.member_id


def test_ending_a_binding_can_wait_for_a_colleague(
    session: Session, case: Case, sit_down: Callable[..., Desk]
) -> None:
    sit_down(staff=case.maker).post(
        "/members/form/end-binding/", ASKED, query_string={"id": case.customer.id}
    )

    row = the_request(session)
    page = sit_down(staff=case.checker).get("/approvals/details/", id=row.id)

    assert row.kind == "binding_end"
    assert "The brand" in page.get_data(as_text=True)
