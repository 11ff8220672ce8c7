"""What the demo writes into files of people: once, and with one suspicion open, one let go."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demo import files
from app.demo.files import load_files
from app.members.file_models import FollowUp, MemberNote, MemberTag, Tag
from app.payouts import holds
from app.risk.models import RiskFlag
from app.risk.states import FlagState
from tests.factories.people import make_distributor, make_member, make_staff


def test_the_demo_writes_its_files_once(session: Session) -> None:
    names = {name for name, *_ in (*files.NOTES, *files.TAGGED, *files.TASKS)}
    for name in names:
        make_member(session, nickname=name)
    released, doubted = (
        make_distributor(session, make_member(session, nickname=name)).member_id
        for name in (files.RELEASED[0], files.OPEN[0])
    )
    make_staff(session, "operations").email = "ops@demo.tuoke"
    session.commit()

    said = list(load_files())
    again = list(load_files())

    assert said == ["3 notes, 4 tags, 3 follow-ups, 2 risk flags."]
    assert again == []
    counts = {
        kind: len(session.scalars(sa.select(kind)).all()) for kind in (MemberNote, Tag, FollowUp)
    }
    assert counts == {MemberNote: 3, Tag: 4, FollowUp: 3}
    assert len(session.execute(sa.select(MemberTag.tag_id)).all()) == 4
    flags = session.execute(sa.select(RiskFlag.distributor_id, RiskFlag.state))
    assert {tuple(one) for one in flags} == {
        (released, FlagState.RELEASED),
        (doubted, FlagState.OPEN),
    }
    assert holds.held(session, [released, doubted]) == {doubted}
