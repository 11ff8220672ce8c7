"""What waits for a second pair of eyes in the demo: a request, and a dispute with a picture."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final

import sqlalchemy as sa
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from app.approvals import services as approvals
from app.approvals.contract import Topic
from app.approvals.models import Approval
from app.attribution import disputes, evidence
from app.attribution.models import Binding
from app.attribution.rules import Owner
from app.demo.trade import TEAM
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.members.models import Member
from app.stores.models import Staff

ASKS: Final = "顾客搬到了何雨桐所在的社区，双方都已在微信里同意。"
CLAIM: Final = "周五晚上她在沙龙现场扫了我的码，当时店里网络不好，页面没有打开。附上当天的签到表。"
SINCE: Final = timedelta(days=2)


def load_contested() -> Iterator[str]:
    """Leave one request and one dispute for others to decide, once; yield what to tell."""
    now = database_now()
    drawn = evidence.redraw(_sheet())
    with atomic() as session:
        if session.scalar(sa.select(Approval.id).limit(1)) is not None:
            return
        team = _team(session)
        bound = _bound(session, team, now=now)
        if len(bound) < 2:  # noqa: PLR2004 - one for each
            return
        staff_id = session.scalars(sa.select(Staff.id).where(Staff.email == "ops@demo.tuoke")).one()
        staff = Actor("staff", staff_id)
        _ask(session, bound[0], _other(team, bound[0]), staff=staff, now=now)
        claimant = Owner.of(_other(team, bound[1]), None)
        claim = disputes.Claim(bound[1].customer_id, claimant, CLAIM, now - SINCE)
        dispute = disputes.open_dispute(session, claim, actor=staff, now=now)
        evidence.add_evidence(session, dispute.id, drawn, actor=staff, now=now)
    yield "A request and a dispute wait for a decision."


def _ask(session: Session, binding: Binding, to_id: int, *, staff: Actor, now: datetime) -> None:
    topic = Topic(binding.customer_id, {"owner_id": to_id, "owner_store_id": None})
    approvals.ask(session, "binding_transfer", topic, actor=staff, reason=ASKS, now=now)


def _team(session: Session) -> Sequence[int]:
    names = [name for name, _ in TEAM]
    return session.scalars(
        sa.select(Member.id).where(Member.nickname.in_(names)).order_by(Member.id)
    ).all()


def _bound(session: Session, team: Sequence[int], *, now: datetime) -> Sequence[Binding]:
    """Return the first two customers of the team whose owners are in force."""
    return session.scalars(
        sa.select(Binding)
        .where(
            Binding.owner_id.in_(team),
            Binding.customer_id.not_in(team),
            Binding.valid_from_at <= now - SINCE,
            Binding.valid_until_at > now,
        )
        .order_by(Binding.customer_id)
        .limit(2)
    ).all()


def _other(team: Sequence[int], binding: Binding) -> int:
    return next(one for one in team if one != binding.owner_id)


def _sheet() -> bytes:
    """Draw a sheet on which people signed in, as somebody would photograph it."""
    sheet = Image.new("RGB", (480, 640), "#f4efe6")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((40, 40, 440, 600), outline="#6b5f52", width=3)
    for row in range(8):
        y = 110 + row * 58
        pen.line((40, y, 440, y), fill="#b8ab9b", width=2)
        pen.line((70, y + 34, 190 + 17 * row, y + 28), fill="#2b4a6f", width=4)
    pen.line((220, 40, 220, 600), fill="#b8ab9b", width=2)
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
