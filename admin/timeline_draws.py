"""What a customer's timeline tells of lucky draws and rounds of invitations, and their file."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin.cells import Badge
from admin.details import Section
from admin.directory import Reference
from admin.i18n import gettext
from admin.labels import label_of, tone_of
from admin.timeline import Item, Source, Wanted, rows_of
from app.activities.draw_models import CheckIn, DrawPrize, DrawTicket, InviteRound
from app.kernel.db import db
from app.members.models import Member


def draw_sections(view: Any, row: Member) -> Iterable[Section | None]:
    """Yield what a customer drew, on which days they came, and whom they invited."""
    yield view.related(
        "draw_tickets",
        DrawTicket.member_id == row.id,
        title=_("Draws"),
        without=("member_id",),
        hides_empty=True,
        member=row.id,
    )
    yield view.related(
        "check_ins",
        CheckIn.member_id == row.id,
        without=("member_id",),
        hides_empty=True,
        member=row.id,
    )
    yield view.related(
        "invite_rounds",
        InviteRound.member_id == row.id,
        without=("member_id",),
        hides_empty=True,
        member=row.id,
    )


def _won(wanted: Wanted) -> Sequence[Item]:
    """Return what a customer won in draws, where the reader may see it."""
    return _prizes(wanted, DrawTicket.at, gettext("Won in a draw"), by=False)


def _prize_handed_over(wanted: Wanted) -> Sequence[Item]:
    """Return which prizes a customer fetched, where the reader may see it."""
    return _prizes(wanted, DrawTicket.handed_over_at, gettext("Prize handed over"), by=True)


def _invited(wanted: Wanted) -> Sequence[Item]:
    """Return the rounds of invitations that a customer opened."""
    return _rounds(wanted, InviteRound.begun_at, is_end=False)


def _invited_enough(wanted: Wanted) -> Sequence[Item]:
    """Return how the rounds of invitations of a customer ended."""
    return _rounds(wanted, InviteRound.ended_at, is_end=True)


def _prizes(wanted: Wanted, at: Any, what: str, *, by: bool) -> Sequence[Item]:
    query = rows_of("draw_tickets", DrawTicket, DrawTicket.member_id == wanted.member_id)
    if query is None:
        return ()
    query = query.where(DrawTicket.prize_id.is_not(None))
    tickets = db.session.scalars(wanted.page(query, at, DrawTicket.id)).all()
    titles = dict(
        db.session.execute(
            sa.select(DrawPrize.id, DrawPrize.title).where(
                DrawPrize.id.in_({one.prize_id for one in tickets})
            )
        ).all()
    )
    return [
        Item(
            one.handed_over_at if by else one.at,
            one.id,
            Badge(what, "good"),
            Reference("draw_tickets", one.id),
            one.handed_over_by if by else None,
            titles[one.prize_id],
        )
        for one in tickets
    ]


def _rounds(wanted: Wanted, at: Any, *, is_end: bool) -> Sequence[Item]:
    query = rows_of("invite_rounds", InviteRound, InviteRound.member_id == wanted.member_id)
    if query is None:
        return ()
    begun = Badge(gettext("Began to invite friends"), "busy")
    return [
        Item(
            one.ended_at if is_end else one.begun_at,
            one.id,
            _ended(one) if is_end else begun,
            Reference("invite_rounds", one.id),
            None,
            f"{one.arrived}/{one.needed}" if is_end else None,
        )
        for one in db.session.scalars(wanted.page(query, at, InviteRound.id))
    ]


def _ended(row: InviteRound) -> Badge:
    state = label_of(row.state)
    tone = str(tone_of(row.state) or "calm")
    return Badge(gettext("Round of invitations: %(state)s", state=state), tone)


OF_DRAWS: Final[tuple[Source, ...]] = (_won, _prize_handed_over, _invited, _invited_enough)
"""The kinds of events told here."""
