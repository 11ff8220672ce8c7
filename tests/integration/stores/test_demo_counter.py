"""The demo's front desk has their own phone."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demo.counter import EMAIL, OPENID, load_counter
from app.kernel.db import database_now
from app.members.models import Member
from app.stores import staff_mode
from tests.factories.people import make_staff, make_store


def test_the_demo_ties_the_front_desk_to_a_phone_once(session: Session) -> None:
    store = make_store(session)
    make_staff(session, "front_desk", stores=[store]).email = EMAIL
    session.commit()

    said, again = list(load_counter()), list(load_counter())

    assert len(said) == 1
    assert again == []
    member_id = session.scalars(sa.select(Member.id).where(Member.wechat_openid == OPENID)).one()
    on_duty = staff_mode.on_duty(session, member_id, now=database_now())
    assert on_duty.staff.email == EMAIL
