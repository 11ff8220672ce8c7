"""What the demo leaves for a second pair of eyes."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.approvals.models import Approval
from app.attribution.dispute_models import EvidenceFile, OwnershipDispute
from app.demo.contested import load_contested
from app.demo.trade import TEAM
from app.kernel.db import database_now
from tests.factories.people import make_binding, make_distributor, make_member, make_staff


def test_the_demo_leaves_one_request_and_one_dispute_with_a_picture_once(session: Session) -> None:
    since = database_now() - timedelta(days=3)
    operations = make_staff(session, "operations")
    operations.email = "ops@demo.tuoke"
    team = [make_distributor(session, make_member(session, nickname=name)) for name, _ in TEAM]
    bound = [make_binding(session, owner=team[0], valid_from_at=since) for _ in range(2)]
    session.commit()

    told, again = list(load_contested()), list(load_contested())

    assert (len(told), again) == (1, [])
    request = session.scalars(sa.select(Approval)).one()
    dispute = session.scalars(sa.select(OwnershipDispute)).one()
    assert [request.subject_id, dispute.customer_id] == [one.customer_id for one in bound]
    assert request.payload["owner_id"] == dispute.claimant_id == team[1].member_id
    picture = session.scalars(sa.select(EvidenceFile)).one()
    assert (picture.width, picture.height) == (480, 640)
