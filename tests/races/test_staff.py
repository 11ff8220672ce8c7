"""Owners, roles and sessions decided about at once: somebody stays who can appoint others."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.stores import roles, sessions
from app.stores import staff as services
from app.stores.errors import LastOwner
from app.stores.models import Role, Staff
from app.stores.permissions import RoleName
from app.stores.roles import RoleSpec
from app.stores.session_models import StaffSession
from app.stores.staff import Duties
from app.stores.staff_errors import RoleHeld, RoleNameTaken, SessionNotFound
from tests.factories.people import make_staff
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CROWD = 6


def joined(service: Callable[..., object]) -> str:
    def act() -> str:
        with atomic() as session:
            service(session)
            return "done"

    return retrying(act)


def demote(by: int, whom: int) -> str:
    return joined(
        lambda session: services.set_duties(
            session,
            whom,
            Duties(roles=["finance"]),
            actor=Actor("staff", by),
            reason="quarrel",
            now=NOON,
        )
    )


def owners(session: Session) -> list[int]:
    session.rollback()
    query = sa.select(Staff.id).where(Staff.active, Staff.roles.any(Role.name == RoleName.OWNER))
    return list(session.scalars(query))


def test_of_two_owners_who_demote_each_other_one_stays(app: Flask, session: Session) -> None:
    one, other = (make_staff(session, "owner").id for _ in range(2))
    session.commit()

    answers = at_once(app, partial(demote, one, other), partial(demote, other, one))

    assert sorted(answers) == ["done", LastOwner.code]
    assert len(owners(session)) == 1


def test_of_two_owners_who_disable_each_other_one_stays(app: Flask, session: Session) -> None:
    pair = [make_staff(session, "owner").id for _ in range(2)]
    session.commit()

    def disable(by: int, whom: int) -> str:
        return joined(
            lambda session: services.disable_staff(
                session, whom, actor=Actor("staff", by), reason="quarrel", now=NOON
            )
        )

    answers = at_once(app, partial(disable, *pair), partial(disable, *reversed(pair)))

    assert sorted(answers) == ["done", LastOwner.code]
    assert len(owners(session)) == 1


def test_of_many_roles_of_one_name_made_at_once_there_is_one(app: Flask, session: Session) -> None:
    owner = make_staff(session, "owner").id
    session.commit()

    def make(number: int) -> str:
        name = "Regional" if number % 2 else "REGIONAL"
        return joined(
            lambda session: roles.put_role(
                session,
                None,
                RoleSpec(name=name, permissions=["orders.view"]),
                actor=Actor("staff", owner),
                reason="new region",
                now=NOON,
            )
        )

    answers = at_once(app, *(partial(make, number) for number in range(CROWD)))

    assert sorted(answers) == sorted(["done", *[RoleNameTaken.code] * (CROWD - 1)])
    session.rollback()
    names = session.scalars(sa.select(Role.name).where(Role.name.ilike("regional"))).all()
    assert len(names) == 1


def test_a_role_that_is_given_and_deleted_at_once_is_not_half_there(
    app: Flask, session: Session
) -> None:
    owner, clerk = make_staff(session, "owner").id, make_staff(session, "front_desk").id
    role = Role(name="Regional", permissions=["orders.view"])
    session.add(role)
    session.commit()
    role_id, who = role.id, Actor("staff", owner)

    answers = at_once(
        app,
        lambda: joined(
            lambda session: services.set_duties(
                session, clerk, Duties(roles=["Regional"]), actor=who, reason="x", now=NOON
            )
        ),
        lambda: joined(
            lambda session: roles.delete_role(session, role_id, actor=who, reason="x", now=NOON)
        ),
    )

    session.rollback()
    left = session.get(Role, role_id)
    held = [one.name for one in session.get_one(Staff, clerk).roles]
    assert answers in (["done", RoleHeld.code], ["role_unknown", "done"])
    assert (left is not None, held) in ((True, ["Regional"]), (False, ["front_desk"]))


def test_a_session_that_many_end_at_once_is_ended_once(app: Flask, session: Session) -> None:
    staff_id = make_staff(session, "finance").id
    caller = sessions.Caller("192.0.2.1", "")
    sessions.begin(session, staff_id, caller, lasts_seconds=60, now=NOON)
    session.commit()
    session_id = session.scalars(sa.select(StaffSession.id)).one()

    def end() -> str:
        who = Actor("staff", staff_id)
        return joined(lambda session: sessions.end_one(session, session_id, actor=who, now=NOON))

    answers = at_once(app, *[end] * CROWD)

    assert sorted(answers) == sorted(["done", *[SessionNotFound.code] * (CROWD - 1)])
