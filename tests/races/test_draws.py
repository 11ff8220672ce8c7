"""Many hands at one draw, one prize at two tills, one round with more friends than it needs."""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.activities import check_ins, draws, invites, prizes
from app.activities.draw_models import DrawPrize, DrawTicket, InviteRound
from app.activities.prize_specs import PrizeSpec
from app.activities.states import ActivityKind, InviteState, TicketState
from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.points.queries import held
from tests.factories.activities import make_activity
from tests.factories.draws import make_draw
from tests.factories.people import make_member, make_staff, make_store
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits
CLIENTS = 8
TRIES = 25
DAY = timedelta(days=1)


@pytest.fixture
def now(session: Session) -> datetime:
    at: datetime = session.scalars(sa.select(sa.func.clock_timestamp())).one()
    return at


def test_twenty_prizes_among_two_hundred_draws_are_twenty_in_the_seeds_order(
    app: Flask, session: Session, now: datetime
) -> None:
    prize = PrizeSpec(title="Cream", chance_ppm=400_000, stock=20)
    rules = {"draws_a_day": 100, "free_a_day": 100}
    activity_id = make_draw(session, prizes=[prize], rules=rules, now=now).id
    members = [make_member(session).id for _ in range(CLIENTS)]
    session.commit()

    def draw_one(member_id: int) -> bool:
        with atomic() as inner:
            ticket = draws.draw(inner, activity_id, member_id=member_id, now=now)
            return ticket.prize_id is not None

    def client(member_id: int) -> int:
        return sum(retrying(partial(draw_one, member_id)) for _ in range(TRIES))

    won = at_once(app, *(partial(client, one) for one in members))

    assert sum(int(one) for one in won) == 20
    session.rollback()
    assert session.scalars(sa.select(DrawPrize.given)).one() == 20
    numbers = session.scalars(sa.select(DrawTicket.number).order_by(DrawTicket.number)).all()
    assert numbers == list(range(1, CLIENTS * TRIES + 1))
    assert draws.differences(session, activity_id) == []


def test_one_prize_at_two_tills_is_handed_over_once(
    app: Flask, session: Session, now: datetime
) -> None:
    store = make_store(session)
    prize = PrizeSpec(title="Cream", chance_ppm=1_000_000, stock=5)
    activity = make_draw(session, prizes=[prize], stores=[store], now=now)
    member = make_member(session)
    ticket_id = draws.draw(session, activity.id, member_id=member.id, now=now).id
    actors = [
        Actor("staff", make_staff(session, "front_desk", stores=[store]).id) for _ in range(4)
    ]
    code = str(prizes.show_code(session, ticket_id, member_id=member.id, now=now))
    store_id = store.id
    session.commit()

    def till(actor: Actor) -> str:
        def act() -> None:
            with atomic() as inner:
                prizes.redeem(inner, ticket_id, code=code, store_id=store_id, actor=actor, now=now)

        retrying(act)
        return "done"

    done = Counter(at_once(app, *(partial(till, one) for one in actors)))

    assert done == {"done": 1, "prize_not_waiting": 3}
    session.rollback()
    assert session.get_one(DrawTicket, ticket_id).state is TicketState.HANDED_OVER


def test_a_day_counts_once_however_often_it_is_tapped(
    app: Flask, session: Session, now: datetime
) -> None:
    activity_id = make_activity(
        session, ActivityKind.CHECK_IN, rules={"points_a_day": 3}, starts_at=now - DAY
    ).id
    member_id = make_member(session).id
    session.commit()

    def tap() -> bool:
        with atomic() as inner:
            return check_ins.check_in(inner, activity_id, member_id=member_id, now=now).is_new

    new = at_once(app, *(partial(retrying, tap) for _ in range(CLIENTS)))

    assert Counter(new) == {True: 1, False: CLIENTS - 1}
    session.rollback()
    assert held(session, member_id).available == 3


def test_more_friends_than_a_round_needs_complete_it_once(
    app: Flask, session: Session, now: datetime
) -> None:
    rules = {"friends": 3, "reward_points": 100, "friend_points": 10}
    activity = make_activity(session, ActivityKind.INVITE_ROUNDS, rules=rules, starts_at=now - DAY)
    host = make_member(session)
    row = invites.begin(session, activity.id, member_id=host.id, now=now)
    friends = [make_member(session).id for _ in range(CLIENTS)]
    for friend_id in friends:
        invites.accept(session, row.code, friend_id=friend_id, now=now)
    round_id, host_id = row.id, host.id
    session.commit()

    def arrive(friend_id: int) -> int:
        def act() -> int:
            with atomic() as inner:
                return invites.arrived(inner, friend_id, "first_order_kept", now=now)

        return retrying(act)

    counted = at_once(app, *(partial(arrive, one) for one in [*friends, *friends]))

    assert sum(int(one) for one in counted) == 3
    session.rollback()
    found = session.get_one(InviteRound, round_id)
    assert (found.state, found.arrived) == (InviteState.COMPLETE, 3)
    assert held(session, host_id).available == 100
    assert sum(held(session, one).available for one in friends) == 30


def test_two_taps_on_begin_open_one_round(app: Flask, session: Session, now: datetime) -> None:
    activity_id = make_activity(
        session, ActivityKind.INVITE_ROUNDS, limit_per_member=1, starts_at=now - DAY
    ).id
    member_id = make_member(session).id
    session.commit()

    def begin() -> str:
        with atomic() as inner:
            return invites.begin(inner, activity_id, member_id=member_id, now=now).code

    codes = at_once(app, *(partial(retrying, begin) for _ in range(CLIENTS)))

    assert len(set(codes)) == 1
