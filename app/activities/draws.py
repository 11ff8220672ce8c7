"""Lucky draws (抽奖): chances that were committed to beforehand, and prizes that cannot run over.

Every ticket is decided by a seed whose digest is shown from the moment the draw is scheduled; the
seed is shown when it is over (`draw_odds`). Tickets of one draw are numbered one after the other
under its row, so that the order in which prizes went can be computed again by anybody. A draw costs
nothing or points; it never costs money, which would be gambling (刑法 art. 303; 反不正当竞争法 art.
11 caps a prize at 50,000 yuan).
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from app.activities import draw_odds, entries, limits, prize_specs, queries, sweeping
from app.activities.contract import Kind
from app.activities.draw_errors import TicketNotFound
from app.activities.draw_models import DrawPrize, DrawTicket, LuckyDraw
from app.activities.draw_odds import Chance
from app.activities.entries import Taking
from app.activities.errors import ActivityInvalid, ActivityNotFound, ActivityNotInState
from app.activities.models import Activity, ActivityDay
from app.activities.prize_specs import PrizeSpec
from app.activities.rules import Rules
from app.activities.states import EDITABLE, ActivityKind, ActivityState, TicketState
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.clock import business_day
from app.kernel.i18n import N_
from app.kernel.secrecy import vault
from app.loyalty import rewards
from app.loyalty.models import RewardSource
from app.loyalty.rewards import Reward
from app.points import spending

SEED_BYTES: Final = 32
OVER: Final = (ActivityState.ENDED, ActivityState.CANCELLED)


class LuckyDrawRules(Rules):
    """What a draw asks of those who try."""

    draws_a_day: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            title=N_("Draws a day"),
            description=N_("How often one person may try on one day."),
        ),
    ] = 3
    free_a_day: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            title=N_("Free draws a day"),
            description=N_("How many of these cost nothing; the others cost points."),
        ),
    ] = 1
    points_a_draw: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            title=N_("Points for a further draw"),
            description=N_("What each further draw of a day costs; 0 for free."),
        ),
    ] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What anybody needs to compute a draw again; the seed is None until it is over."""

    commitment: str
    seed: str | None
    tickets: int
    prizes: Sequence[DrawPrize]


def put_prizes(
    session: Session,
    activity_id: int,
    specs: Sequence[PrizeSpec],
    *,
    actor: Actor,
    now: datetime,
) -> Sequence[DrawPrize]:
    """Say what a draw that has not begun gives. Raises `PrizesInvalid` with what to look at."""
    activity = queries.lock_activity(session, activity_id)
    if activity.kind is not ActivityKind.LUCKY_DRAW:
        raise ActivityNotFound
    if activity.state not in EDITABLE or activity.starts_at <= now < activity.ends_at:
        raise ActivityNotInState(activity.state, "set_prizes")
    prize_specs.check(specs)
    before = [prize_specs.described(one) for one in prizes_of(session, activity_id)]
    session.execute(sa.delete(DrawPrize).where(DrawPrize.activity_id == activity_id))
    session.add_all(
        DrawPrize(
            activity_id=activity_id,
            place=place,
            title=spec.title,
            chance_ppm=spec.chance_ppm,
            stock=spec.stock,
            given=0,
            reward=spec.reward.to_json() if spec.reward else None,
        )
        for place, spec in enumerate(specs, 1)
    )
    session.flush()
    found = prizes_of(session, activity_id)
    stores = activity.store_ids or []
    subject = Subject("activity", activity.id, stores[0] if len(stores) == 1 else None)
    change = Change({"prizes": before}, {"prizes": [prize_specs.described(one) for one in found]})
    record(session, actor, "draw_prizes_set", subject, change, now=now)
    return found


def prizes_of(session: Session, activity_id: int) -> Sequence[DrawPrize]:
    """Return the prizes of a draw in their order."""
    return session.scalars(
        sa.select(DrawPrize).where(DrawPrize.activity_id == activity_id).order_by(DrawPrize.place)
    ).all()


def draw(session: Session, activity_id: int, *, member_id: int, now: datetime) -> DrawTicket:
    """Draw a ticket for a member and give what it wins, all in one transaction.

    Raises `ActivityNotOpen`, `DayLimitReached`, `ActivityLimitReached`, `ActivitySoldOut`,
    `PointsShort`; then nothing was taken.
    """
    activity = _draw_of(session, activity_id)
    queries.require_open(activity, store_id=None, now=now)
    rules = LuckyDrawRules.model_validate(activity.rules)
    taking = Taking(activity=activity, member_id=member_id)
    entries.begin(session, taking)
    day = business_day(now)
    limits.take_day(session, activity.id, member_id, day=day, limit=rules.draws_a_day)
    points = _price(session, activity.id, member_id, rules, now=now)
    entry = entries.finish(session, taking, now=now)
    entries.keep(session, [entry.id])
    if points:
        key = f"draw:{entry.id}"
        spending.hold(session, key, points, member_id=member_id, now=now)
        spending.spend_held(session, key, now=now)
    return _decide(session, activity, member_id, entry.id, points, now=now)


def cost_of_next(
    session: Session, activity_id: int, *, member_id: int, now: datetime
) -> int | None:
    """Return how many points a member's next draw costs today, or None where today's are used up.

    Raises `ActivityNotFound`.
    """
    activity = _draw_of(session, activity_id)
    rules = LuckyDrawRules.model_validate(activity.rules)
    done = _done_today(session, activity_id, member_id, now=now)
    if done >= rules.draws_a_day:
        return None
    return 0 if done < rules.free_a_day else rules.points_a_draw


def proof_of(session: Session, activity_id: int) -> Proof:
    """Return what proves a draw; its seed only once nobody can draw any more."""
    _draw_of(session, activity_id)
    found = session.get(LuckyDraw, activity_id)
    if found is None:
        raise ActivityNotFound
    return Proof(
        commitment=found.commitment,
        seed=found.seed,
        tickets=found.tickets,
        prizes=prizes_of(session, activity_id),
    )


def tickets_page(
    session: Session, activity_id: int, *, after_number: int = 0, limit: int
) -> Sequence[DrawTicket]:
    """Return tickets of a draw in their order, from behind a number on; for who computes again."""
    _draw_of(session, activity_id)
    return session.scalars(
        sa.select(DrawTicket)
        .where(DrawTicket.activity_id == activity_id, DrawTicket.number > after_number)
        .order_by(DrawTicket.number)
        .limit(limit)
    ).all()


def won_by(
    session: Session, member_id: int, *, after_id: int | None = None, limit: int
) -> Sequence[tuple[DrawTicket, DrawPrize]]:
    """Return what a member has won in draws, the newest first."""
    wanted = (
        sa.select(DrawTicket, DrawPrize)
        .join(DrawPrize, DrawPrize.id == DrawTicket.prize_id)
        .where(DrawTicket.member_id == member_id)
        .order_by(DrawTicket.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        wanted = wanted.where(DrawTicket.id < after_id)
    return [(row[0], row[1]) for row in session.execute(wanted)]


def differences(session: Session, activity_id: int) -> list[int]:
    """Return the numbers of tickets that are not what the seed says: none, if nobody cheated."""
    _draw_of(session, activity_id)
    found = session.get_one(LuckyDraw, activity_id)
    prizes = prizes_of(session, activity_id)
    seed = found.seed or vault().open(found.seed_sealed)
    expected = draw_odds.outcomes(
        seed,
        activity_id,
        [Chance(one.chance_ppm, one.stock) for one in prizes],
        tickets=found.tickets,
    )
    ids = {place: prize.id for place, prize in enumerate(prizes)}
    by_number = {
        row.number: (row.drawn_id, row.prize_id)
        for row in session.execute(
            sa.select(DrawTicket.number, DrawTicket.drawn_id, DrawTicket.prize_id).where(
                DrawTicket.activity_id == activity_id
            )
        )
    }
    wrong = [
        number
        for number, one in enumerate(expected, 1)
        if by_number.pop(number, ("none", "none")) != (_id(ids, one.drawn), _id(ids, one.won))
    ]
    return wrong + sorted(by_number)


def ticket_of(session: Session, ticket_id: int, member_id: int) -> DrawTicket:
    """Return a member's own ticket; another's is the same as none."""
    found = session.get(DrawTicket, ticket_id)
    if found is None or found.member_id != member_id:
        raise TicketNotFound
    return found


def _decide(
    session: Session,
    activity: Activity,
    member_id: int,
    entry_id: int,
    points: int,
    *,
    now: datetime,
) -> DrawTicket:
    """Number a ticket, which orders all of a draw from here to the commit, and see what it wins."""
    number, sealed = session.execute(
        sa.update(LuckyDraw)
        .where(LuckyDraw.activity_id == activity.id, LuckyDraw.revealed_at.is_(None))
        .values(tickets=LuckyDraw.tickets + 1)
        .returning(LuckyDraw.tickets, LuckyDraw.seed_sealed)
        .execution_options(synchronize_session=False)
    ).one()
    prizes = prizes_of(session, activity.id)
    chances_ppm = [one.chance_ppm for one in prizes]
    place = draw_odds.drawn(vault().open(sealed), activity.id, number, chances_ppm)
    drawn = None if place is None else prizes[place]
    won = drawn if drawn is not None and _take_prize(session, drawn) else None
    ticket = DrawTicket(
        activity_id=activity.id,
        number=number,
        member_id=member_id,
        entry_id=entry_id,
        points=points,
        drawn_id=drawn.id if drawn else None,
        prize_id=won.id if won else None,
        state=_state(won),
        at=now,
    )
    session.add(ticket)
    session.flush()
    if won is not None and won.reward is not None:
        reward = Reward.from_json(won.reward)
        key = f"draw:{ticket.id}"
        rewards.give(session, member_id, reward, key=key, source=RewardSource.DRAW, now=now)
    return ticket


def _state(won: DrawPrize | None) -> TicketState:
    if won is None:
        return TicketState.NOTHING
    return TicketState.WAITING if won.reward is None else TicketState.GIVEN


def _take_prize(session: Session, prize: DrawPrize) -> bool:
    taken = session.scalar(
        sa.update(DrawPrize)
        .where(DrawPrize.id == prize.id, DrawPrize.given < DrawPrize.stock)
        .values(given=DrawPrize.given + 1)
        .returning(DrawPrize.id)
        .execution_options(synchronize_session=False)
    )
    return taken is not None


def _price(
    session: Session, activity_id: int, member_id: int, rules: LuckyDrawRules, *, now: datetime
) -> int:
    """Return what this draw costs in points; it is counted already."""
    done = _done_today(session, activity_id, member_id, now=now)
    return 0 if done <= rules.free_a_day else rules.points_a_draw


def _done_today(session: Session, activity_id: int, member_id: int, *, now: datetime) -> int:
    wanted = sa.select(ActivityDay.acts).where(
        ActivityDay.activity_id == activity_id,
        ActivityDay.member_id == member_id,
        ActivityDay.day == business_day(now),
    )
    return session.scalar(wanted) or 0


def _draw_of(session: Session, activity_id: int) -> Activity:
    activity = session.get(Activity, activity_id, populate_existing=True)
    is_seen = activity is not None and activity.state is not ActivityState.DRAFT
    if activity is None or activity.kind is not ActivityKind.LUCKY_DRAW or not is_seen:
        raise ActivityNotFound
    return activity


def _id(ids: Mapping[int, int], place: int | None) -> int | None:
    return None if place is None else ids[place]


def _check(session: Session, activity: Activity, _rules: LuckyDrawRules) -> None:
    """Before it is scheduled: there are prizes, and the seed is committed to."""
    if not prizes_of(session, activity.id):
        raise ActivityInvalid("prizes")
    if session.get(LuckyDraw, activity.id) is None:
        seed = secrets.token_hex(SEED_BYTES)
        session.add(
            LuckyDraw(
                activity_id=activity.id,
                seed_sealed=vault().seal(seed),
                commitment=draw_odds.commitment(seed),
                tickets=0,
            )
        )
        session.flush()


def _sweep(now: datetime) -> int:
    """Show the seeds of draws that are over."""
    due = (
        sa.select(LuckyDraw.activity_id)
        .join(Activity, Activity.id == LuckyDraw.activity_id)
        .where(Activity.state.in_(OVER), LuckyDraw.revealed_at.is_(None))
        .order_by(LuckyDraw.activity_id)
    )

    def reveal(session: Session, activity_id: int) -> None:
        row = session.get_one(LuckyDraw, activity_id, with_for_update=True, populate_existing=True)
        if row.revealed_at is None:
            row.seed, row.revealed_at = vault().open(row.seed_sealed), now

    return sweeping.each(due, reveal)


def seen_in(store_ids: Collection[int] | None) -> sa.ColumnElement[bool]:
    """Return the condition for tickets of draws that take place in any of these stores."""
    wanted = sa.select(Activity.id).where(queries.touching_stores(store_ids))
    return DrawTicket.activity_id.in_(wanted)


KIND: Final = Kind(
    code=ActivityKind.LUCKY_DRAW,
    title=N_("Lucky draw"),
    about=N_("Prizes by chances that anybody can check afterwards."),
    counts=N_("draws"),
    rules=LuckyDrawRules,
    sells=False,
    check=_check,
    sweep=_sweep,
)
