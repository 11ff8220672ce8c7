"""What one person asks for happens when, and only when, another agrees."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.approvals import queries, services
from app.approvals.contract import Topic
from app.approvals.errors import (
    AlreadyAsked,
    ApprovalNotFound,
    ApprovalNotInState,
    MayNotAsk,
    MayNotDecide,
    NotYourRequest,
    OwnRequest,
    PayloadInvalid,
)
from app.approvals.kinds import KINDS
from app.approvals.models import Approval, ApprovalEvent, ApprovalState
from app.attribution import queries as attribution
from app.attribution import services as bindings
from app.attribution.errors import NoBindingInForce, OwnerRefused
from app.attribution.models import Binding
from app.kernel.audit import Actor, AuditRecord
from app.kernel.errors import DomainError
from app.members.errors import ReasonRequired
from app.members.models import Standing
from app.stores.permissions import Permission
from tests.factories.approvals import Case, as_actor, ask_transfer, make_case
from tests.factories.people import make_distributor, make_member, make_staff, make_store, make_team

WEEK = timedelta(days=7)
LATER = timedelta(hours=1)


@pytest.fixture
def case(session: Session) -> Case:
    return make_case(session)


def owner_of(session: Session, case: Case, at: datetime) -> int | None:
    binding = attribution.binding_in_force(session, case.customer.id, at=at)
    return binding.owner_id if binding else None


def approve(session: Session, row: Approval, case: Case, now: datetime, **more: Any) -> Approval:
    return services.approve(session, row.id, actor=as_actor(case.checker), now=now, **more)


def audited(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)))


def events(session: Session, row: Approval) -> list[tuple[ApprovalEvent, str]]:
    return [(one.event, one.actor) for one in queries.approval_steps(session, row.id)]


def test_asking_moves_nothing_and_notes_how_the_subject_stands(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)

    assert (row.state, row.expires_at) == (ApprovalState.REQUESTED, now + WEEK)
    assert row.facts == {
        "owner_id": case.owner.member_id,
        "owner_store_id": None,
        "binding_id": case.binding.id,
    }
    assert owner_of(session, case, now) == case.owner.member_id
    assert audited(session) == ["approval_asked"]


def test_a_colleague_who_agrees_makes_it_happen_in_the_name_of_both(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)

    done = approve(session, row, case, now + LATER, reason="checked by phone")

    assert (done.state, done.decided_by_id) == (ApprovalState.APPROVED, case.checker.id)
    assert done.decision_reason == "checked by phone"
    assert owner_of(session, case, now + LATER) == case.claimant.member_id
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "binding_transferred")
    ).one()
    assert record.actor_id == case.maker.id
    assert record.after["second_actor"] == f"staff:{case.checker.id}"
    assert audited(session) == ["approval_asked", "binding_transferred", "approval_approved"]
    assert events(session, row) == [
        (ApprovalEvent.ASK, f"staff:{case.maker.id}"),
        (ApprovalEvent.APPROVE, f"staff:{case.checker.id}"),
    ]


def test_nobody_decides_what_they_asked_for(session: Session, case: Case, now: datetime) -> None:
    row = ask_transfer(session, case, now=now)
    me = as_actor(case.maker)

    with pytest.raises(OwnRequest):
        services.approve(session, row.id, actor=me, now=now)
    with pytest.raises(OwnRequest):
        services.refuse(session, row.id, actor=me, reason="no", now=now)

    assert row.state is ApprovalState.REQUESTED
    assert owner_of(session, case, now) == case.owner.member_id


def test_the_database_too_keeps_maker_and_checker_apart(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)

    with pytest.raises(IntegrityError, match="ck_approvals_two_people"):
        session.execute(
            sa.update(Approval)
            .where(Approval.id == row.id)
            .values(state="approved", decided_by_id=case.maker.id, ended_at=now)
        )


@pytest.mark.parametrize("column", ["payload", "facts", "reason", "asked_by_id", "kind"])
def test_the_database_lets_nobody_change_what_was_asked(
    session: Session, case: Case, now: datetime, column: str
) -> None:
    row = ask_transfer(session, case, now=now)
    values: dict[str, Any] = {
        "payload": {"owner_id": 1},
        "facts": {},
        "reason": "another",
        "asked_by_id": case.checker.id,
        "kind": "binding_end",
    }

    with pytest.raises(IntegrityError, match="rows of approvals are never changed"):
        session.execute(
            sa.update(Approval).where(Approval.id == row.id).values({column: values[column]})
        )


@pytest.mark.parametrize("role", ["finance", "store_manager", "front_desk", "auditor"])
def test_whoever_may_not_decide_the_matter_may_neither_ask_nor_agree(
    session: Session, case: Case, now: datetime, role: str
) -> None:
    row = ask_transfer(session, case, now=now)
    outsider = as_actor(make_staff(session, role))

    with pytest.raises(MayNotDecide):
        services.approve(session, row.id, actor=outsider, now=now)
    with pytest.raises(MayNotDecide):
        services.refuse(session, row.id, actor=outsider, reason="no", now=now)
    with pytest.raises(MayNotAsk):
        services.ask(
            session, "binding_end", Topic(case.customer.id), actor=outsider, reason="x", now=now
        )

    assert row.state is ApprovalState.REQUESTED


def test_a_colleague_decides_requests_of_their_own_stores_only(
    session: Session, now: datetime
) -> None:
    here, there = make_store(session), make_store(session)
    row = ask_transfer(session, make_case(session, store=here), now=now)
    foreign = as_actor(make_staff(session, "operations", stores=[there]))
    colleague = as_actor(make_staff(session, "operations", stores=[here, there]))

    with pytest.raises(MayNotDecide):
        services.approve(session, row.id, actor=foreign, now=now)
    services.approve(session, row.id, actor=colleague, now=now)

    assert row.state is ApprovalState.APPROVED


def test_a_request_of_the_brand_is_not_for_staff_of_a_store(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)
    of_store = as_actor(make_staff(session, "operations", stores=[make_store(session)]))

    with pytest.raises(MayNotDecide):
        services.approve(session, row.id, actor=of_store, now=now)

    assert row.state is ApprovalState.REQUESTED


@pytest.mark.parametrize("actor", [Actor("system"), Actor("member", 1), Actor("staff")], ids=str)
def test_only_known_staff_ask_and_decide(
    session: Session, case: Case, now: datetime, actor: Actor
) -> None:
    row = ask_transfer(session, case, now=now)

    with pytest.raises(MayNotDecide):
        services.approve(session, row.id, actor=actor, now=now)
    with pytest.raises(NotYourRequest):
        services.withdraw(session, row.id, actor=actor, now=now)
    with pytest.raises(MayNotAsk):
        services.ask(
            session, "binding_end", Topic(case.customer.id), actor=actor, reason="x", now=now
        )


def test_where_the_subject_changed_meanwhile_the_request_is_void_and_shows_both(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)
    third = make_distributor(session)
    bindings.transfer_binding(
        session,
        customer_id=case.customer.id,
        to_owner_id=third.member_id,
        actor=as_actor(case.maker),
        second_actor=as_actor(case.checker),
        reason="at the desk",
        now=now + LATER,
    )

    done = approve(session, row, case, now + 2 * LATER)

    assert (done.state, done.decided_by_id) == (ApprovalState.VOID, None)
    assert done.facts["owner_id"] == case.owner.member_id
    assert done.facts_found is not None
    assert done.facts_found["owner_id"] == third.member_id
    assert owner_of(session, case, now + 2 * LATER) == third.member_id
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "approval_void")
    ).one()
    assert record.before["facts"]["owner_id"] == case.owner.member_id
    assert record.after["facts"]["owner_id"] == third.member_id


def test_a_change_by_somebody_whose_clock_runs_ahead_counts_as_well(
    session: Session, case: Case, now: datetime
) -> None:
    """Their step stands after our `now`, as when their transaction overtook ours."""
    row = ask_transfer(session, case, now=now)
    third = make_distributor(session)
    bindings.transfer_binding(
        session,
        customer_id=case.customer.id,
        to_owner_id=third.member_id,
        actor=as_actor(case.maker),
        second_actor=as_actor(case.checker),
        reason="at the desk",
        now=now + 3 * LATER,
    )

    done = approve(session, row, case, now + LATER)

    assert done.state is ApprovalState.VOID
    assert owner_of(session, case, now + 4 * LATER) == third.member_id


def test_a_renewal_by_the_same_owner_leaves_the_request_in_force(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)
    case.binding.valid_until_at += WEEK
    session.flush()

    assert approve(session, row, case, now + LATER).state is ApprovalState.APPROVED


def test_a_request_of_somebody_disabled_meanwhile_is_void(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)
    case.maker.active = False
    session.flush()

    done = approve(session, row, case, now + LATER)

    assert (done.state, done.facts_found) == (ApprovalState.VOID, None)
    assert owner_of(session, case, now + LATER) == case.owner.member_id


def test_a_request_of_somebody_who_lost_the_right_is_void(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)
    case.maker.roles = []
    session.flush()

    assert approve(session, row, case, now + LATER).state is ApprovalState.VOID


def test_after_a_week_nobody_can_agree_any_more(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)

    done = approve(session, row, case, now + WEEK)

    assert done.state is ApprovalState.EXPIRED
    assert owner_of(session, case, now + WEEK) == case.owner.member_id


def test_what_the_service_refuses_leaves_the_request_waiting(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)
    case.claimant.standing = Standing.FROZEN
    session.flush()

    with pytest.raises(OwnerRefused), session.begin_nested():
        approve(session, row, case, now + LATER)

    session.refresh(row)
    assert row.state is ApprovalState.REQUESTED
    assert owner_of(session, case, now + LATER) == case.owner.member_id


def test_refusing_needs_a_reason_and_moves_nothing(
    session: Session, case: Case, now: datetime
) -> None:
    row = ask_transfer(session, case, now=now)
    colleague = as_actor(case.checker)

    with pytest.raises(ReasonRequired):
        services.refuse(session, row.id, actor=colleague, reason="  ", now=now)
    services.refuse(session, row.id, actor=colleague, reason="no proof", now=now)

    assert (row.state, row.decision_reason) == (ApprovalState.REFUSED, "no proof")
    assert owner_of(session, case, now) == case.owner.member_id
    assert audited(session) == ["approval_asked", "approval_refused"]


def test_only_the_one_who_asked_takes_it_back(session: Session, case: Case, now: datetime) -> None:
    row = ask_transfer(session, case, now=now)

    with pytest.raises(NotYourRequest):
        services.withdraw(session, row.id, actor=as_actor(case.checker), now=now)
    services.withdraw(session, row.id, actor=as_actor(case.maker), now=now)

    assert (row.state, row.decided_by_id) == (ApprovalState.WITHDRAWN, None)


def test_what_has_ended_is_decided_by_nobody(session: Session, case: Case, now: datetime) -> None:
    row = ask_transfer(session, case, now=now)
    services.withdraw(session, row.id, actor=as_actor(case.maker), now=now)

    with pytest.raises(ApprovalNotInState):
        approve(session, row, case, now)
    with pytest.raises(ApprovalNotInState):
        services.refuse(session, row.id, actor=as_actor(case.checker), reason="no", now=now)
    with pytest.raises(ApprovalNotFound):
        services.approve(session, 999_999, actor=as_actor(case.checker), now=now)


def test_the_same_is_asked_for_once_at_a_time(session: Session, case: Case, now: datetime) -> None:
    row = ask_transfer(session, case, now=now)

    with pytest.raises(AlreadyAsked) as refused:
        ask_transfer(session, case, now=now)
    services.withdraw(session, row.id, actor=as_actor(case.maker), now=now)

    assert refused.value.approval_id == row.id
    assert ask_transfer(session, case, now=now).id != row.id


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"owner_id": None, "owner_store_id": None},
        {"owner_id": 1, "owner_store_id": 2},
        {"owner_id": "1", "owner_store_id": None},
        {"owner_id": True, "owner_store_id": None},
        {"owner_id": 1, "owner_store_id": None, "state": "locked"},
    ],
    ids=str,
)
def test_what_is_asked_for_holds_just_its_values(
    session: Session, case: Case, now: datetime, payload: dict[str, Any]
) -> None:
    with pytest.raises(PayloadInvalid):
        services.ask(
            session,
            "binding_transfer",
            Topic(case.customer.id, payload),
            actor=as_actor(case.maker),
            reason="why not",
            now=now,
        )

    assert session.scalars(sa.select(Approval)).all() == []


def test_what_could_not_be_done_now_is_not_asked_for(
    session: Session, case: Case, now: datetime
) -> None:
    free, me = make_member(session), as_actor(case.maker)
    same = {"owner_id": case.owner.member_id, "owner_store_id": None}
    attempts: list[tuple[type[DomainError], str, Topic, str]] = [
        (NoBindingInForce, "binding_end", Topic(free.id), "because"),
        (OwnerRefused, "binding_transfer", Topic(case.customer.id, same), "because"),
        (ReasonRequired, "binding_end", Topic(case.customer.id), " "),
        (PayloadInvalid, "binding_end", Topic(None), "because"),
    ]

    for error, kind, topic, reason in attempts:
        with pytest.raises(error):
            services.ask(session, kind, topic, actor=me, reason=reason, now=now)

    assert session.scalars(sa.select(Approval)).all() == []


def test_ending_a_binding_gives_the_customer_back_to_the_brand(
    session: Session, case: Case, now: datetime
) -> None:
    row = services.ask(
        session,
        "binding_end",
        Topic(case.customer.id),
        actor=as_actor(case.maker),
        reason="owner left",
        now=now,
    )

    approve(session, row, case, now + LATER)

    assert owner_of(session, case, now + LATER) is None


def test_a_customer_can_be_handed_over_to_a_store(
    session: Session, case: Case, now: datetime
) -> None:
    store = make_store(session)
    payload = {"owner_id": None, "owner_store_id": store.id}
    row = services.ask(
        session,
        "binding_transfer",
        Topic(case.customer.id, payload),
        actor=as_actor(case.maker),
        reason="walk-in",
        now=now,
    )

    approve(session, row, case, now + LATER)

    owners = session.execute(
        sa.select(Binding.owner_id, Binding.owner_store_id)
        .where(Binding.customer_id == case.customer.id)
        .order_by(Binding.id)
    ).all()
    assert [tuple(one) for one in owners] == [(case.owner.member_id, None), (None, store.id)]


def test_a_distributor_moves_when_a_colleague_agrees(
    session: Session, case: Case, now: datetime
) -> None:
    top, below = make_team(session, 2)
    row = services.ask(
        session,
        "recommender_move",
        Topic(below.member_id, {"recommender_id": None}),
        actor=as_actor(case.maker),
        reason="wrong code",
        now=now,
    )
    assert row.facts == {"recommender_id": top.member_id}

    approve(session, row, case, now + LATER)

    session.refresh(below)
    assert below.recommender_id is None


def test_every_kind_is_decided_by_roles_that_see_it() -> None:
    for kind in KINDS.values():
        assert {kind.ask, kind.decide, kind.view} <= set(Permission)
        assert kind.view.value.endswith(".view")


def test_a_distributor_gets_the_level_when_a_colleague_agrees(
    session: Session, case: Case, now: datetime
) -> None:
    row = make_distributor(session)
    with pytest.raises(DomainError):
        services.ask(
            session,
            "level_by_hand",
            Topic(row.member_id, {"level": row.level}),
            actor=as_actor(case.maker),
            reason="as it is",
            now=now,
        )

    assert session.scalars(sa.select(Approval)).all() == []
