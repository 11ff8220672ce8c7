"""Stores and staff, on record."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.stores import places
from app.stores import staff as services
from app.stores.errors import (
    EmailTaken,
    RoleUnknown,
    StaffInvalid,
    StoreInvalid,
    StoreNameTaken,
    StoreNotFound,
)
from app.stores.models import Role, Staff, Store
from app.stores.permissions import RoleName
from app.stores.places import StoreSpec
from app.stores.queries import visible_store_ids
from app.stores.roles import ensure_roles
from app.stores.staff import NewStaff
from tests.factories.people import make_staff, make_store

ANN = Actor("staff", 1)


def actions(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)))


def test_a_store_is_opened_once_by_name_and_on_record(session: Session, now: datetime) -> None:
    store = places.create_store(
        session, StoreSpec(name=" 静安店 ", address="1 号"), actor=ANN, now=now
    )

    with pytest.raises(StoreNameTaken):
        places.create_store(session, StoreSpec(name="静安店"), actor=ANN, now=now)
    with pytest.raises(StoreInvalid):
        places.create_store(session, StoreSpec(name=" "), actor=ANN, now=now)

    assert (store.name, store.is_open, store.created_at) == ("静安店", True, now)
    entry = session.scalars(sa.select(AuditRecord)).one()
    assert (entry.action, entry.subject_id, entry.store_id) == (
        "store_created",
        store.id,
        store.id,
    )


def test_staff_are_appointed_with_roles_and_stores(session: Session, now: datetime) -> None:
    store = make_store(session)
    new = NewStaff(
        name="王店长", email=" Manager@Example.com ", roles=["store_manager"], store_ids=[store.id]
    )

    staff = services.create_staff(session, new, actor=SYSTEM, now=now)

    assert (staff.email, staff.active, staff.password) == ("manager@example.com", True, None)
    assert staff.must_change_password
    assert [role.name for role in staff.roles] == ["store_manager"]
    assert visible_store_ids(staff) == frozenset({store.id})
    entry = session.scalars(sa.select(AuditRecord)).one()
    assert entry.action == "staff_created"
    assert entry.after == {
        "active": True,
        "roles": ["store_manager"],
        "store_ids": [store.id],
        "region_ids": [],
        "sees_all_stores": False,
    }
    with pytest.raises(EmailTaken):
        services.create_staff(session, new, actor=SYSTEM, now=now)


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (NewStaff(name=" ", email="a@b.cn", roles=[]), StaffInvalid),
        (NewStaff(name="A", email="nonsense", roles=[]), StaffInvalid),
        (NewStaff(name="A", email="a@b.cn", roles=["cook"]), RoleUnknown),
        (NewStaff(name="A", email="a@b.cn", roles=[], store_ids=[10**15]), StoreNotFound),
    ],
)
def test_what_is_not_right_appoints_nobody(
    session: Session, now: datetime, new: NewStaff, error: type[Exception]
) -> None:
    session.commit()

    with pytest.raises(error):
        services.create_staff(session, new, actor=SYSTEM, now=now)
    session.rollback()

    assert session.scalars(sa.select(Staff)).all() == []
    assert actions(session) == []


def test_whoever_goes_loses_every_session(session: Session, now: datetime) -> None:
    make_staff(session, "owner")
    staff = make_staff(session, "finance")
    before = staff.fs_uniquifier

    gone = services.disable_staff(session, staff.id, actor=ANN, reason="left", now=now)
    assert (gone.active, gone.fs_uniquifier == before) == (False, False)

    back = services.enable_staff(session, staff.id, actor=SYSTEM, reason="came back", now=now)
    assert (back.active, back.fs_uniquifier == before) == (True, False)
    assert actions(session) == ["staff_disabled", "staff_enabled"]


def test_every_role_has_its_row_once(session: Session) -> None:
    ensure_roles(session)
    ensure_roles(session)

    names = session.scalars(sa.select(Role.name).order_by(Role.name)).all()
    assert names == sorted(RoleName)
    assert session.scalars(sa.select(Store)).all() == []
