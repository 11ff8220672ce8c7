"""What activities know of the people who took part in them."""

from typing import Final

from app.kernel.i18n import N_
from app.privacy.trace import Trace

PROMOTION_TRACES: Final = (
    Trace(
        table="activity_entries",
        title=N_("Activities"),
        shown="activity_id, order_id, quantity, price_fen, state, created_at, released_at",
    ),
    Trace(
        table="group_seats",
        title=N_("Groups"),
        shown="group_id, number, order_id, state, at, left_at",
    ),
    Trace(
        table="bargains",
        title=N_("Bargains"),
        shown="id, state, start_fen, cut_fen, floor_fen, order_id, begun_at, ended_at",
    ),
    Trace(
        table="bargain_cuts",
        title=N_("Cuts for friends"),
        whose="helper_id = :id",
        shown="bargain_id, amount_fen, at",
    ),
    Trace(
        table="draw_tickets",
        title=N_("Lucky draws"),
        shown="activity_id, number, points, state, at, handed_over_at",
    ),
    Trace(table="check_ins", title=N_("Check-ins"), shown="day, streak, points, at"),
    Trace(
        table="invite_rounds",
        title=N_("Rounds of invitations"),
        shown="number, needed, arrived, state, begun_at, ended_at",
    ),
    Trace(
        table="invited_friends",
        title=N_("Invitations accepted"),
        whose="friend_id = :id",
        shown="accepted_at, arrived_at, is_counted",
    ),
)
