"""Settings of guest cards. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import AT_ONCE, DAY, HOUR, YEAR, Group, Spec
from app.preferences.units import Unit

GUEST_CARDS: Final[tuple[Spec, ...]] = (
    Spec(
        name="card_share_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("How long a shared guest card waits"),
        governs=N_("After this time an unclaimed guest card goes back to its giver's quota."),
        keeps=N_("Guest cards shared before wait as long as they were promised."),
        least=HOUR,
        most=30 * DAY,
    ),
    Spec(
        name="card_claims_per_device",
        group=Group.PROMOTIONS,
        unit=Unit.COUNT,
        label=N_("Guest cards per phone"),
        governs=N_("How many guest cards can be claimed with one phone, whoever claims them."),
        keeps=N_("Guest cards claimed before stay as they are."),
        least=1,
        most=20,
    ),
    Spec(
        name="card_book_ahead_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("How far ahead a guest card books"),
        governs=N_("How far ahead the holder of a guest card can book a time."),
        keeps=N_("Bookings made before stay as they are."),
        least=DAY,
        most=180 * DAY,
    ),
    Spec(
        name="card_no_show_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("When a booking counts as missed"),
        governs=N_("How long after its end a booking that nobody kept counts as missed."),
        keeps=AT_ONCE,
        least=0,
        most=7 * DAY,
    ),
    Spec(
        name="card_block_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("Pause after two missed bookings"),
        governs=N_("How long guest cards are closed to whoever missed two bookings."),
        keeps=AT_ONCE,
        least=DAY,
        most=YEAR,
    ),
    Spec(
        name="card_conversion_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("How long an order counts for a guest card"),
        governs=N_(
            "The first order paid within this time after a guest card's first use counts for it."
        ),
        keeps=N_("What was counted before stays counted."),
        least=DAY,
        most=YEAR,
    ),
)
