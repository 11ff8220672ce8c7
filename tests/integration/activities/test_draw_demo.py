"""The demo's draw, check-in and round are loaded once, run in every store, and are sound."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import check_ins, draws, queries
from app.activities.draw_models import CheckIn, InviteRound, LuckyDraw
from app.activities.states import ActivityKind, InviteState
from app.demo.draws import load_draws
from app.kernel.db import database_now
from app.operations import invariants
from app.operations.draw_statements import DRAW_STATEMENTS
from tests.factories.people import NOON, make_member, make_staff, make_store

KINDS = (ActivityKind.LUCKY_DRAW, ActivityKind.CHECK_IN, ActivityKind.INVITE_ROUNDS)


def test_the_demo_has_a_draw_streaks_and_a_round_half_full(session: Session) -> None:
    store = make_store(session)
    make_staff(session, "operations", sees_all_stores=True).email = "ops@demo.tuoke"
    people = [make_member(session, first_paid_at=NOON) for _ in range(6)]
    for _ in range(3):
        make_member(session)
    session.commit()

    said = list(load_draws())
    again = list(load_draws())

    now = database_now()
    shown = {one.kind: one.id for one in queries.open_in_store(session, store.id, now=now)}
    assert (len(said), again) == (1, [])
    assert set(shown) == set(KINDS)
    wheel = session.scalars(sa.select(LuckyDraw)).one()
    assert wheel.tickets == 12
    assert draws.differences(session, wheel.activity_id) == []
    first = check_ins.attendance(session, shown[KINDS[1]], member_id=people[0].id, now=now)
    assert (first.streak, first.has_checked_in) == (7, True)
    assert len(session.scalars(sa.select(CheckIn)).all()) == 7 + 4 + 2 + 1
    row = session.scalars(sa.select(InviteRound)).one()
    assert (row.state, row.arrived, row.needed) == (InviteState.OPEN, 2, 3)
    codes = {code for code, _says, _statement in DRAW_STATEMENTS}
    assert [one.code for one in invariants.check(session) if one.count and one.code in codes] == []
