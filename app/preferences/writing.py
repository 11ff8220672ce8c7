"""Settings of what customers are written, and of what they write. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import AT_ONCE, DAY, HOUR, YEAR, Group, Spec
from app.preferences.units import Unit

_NIGHT: Final = N_("Seconds since midnight in Shanghai; 21 hours are nine in the evening.")

WRITING: Final[tuple[Spec, ...]] = (
    Spec(
        name="message_quiet_from_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("Evening from which nothing that sells is sent"),
        governs=_NIGHT,
        keeps=N_("What waits already follows the new time."),
        least=0,
        most=DAY - 1,
    ),
    Spec(
        name="message_quiet_until_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("Morning until which nothing that sells is sent"),
        governs=_NIGHT,
        keeps=N_("What waits already follows the new time."),
        least=0,
        most=DAY - HOUR,
    ),
    Spec(
        name="messages_per_day_max",
        group=Group.PROMOTIONS,
        unit=Unit.COUNT,
        label=N_("Messages that sell, for one person a day"),
        governs=N_("More wait for the next day. Messages about orders and money are not counted."),
        keeps=AT_ONCE,
        least=0,
        most=20,
    ),
    Spec(
        name="review_window_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("How long something can be reviewed"),
        governs=N_("The time after receiving it in which a customer may write a review."),
        keeps=N_("Reviews that were written stay."),
        least=DAY,
        most=2 * YEAR,
    ),
)
