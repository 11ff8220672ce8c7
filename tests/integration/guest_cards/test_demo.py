"""The demo's guest cards: made once, whole, and of every stage."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demo.brand import load_brand
from app.demo.guest_cards import load_guest_cards
from app.guest_cards.models import CardBooking, CardTemplate, CardUse, GuestCard
from app.guest_cards.states import CardState
from app.operations import invariants
from app.operations.card_statements import CARD_STATEMENTS
from tests.factories.guest_cards import make_friend
from tests.factories.people import make_distributor

pytestmark = pytest.mark.commits


def test_the_demo_has_cards_of_every_stage_and_loads_them_once(session: Session) -> None:
    for _ in load_brand():
        pass
    for _ in range(3):
        make_distributor(session)
    for _ in range(20):
        make_friend(session)
    session.commit()

    told = list(load_guest_cards())
    again = list(load_guest_cards())

    assert (len(told), again) == (1, [])
    session.rollback()
    assert len(session.scalars(sa.select(CardTemplate)).all()) == 2
    states = set(session.scalars(sa.select(GuestCard.state)))
    assert {CardState.SHARED, CardState.BOOKED} <= states
    assert session.scalars(sa.select(CardUse.id)).all()
    assert session.scalars(sa.select(CardBooking.id)).all()
    others = {one.code for one in invariants.INVARIANTS} - {one[0] for one in CARD_STATEMENTS}
    found = invariants.check(session, skip=frozenset(others))
    assert [one.code for one in found if one.count] == []
