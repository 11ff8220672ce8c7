"""The audit finds whatever is wrong with draws, check-ins and invitations, and nothing else.

Constraints and triggers keep the product from breaking any of it, so it is broken as the owner of
the tables with triggers off, in a transaction that is undone.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.activities import check_ins, draws, invites
from app.activities.prize_specs import PrizeSpec
from app.activities.states import ActivityKind
from app.kernel.db import db
from app.loyalty.rewards import Reward
from app.operations import invariants
from app.operations.draw_statements import DRAW_STATEMENTS
from tests.factories.activities import make_activity, sweep
from tests.factories.draws import end, make_draw
from tests.factories.people import NOON, make_member
from tests.servers import Services

CODES: Final = {code for code, _says, _statement in DRAW_STATEMENTS}
DAY: Final = timedelta(days=1)
POINTS: Final = PrizeSpec(title="Points", chance_ppm=500_000, stock=50, reward=Reward.points(5))
CREAM: Final = PrizeSpec(title="Cream", chance_ppm=500_000, stock=50)

BREAKS: Final = {
    "a ticket that is missing": (
        "DELETE FROM draw_tickets WHERE number = 2",
        {"F5a"},
    ),
    "a draw that counts one too many": ("UPDATE lucky_draws SET tickets = tickets + 1", {"F5a"}),
    "a draw that nobody committed to": ("DELETE FROM lucky_draws", {"F5a"}),
    "a prize given without a ticket": ("UPDATE draw_prizes SET given = given + 1", {"F5b"}),
    "a ticket for another draw's prize": (
        """UPDATE draw_prizes SET activity_id = (SELECT id FROM activities WHERE kind = 'check_in')
        WHERE place = 1""",
        {"F5b"},
    ),
    "a win that brought nothing": (
        "DELETE FROM given_rewards WHERE key LIKE 'draw:%'",
        {"F5c"},
    ),
    "a win that went to somebody else": (
        """UPDATE given_rewards SET member_id = (SELECT max(id) FROM members)
        WHERE key LIKE 'draw:%'""",
        {"F5c"},
    ),
    "points that wait in a store": (
        "UPDATE draw_tickets SET state = 'waiting' WHERE state = 'given'",
        {"F5c"},
    ),
    "a seed that was chosen afterwards": ("UPDATE lucky_draws SET seed = seed || '0'", {"F5d"}),
    "a digest that was changed": (
        "UPDATE lucky_draws SET commitment = reverse(commitment)",
        {"F5d"},
    ),
    "a row of days with a gap": ("DELETE FROM check_ins WHERE streak = 2", {"F5e"}),
    "a row of days that began in the middle": (
        "UPDATE check_ins SET streak = 9 WHERE streak = 1",
        {"F5e"},
    ),
    "points for a day that nobody gave": (
        "DELETE FROM given_rewards WHERE key LIKE 'check_in:%'",
        {"F5f"},
    ),
    "more points for a day than promised": (
        "UPDATE given_rewards SET amount = amount + 1 WHERE key LIKE 'check_in:%'",
        {"F5f"},
    ),
    "a friend who counted twice": (
        "UPDATE invited_friends SET is_counted = true, arrived_at = accepted_at",
        {"F5g"},
    ),
    "a friend who counts for themselves": (
        """UPDATE invite_rounds SET member_id = (SELECT min(friend_id) FROM invited_friends)
        WHERE state = 'complete'""",
        {"F5g"},
    ),
    "a round that was rewarded twice": (
        """INSERT INTO given_rewards
            (key, member_id, kind, amount, source, state, asked_at, given_at)
        SELECT key || '-again', member_id, kind, amount, source, state, asked_at, given_at
        FROM given_rewards WHERE key LIKE 'invite_round:%'""",
        {"F5h"},
    ),
    "a complete round without its reward": (
        "DELETE FROM given_rewards WHERE key LIKE 'invite_round:%'",
        {"F5h"},
    ),
    "a reward for a round of somebody else": (
        """UPDATE given_rewards SET member_id = (SELECT max(id) FROM members)
        WHERE key LIKE 'invite_round:%'""",
        {"F5h"},
    ),
}


@pytest.fixture
def owner(app: Flask, services: Services) -> Iterator[Session]:
    """The app's session as the owner of the tables, in a transaction that is undone."""
    made = sa.create_engine(services.owner_database_url)
    with app.app_context():
        engines = cast("dict[str | None, Any]", db.engines)
        usual, connection = db.engine, made.connect()
        outer = connection.begin()
        engines[None] = connection
        try:
            yield db.session()
        finally:
            db.session.remove()
            outer.rollback()
            connection.close()
            made.dispose()
            engines[None] = usual


def _live(session: Session) -> None:
    """A draw that is over, three days in a row, a round that is complete and one that is open."""
    host, other = make_member(session), make_member(session)
    wheel = make_draw(session, prizes=[POINTS, CREAM], now=NOON)
    for _ in range(12):
        draws.draw(session, wheel.id, member_id=host.id, now=NOON)
    end(session, wheel, now=NOON)
    daily = make_activity(session, ActivityKind.CHECK_IN, starts_at=NOON - DAY)
    for day in range(3):
        check_ins.check_in(session, daily.id, member_id=host.id, now=NOON + day * DAY)
    rules = {"friends": 2, "reward_points": 10, "friend_points": 0}
    rounds = make_activity(session, ActivityKind.INVITE_ROUNDS, rules=rules)
    for who, arrived in ((host, (True, True)), (other, (True, False, False))):
        row = invites.begin(session, rounds.id, member_id=who.id, now=NOON)
        for has_arrived in arrived:
            friend = make_member(session)
            invites.accept(session, row.code, friend_id=friend.id, now=NOON)
            if has_arrived:
                invites.arrived(session, friend.id, "first_order_kept", now=NOON)
    session.commit()
    sweep(session, now=NOON)


def _broken(session: Session) -> set[str]:
    others = frozenset(one.code for one in invariants.INVARIANTS) - CODES
    return {one.code for one in invariants.check(session, skip=others) if one.count}


def test_whatever_breaks_a_promise_about_draws_is_found(owner: Session) -> None:
    _live(owner)
    sound = _broken(owner)
    missed = {}
    for what, (written, codes) in BREAKS.items():
        owner.commit()
        with owner.begin_nested() as undone:
            owner.execute(sa.text("SET LOCAL session_replication_role = replica"))
            owner.execute(sa.text(written))
            found = _broken(owner)
            undone.rollback()
        if not codes <= found:
            missed[what] = codes - found

    assert sound == set()
    assert missed == {}
    assert {code for _, codes in BREAKS.values() for code in codes} == CODES
