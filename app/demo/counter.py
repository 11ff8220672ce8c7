"""The front desk of the demo with their own phone: staff mode can be tried at once."""

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from app.demo.acts import join
from app.demo.staff import DEMO_STAFF
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.members.models import Member
from app.stores import staff_mode
from app.stores.models import Staff

OPENID: Final = "demo_front_desk"
"""Whoever registers this openid in the sandbox is 小美 of the front desk."""
EMAIL: Final = next(one.email for one in DEMO_STAFF if one.role == "front_desk")


def load_counter() -> Iterator[str]:
    """Tie the front desk's phone to their employment, once; yield what to tell the reader."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(Member.id).where(Member.wechat_openid == OPENID)) is not None:
            return
        staff = session.scalars(sa.select(Staff).where(Staff.email == EMAIL)).one()
        member_id = join(session, staff.name, OPENID, at=now)
        actor = Actor("staff", staff.id)
        made = staff_mode.make_code(session, staff.id, actor=actor, now=now)
        staff_mode.bind(session, code=made.text, member_id=member_id, now=now)
    yield f"Staff mode: sign in to the mini-program as {OPENID}."
