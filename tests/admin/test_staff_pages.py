"""Appointing people, setting their duties and making roles, at the desks of two owners."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import pyotp
import pytest
import sqlalchemy as sa
from flask_security import hash_password
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.approvals.models import Approval, ApprovalState
from app.kernel.audit import AuditRecord
from app.members.file_models import FollowUp, FollowUpState
from app.stores.models import Region, Role, Staff
from app.stores.permissions import Permission
from app.stores.queries import staff_permissions, visible_store_ids
from tests.admin.conftest import Desk
from tests.factories.people import make_member, make_staff, make_store

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def colleague(session: Session, redis: Redis) -> Staff:
    """A second owner, who can prove it with both factors."""
    assert redis.ping()
    staff = make_staff(session, "owner", name="Second owner")
    staff.password = hash_password(PASSWORD)
    staff.tf_primary_method = "authenticator"
    staff.tf_totp_secret = json.dumps({"key": SECRET, "type": "totp", "v": 1})
    session.commit()
    return staff


def beside_me(colleague: Staff) -> dict[str, str]:
    """What the second person types in."""
    return {
        "way": "together",
        "second_email": colleague.email,
        "second_password": PASSWORD,
        "second_code": pyotp.TOTP(SECRET).at(datetime.now(UTC)),
        "reason": "more work in the east",
    }


def put(desk: Desk, path: str, staff_id: int, **fields: object) -> TestResponse:
    return desk.post(path, fields, query_string={"id": staff_id})


def appointed(session: Session, email: str) -> Staff | None:
    session.expire_all()
    return session.scalars(sa.select(Staff).where(Staff.email == email)).one_or_none()


NEW = {
    "name": "Wu Min",
    "email": "wu@example.com",
    "phone": "13800138000",
    "job_title": "Therapist",
    "password": "umbrella pickle forty",
    "roles": ["front_desk"],
}


def test_a_sole_owner_is_not_asked_for_a_colleague(session: Session, owner: Desk) -> None:
    page = owner.get("/staff/form/new/").get_data(as_text=True)

    owner.post("/staff/form/new/", NEW)

    assert "second_email" not in page
    made = appointed(session, "wu@example.com")
    assert made is not None
    assert [role.name for role in made.roles] == ["front_desk"]
    assert made.phone_hash is not None
    details = owner.get("/staff/details/", id=made.id).get_data(as_text=True)
    assert "138****8000" in details
    assert "13800138000" not in details


def test_with_another_owner_nobody_is_appointed_to_anything_alone(
    session: Session, owner: Desk, colleague: Staff
) -> None:
    alone = owner.post("/staff/form/new/", {**NEW, "reason": "alone"})
    not_yet = appointed(session, "wu@example.com")
    owner.post("/staff/form/new/", {**NEW, **beside_me(colleague)})

    assert alone.status_code == 200
    assert not_yet is None
    made = appointed(session, "wu@example.com")
    assert made is not None
    assert [role.name for role in made.roles] == ["front_desk"]
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "staff_created")
    ).one()
    assert record.after["second_actor"] == f"staff:{colleague.id}"


def test_whoever_is_appointed_by_request_may_do_nothing_until_a_colleague_agrees(
    session: Session, owner: Desk, colleague: Staff, sit_down: Callable[..., Desk]
) -> None:
    owner.post("/staff/form/new/", {**NEW, "way": "ask", "reason": "busy autumn"})

    made = appointed(session, "wu@example.com")
    assert made is not None
    before = staff_permissions(made)
    asked = session.scalars(sa.select(Approval)).one()
    sit_down(staff=colleague).decide("approvals", "approve", asked.id, note="welcome")

    assert before == frozenset()
    session.expire_all()
    assert Permission.ORDERS_COMPLETE in staff_permissions(made)
    assert asked.state is ApprovalState.APPROVED


def test_duties_are_asked_for_and_hold_once_the_colleague_agrees(
    session: Session, owner: Desk, colleague: Staff, sit_down: Callable[..., Desk]
) -> None:
    clerk, store = make_staff(session, "front_desk"), make_store(session)
    region = Region(name="East")
    session.add(region)
    session.flush()
    store.region_id = region.id
    session.commit()

    put(
        owner,
        "/staff/form/duties/",
        clerk.id,
        roles=["store_manager"],
        region_ids=[region.id],
        way="ask",
        reason="takes over the east",
    )
    session.expire_all()
    meanwhile = [role.name for role in clerk.roles]
    asked = session.scalars(sa.select(Approval)).one()
    desk = sit_down(staff=colleague)
    shown = desk.get("/approvals/details/", id=asked.id).get_data(as_text=True)
    desk.decide("approvals", "approve", asked.id, note="fine")

    assert meanwhile == ["front_desk"]
    assert "Store manager" in shown
    assert "East" in shown
    session.expire_all()
    assert [role.name for role in clerk.roles] == ["store_manager"]
    assert visible_store_ids(clerk) == frozenset({store.id})


def test_nobody_asks_for_duties_of_their_own_nor_agrees_to_them(
    session: Session, owner: Desk, colleague: Staff
) -> None:
    assert owner.staff_id is not None
    make_staff(session, "owner", name="Third owner")
    session.commit()
    form = {"roles": ["owner", "finance"], "sees_all_stores": "y"}

    asked = put(owner, "/staff/form/duties/", owner.staff_id, **form, way="ask", reason="for me")
    about_them = put(owner, "/staff/form/duties/", colleague.id, **form, **beside_me(colleague))

    for answer in (asked, about_them):
        assert "Nobody changes their own roles and stores." in answer.get_data(as_text=True)
    assert session.scalars(sa.select(Approval)).all() == []
    session.expire_all()
    assert [role.name for role in colleague.roles] == ["owner"]


def test_a_finance_clerk_cannot_be_the_second_person(
    session: Session, owner: Desk, colleague: Staff
) -> None:
    clerk = make_staff(session, "front_desk")
    finance = make_staff(session, "finance")
    finance.password, finance.tf_totp_secret = colleague.password, colleague.tf_totp_secret
    finance.tf_primary_method = "authenticator"
    session.commit()

    answer = put(owner, "/staff/form/duties/", clerk.id, roles=["finance"], **beside_me(finance))

    assert "The second person may not decide this." in answer.get_data(as_text=True)
    session.expire_all()
    assert [role.name for role in clerk.roles] == ["front_desk"]


def test_a_role_of_ones_own_is_made_given_and_switched_off(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    owner.post(
        "/roles/form/new/",
        {
            "name": "Regional manager",
            "description": "Looks after a region",
            "is_active": "y",
            "area_orders": ["orders.view"],
            "area_money": ["payouts.view"],
            "reason": "two regions now",
        },
    )
    role = session.scalars(sa.select(Role).where(Role.name == "Regional manager")).one()
    clerk = make_staff(session, "front_desk")
    put(owner, "/staff/form/duties/", clerk.id, roles=["Regional manager"], reason="promoted")
    desk = sit_down(staff=clerk)
    with_it = desk.get("/payouts/").status_code
    shown = owner.get("/staff/details/", id=clerk.id).get_data(as_text=True)

    owner.decide("roles", "retire", role.id, reason="not needed")

    assert role.permissions == ["orders.view", "payouts.view"]
    assert with_it == 200
    assert "Money: See payouts" in shown
    assert "2 permissions in all" in shown
    assert desk.get("/payouts/").status_code == 403


def test_rights_of_the_crown_are_neither_offered_nor_taken_for_a_role(
    session: Session, owner: Desk
) -> None:
    page = owner.get("/roles/form/new/").get_data(as_text=True)

    answer = owner.post(
        "/roles/form/new/",
        {"name": "Usurper", "is_active": "y", "area_house": ["staff.edit"], "reason": "power"},
    )

    assert 'value="staff.edit"' not in page
    assert 'value="staff.view"' in page
    assert answer.status_code == 200
    assert session.scalars(sa.select(Role).where(Role.name == "Usurper")).all() == []


def test_built_in_roles_stay_and_held_roles_are_not_deleted(session: Session, owner: Desk) -> None:
    role = Role(name="Regional manager", permissions=["orders.view"])
    session.add(role)
    clerk = make_staff(session, "front_desk")
    clerk.roles.append(role)
    session.commit()
    built_in = session.scalars(sa.select(Role).where(Role.name == "front_desk")).one()

    edited = put(
        owner, "/roles/form/edit/", built_in.id, name="front_desk", is_active="y", reason="x y"
    )
    for row_id in (built_in.id, role.id):
        owner.decide("roles", "delete", row_id, reason="tidy")

    assert "Built-in roles stay as they are" in edited.get_data(as_text=True)
    names = session.scalars(sa.select(Role.name)).all()
    assert {"front_desk", "Regional manager"} <= set(names)
    session.refresh(clerk)
    clerk.roles.remove(role)
    session.commit()
    owner.decide("roles", "delete", role.id, reason="tidy")
    assert "Regional manager" not in session.scalars(sa.select(Role.name)).all()


def test_the_page_of_roles_shows_every_permission_under_its_area(owner: Desk) -> None:
    page = owner.get("/roles/").get_data(as_text=True)

    assert page.count('scope="row"') == len(Permission)
    assert "Orders and stock" in page
    assert "Redeems and hands over what customers of their store have bought" in page


def test_details_of_a_person_are_edited_and_the_number_stays_unseen(
    session: Session, owner: Desk
) -> None:
    clerk = make_staff(session, "front_desk")
    session.commit()
    fields = {"name": "Li Na", "job_title": "Therapist", "employed_until_on": "2027-01-31"}

    put(owner, "/staff/form/person/", clerk.id, **fields, phone="13812345678")
    page = owner.get("/staff/form/person/", id=clerk.id).get_data(as_text=True)
    put(owner, "/staff/form/person/", clerk.id, **fields, phone="")

    session.expire_all()
    assert (clerk.name, clerk.job_title) == ("Li Na", "Therapist")
    assert clerk.employed_until_on == date(2027, 1, 31)
    assert clerk.phone_sealed is not None
    assert "13812345678" not in page


def test_open_follow_ups_are_shown_and_handed_over(session: Session, owner: Desk) -> None:
    leaver, taker = make_staff(session, "front_desk"), make_staff(session, "front_desk")
    gone = make_staff(session, "front_desk")
    gone.active = False
    rows = [
        FollowUp(
            member_id=make_member(session).id,
            what=what,
            due_on=date(2026, 3, 2),
            assignee_id=leaver.id,
            state=state,
            author_id=leaver.id,
            created_at=datetime(2026, 3, 1, tzinfo=UTC),
            ended_at=None if state is FollowUpState.OPEN else datetime(2026, 3, 1, tzinfo=UTC),
            ended_by_id=None if state is FollowUpState.OPEN else leaver.id,
        )
        for what, state in (("call back", FollowUpState.OPEN), ("done", FollowUpState.DONE))
    ]
    session.add_all(rows)
    session.commit()
    path = "/staff/form/hand-over/"

    page = owner.get("/staff/details/", id=leaver.id).get_data(as_text=True)
    put(owner, path, leaver.id, to_staff_id=gone.id, reason="leaves us")
    nobody = [row.assignee_id for row in rows]
    put(owner, path, leaver.id, to_staff_id=taker.id, reason="leaves us")

    assert "Open follow-ups of theirs" in page
    session.expire_all()
    assert nobody == [leaver.id, leaver.id]
    assert [row.assignee_id for row in rows] == [taker.id, leaver.id]


def test_stores_that_the_reader_cannot_see_stay_with_the_colleague(
    session: Session, colleague: Staff, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    clerk = make_staff(session, "front_desk", stores=[here, there])
    session.commit()
    desk = sit_down("owner", here)

    put(
        desk,
        "/staff/form/duties/",
        clerk.id,
        roles=["store_manager"],
        store_ids=[here.id],
        **beside_me(colleague),
    )

    session.expire_all()
    assert [role.name for role in clerk.roles] == ["store_manager"]
    assert {store.id for store in clerk.stores} == {here.id, there.id}
