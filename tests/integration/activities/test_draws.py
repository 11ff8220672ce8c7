from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import draw_odds, draws, prizes, services
from app.activities.draw_errors import PrizeNotWaiting, PrizesInvalid, TicketNotFound
from app.activities.draw_models import DrawPrize, DrawTicket, LuckyDraw
from app.activities.errors import (
    ActivityInvalid,
    ActivityLimitReached,
    ActivityNotInState,
    ActivityNotOpen,
    ActivitySoldOut,
    DayLimitReached,
)
from app.activities.models import ActivityEntry
from app.activities.prize_specs import PrizeSpec
from app.activities.states import ActivityEvent, ActivityKind, ActivityState, TicketState
from app.counter.errors import PickupCodeInvalid
from app.kernel.audit import SYSTEM, Actor
from app.kernel.secrecy import vault
from app.loyalty.models import GivenReward
from app.points.errors import PointsShort
from app.points.queries import held
from tests.factories.activities import make_activity, sweep
from tests.factories.draws import HOUR, MASK, POINTS, end, make_draw
from tests.factories.people import make_member, make_staff, make_store
from tests.factories.points import make_points

SURE = PrizeSpec(title="Cream", chance_ppm=1_000_000, stock=5)


def counted(session: Session) -> tuple[int, int]:
    tickets = session.scalar(sa.select(sa.func.count()).select_from(DrawTicket)) or 0
    entries = session.scalar(sa.select(sa.func.count()).select_from(ActivityEntry)) or 0
    return tickets, entries


def test_every_ticket_is_what_the_seed_says_and_the_seed_what_was_promised(
    session: Session, now: datetime
) -> None:
    activity = make_draw(session, now=now)
    people = [make_member(session) for _ in range(4)]
    before = draws.proof_of(session, activity.id)
    for _ in range(10):
        for person in people:
            draws.draw(session, activity.id, member_id=person.id, now=now)
    during = draws.proof_of(session, activity.id)
    end(session, activity, now=now)
    sweep(session, now=now)

    proof = draws.proof_of(session, activity.id)

    assert before.seed is during.seed is None
    assert proof.seed is not None
    assert draw_odds.commitment(proof.seed) == before.commitment == proof.commitment
    assert proof.tickets == 40
    tickets = draws.tickets_page(session, activity.id, limit=100)
    ids = [one.id for one in proof.prizes]
    left = {one.id: one.stock for one in proof.prizes}
    for number, ticket in enumerate(tickets, 1):
        place = draw_odds.drawn(
            proof.seed, activity.id, number, [one.chance_ppm for one in proof.prizes]
        )
        drawn = None if place is None else ids[place]
        won = drawn if drawn is not None and left[drawn] else None
        if won is not None:
            left[won] -= 1
        assert (ticket.number, ticket.drawn_id, ticket.prize_id) == (number, drawn, won)
    assert left[ids[0]] == 0, "with three in ten of forty tickets, both masks are gone"
    assert draws.differences(session, activity.id) == []


def test_a_result_that_somebody_changes_is_found(session: Session, now: datetime) -> None:
    activity = make_draw(session, prizes=[SURE], now=now)
    person = make_member(session)
    for _ in range(3):
        draws.draw(session, activity.id, member_id=person.id, now=now)

    found = session.get_one(LuckyDraw, activity.id)
    session.execute(sa.update(DrawPrize).values(stock=2, given=2))

    assert found.tickets == 3
    assert draws.differences(session, activity.id) == [3]


def test_points_are_given_at_once_and_things_wait_at_the_counter(
    session: Session, now: datetime
) -> None:
    points = PrizeSpec(title=POINTS.title, chance_ppm=500_000, stock=50, reward=POINTS.reward)
    thing = PrizeSpec(title=MASK.title, chance_ppm=500_000, stock=50)
    activity = make_draw(session, prizes=[points, thing], now=now)
    person = make_member(session)

    tickets = [draws.draw(session, activity.id, member_id=person.id, now=now) for _ in range(12)]

    given = [one for one in tickets if one.state is TicketState.GIVEN]
    waiting = [one for one in tickets if one.state is TicketState.WAITING]
    assert len(given) + len(waiting) == 12
    assert given
    assert waiting
    assert held(session, person.id).available == 20 * len(given)
    keys = set(session.scalars(sa.select(GivenReward.key)))
    assert keys == {f"draw:{one.id}" for one in given}


def test_further_draws_cost_points_and_the_day_ends_them(session: Session, now: datetime) -> None:
    rules = {"draws_a_day": 3, "free_a_day": 1, "points_a_draw": 30}
    activity = make_draw(session, prizes=[SURE], rules=rules, now=now)
    person = make_member(session)
    make_points(session, person, 60, now=now)

    costs = []
    for _ in range(3):
        costs.append(draws.cost_of_next(session, activity.id, member_id=person.id, now=now))
        draws.draw(session, activity.id, member_id=person.id, now=now)

    assert costs == [0, 30, 30]
    assert held(session, person.id).available == 0
    assert draws.cost_of_next(session, activity.id, member_id=person.id, now=now) is None
    with pytest.raises(DayLimitReached), session.begin_nested():
        draws.draw(session, activity.id, member_id=person.id, now=now)
    assert counted(session) == (3, 3)


def test_who_lacks_the_points_draws_nothing_and_loses_nothing(
    session: Session, now: datetime
) -> None:
    rules = {"draws_a_day": 3, "free_a_day": 0, "points_a_draw": 30}
    activity = make_draw(session, prizes=[SURE], rules=rules, now=now)
    person = make_member(session)
    make_points(session, person, 29, now=now)

    with pytest.raises(PointsShort), session.begin_nested():
        draws.draw(session, activity.id, member_id=person.id, now=now)

    assert counted(session) == (0, 0)
    assert held(session, person.id).available == 29
    assert draws.cost_of_next(session, activity.id, member_id=person.id, now=now) == 30


def test_limits_for_one_and_for_all_hold(session: Session, now: datetime) -> None:
    activity = make_draw(session, now=now, limit_per_member=2, limit_total=3)
    first, second = make_member(session), make_member(session)
    for _ in range(2):
        draws.draw(session, activity.id, member_id=first.id, now=now)
    draws.draw(session, activity.id, member_id=second.id, now=now)

    with pytest.raises(ActivityLimitReached), session.begin_nested():
        draws.draw(session, activity.id, member_id=first.id, now=now)
    with pytest.raises(ActivitySoldOut), session.begin_nested():
        draws.draw(session, activity.id, member_id=second.id, now=now)

    assert counted(session) == (3, 3)


def test_nobody_draws_before_it_begins_or_after_it_ended(session: Session, now: datetime) -> None:
    activity = make_draw(session, now=now)
    person = make_member(session)

    with pytest.raises(ActivityNotOpen):
        draws.draw(session, activity.id, member_id=person.id, now=now - 2 * HOUR)
    with pytest.raises(ActivityNotOpen):
        draws.draw(session, activity.id, member_id=person.id, now=activity.ends_at)

    assert counted(session) == (0, 0)


def test_a_draw_without_prizes_is_not_scheduled(session: Session, now: datetime) -> None:
    activity = make_activity(
        session,
        ActivityKind.LUCKY_DRAW,
        state=ActivityState.DRAFT,
        starts_at=now + HOUR,
        ends_at=now + 2 * HOUR,
    )

    with pytest.raises(ActivityInvalid) as refusal:
        services.decide(session, activity.id, ActivityEvent.SCHEDULE, actor=SYSTEM, now=now)

    assert refusal.value.field == "prizes"
    assert session.get(LuckyDraw, activity.id) is None


def test_prizes_stay_what_they_are_once_it_runs(session: Session, now: datetime) -> None:
    activity = make_draw(session, now=now)

    with pytest.raises(ActivityNotInState):
        draws.put_prizes(session, activity.id, [SURE], actor=SYSTEM, now=now)

    assert [one.title for one in draws.prizes_of(session, activity.id)] == ["Mask", "20 points"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ([], "count"),
        ([SURE, MASK], "chance"),
        ([PrizeSpec(title="", chance_ppm=1, stock=1)], "title"),
        ([PrizeSpec(title="x" * 41, chance_ppm=1, stock=1)], "title"),
        ([PrizeSpec(title="x", chance_ppm=0, stock=1)], "chance"),
        ([PrizeSpec(title="x", chance_ppm=1, stock=0)], "stock"),
    ],
)
def test_prizes_that_make_no_sense_are_refused(
    session: Session, now: datetime, wrong: list[PrizeSpec], field: str
) -> None:
    activity = make_activity(
        session,
        ActivityKind.LUCKY_DRAW,
        state=ActivityState.DRAFT,
        starts_at=now + HOUR,
        ends_at=now + 2 * HOUR,
    )

    with pytest.raises(PrizesInvalid) as refusal:
        draws.put_prizes(session, activity.id, wrong, actor=SYSTEM, now=now)

    assert refusal.value.field == field
    assert draws.prizes_of(session, activity.id) == []


def test_the_seed_lies_sealed_until_the_draw_is_over(session: Session, now: datetime) -> None:
    activity = make_draw(session, now=now)

    row = session.get_one(LuckyDraw, activity.id)

    seed = vault().open(row.seed_sealed)
    assert draw_odds.commitment(seed) == row.commitment
    assert seed not in row.seed_sealed
    assert (row.seed, row.revealed_at) == (None, None)


def test_a_prize_is_handed_over_once_by_the_code_on_the_phone(
    session: Session, now: datetime
) -> None:
    store = make_store(session)
    activity = make_draw(session, prizes=[SURE], stores=[store], now=now)
    person = make_member(session)
    ticket = draws.draw(session, activity.id, member_id=person.id, now=now)
    li = make_staff(session, "front_desk", stores=[store])
    actor = Actor("staff", li.id)
    code = str(prizes.show_code(session, ticket.id, member_id=person.id, now=now))

    seen = prizes.look(session, ticket.id, store_ids=[store.id], now=now)
    done = prizes.redeem(session, ticket.id, code=code, store_id=store.id, actor=actor, now=now)

    assert (seen.title, seen.left, done.left) == ("Cream", 1, 0)
    assert (ticket.state, ticket.handed_over_by) == (TicketState.HANDED_OVER, f"staff:{li.id}")
    with pytest.raises(PrizeNotWaiting):
        prizes.redeem(session, ticket.id, code=code, store_id=store.id, actor=actor, now=now)


def test_a_prize_is_not_handed_over_elsewhere_or_by_another_code(
    session: Session, now: datetime
) -> None:
    store, foreign = make_store(session), make_store(session)
    activity = make_draw(session, prizes=[SURE], stores=[store], now=now)
    person = make_member(session)
    ticket = draws.draw(session, activity.id, member_id=person.id, now=now)
    other = draws.draw(session, activity.id, member_id=person.id, now=now)
    here = Actor("staff", make_staff(session, "front_desk", stores=[store]).id)
    there = Actor("staff", make_staff(session, "front_desk", stores=[foreign]).id)
    code = str(prizes.show_code(session, other.id, member_id=person.id, now=now))

    with pytest.raises(TicketNotFound):
        prizes.look(session, ticket.id, store_ids=[foreign.id], now=now)
    with pytest.raises(TicketNotFound):
        prizes.redeem(session, ticket.id, code=None, store_id=foreign.id, actor=there, now=now)
    with pytest.raises(PickupCodeInvalid):
        prizes.redeem(session, ticket.id, code=code, store_id=store.id, actor=here, now=now)
    prizes.redeem(session, other.id, code=code, store_id=store.id, actor=here, now=now)

    assert session.get_one(DrawTicket, ticket.id).state is TicketState.WAITING


def test_the_way_to_a_ticket_of_somebody_else_is_closed(session: Session, now: datetime) -> None:
    activity = make_draw(session, prizes=[SURE], now=now)
    person, stranger = make_member(session), make_member(session)
    ticket = draws.draw(session, activity.id, member_id=person.id, now=now)

    with pytest.raises(TicketNotFound):
        prizes.show_code(session, ticket.id, member_id=stranger.id, now=now)

    assert [one.id for one, _ in draws.won_by(session, person.id, limit=5)] == [ticket.id]
    assert draws.won_by(session, stranger.id, limit=5) == []
