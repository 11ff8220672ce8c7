"""Two people are two only while neither can sign in as the other, nor put the other out first."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from admin.accounts import reset_sign_in
from app.approvals import services as approvals
from app.approvals.models import ApprovalState
from app.attribution import bindings
from app.attribution.rules import Owner, OwnerKind
from app.kernel.audit import Actor
from app.stores import people, staff
from app.stores.independence import LASTS, hands_of, require_independent
from app.stores.models import Staff
from app.stores.people import Person
from app.stores.queries import is_employed
from app.stores.staff import Duties, NewStaff
from app.stores.staff_errors import DutiesNeedTwo, NotIndependent
from tests.factories.approvals import Case, as_actor, ask_transfer, make_case
from tests.factories.people import make_staff

MINUTE = timedelta(minutes=1)


def reset(session: Session, of: Staff, by: Staff, now: datetime) -> None:
    reset_sign_in(
        session, of.id, password_hash="x", reason="lost phone", actor=as_actor(by), now=now
    )


@pytest.fixture
def case(session: Session) -> Case:
    return make_case(session)


@pytest.mark.parametrize("maker_resets", [True, False])
def test_whoever_resets_a_colleague_cannot_decide_with_them_for_a_day(
    session: Session, case: Case, now: datetime, maker_resets: bool
) -> None:
    giver, taker = (case.maker, case.checker) if maker_resets else (case.checker, case.maker)
    row = ask_transfer(session, case, now=now)
    reset(session, taker, giver, now)

    with pytest.raises(NotIndependent):
        approvals.approve(session, row.id, actor=as_actor(case.checker), now=now + LASTS - MINUTE)

    assert row.state is ApprovalState.REQUESTED
    done = approvals.approve(session, row.id, actor=as_actor(case.checker), now=now + LASTS)
    assert done.state is ApprovalState.APPROVED


def test_two_whom_a_third_has_reset_are_not_two_and_a_fourth_can_still_agree(
    session: Session, case: Case, now: datetime
) -> None:
    third, fourth = make_staff(session, "owner"), make_staff(session, "operations")
    reset(session, case.maker, third, now)
    reset(session, case.checker, third, now)
    row = ask_transfer(session, case, now=now)

    with pytest.raises(NotIndependent):
        approvals.approve(session, row.id, actor=as_actor(case.checker), now=now)

    done = approvals.approve(session, row.id, actor=as_actor(fourth), now=now)
    assert done.state is ApprovalState.APPROVED


def test_resets_are_followed_from_hand_to_hand_and_in_circles(
    session: Session, now: datetime
) -> None:
    first, second, third, other = (make_staff(session) for _ in range(4))
    reset(session, second, first, now)
    reset(session, third, second, now)
    reset(session, first, third, now)

    assert hands_of(session, third.id, now=now) == {first.id, second.id, third.id}
    require_independent(session, [as_actor(third), as_actor(other)], now=now)


def test_a_service_that_takes_two_people_asks_for_it_too(
    session: Session, case: Case, now: datetime
) -> None:
    reset(session, case.checker, case.maker, now)

    with pytest.raises(NotIndependent):
        bindings.hand_over(
            session,
            customer_id=case.customer.id,
            owner=Owner(OwnerKind.DISTRIBUTOR, case.claimant.member_id),
            actor=as_actor(case.maker),
            second_actor=as_actor(case.checker),
            reason="mine now",
            now=now,
        )


def test_somebody_just_appointed_does_not_agree_with_whoever_appointed_them(
    session: Session, now: datetime
) -> None:
    owner, other = make_staff(session, "owner"), make_staff(session, "owner")
    clerk = make_staff(session, "front_desk")
    made = staff.create_staff(
        session,
        NewStaff(name="New", email="new@example.com", roles=["owner"], sees_all_stores=True),
        actor=as_actor(owner),
        second_actor=as_actor(other),
        now=now,
    )

    with pytest.raises(NotIndependent):
        promote(session, clerk, owner, made, now)

    assert [role.name for role in clerk.roles] == ["front_desk"]


def promote(session: Session, whom: Staff, by: Staff, second: Staff | None, now: datetime) -> None:
    staff.set_duties(
        session,
        whom.id,
        Duties(roles=["owner"], sees_all_stores=True),
        actor=as_actor(by),
        second_actor=as_actor(second) if second else None,
        reason="takes over",
        now=now,
    )


def disable(session: Session, whom: Staff, by: Actor, now: datetime) -> None:
    staff.disable_staff(session, whom.id, actor=by, reason="left", now=now)


def demote(session: Session, whom: Staff, by: Actor, now: datetime) -> None:
    duties = Duties(roles=["front_desk"])
    staff.set_duties(session, whom.id, duties, actor=by, reason="left", now=now)


def dismiss(session: Session, whom: Staff, by: Actor, now: datetime) -> None:
    yesterday = (now - timedelta(days=2)).date()
    person = Person(name=whom.name, employed_until_on=yesterday)
    people.edit_person(session, whom.id, person, actor=by, now=now)


@pytest.mark.parametrize("put_out", [disable, demote, dismiss])
def test_nobody_makes_themselves_the_only_owner_and_then_decides_alone(
    session: Session, now: datetime, put_out: Callable[[Session, Staff, Actor, datetime], None]
) -> None:
    owner, other = make_staff(session, "owner"), make_staff(session, "owner")
    accomplice = make_staff(session, "front_desk")
    put_out(session, other, as_actor(owner), now)

    with pytest.raises(DutiesNeedTwo):
        promote(session, accomplice, owner, None, now + LASTS - MINUTE)

    assert [role.name for role in accomplice.roles] == ["front_desk"]
    promote(session, accomplice, owner, None, now + LASTS)
    assert [role.name for role in accomplice.roles] == ["owner"]


def enable(session: Session, whom: Staff, by: Staff, second: Staff | None, now: datetime) -> None:
    agreed = as_actor(second) if second else None
    staff.enable_staff(
        session, whom.id, actor=as_actor(by), second_actor=agreed, reason="came back", now=now
    )


def bring_back(
    session: Session, whom: Staff, by: Staff, second: Staff | None, now: datetime
) -> None:
    agreed = as_actor(second) if second else None
    person = Person(name=whom.name)
    people.edit_person(session, whom.id, person, actor=as_actor(by), second_actor=agreed, now=now)


@pytest.mark.parametrize(("leave", "wake"), [(disable, enable), (dismiss, bring_back)])
def test_nobody_wakes_an_account_alone(
    session: Session,
    now: datetime,
    leave: Callable[[Session, Staff, Actor, datetime], None],
    wake: Callable[[Session, Staff, Staff, Staff | None, datetime], None],
) -> None:
    owner, other = make_staff(session, "owner"), make_staff(session, "owner")
    sleeper = make_staff(session, "operations")
    leave(session, sleeper, as_actor(owner), now)
    much_later = now + timedelta(days=90)

    with pytest.raises(DutiesNeedTwo):
        wake(session, sleeper, owner, None, much_later)

    assert not is_employed(sleeper, now=much_later)
    wake(session, sleeper, owner, other, much_later)
    assert is_employed(sleeper, now=much_later)
