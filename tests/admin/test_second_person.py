"""Who agrees at one desk is somebody else, works here, and sees what it is about."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from redis import Redis
from sqlalchemy.orm import Session

from admin.accounts import reset_sign_in
from app.attribution.models import Binding
from app.kernel.audit import Actor, AuditRecord
from app.members.models import Distributor, Member
from app.stores.models import Staff
from tests.admin.colleagues import agrees, make_colleague
from tests.admin.conftest import Desk
from tests.factories.people import (
    make_binding,
    make_distributor,
    make_member,
    make_staff,
    make_store,
)

FOREVER = datetime(2999, 1, 1, tzinfo=UTC)
Sits = Callable[..., Desk]


@pytest.fixture
def colleague(session: Session, redis: Redis) -> Staff:
    """Somebody else from operations."""
    assert redis.ping()
    return make_colleague(session)


@pytest.fixture
def customer(session: Session, redis: Redis) -> Member:
    """A customer of the brand with an owner."""
    assert redis.ping()
    customer = make_member(session)
    make_binding(session, customer=customer, valid_until_at=FOREVER)
    return customer


def hand_over(
    desk: Desk, customer: Member, target: Distributor, colleague: Staff
) -> tuple[int, str]:
    answer = desk.post(
        "/members/form/transfer/",
        agrees(colleague) | {"way": "together", "to_owner_id": str(target.member_id)},
        query_string={"id": customer.id},
    )
    return answer.status_code, answer.get_data(as_text=True)


def bindings(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Binding)) or 0


def leaves(session: Session, colleague: Staff, _desk: Desk) -> None:
    colleague.employed_from_on = date(2020, 1, 1)
    colleague.employed_until_on = datetime.now(UTC).date() - timedelta(days=2)
    session.commit()


def is_given_a_first_password(session: Session, colleague: Staff, _desk: Desk) -> None:
    colleague.must_change_password = True
    session.commit()


def is_of_another_store(session: Session, colleague: Staff, _desk: Desk) -> None:
    colleague.sees_all_stores, colleague.stores = False, [make_store(session)]
    session.commit()


def is_reset_by_who_asks(session: Session, colleague: Staff, desk: Desk) -> None:
    password, secret = colleague.password, colleague.tf_totp_secret
    reset_sign_in(
        session,
        colleague.id,
        password_hash="x",
        reason="lost phone",
        actor=Actor("staff", desk.staff_id),
        now=datetime.now(UTC),
    )
    colleague.password, colleague.tf_totp_secret = password, secret
    colleague.must_change_password = False
    session.commit()


@pytest.mark.parametrize(
    "happens", [leaves, is_given_a_first_password, is_of_another_store, is_reset_by_who_asks]
)
def test_a_colleague_who_could_be_anybody_or_nobody_here_does_not_count(
    session: Session,
    sit_down: Sits,
    customer: Member,
    happens: Callable[[Session, Staff, Desk], None],
) -> None:
    colleague, desk = make_colleague(session), sit_down("operations")
    target = make_distributor(session)
    happens(session, colleague, desk)

    status, page = hand_over(desk, customer, target, colleague)

    assert status == 200
    assert 'id="second_' in page
    assert bindings(session) == 1
    assert not session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "binding_transferred")
    ).all()


def test_a_colleague_of_the_customers_store_counts(
    session: Session, sit_down: Sits, customer: Member
) -> None:
    store = make_store(session)
    customer.origin_store_id = store.id
    colleague, desk = make_colleague(session, [store]), sit_down("operations")

    status, _page = hand_over(desk, customer, make_distributor(session), colleague)

    assert status == 302
    assert bindings(session) == 2


def test_an_account_is_woken_by_two_people_only(
    session: Session, sit_down: Sits, redis: Redis
) -> None:
    assert redis.ping()
    desk, colleague = sit_down("owner"), make_colleague(session)
    colleague.roles = list(session.get_one(Staff, desk.staff_id).roles)
    sleeper = make_staff(session, "operations")
    sleeper.active = False
    session.commit()

    def enable(**fields: str) -> int:
        data = agrees(colleague) | fields
        query = {"id": sleeper.id}
        return desk.post("/staff/form/enable/", data, query_string=query).status_code

    alone = enable(second_email="", second_password="", second_code="")
    session.refresh(sleeper)
    assert (alone, sleeper.active) == (200, False)
    together = enable()
    session.refresh(sleeper)
    assert (together, sleeper.active) == (302, True)


def test_a_customer_is_handed_over_by_two_people(
    session: Session, sit_down: Callable[..., Desk], colleague: Staff
) -> None:
    customer, target = make_member(session), make_distributor(session)
    make_binding(session, customer=customer, valid_until_at=datetime(2999, 1, 1, tzinfo=UTC))
    desk = sit_down("operations")

    desk.post(
        "/members/form/transfer/",
        agrees(colleague) | {"to_owner_id": str(target.member_id)},
        query_string={"id": customer.id},
    )

    owners = session.scalars(
        sa.select(Binding.owner_id)
        .where(Binding.customer_id == customer.id)
        .order_by(Binding.id.desc())
    ).all()
    assert owners[0] == target.member_id
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "binding_transferred")
    ).one()
    assert record.actor_id == desk.staff_id
    assert record.after["second_actor"] == f"staff:{colleague.id}"


@pytest.mark.parametrize(
    "changes",
    [
        {"second_password": "guess"},
        {"second_code": "000000"},
        {"second_email": "nobody@example.com"},
        {"reason": ""},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_without_the_second_person_nothing_moves(
    session: Session,
    sit_down: Callable[..., Desk],
    colleague: Staff,
    changes: dict[str, str],
) -> None:
    customer, target = make_member(session), make_distributor(session)
    binding = make_binding(
        session, customer=customer, valid_until_at=datetime(2999, 1, 1, tzinfo=UTC)
    )
    desk = sit_down("operations")

    answer = desk.post(
        "/members/form/transfer/",
        agrees(colleague, **changes) | {"to_owner_id": str(target.member_id)},
        query_string={"id": customer.id},
    )

    assert answer.status_code == 200
    assert session.scalars(
        sa.select(Binding.id).where(Binding.customer_id == customer.id)
    ).all() == [binding.id]


def test_nobody_is_their_own_second_person(
    session: Session, sit_down: Callable[..., Desk], colleague: Staff
) -> None:
    row, target = make_distributor(session), make_distributor(session)
    desk = sit_down(staff=colleague)

    answer = desk.post(
        "/distributors/form/move/",
        agrees(colleague) | {"to_member_id": str(target.member_id)},
        query_string={"id": row.member_id},
    )

    assert "The second person must be somebody else." in answer.get_data(as_text=True)
    assert session.get_one(Distributor, row.member_id).recommender_id is None


def test_the_second_person_needs_the_same_right(
    session: Session, owner: Desk, colleague: Staff
) -> None:
    row = make_distributor(session)
    colleague.roles = make_staff(session, "finance").roles
    session.commit()

    answer = owner.post(
        "/distributors/form/move/", agrees(colleague), query_string={"id": row.member_id}
    )

    assert "The second person may not decide this." in answer.get_data(as_text=True)


def test_wrong_codes_of_a_second_person_count_against_their_account(
    session: Session, owner: Desk, colleague: Staff
) -> None:
    row = make_distributor(session)
    session.commit()

    for _ in range(5):
        owner.post(
            "/distributors/form/move/",
            agrees(colleague, second_code="000000"),
            query_string={"id": row.member_id},
        )

    session.refresh(colleague)
    assert colleague.locked_until_at is not None
