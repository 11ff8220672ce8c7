"""A distributor contests who owns a customer they have had to do with, and watches it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import disputes
from app.attribution.dispute_models import OwnershipDispute
from app.kernel.audit import AuditRecord
from app.members.models import Distributor, Member, Standing
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.approvals import FOREVER, as_actor
from tests.factories.people import make_binding, make_distributor, make_member, make_staff

CLAIM = "她是我先带来的，微信记录可以证明。"
PATH = "/distributor/disputes"


@pytest.fixture
def claimant(session: Session) -> Distributor:
    return make_distributor(session)


@pytest.fixture
def lost(session: Session, claimant: Distributor) -> Member:
    """A customer who was the claimant's until yesterday and is somebody else's now."""
    customer, yesterday = make_member(session), datetime.now(UTC) - timedelta(days=1)
    make_binding(
        session,
        customer=customer,
        owner=claimant,
        valid_from_at=yesterday - timedelta(days=30),
        valid_until_at=yesterday,
    )
    make_binding(session, customer=customer, valid_from_at=yesterday, valid_until_at=FOREVER)
    return customer


def test_a_claim_is_opened_once_and_listed(
    session: Session, phone_of: Callable[..., Phone], claimant: Distributor, lost: Member
) -> None:
    phone, key = phone_of(claimant), new_key()
    body = {"customer_id": lost.id, "claim": CLAIM}

    first = phone.post(PATH, body, key=key)
    with nothing_moves(session):
        again = phone.post(PATH, body, key=key)
        second = phone.post(PATH, body, key=new_key())
    listed = phone.get(PATH).get_json()["items"]

    shown = first.get_json()
    assert (first.status_code, shown["state"], shown["claim"]) == (201, "open", CLAIM)
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert_problem(second, 409, "dispute_open_already")
    assert listed == [shown]
    row = session.scalars(sa.select(OwnershipDispute)).one()
    assert row.opened_by == f"member:{claimant.member_id}"
    record = session.scalars(sa.select(AuditRecord)).one()
    assert (record.action, record.actor_kind) == ("dispute_opened", "member")


def test_the_decision_and_its_reason_are_told(
    session: Session, phone_of: Callable[..., Phone], claimant: Distributor, lost: Member
) -> None:
    phone = phone_of(claimant)
    shown = phone.post(PATH, {"customer_id": lost.id, "claim": CLAIM}, key=new_key()).get_json()
    disputes.dismiss_dispute(
        session,
        shown["id"],
        actor=as_actor(make_staff(session, "operations")),
        reason="the binding had lapsed",
        now=datetime.now(UTC),
    )
    session.commit()

    (told,) = phone.get(PATH).get_json()["items"]

    assert (told["state"], told["decision_reason"]) == ("dismissed", "the binding had lapsed")


def test_whom_one_never_met_is_as_good_as_nobody(
    session: Session, phone_of: Callable[..., Phone], claimant: Distributor
) -> None:
    foreign = make_binding(session, valid_until_at=FOREVER).customer_id
    phone = phone_of(claimant)

    with nothing_moves(session):
        answers = [
            phone.post(PATH, {"customer_id": one, "claim": CLAIM}, key=new_key())
            for one in (foreign, 999_999_999)
        ]

    for answer in answers:
        assert_problem(answer, 404, "member_not_found")
    first, second = (one.get_json() for one in answers)
    assert first["detail"] == second["detail"]


def test_disputes_of_others_are_not_listed(
    session: Session, phone_of: Callable[..., Phone], claimant: Distributor, lost: Member
) -> None:
    phone_of(claimant).post(PATH, {"customer_id": lost.id, "claim": CLAIM}, key=new_key())

    assert phone_of(make_distributor(session)).get(PATH).get_json()["items"] == []


def test_only_active_distributors_claim(
    session: Session, phone_of: Callable[..., Phone], lost: Member
) -> None:
    frozen = make_distributor(session, standing=Standing.FROZEN)
    phones = [phone_of(frozen), phone_of(make_member(session))]
    body = {"customer_id": lost.id, "claim": CLAIM}

    with nothing_moves(session):
        for phone in phones:
            answer = phone.post(PATH, body, key=new_key())
            assert_problem(answer, 403, "not_a_distributor")


@pytest.mark.parametrize(
    "changes",
    [
        {"claim": "short"},
        {"claim": "x" * 401},
        {"claim": 7},
        {"customer_id": "1"},
        {"state": "upheld"},
    ],
    ids=str,
)
def test_bodies_are_strict(
    session: Session,
    phone_of: Callable[..., Phone],
    claimant: Distributor,
    lost: Member,
    changes: dict[str, object],
) -> None:
    phone = phone_of(claimant)

    with nothing_moves(session):
        body = {"customer_id": lost.id, "claim": CLAIM} | changes
        assert phone.post(PATH, body, key=new_key()).status_code == 422
        assert_problem(
            phone.post(PATH, {"customer_id": lost.id, "claim": CLAIM}),
            422,
            "idempotency_key_required",
        )
