"""Lucky draws, daily check-in, rounds of invitations: trying one's luck, coming by, bringing."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, Self

from sqlalchemy.orm import Session

from app.activities import check_ins, draws, invites, prizes
from app.activities.check_ins import Attendance
from app.activities.draw_models import DrawPrize, DrawTicket, InviteRound
from app.activities.draws import Proof
from app.activities.guesses import INVITE_CODES
from app.activities.invites import Invitation, InviteRules
from app.activities.states import InviteState, TicketState
from app.kernel.clock import business_day, utc_now
from app.kernel.db import db
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.orders import PickupCodeView
from miniprogram_api.fields import Body, View, example
from miniprogram_api.guesses import counted
from miniprogram_api.keyed import Kept
from miniprogram_api.limits import Limit
from miniprogram_api.routing import Group

group = Group("draws", about="Lucky draws, daily check-in and rounds of invitations.")

CALENDAR: Final = timedelta(days=62)
"""How far back a calendar of check-ins looks."""


class Nothing(Body):
    """Nothing: who acts is the caller."""

    model_config = Body.model_config | example({})


class PrizeView(View):
    """A prize: how often of a million it is drawn, and how many are left."""

    id: int
    title: str
    chance_ppm: int
    stock: int
    left: int

    @classmethod
    def of(cls, prize: DrawPrize) -> Self:
        """Show a prize."""
        return cls(
            id=prize.id,
            title=prize.title,
            chance_ppm=prize.chance_ppm,
            stock=prize.stock,
            left=prize.stock - prize.given,
        )


class DrawView(View):
    """A draw for the caller. `next_costs_points` is None where today's draws are used up.

    `commitment` is the SHA-256 of the seed. When the draw is over `seed` is told too: ticket number
    n falls on the first 8 bytes of HMAC-SHA256(seed, "activity_id:n") modulo a million, and chances
    lie side by side from 0 on in the order of the prizes.
    """

    activity_id: int
    commitment: str
    seed: str | None
    tickets: int
    prizes: list[PrizeView]
    next_costs_points: int | None

    @classmethod
    def of(cls, activity_id: int, proof: Proof, *, next_costs_points: int | None) -> Self:
        """Show a draw."""
        return cls(
            activity_id=activity_id,
            commitment=proof.commitment,
            seed=proof.seed,
            tickets=proof.tickets,
            prizes=[PrizeView.of(one) for one in proof.prizes],
            next_costs_points=next_costs_points,
        )


class TicketView(View):
    """One draw and what it won: nothing, something given at once, or something to fetch."""

    id: int
    number: int
    points: int
    prize_title: str | None
    state: TicketState
    at: datetime

    @classmethod
    def of(cls, ticket: DrawTicket, prize_title: str | None) -> Self:
        """Show a ticket of the caller."""
        return cls(
            id=ticket.id,
            number=ticket.number,
            points=ticket.points,
            prize_title=prize_title,
            state=ticket.state,
            at=ticket.at,
        )


class TicketsView(View):
    """What the caller won, the newest first."""

    items: list[TicketView]
    next_cursor: str | None


class ProofRow(View):
    """A ticket as the proof needs it: whose it is stays private."""

    number: int
    drawn_id: int | None
    prize_id: int | None


class ProofRows(View):
    """Tickets of a draw in their order."""

    items: list[ProofRow]
    next_cursor: str | None


class AttendanceView(View):
    """How the caller stands today; `points` are today's, `days` those of the last two months."""

    day: date
    has_checked_in: bool
    is_new: bool
    streak: int
    points: int
    days_to_bonus: int
    days: list[date]

    @classmethod
    def of(cls, stood: Attendance, days: Sequence[date]) -> Self:
        """Show how somebody stands."""
        return cls(
            day=stood.day,
            has_checked_in=stood.has_checked_in,
            is_new=stood.is_new,
            streak=stood.streak,
            points=stood.points,
            days_to_bonus=stood.days_to_bonus,
            days=list(days),
        )


class RoundView(View):
    """A round of the caller; `code` is what an invitation carries."""

    id: int
    code: str
    activity_id: int
    number: int
    needed: int
    arrived: int
    state: InviteState
    begun_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: InviteRound) -> Self:
        """Show a round."""
        return cls(
            id=row.id,
            code=row.code,
            activity_id=row.activity_id,
            number=row.number,
            needed=row.needed,
            arrived=row.arrived,
            state=row.state,
            begun_at=row.begun_at,
            expires_at=row.expires_at,
            ended_at=row.ended_at,
        )


class RoundsView(View):
    """The caller's rounds, the newest first."""

    items: list[RoundView]
    next_cursor: str | None


class InvitationView(View):
    """An invitation as the friend sees it, with what it takes and what the friend gets."""

    activity_id: int
    name: str
    is_open: bool
    expires_at: datetime
    counts_when: str
    friend_points: int

    @classmethod
    def of(cls, found: Invitation) -> Self:
        """Show an invitation; who sent it stays without a name."""
        rules = InviteRules.model_validate(found.activity.rules)
        return cls(
            activity_id=found.activity.id,
            name=found.activity.name,
            is_open=found.is_open,
            expires_at=found.round.expires_at,
            counts_when=rules.counts_when,
            friend_points=rules.friend_points,
        )


@group.operation("GET", "/activities/<id:activity_id>/draw")
def show_draw(activity_id: int) -> DrawView:
    """Show a draw's prizes and chances, and what proves it."""
    session, who = db.session(), caller()
    proof = draws.proof_of(session, activity_id)
    cost = draws.cost_of_next(session, activity_id, member_id=who.member_id, now=utc_now())
    return DrawView.of(activity_id, proof, next_costs_points=cost)


@group.operation("GET", "/activities/<id:activity_id>/tickets")
def list_tickets(activity_id: int, query: PageQuery) -> ProofRows:
    """List all tickets of a draw, so that anybody can compute it again."""
    rows = draws.tickets_page(
        db.session(), activity_id, after_number=query.after or 0, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.number)
    return ProofRows(
        items=[
            ProofRow(number=one.number, drawn_id=one.drawn_id, prize_id=one.prize_id)
            for one in shown
        ],
        next_cursor=next_cursor,
    )


@group.operation("POST", "/activities/<id:activity_id>/tickets")
def draw_ticket(activity_id: int, body: Nothing) -> Kept[TicketView]:
    """Draw. What is won is given at once, or waits in the stores of the draw."""
    now, who = moment(), caller()

    def act(session: Session) -> TicketView:
        ticket = draws.draw(session, activity_id, member_id=who.member_id, now=now)
        won = session.get_one(DrawPrize, ticket.prize_id) if ticket.prize_id else None
        return TicketView.of(ticket, won.title if won else None)

    return keyed.once(act, body, now=now)


@group.operation("GET", "/me/prizes")
def list_prizes(query: PageQuery) -> TicketsView:
    """List what the caller won, the newest first."""
    rows = draws.won_by(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row[0].id)
    return TicketsView(
        items=[TicketView.of(ticket, prize.title) for ticket, prize in shown],
        next_cursor=next_cursor,
    )


@group.operation("POST", "/me/prizes/<id:ticket_id>/code", status=201)
def show_prize_code(ticket_id: int) -> PickupCodeView:
    """Make a code that staff scan when a prize is fetched. It lasts a minute, good once."""
    now, who = moment(), caller()

    def act(session: Session) -> PickupCodeView:
        code = prizes.show_code(session, ticket_id, member_id=who.member_id, now=now)
        return PickupCodeView(code=str(code), expires_at=code.expires_at)

    return at_once(act)


@group.operation("GET", "/activities/<id:activity_id>/check-in")
def show_attendance(activity_id: int) -> AttendanceView:
    """Show how the caller stands today."""
    session, who, now = db.session(), caller(), utc_now()
    stood = check_ins.attendance(session, activity_id, member_id=who.member_id, now=now)
    return AttendanceView.of(stood, _days(session, activity_id, who.member_id, now=now))


@group.operation("POST", "/activities/<id:activity_id>/check-in")
def check_in(activity_id: int) -> AttendanceView:
    """Check in for today; again on the same day it tells the same."""
    now, who = moment(), caller()

    def act(session: Session) -> AttendanceView:
        stood = check_ins.check_in(session, activity_id, member_id=who.member_id, now=now)
        return AttendanceView.of(stood, _days(session, activity_id, who.member_id, now=now))

    return at_once(act)


@group.operation("POST", "/activities/<id:activity_id>/rounds")
def begin_round(activity_id: int) -> RoundView:
    """Open a round of invitations, or show the one that is open."""
    now, who = moment(), caller()

    def act(session: Session) -> RoundView:
        return RoundView.of(invites.begin(session, activity_id, member_id=who.member_id, now=now))

    return at_once(act)


@group.operation("GET", "/me/rounds")
def list_rounds(query: PageQuery) -> RoundsView:
    """List the caller's rounds of invitations, the newest first."""
    rows = invites.rounds_of(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return RoundsView(items=[RoundView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/invitations/<number:invite_code>", limit=Limit.GUESS)
def show_invitation(invite_code: str) -> InvitationView:
    """Show an invitation to whom it was sent."""
    now = moment()

    def act(session: Session) -> InvitationView:
        return InvitationView.of(invites.look(session, invite_code, now=now))

    with counted(INVITE_CODES, now=now):
        return at_once(act)


@group.operation("POST", "/invitations/<number:invite_code>/accept", limit=Limit.GUESS)
def accept_invitation(invite_code: str) -> InvitationView:
    """Accept a friend's invitation; new customers only, each once in an activity."""
    now, who = moment(), caller()

    def act(session: Session) -> InvitationView:
        invites.accept(session, invite_code, friend_id=who.member_id, now=now)
        return InvitationView.of(invites.look(session, invite_code, now=now))

    with counted(INVITE_CODES, now=now):
        return at_once(act)


def _days(session: Session, activity_id: int, member_id: int, *, now: datetime) -> list[date]:
    since = business_day(now - CALENDAR)
    rows = check_ins.days_of(session, activity_id, member_id=member_id, since=since)
    return [row.day for row in rows]
