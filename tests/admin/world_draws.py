"""A lucky draw, a check-in and a round of invitations of a store of the world."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.activities import draw_odds
from app.activities.draw_models import (
    CheckIn,
    DrawPrize,
    DrawTicket,
    InvitedFriend,
    InviteRound,
    LuckyDraw,
)
from app.activities.models import Activity, ActivityEntry, ActivityTally
from app.activities.states import ActivityKind, EntryState, InviteState, TicketState
from app.kernel.secrecy import vault
from app.members.models import Member
from tests.admin.place import Place
from tests.factories.activities import make_activity
from tests.factories.people import make_member

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEED: Final = "5eed"


def put_draws(session: Session, place: Place, name: str) -> None:
    """A prize that waits to be handed over, a visit, and a round with one friend who accepted."""
    member = make_member(session, nickname=f"{name} lucky customer")
    friend = make_member(session, nickname=f"{name} invited customer")
    for one in (member, friend):
        one.origin_store_id = place.store.id
    session.flush()
    _put_ticket(session, place, member)
    _put_visit(session, place, member)
    _put_round(session, place, member, friend)


def _entry(session: Session, place: Place, kind: ActivityKind, member: Member) -> ActivityEntry:
    activity: Activity = make_activity(session, kind, stores=[place.store])
    entry = ActivityEntry(
        activity_id=activity.id,
        member_id=member.id,
        quantity=1,
        is_newcomer=True,
        state=EntryState.KEPT,
        created_at=NOON,
    )
    session.add(entry)
    session.add(ActivityTally(activity_id=activity.id, member_id=member.id, taken=1))
    session.flush()
    return entry


def _put_ticket(session: Session, place: Place, member: Member) -> None:
    entry = _entry(session, place, ActivityKind.LUCKY_DRAW, member)
    prize = DrawPrize(
        activity_id=entry.activity_id,
        place=1,
        title="Cream of the world",
        chance_ppm=1_000_000,
        stock=3,
        given=1,
    )
    session.add(prize)
    session.add(
        LuckyDraw(
            activity_id=entry.activity_id,
            seed_sealed=vault().seal(SEED),
            commitment=draw_odds.commitment(SEED),
            tickets=1,
        )
    )
    session.flush()
    ticket = DrawTicket(
        activity_id=entry.activity_id,
        number=1,
        member_id=member.id,
        entry_id=entry.id,
        points=0,
        drawn_id=prize.id,
        prize_id=prize.id,
        state=TicketState.WAITING,
        at=NOON,
    )
    session.add(ticket)
    session.flush()
    place.put("draw_tickets", ticket.id, member.nickname)


def _put_visit(session: Session, place: Place, member: Member) -> None:
    entry = _entry(session, place, ActivityKind.CHECK_IN, member)
    visit = CheckIn(
        activity_id=entry.activity_id,
        member_id=member.id,
        day=date(2026, 3, 1),
        streak=1,
        points=0,
        at=NOON,
    )
    session.add(visit)
    session.flush()
    place.put("check_ins", visit.id, member.nickname)


def _put_round(session: Session, place: Place, member: Member, friend: Member) -> None:
    entry = _entry(session, place, ActivityKind.INVITE_ROUNDS, member)
    row = InviteRound(
        code=f"round{place.store.id:017d}",
        activity_id=entry.activity_id,
        member_id=member.id,
        entry_id=entry.id,
        number=1,
        needed=3,
        arrived=0,
        state=InviteState.OPEN,
        begun_at=NOON,
        expires_at=NOON + timedelta(days=30),
    )
    session.add(row)
    session.flush()
    session.add(
        InvitedFriend(
            activity_id=row.activity_id, friend_id=friend.id, round_id=row.id, accepted_at=NOON
        )
    )
    session.flush()
    place.put("invite_rounds", row.id, member.nickname)
